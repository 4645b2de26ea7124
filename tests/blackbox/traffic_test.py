"""Pausing, draining and restarting a component under traffic: what callers notice."""

import signal
import unittest

import grpc

from harness.case import NOT_SERVING, SERVING, HostTestCase
from harness.client import SOON
from harness.operator import name_of
from harness.protos import lifecycle, seconds, trial
from harness.traffic import Traffic

CALLS_PER_SECOND = 300
ROUNDS = 5
ECHO = trial.EchoRequest(text="hello")


class TrafficTestCase(HostTestCase):
    def setUp(self):
        self.start("--trials=trial?")

    def start(self, *flags):
        self.host = self.start_trial_host(*flags)
        self.stub, self.health = self.trial(self.host)
        self.lifecycle = self.operator(self.host)
        # Calls keep their order on a connection that is there.
        self.check(self.health, "liveness")

    def start_traffic(self):
        traffic = Traffic(lambda: self.stub.Echo.future(ECHO, timeout=SOON), CALLS_PER_SECOND,
                          most_seconds=30)
        self.addCleanup(traffic.stop)
        traffic.wait_for_answers("answered", 20, "traffic")
        return traffic

    def mailbox(self):
        return self.lifecycle.get("trial").mailbox


class UnderTraffic(TrafficTestCase):
    def test_PauseAndResume_LoseNoCall(self):
        traffic = self.start_traffic()
        waited = []
        for _ in range(ROUNDS):
            self.assertTrue(self.lifecycle.pause("trial").paused)
            answer = self.lifecycle.wait_until(
                lambda components: components["trial"].mailbox.queued >= 30, "calls to wait")
            [paused] = [each for each in answer.components if each.name == "trial"]
            self.assertEqual((name_of(paused.state), paused.paused), ("RUNNING", True))
            self.assertGreater(paused.mailbox.oldest_age.ToNanoseconds(), 0)
            waited.append(paused.mailbox.queued)
            self.assertFalse(self.lifecycle.resume("trial").paused)
            traffic.wait_for_answers("answered", 40, "answers after the pause")
        calls, ran = traffic.stop()
        print(f"{ROUNDS} pauses, {waited} calls waiting, {calls / ran:.0f} calls/s: "
              f"{len(traffic.failures)} failed")
        self.assertEqual(traffic.failures[:5], [], "expected no call to be lost")
        self.assertEqual(traffic.answers["answered"], calls)
        self.assertEqual(self.lifecycle.get("trial").generation, 1)

    def test_DrainAndUndrain_AnswerWhatWasAccepted_AndRefuseTheRest(self):
        traffic = self.start_traffic()
        for number in range(ROUNDS):
            slow = [self.stub.Delay.future(trial.DelayRequest(time=seconds(0.1)), timeout=SOON)
                    for _ in range(10)]
            self.pass_ingress(self.health)
            drained = self.lifecycle.drain("trial")
            self.assertEqual((name_of(drained.state), drained.draining), ("RUNNING", True))
            self.assertEqual((drained.mailbox.queued, drained.mailbox.in_flight), (0, 0),
                             f"expected nothing to be left in round {number}")
            self.assertEqual([call.code() for call in slow], [grpc.StatusCode.OK] * 10,
                             "expected all that was accepted to be answered")
            self.assertFalse(self.lifecycle.undrain("trial").draining)
            traffic.wait_for_answers("answered", 20, "answers after the drain")
        calls, _ = traffic.stop()
        self.assertEqual({failure.code for failure in traffic.failures} - {
            grpc.StatusCode.UNAVAILABLE}, set(), "expected calls to be answered or refused")
        for failure in traffic.failures:
            self.assertIn("draining", failure.details, "expected the reason of the refusal")
        self.assertEqual(traffic.answers["answered"] + len(traffic.failures), calls)
        print(f"{ROUNDS} drains, {calls} calls: {len(traffic.failures)} refused, none lost")

    def test_Restarts_AnswerOrRefuse_AndLoseNothing(self):
        traffic = self.start_traffic()
        for _ in range(20):
            self.lifecycle.restart("trial")
            traffic.wait_for_answers("answered", 10, "answers after the restart")
        calls, _ = traffic.stop()
        self.assertEqual({failure.code for failure in traffic.failures} - {
            grpc.StatusCode.UNAVAILABLE}, set(), "expected calls to be answered or refused")
        for failure in traffic.failures:
            self.assertIn("trial", failure.details)
        print(f"20 restarts, {calls} calls: {len(traffic.failures)} refused, none lost")

    def test_Throws_LoseOneCallEach(self):
        self.start("--trials=trial?", "--trial-max-failures=100", "--trial-least-backoff=50ms",
                   "--trial-most-backoff=50ms")
        traffic = self.start_traffic()
        for _ in range(10):
            call = self.stub.Throw.future(trial.ThrowRequest(what="x"), timeout=SOON)
            self.assertEqual(call.code(), grpc.StatusCode.INTERNAL)
            traffic.wait_for_answers("answered", 10, "answers of the next instance")
        calls, _ = traffic.stop()
        self.assertEqual(traffic.failures[:5], [], "expected the throws to cost nobody else")
        self.assertEqual(traffic.answers["answered"], calls)


class Paused(TrafficTestCase):
    def test_CallInAPause_WaitsNoLongerThanItsDeadline(self):
        self.lifecycle.pause("trial")
        self.assert_fails(grpc.StatusCode.DEADLINE_EXCEEDED,
                          lambda: self.stub.Echo(ECHO, timeout=0.2), "a call in a pause")
        self.assertEqual(self.check(self.health, "liveness"), SERVING)
        self.lifecycle.resume("trial")
        self.assertEqual(self.stub.Echo(ECHO, timeout=SOON).text, "hello")
        counts = self.stub.CountDispatched(trial.CountDispatchedRequest(), timeout=SOON).calls
        self.assertEqual(counts["Echo"], 1, "expected the call whose deadline passed to be dropped")

    def test_TwicePaused_OnceResumed_Serves(self):
        self.lifecycle.pause("trial")
        self.lifecycle.pause("trial")
        self.lifecycle.resume("trial")
        self.lifecycle.resume("trial")
        self.assertEqual(self.stub.Echo(ECHO, timeout=SOON).text, "hello")

    def test_StopOfAPausedOne_AnswersItsQueue(self):
        self.lifecycle.pause("trial")
        queued = [self.stub.Echo.future(ECHO, timeout=SOON) for _ in range(10)]
        self.lifecycle.wait_until(
            lambda components: components["trial"].mailbox.queued == 10, "calls to wait")
        self.assertEqual(name_of(self.lifecycle.stop("trial").component.state), "STOPPED")
        self.assertEqual([call.code() for call in queued], [grpc.StatusCode.OK] * 10)

    def test_Restart_EndsAPause(self):
        self.lifecycle.pause("trial")
        self.assertFalse(self.lifecycle.restart("trial").component.paused)
        self.assertEqual(self.stub.Echo(ECHO, timeout=SOON).text, "hello")

    def test_DrainOfAPausedOne_IsRefused(self):
        self.lifecycle.pause("trial")
        error = self.assert_fails(grpc.StatusCode.FAILED_PRECONDITION,
                                  lambda: self.lifecycle.drain("trial"), "a drain of a paused one")
        self.assertIn("resume", error.details(), "expected the way out")

    def test_HostDrain_EndsAPause_AndAnswersItsQueue(self):
        self.start("--trials=trial?", "--drain-timeout=1s")
        self.lifecycle.pause("trial")
        queued = [self.stub.Echo.future(ECHO, timeout=SOON) for _ in range(10)]
        self.lifecycle.wait_until(
            lambda components: components["trial"].mailbox.queued == 10, "calls to wait")
        self.host.signal(signal.SIGTERM)
        self.assertEqual([call.code() for call in queued], [grpc.StatusCode.OK] * 10)
        self.assertEqual(self.assert_exit(self.host, 0)["cut_calls"], 0)


class Draining(TrafficTestCase):
    def drain(self):
        return self.lifecycle.stub.DrainComponent.future(
            lifecycle.DrainComponentRequest(name="trial"), timeout=SOON)

    def begin(self, duration):
        """A call in flight, a drain that waits for it, and the drain seen to have begun."""
        slow = self.stub.Delay.future(trial.DelayRequest(time=seconds(duration)), timeout=SOON)
        self.lifecycle.wait_until(
            lambda components: components["trial"].mailbox.in_flight == 1, "a call in flight")
        drain = self.drain()
        self.lifecycle.wait_until(
            lambda components: components["trial"].draining, "the drain to begin")
        return slow, drain

    def test_Drain_WaitsForWhatIsInFlight_AndTellsHealthAndCallers(self):
        slow, drain = self.begin(0.5)
        error = self.assert_fails(grpc.StatusCode.UNAVAILABLE,
                                  lambda: self.stub.Echo(ECHO, timeout=SOON), "a drained one")
        for words in ("trial", "draining"):
            self.assertIn(words, error.details())
        self.assertEqual(self.check(self.health, "trial"), NOT_SERVING)
        self.assertFalse(slow.done(), "expected to be in time")
        self.assertFalse(drain.done(), "expected the drain to wait for the call in flight")
        self.assertEqual(drain.result().component.mailbox.in_flight, 0)
        self.assertIsNone(slow.exception())
        self.lifecycle.undrain("trial")
        self.assertEqual(self.check(self.health, "trial"), SERVING)
        self.assertEqual(self.stub.Echo(ECHO, timeout=SOON).text, "hello")

    def test_Undrain_EndsADrainThatWaits(self):
        slow, drain = self.begin(0.5)
        self.lifecycle.undrain("trial")
        self.assertEqual(drain.code(), grpc.StatusCode.ABORTED, drain.details())
        self.assertEqual(self.stub.Echo(ECHO, timeout=SOON).text, "hello")
        self.assertIsNone(slow.exception())

    def test_CallerOfADrainWhoLeaves_LeavesItDraining(self):
        _, drain = self.begin(0.3)
        drain.cancel()
        self.assert_fails(grpc.StatusCode.UNAVAILABLE,
                          lambda: self.stub.Echo(ECHO, timeout=SOON), "a drained one")
        self.assertTrue(self.lifecycle.drain("trial").draining, "expected another to be answered")

    def test_SeveralDrains_AreAllAnswered(self):
        _, first = self.begin(0.3)
        others = [self.drain() for _ in range(5)]
        for drain in (first, *others):
            self.assertTrue(drain.result().component.draining)

    def test_Restart_EndsADrain(self):
        _, drain = self.begin(0.3)
        self.assertFalse(self.lifecycle.restart("trial").component.draining)
        self.assertEqual(drain.code(), grpc.StatusCode.ABORTED, drain.details())
        self.assertEqual(self.stub.Echo(ECHO, timeout=SOON).text, "hello")

    def test_Stop_AnswersCallsInFlight_WithinItsTimeout(self):
        slow = self.stub.Delay.future(trial.DelayRequest(time=seconds(0.3)), timeout=SOON)
        self.lifecycle.wait_until(
            lambda components: components["trial"].mailbox.in_flight == 1, "a call in flight")
        self.lifecycle.stop("trial")
        self.assertEqual((slow.code(), slow.details()), (grpc.StatusCode.OK, ""),
                         "expected what it has accepted to be answered before it stops")


if __name__ == "__main__":
    unittest.main(verbosity=2)
