"""A log that nobody reads, that is full or gone: the host lives on, and ends as promised."""

import fcntl
import json
import os
import resource
import select
import signal
import subprocess
import tempfile
import unittest

import grpc

from harness import places
from harness.case import SERVING, HostTestCase
from harness.client import SOON
from harness.operator import Operator
from harness.protos import clock, health, lifecycle, seconds, trial

CLEAN, TEMPORARY_FAILURE, SOFTWARE_FAILURE = 0, 75, 70
QUICK = ("--lame-duck=0s", "--drain-timeout=1s", "--trial-exit-margin=1s",
         "--trial-stop-timeout=300ms")


class FullPipe:
    """A pipe with room for nothing more, which nobody reads until the test does."""

    def __init__(self, test):
        self.reads, self.writes = os.pipe()
        fcntl.fcntl(self.writes, fcntl.F_SETFL, os.O_NONBLOCK)
        self.filling = 0
        try:
            while True:
                self.filling += os.write(self.writes, b"x" * 4096)
        except BlockingIOError:
            pass
        fcntl.fcntl(self.writes, fcntl.F_SETFL, 0)
        test.addCleanup(os.close, self.reads)
        test.addCleanup(os.close, self.writes)

    def read(self):
        """What was written besides, once the writer has gone; the write end must be closed."""
        text = b""
        while select.select([self.reads], [], [], 0.2)[0]:
            read = os.read(self.reads, 1 << 20)
            if not read:
                break
            text += read
        return text[self.filling:].decode()


class SilentHost:
    """A host whose outputs are what the test gives it; it is reached by unix sockets."""

    def __init__(self, test, *flags, stdout, stderr, **options):
        directory = places.socket_directory(test)
        self.data, self.admin = (f"unix:{directory}/{plane}.sock" for plane in ("data", "admin"))
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", str(places.TRIAL_HOST),
             f"--data-address={self.data}", f"--admin-address={self.admin}", *QUICK, *flags],
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, **options)
        test.addCleanup(self._process.wait)
        test.addCleanup(self._process.kill)

    def signal(self, number):
        self._process.send_signal(number)

    def wait(self):
        return self._process.wait(timeout=SOON * 2)


class StuckLog(HostTestCase):
    def start(self, *flags, stdout=None, stderr=None, **options):
        """A host that serves; what is not given is a full pipe."""
        self.stdout = FullPipe(self) if stdout is None else None
        self.stderr = FullPipe(self) if stderr is None else None
        self.host = SilentHost(self, *flags, stdout=self.stdout.writes if stdout is None else stdout,
                               stderr=self.stderr.writes if stderr is None else stderr, **options)
        self.connection = self.connect(self.host.data)
        self.health = health.stub(self.connection, "Health")
        self.trial_stub = trial.stub(self.connection, "Trial")
        self.wait_until_serving()
        self.operator = Operator(self.connect(self.host.admin))

    def wait_until_serving(self):
        watch = self.health.Watch(health.HealthCheckRequest(service="startup"), timeout=SOON,
                                  wait_for_ready=True)
        for answer in watch:
            if answer.status == SERVING:
                watch.cancel()
                return

    def assert_serves(self):
        answer = self.trial_stub.Echo(trial.EchoRequest(text="hello"), timeout=SOON)
        self.assertEqual(answer.text, "hello")
        self.assertEqual(self.check(self.health, "liveness"), SERVING)
        self.assertEqual(self.operator.state("trial"), "RUNNING")

    def test_CallsCommandsAndHealth_GoOn(self):
        self.start()
        self.assert_serves()
        for _ in range(3):
            self.operator.restart("trial")
        for _ in range(20):
            self.host.signal(signal.SIGUSR1)
        self.assert_serves()

    def test_Sigterm_DrainsAndExitsClean(self):
        self.start()
        self.host.signal(signal.SIGTERM)
        self.assertEqual(self.host.wait(), CLEAN)

    def test_ThirdSignal_EndsAtOnce(self):
        self.start("--lame-duck=60s")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            self.host.signal(number)
            # One pull of the trigger each: of two pending ones of a number the kernel keeps one.
            self.check_until_taken(number)
        self.assertEqual(self.host.wait(), SOFTWARE_FAILURE)

    def check_until_taken(self, number):
        """Returns when the host has taken the signal."""
        mask = 1 << (number - 1)
        status = f"/proc/{self.host._process.pid}/status"
        while True:
            try:
                with open(status, encoding="ascii") as lines:
                    pending = next(line for line in lines if line.startswith("ShdPnd:"))
            except (FileNotFoundError, StopIteration, ProcessLookupError):
                return
            if not int(pending.split()[1], 16) & mask:
                return

    def test_LifecycleDrain_DrainsAndExitsClean(self):
        self.start()
        for _ in self.operator.stub.Drain(lifecycle.DrainRequest(), timeout=SOON):
            pass
        self.assertEqual(self.host.wait(), CLEAN)

    def test_ShutdownNow_ExitsAndTellsWhatItCut(self):
        self.start("--drain-timeout=60s")
        forgotten = self.trial_stub.Forget.future(trial.ForgetRequest(), timeout=60)
        self.pass_ingress(self.health)
        self.operator.stub.ShutdownNow(lifecycle.ShutdownNowRequest(), timeout=SOON)
        self.assertEqual(self.host.wait(), TEMPORARY_FAILURE)
        self.assertEqual(forgotten.code(), grpc.StatusCode.UNAVAILABLE)

    def test_ComponentThatHangs_IsEndedByTheGuardWith70(self):
        self.start()
        blocked = self.trial_stub.Block.future(trial.BlockRequest(time=seconds(3600)), timeout=60)
        self.pass_ingress(self.health)
        self.host.signal(signal.SIGTERM)
        self.assertEqual(self.host.wait(), SOFTWARE_FAILURE)
        self.assertEqual(blocked.code(), grpc.StatusCode.UNAVAILABLE)

    def test_OnceTheLogIsReadAgain_ItIsWhole_OrSaysWhatIsMissing(self):
        self.start(stdout=subprocess.DEVNULL)
        self.operator.restart("trial")
        self.host.signal(signal.SIGTERM)
        # It is read before the host ends, which waits for that a moment at most.
        text = self.stderr.read()
        self.assertEqual(self.host.wait(), CLEAN)
        text += self.stderr.read()
        for event in ("event=listening", "event=serving", "to=STOPPING", "event=drain"):
            self.assertIn(event, text)
        self.assertNotIn("dropped", text, "expected so few lines to wait")

    def test_StandardDescriptorsClosed_TheHostServesAndNothingTakesTheirPlace(self):
        self.stdout = self.stderr = None
        closing = "exec 0<&- 1>&- 2>&-; exec \"$@\""
        directory = places.socket_directory(self)
        data, admin = (f"unix:{directory}/{plane}.sock" for plane in ("data", "admin"))
        process = subprocess.Popen(
            ["sh", "-c", closing, "sh", "setpriv", "--pdeathsig", "KILL", str(places.TRIAL_HOST),
             f"--data-address={data}", f"--admin-address={admin}", *QUICK])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.connection = self.connect(data)
        self.health = health.stub(self.connection, "Health")
        self.wait_until_serving()
        for fd in (0, 1, 2):
            self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{fd}"), "/dev/null")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=SOON), CLEAN)

    def test_LogFileThatMayGrowNoMore_DoesNotEndTheHost(self):
        with tempfile.TemporaryFile() as log:
            self.start(stdout=subprocess.DEVNULL, stderr=log, preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (200, 200)))
            for _ in range(20):
                self.host.signal(signal.SIGUSR1)
            self.operator.restart("trial")
            self.assert_serves()
            self.assertEqual(os.fstat(log.fileno()).st_size, 200)
            self.host.signal(signal.SIGTERM)
            self.assertEqual(self.host.wait(), CLEAN)


class Flood(HostTestCase):
    def test_LinesThatAClientCauses_AreFewAndShort_AndTheRestIsCounted(self):
        host = self.start_host("--log-format=json")
        connection = self.connect(host.data, ("grpc.default_compression_algorithm", 2))
        stub = clock.stub(connection, "Clock")
        calls = [stub.GetTime.future(clock.GetTimeRequest(time_zone="x" * 2000), timeout=SOON)
                 for _ in range(500)]
        for call in calls:
            call.exception()
        host.wait_for_line(lambda line: "withheld" in line, "how many lines were withheld")
        caused = [line for line in host.lines if json.loads(line)["event"] == "grpc"]
        self.assertGreater(len(caused), 0, "expected gRPC to have complained")
        kinds = {json.loads(line)["where"] for line in caused}
        self.assertLessEqual(len(caused), 5 * len(kinds), "expected five lines of a kind at most")
        for line in caused:
            self.assertLessEqual(len(json.loads(line)["text"]), 512)
        withheld = sum(json.loads(line).get("withheld", 0) for line in host.lines)
        self.assertGreaterEqual(withheld + len(caused), 500, "expected every line to be counted")


if __name__ == "__main__":
    unittest.main(verbosity=2)
