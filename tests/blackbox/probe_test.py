"""The probe plane, and --probe: what a kubelet and a container's health check ask."""

import signal
import time
import unittest

import grpc

from harness import places
from harness.case import HostTestCase, SERVING
from harness.client import SOON
from harness.host import run_to_end
from harness.operator import Operator
from harness.protos import health, trial

SERVES, NO_TARGET, NO_CONNECTION, NO_ANSWER, DOES_NOT_SERVE = range(5)


def probe(target, *flags):
    """(exit code, the one line that it printed, seconds)."""
    began = time.monotonic()
    code, output, lines = run_to_end(f"--probe={target}", *flags)
    return code, output + "".join(lines), time.monotonic() - began


class ProbePlane(HostTestCase):
    def test_ProbePlane_ServesHealthAndNothingElse(self):
        host = self.start_trial_host("--probe-address=127.0.0.1:0")
        connection = self.connect(host.addresses("probe")[0])
        stub = health.stub(connection, "Health")
        for name in ("", "startup", "readiness", "liveness", "trial"):
            self.assertEqual(self.check(stub, name), SERVING, f"expected {name!r} to serve")
        echo = trial.stub(connection, "Trial").Echo
        for call in (Operator(connection).list,
                     lambda: echo(trial.EchoRequest(), timeout=SOON)):
            self.assert_fails(grpc.StatusCode.UNIMPLEMENTED, call, "a service of another plane")

    def test_WithoutTheFlag_ThereIsNoProbePlane(self):
        self.assertEqual(self.start_host().addresses("probe"), [], "expected no third plane")

    def test_InADrain_ItAnswersAndLivenessHolds(self):
        port = places.fixed_ports(1)[0]
        host = self.start_host(f"--probe-address=127.0.0.1:{port}", "--lame-duck=60s")
        host.signal(signal.SIGTERM)
        deadline = time.monotonic() + SOON
        while probe(f"127.0.0.1:{port}/readiness")[0] != DOES_NOT_SERVE:
            self.assertLess(time.monotonic(), deadline, "expected the drain to begin")
        for _ in range(5):
            self.assertEqual(probe(f"127.0.0.1:{port}/liveness")[0], SERVES,
                             "expected liveness to hold")
            self.assertEqual(probe(f"127.0.0.1:{port}/readiness")[0], DOES_NOT_SERVE,
                             "expected readiness to have gone")
        host.signal(signal.SIGTERM)
        self.assert_exit(host, 0)


class Probe(HostTestCase):
    def test_ExitCode_TellsTheFiveSituations(self):
        host = self.start_host()
        data = host.data.removeprefix("ipv4:")
        self.assertEqual(probe(data)[0], SERVES)
        self.assertEqual(probe(f"{data}/readiness")[:2],
                         (SERVES, f"mainspringd: {data}/readiness: SERVING\n"))
        self.assertEqual(probe("nonsense")[0], NO_TARGET)
        self.assertEqual(probe(f"127.0.0.1:{places.fixed_ports(1)[0]}")[0], NO_CONNECTION)
        self.assertEqual(probe(f"{data}/nobody")[0], NO_ANSWER)
        self.operator(host).stop("clock")
        self.assertEqual(probe(f"{data}/clock")[0], DOES_NOT_SERVE)
        self.assertEqual(probe(f"{data}/liveness")[0], SERVES)

    def test_AHostThatIsFrozen_IsGivenUpAfterASecond(self):
        host = self.start_host()
        host.signal(signal.SIGSTOP)
        self.addCleanup(host.signal, signal.SIGCONT)
        code, line, seconds = probe(host.data.removeprefix("ipv4:"))
        self.assertEqual(code, NO_CONNECTION, line)
        self.assertGreaterEqual(seconds, 0.9, "expected a second's patience")
        self.assertLess(seconds, 3, "expected no more than a second's patience")

    def test_AnEmptyTarget_IsNone_AndStartsNoHost(self):
        """What a script asks whose variable is not set."""
        code, line, _ = probe("")
        self.assertEqual(code, NO_TARGET, line)
        self.assertIn("HOST:PORT/NAME", line)

    def test_AWrongTarget_IsOneLineThatSaysHowToWriteOne(self):
        code, line, _ = probe("localhost")
        self.assertEqual(code, NO_TARGET)
        self.assertEqual(line.count("localhost"), 1, line)
        self.assertIn("HOST:PORT/NAME", line)


if __name__ == "__main__":
    unittest.main(verbosity=2)
