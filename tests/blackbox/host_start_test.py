"""The start of a host: slow, failing, hanging, or given up by a signal."""

import collections
import signal
import time
import unittest

import grpc

from harness import places
from harness.case import NOT_SERVING, SERVING, HostTestCase
from harness.client import SOON
from harness.host import parse_event, run_to_end
from harness.operator import name_of
from harness.protos import lifecycle as lifecycle_protos
from harness.protos import trial

NOT_STARTED, SOFTWARE_FAILURE, COMPONENT_FAILED = 69, 70, 71
HARMLESS = ("--data-address=127.0.0.1:0", "--admin-address=127.0.0.1:0")


class StartTestCase(HostTestCase):
    def launch(self, *flags):
        """A host whose component `trial` is STARTING."""
        self.host = self.launch_host(*flags, binary=places.TRIAL_HOST)
        self.host.wait_for_line(lambda line: self.is_change(line, "trial", "STARTING"),
                                "trial STARTING")

    def is_change(self, line, component, state):
        event = parse_event(line)
        return (event.get("event"), event.get("component"), event.get("to")) == (
            "state", component, state)

    def assert_no_service_line(self):
        self.assertFalse([line for line in self.host.lines if "event=serving" in line],
                         "expected it never to say that it serves")


class Slow(StartTestCase):
    def test_WhileItStarts_CallsWait_AndHealthSaysNotYet(self):
        self.launch("--trial-start=trial:take=1500ms")
        stub, health_stub = self.trial(self.host)
        echo = stub.Echo.future(trial.EchoRequest(text="early"), timeout=SOON)
        for name, status in (("startup", NOT_SERVING), ("readiness", NOT_SERVING),
                             ("liveness", SERVING), ("trial", NOT_SERVING)):
            self.assertEqual(self.check(health_stub, name), status, f"expected that of {name}")
        # The admin plane answers from the first moment on.
        self.assertEqual(self.operator(self.host).states()["trial"], "STARTING")
        if echo.done():
            self.fail(f"expected the call to wait, got {echo.code()}: {echo.details()}")
        self.assertEqual(echo.result().text, "early", "expected the call to be answered")
        self.host.wait_until_serving()
        for name in ("startup", "readiness", "liveness", "trial"):
            self.assertEqual(self.check(health_stub, name), SERVING, f"expected {name} to serve")

    def test_Sigterm_EndsItCleanly_AsSoonAsStartReturns(self):
        self.launch("--trial-start=trial:take=1s")
        self.host.signal(signal.SIGTERM)
        line = self.assert_exit(self.host, 0)
        self.assertEqual((line["trigger"], line["cut_calls"], line["hung"]), ("SIGTERM", 0, []))
        print(f"a host whose Start takes 1 s was gone {self.host.seconds_to_end:.2f} s after "
              "SIGTERM")
        self.assertLess(self.host.seconds_to_end, 3.0, "expected it to end soon")
        self.assert_no_service_line()

    def test_Sigterm_WithAStartThatHangs_EndsItWithinTheStopTimeout(self):
        self.launch("--trial-start=trial:hang", "--trial-stop-timeout=500ms")
        self.host.signal(signal.SIGTERM)
        line = self.assert_exit(self.host, SOFTWARE_FAILURE)
        self.assertEqual([hung["component"] for hung in line["hung"]], ["trial"])
        self.assertIn("Start", line["hung"][0]["method"])
        self.assertLess(self.host.seconds_to_end, 4.0, "expected it to end soon")

    def test_Sigterm_StartsNoneThatHasNotBegun(self):
        self.launch("--trials=trial,web(trial)", "--trial-start=trial:take=500ms")
        self.host.signal(signal.SIGTERM)
        self.assert_exit(self.host, 0)
        self.assertFalse([line for line in self.host.lines
                          if self.is_change(line, "web", "STARTING")],
                         "expected no component to be started for a host that ends")

    def test_Drain_WhileItStarts_EndsItAsWell(self):
        self.launch("--trial-start=trial:take=500ms")
        lifecycle = self.operator(self.host)
        watch = lifecycle.stub.Drain(lifecycle_protos.DrainRequest(), timeout=SOON)
        self.assertTrue(next(watch).HasField("progress"))
        line = self.assert_exit(self.host, 0)
        self.assertEqual(line["trigger"], "Lifecycle.Drain")


    def test_Drain_WithAStartThatHangs_EndsItAsSigtermDoes(self):
        self.launch("--trial-start=trial:hang", "--trial-stop-timeout=500ms")
        lifecycle = self.operator(self.host)
        watch = lifecycle.stub.Drain(lifecycle_protos.DrainRequest(), timeout=SOON)
        self.assertTrue(next(watch).HasField("progress"))
        line = self.assert_exit(self.host, SOFTWARE_FAILURE)
        self.assertEqual(line["trigger"], "Lifecycle.Drain")

    def test_Sigterm_AtAnyMoment_EndsItCleanly(self):
        """From the first line of main on, a signal is a reason to drain."""
        codes = collections.Counter()
        began = time.monotonic()
        self.start_trial_host("--trial-start=trial:take=10ms")
        whole = time.monotonic() - began  # on this machine, as busy as it is
        for number in range(25):
            host = self.launch_host("--trial-start=trial:take=10ms", binary=places.TRIAL_HOST)
            until = time.monotonic() + whole * number / 20
            while time.monotonic() < until:
                pass  # a moment is what this is about
            host.signal(signal.SIGTERM)
            codes[host.wait(SOON)] += 1
        print(f"25 hosts that got SIGTERM 0 to {whole * 24 / 20 * 1000:.0f} ms after their launch "
              "ended with", dict(codes))
        # Before main, a signal does what it does to any process.
        self.assertLessEqual(set(codes), {0, -signal.SIGTERM})
        self.assertGreater(codes[0], 0, "expected some to have come as far as main")


class Failing(StartTestCase):
    def assert_refused(self, *flags, naming, code=NOT_STARTED):
        began = time.monotonic()
        ended, output, lines = run_to_end(*HARMLESS, *flags, binary=places.TRIAL_HOST)
        self.assertEqual(ended, code, f"expected exit {code}: {lines}")
        told = [line for line in lines if "event=" not in line]
        self.assertEqual(len(told), 1, f"expected one line for a person: {lines}")
        self.assertEqual(told[0], lines[-1], "expected it to be the last")
        for words in naming:
            self.assertIn(words, told[0])
        self.assertNotIn("started again", told[0], "expected no promise that nobody keeps")
        states = {}
        for event in map(parse_event, lines):
            if event.get("event") == "state":
                states[event["component"]] = event["to"]
        self.assertLessEqual(set(states.values()), {"STOPPED", "FAILED"},
                             f"expected what was started to be stopped again: {lines}")
        return time.monotonic() - began

    def test_StartThatReturnsAnError_Ends69_NamingTheComponentAndTheError(self):
        self.assert_refused("--trial-start=trial:fail", naming=('"trial"', "told to fail"))

    def test_StartThatThrows_Ends69_NamingTheComponentAndWhatItThrew(self):
        self.assert_refused("--trial-start=trial:throw", naming=('"trial"', "told to throw"))

    def test_StartThatFails_StopsWhatWasStarted_AndStartsNoMore(self):
        self.assert_refused("--trials=first,trial(first),last(trial)", "--trial-start=trial:fail",
                            naming=('"trial"',))

    def test_StartThatFails_WhileAnotherIsSlow_Ends69(self):
        self.assert_refused("--trials=slow,trial", "--trial-start=trial:fail,slow:take=500ms",
                            naming=('"trial"',))

    def test_EssentialThatIsGivenUpOn_WhileAnotherStarts_EndsTheHost(self):
        self.host = self.launch_host("--trials=slow,trial", "--trial-start=slow:take=700ms",
                                     "--trial-max-failures=1", "--drain-timeout=300ms",
                                     binary=places.TRIAL_HOST)
        self.host.wait_for_line(lambda line: self.is_change(line, "trial", "RUNNING"), "RUNNING")
        stub, _ = self.trial(self.host)
        call = stub.Throw.future(trial.ThrowRequest(what="x"), timeout=SOON,
                                 metadata=[("mainspring-component", "trial")])
        self.assertEqual(call.code(), grpc.StatusCode.INTERNAL, call.details())
        self.host.wait_for_line(lambda line: self.is_change(line, "trial", "FAILED"), "FAILED")
        self.assertIn(self.host.wait(SOON), (NOT_STARTED, COMPONENT_FAILED))

    def test_StartThatHangs_EndsWithinItsTimeouts_NamingTheComponent(self):
        began = time.monotonic()
        code, _, lines = run_to_end(*HARMLESS, "--trial-start=trial:hang",
                                    "--trial-start-timeout=500ms", "--trial-stop-timeout=500ms",
                                    binary=places.TRIAL_HOST)
        took = time.monotonic() - began
        print(f"a host whose Start hangs ended with {code} after {took:.1f} s: {lines[-1]}")
        self.assertIn(code, (NOT_STARTED, SOFTWARE_FAILURE), f"log: {lines}")
        self.assertLess(took, 5.0, "expected its start and stop timeouts to bound it")
        self.assertIn("trial", lines[-1], "expected the last line to name the component")
        self.assertTrue([line for line in lines if "did not start within 500ms" in line])

    def test_NotEssential_ThatFails_DoesNotKeepTheHost(self):
        self.host = self.start_trial_host("--trials=trial?", "--trial-start=trial:fail",
                                          "--trial-max-failures=3", "--trial-least-backoff=10ms")
        lifecycle = self.operator(self.host)
        lifecycle.wait_for_state("trial", "FAILED")
        component = lifecycle.get("trial")
        self.assertEqual(component.generation, 3, "expected as many tries as it has")
        for words in ("did not start", "told to fail"):
            self.assertIn(words, component.reason)
        _, health_stub = self.trial(self.host)
        self.assertEqual(self.check(health_stub, "readiness"), SERVING)
        self.assertEqual(self.check(health_stub, "startup"), SERVING,
                         "expected no kubelet to be told to end the host for what it can do without")

    def test_NotEssential_ThatHangs_DoesNotKeepTheHost(self):
        self.host = self.start_trial_host("--trials=trial?", "--trial-start=trial:hang@1",
                                          "--trial-start-timeout=300ms",
                                          "--trial-stop-timeout=300ms", "--trial-max-failures=2",
                                          "--trial-least-backoff=10ms")
        lifecycle = self.operator(self.host)
        lifecycle.wait_for_state("trial", "FAILED")
        component = lifecycle.get("trial")
        self.assertIn("did not start within 300ms", component.reason)
        self.assertEqual(lifecycle.state("clock"), "RUNNING")
        self.host.signal(signal.SIGTERM)
        line = self.assert_exit(self.host, SOFTWARE_FAILURE)
        self.assertEqual([hung["component"] for hung in line["hung"]], ["trial"])

    def test_EssentialThatFailsItsRestart_IsTriedAgain_AndTheHostLives(self):
        """Only the start of the host is a matter of one try."""
        self.host = self.start_trial_host("--trial-start=trial:fail@2,trial:fail@3",
                                          "--trial-least-backoff=10ms")
        lifecycle = self.operator(self.host)
        self.assert_fails(grpc.StatusCode.UNAVAILABLE, lambda: lifecycle.restart("trial"),
                          "a restart whose Start fails")
        lifecycle.wait_for_state("trial", "RUNNING")
        component = lifecycle.get("trial")
        self.assertEqual((component.generation, name_of(component.state)), (4, "RUNNING"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
