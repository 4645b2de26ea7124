"""A method that never returns: who is told, what can still be done, and how the process ends."""

import signal
import unittest

import grpc

from harness.case import NOT_SERVING, SERVING, HostTestCase
from harness.client import SOON
from harness.operator import name_of
from harness.protos import clock, seconds, trial

SOFTWARE_FAILURE = 70
AN_HOUR = 3600.0
BLOCK = "Trial/Block"
IMPATIENT = ("--trial-stall-warning=200ms", "--trial-stall-limit=600ms",
             "--trial-stop-timeout=300ms", "--trial-exit-margin=2s", "--drain-timeout=200ms")


class StuckTestCase(HostTestCase):
    def start(self, *flags):
        self.host = self.start_trial_host(*IMPATIENT, *flags)
        self.stub, self.health = self.trial(self.host)
        self.lifecycle = self.operator(self.host)
        # Calls keep their order on a connection that is there.
        self.check(self.health, "liveness")

    def block(self, duration, **options):
        """A call that the component's thread is in when this returns."""
        call = self.stub.Block.future(trial.BlockRequest(time=seconds(duration)), timeout=60,
                                      **options)
        self.lifecycle.wait_until(
            lambda components: components["trial"].thread.method.endswith(BLOCK), "Block")
        return call

    def wait_for_liveness(self, status):
        """Liveness turns when the supervisor looks, which it does twice in a stall limit."""
        self.lifecycle.wait_until(lambda _: self.check(self.health, "liveness") == status,
                                  f"liveness {status}")

    def assert_stuck(self, command):
        """The command ends with the time, the method and the component; the component FAILED."""
        error = self.assert_fails(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: command("trial"),
                                  "a command to a component that is stuck")
        for words in ("trial", BLOCK, "FAILED"):
            self.assertIn(words, error.details(), "expected who is stuck, and where")
        component = self.lifecycle.get("trial")
        self.assertEqual(name_of(component.state), "FAILED")
        self.assertIn(f"{BLOCK} for ", component.reason, "expected where it is, and for how long")

    def assert_exit_names_block(self, timeout=SOON):
        line = self.assert_exit(self.host, SOFTWARE_FAILURE, timeout)
        self.assertEqual([hung["component"] for hung in line["hung"]], ["trial"])
        self.assertIn(BLOCK, line["hung"][0]["method"], "expected where it hung")
        self.assertGreaterEqual(line["hung"][0]["age_ms"], 200, "expected since when")


class Stuck(StuckTestCase):
    def test_Stall_IsShownInTheList_InTheLog_AndInLivenessPastTheLimit(self):
        self.start()
        blocked = self.block(1.5)
        self.assertEqual(self.check(self.health, "liveness"), SERVING)
        answer = self.lifecycle.wait_until(lambda components: components["trial"].thread.stalled,
                                           "the stall to be shown")
        [component] = [each for each in answer.components if each.name == "trial"]
        self.assertEqual(name_of(component.state), "RUNNING", "expected a stall to be no failure")
        self.assertTrue(component.thread.method.endswith(BLOCK), component.thread.method)
        self.assertGreaterEqual(component.thread.in_method.ToNanoseconds(), 0.2e9)
        line = self.host.wait_for_line(lambda text: "event=stall" in text and "stalled" in text,
                                       "the stall")
        for words in ("component=trial", BLOCK):
            self.assertIn(words, line)
        self.wait_for_liveness(NOT_SERVING)
        clocks = clock.stub(self.connect(self.host.data), "Clock")
        self.assertTrue(clocks.GetTime(clock.GetTimeRequest(), timeout=SOON).rfc3339,
                        "expected others to serve on")
        self.assertFalse(blocked.done(), "expected to be in time")
        self.assertIsNone(blocked.exception())
        self.wait_for_liveness(SERVING)
        self.host.wait_for_line(lambda text: "event=stall" in text and "state=over" in text,
                                "the end of the stall")
        self.assertFalse(self.lifecycle.get("trial").thread.stalled)

    def test_Stop_SaysWhereItIsStuck_AndTheHostEndsWith70NamingIt(self):
        self.start("--trials=trial?")
        blocked = self.block(AN_HOUR)
        queued = self.stub.Echo.future(trial.EchoRequest(text="hello"), timeout=3)
        self.pass_ingress(self.health)
        self.assert_stuck(self.lifecycle.stop)
        self.assertEqual(queued.code(), grpc.StatusCode.UNAVAILABLE,
                         f"expected the queue to be refused: {queued.details()}")
        error = self.assert_fails(
            grpc.StatusCode.UNAVAILABLE,
            lambda: self.stub.Echo(trial.EchoRequest(text="hello"), timeout=SOON), "a stuck one")
        for words in ("trial", "FAILED", BLOCK):
            self.assertIn(words, error.details())
        # Once more is once more the same: it is down already.
        self.assertEqual(name_of(self.lifecycle.stop("trial").component.state), "FAILED")
        self.wait_for_liveness(NOT_SERVING)
        self.host.signal(signal.SIGTERM)
        self.assert_exit_names_block()
        self.assertEqual(blocked.code(), grpc.StatusCode.UNAVAILABLE)

    def test_Restart_SaysWhereItIsStuck_AndThereIsNoSecondInstance(self):
        self.start("--trials=trial?")
        self.block(AN_HOUR)
        self.assert_stuck(self.lifecycle.restart)
        self.assertEqual(self.lifecycle.get("trial").generation, 1)

    def test_StartOfAStuckOne_FailsInTime_AndTheHostLives(self):
        self.start("--trials=trial?", "--trial-start-timeout=300ms", "--trial-max-failures=1")
        self.block(AN_HOUR)
        self.assert_stuck(self.lifecycle.stop)
        error = self.assert_fails(grpc.StatusCode.UNAVAILABLE,
                                  lambda: self.lifecycle.start("trial"), "a start of a stuck one")
        self.assertIn("did not start within 300ms", error.details())
        self.assertEqual(self.lifecycle.state("trial"), "FAILED")
        self.assertEqual(self.lifecycle.state("clock"), "RUNNING")
        self.host.signal(signal.SIGTERM)
        self.assert_exit_names_block()

    def test_ThreadThatComesBackLate_CanBeStartedAgain_AndTheExitIsClean(self):
        self.start("--trials=trial?")
        blocked = self.block(1.0)
        self.assert_stuck(self.lifecycle.stop)
        started = self.lifecycle.start("trial").component
        self.assertEqual((name_of(started.state), started.generation), ("RUNNING", 2))
        self.assertIn(blocked.code(), (grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE))
        answer = self.stub.Echo(trial.EchoRequest(text="hello"), timeout=SOON)
        self.assertEqual(answer.text, "hello")
        self.host.signal(signal.SIGTERM)
        line = self.assert_exit(self.host, 0)
        self.assertEqual(line["hung"], [], "expected nobody to hang any more")

    def test_ThreadThatComesBackLate_AndIsLeftAlone_IsNotHungAtTheExit(self):
        self.start("--trials=trial?")
        self.block(0.8)
        self.assert_stuck(self.lifecycle.stop)
        self.lifecycle.wait_until(
            lambda components: not components["trial"].thread.method, "Block to return")
        self.assertEqual(self.lifecycle.state("trial"), "FAILED", "expected nobody to start it")
        self.wait_for_liveness(SERVING)
        self.host.signal(signal.SIGTERM)
        line = self.assert_exit(self.host, 0)
        self.assertEqual(line["hung"], [])

    def test_EssentialThatIsStuck_InAStopOrRestart_DrainsTheHost(self):
        for command in ("stop", "restart"):
            with self.subTest(command):
                self.start()
                self.block(AN_HOUR)
                self.assert_fails(grpc.StatusCode.DEADLINE_EXCEEDED,
                                  lambda: getattr(self.lifecycle, command)("trial"),
                                  "a command to an essential component that is stuck")
                self.assert_exit_names_block()

    def test_StuckDependent_DoesNotKeepItsDependencyUp(self):
        self.start("--trials=db?,trial(db)?")
        metadata = [("mainspring-component", "trial")]
        self.block(AN_HOUR, metadata=metadata)
        error = self.assert_fails(grpc.StatusCode.DEADLINE_EXCEEDED,
                                  lambda: self.lifecycle.stop("db", cascade=True), "a cascade")
        for words in ('"trial"', BLOCK):
            self.assertIn(words, error.details(), "expected the one that is stuck to be named")
        self.lifecycle.wait_for_state("db", "STOPPED")
        self.assertEqual(self.lifecycle.state("trial"), "FAILED")
        self.host.signal(signal.SIGTERM)
        self.assert_exit_names_block()


if __name__ == "__main__":
    unittest.main(verbosity=2)
