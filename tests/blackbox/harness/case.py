"""The base of the tests that run hosts."""

import sys
import unittest

import grpc

from harness import places
from harness.client import SOON, channel
from harness.host import HostProcess
from harness.operator import Operator
from harness.protos import health, trial

SERVING = health.HealthCheckResponse.SERVING
NOT_SERVING = health.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health.HealthCheckResponse.SERVICE_UNKNOWN

_EXIT_FIELDS = {"event", "code", "trigger", "lame_duck_ms", "close_ms", "finish_ms", "stop_ms",
                "total_ms", "cut_calls", "hung"}


class HostTestCase(unittest.TestCase):
    """Starts hosts, ends them after the test, and shows what they logged when it failed."""

    maxDiff = None

    def run(self, result=None):
        self._hosts = []
        self._channels = []
        if result is None:
            result = self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for host in self._hosts:
                print(host.transcript(), file=sys.stderr)
        return result

    def launch_host(self, *flags, **options):
        """A host that may not serve yet. Its admin plane is a unix socket unless told otherwise."""
        if "admin" not in options:
            options["admin"] = f"unix:{places.socket_directory(self)}/admin.sock"
        host = HostProcess(*flags, **options)
        self._hosts.append(host)
        self.addCleanup(host.end)
        return host

    def start_host(self, *flags, **options):
        """A host that serves."""
        return self.launch_host(*flags, **options).wait_until_serving()

    def start_trial_host(self, *flags, **options):
        return self.start_host(*flags, binary=places.TRIAL_HOST, **options)

    def connect(self, address, *options):
        """A channel that is closed after the test."""
        opened = channel(address, *options)
        self._channels.append(opened)
        self.addCleanup(opened.close)
        return opened

    def trial(self, host):
        """(stub of Trial, stub of Health) on one and the same connection."""
        connection = self.connect(host.data)
        return trial.stub(connection, "Trial"), health.stub(connection, "Health")

    def operator(self, host):
        """An Operator with a connection of its own."""
        return Operator(self.connect(host.admin))

    def pass_ingress(self, health_stub):
        """Returns when the host has taken in all that this connection sent before.

        Calls of a connection arrive in order and a plane has one ingress thread, so the answer to
        a Check says that the calls before it are in their mailboxes.
        """
        self.assertEqual(self.check(health_stub, "liveness"), SERVING,
                         "expected liveness to be SERVING")

    def check(self, health_stub, name):
        return health_stub.Check(health.HealthCheckRequest(service=name), timeout=SOON).status

    def assert_fails(self, code, call, what):
        """Calls `call` and returns the error, which must have this code."""
        try:
            answer = call()
        except grpc.RpcError as error:
            self.assertEqual(error.code(), code, f"expected {code.name} from {what}, got: {error}")
            return error
        raise self.failureException(f"expected {code.name} from {what}, got {str(answer)[:200]!r}")

    def assert_exit(self, host, code, timeout=SOON):
        """Waits for the end, checks code and exit line, and returns the line."""
        # grpcio reads a connection while somebody waits for it; where nobody does, it misses the
        # goodbye of the host, which waits a second for it to leave.
        for opened in self._channels:
            opened.subscribe(lambda connectivity: None)
        self.assertEqual(host.wait(timeout), code,
                         f"expected exit code {code}:\n{host.transcript()}")
        line = host.exit_line
        self.assertEqual(_EXIT_FIELDS - line.keys(), set(), "expected every field of the exit line")
        self.assertEqual((line["event"], line["code"]), ("exit", code),
                         f"expected the exit line to say what the exit code says: {line}")
        return line
