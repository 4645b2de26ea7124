"""A component that throws: what it costs, when it is back, and when it is given up on."""

import threading
import time
import unittest

import grpc

from harness.case import NOT_SERVING, SERVING, HostTestCase
from harness.client import SOON, StreamReader
from harness.operator import name_of
from harness.protos import clock, health, seconds, trial

COMPONENT_FAILED = 71
ECHO = trial.EchoRequest(text="hello")
# For tests of what happens, not of when.
AT_ONCE = ("--trial-least-backoff=10ms", "--trial-most-backoff=10ms")


class RestartTestCase(HostTestCase):
    def start(self, *flags):
        self.host = self.start_trial_host(*flags)
        self.stub, self.health = self.trial(self.host)
        self.lifecycle = self.operator(self.host)
        # Calls keep their order on a connection that is there.
        self.check(self.health, "liveness")

    def throw(self, what="broken"):
        return self.assert_fails(
            grpc.StatusCode.INTERNAL,
            lambda: self.stub.Throw(trial.ThrowRequest(what=what), timeout=SOON), "a throw")

    def assert_echoes(self):
        self.assertEqual(self.stub.Echo(ECHO, timeout=SOON).text, "hello", "expected it to serve")


class OneFailure(RestartTestCase):
    def test_Throw_LosesItsOwnCallAlone_AndTheQueueIsAnsweredByTheNext(self):
        self.start("--trials=trial?")
        before_it, behind_it = 5, 20
        block = self.stub.Block.future(trial.BlockRequest(time=seconds(0.3)), timeout=SOON)
        before = [self.stub.Echo.future(ECHO, timeout=SOON) for _ in range(before_it)]
        thrown = self.stub.Throw.future(trial.ThrowRequest(what="x"), timeout=SOON)
        behind = [self.stub.Echo.future(ECHO, timeout=SOON) for _ in range(behind_it)]
        self.pass_ingress(self.health)
        self.assertFalse(block.done(), "expected all of them to have been queued together")
        self.assertEqual(thrown.code(), grpc.StatusCode.INTERNAL, "expected the throw to be told")
        failed_at = time.monotonic()
        self.assertEqual([each.result().text for each in (*before, *behind)],
                         ["hello"] * (before_it + behind_it), "expected every other call answered")
        took = time.monotonic() - failed_at
        print(f"{behind_it} calls behind a throw were answered {took * 1000:.0f} ms after it")
        self.assertLess(took, 3.0, "expected the next instance after about 0.2 s")
        self.assertGreater(took, 0.1, "expected a backoff of 0.2 s less 20 % at least")
        counts = self.stub.CountDispatched(trial.CountDispatchedRequest(), timeout=SOON).calls
        self.assertEqual(dict(counts), {"Echo": behind_it}, "expected a new instance to count anew")
        component = self.lifecycle.get("trial")
        self.assertEqual((name_of(component.state), component.generation), ("RUNNING", 2))
        self.assertEqual(component.mailbox.failed, 1, "expected the one lost call to be counted")

    def test_RepliesThatItKept_AreAnsweredAtOnce(self):
        """They cannot be kept by the next instance; nobody is left to wait for them."""
        self.start("--trials=trial?")
        kept = [self.stub.Forget.future(trial.ForgetRequest(), timeout=SOON),
                self.stub.Delay.future(trial.DelayRequest(time=seconds(60)), timeout=SOON)]
        self.pass_ingress(self.health)
        self.throw()
        for call in kept:
            self.assertIn(call.code(), (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE),
                          call.details())
        self.assert_echoes()

    def test_WhileItIsDown_HealthSaysSo_AndOthersServe(self):
        self.start("--trials=trial?,other?", "--trial-least-backoff=700ms")
        self.stub.Throw.future(trial.ThrowRequest(what="x"), timeout=SOON,
                               metadata=[("mainspring-component", "trial")]).exception()
        self.lifecycle.wait_for_state("trial", "BACKOFF")
        self.assertEqual(self.check(self.health, "trial"), NOT_SERVING)
        self.assertEqual(self.check(self.health, "other"), SERVING)
        self.assertEqual(self.check(self.health, "mainspring.trial.v1.Trial"), SERVING,
                         "expected the service to serve while one component of it does")
        self.assertEqual(self.check(self.health, "readiness"), SERVING,
                         "expected what is not essential not to matter")
        self.assertEqual(self.lifecycle.state("trial"), "BACKOFF", "expected to be in time")
        self.lifecycle.wait_for_state("trial", "RUNNING")
        self.assertEqual(self.check(self.health, "trial"), SERVING)

    def test_EssentialInBackoff_MakesTheHostUnready_AndNoMore(self):
        self.start("--trial-least-backoff=500ms")
        self.throw()
        self.lifecycle.wait_for_state("trial", "BACKOFF")
        self.assertEqual(self.check(self.health, "readiness"), NOT_SERVING)
        self.assertEqual(self.check(self.health, "liveness"), SERVING)
        # The queue is served before the supervisor has heard of it.
        watch = StreamReader(self.health.Watch(
            health.HealthCheckRequest(service="readiness"), timeout=SOON))
        self.assert_echoes()
        watch.wait_for_message(lambda message: message.status == SERVING, "SERVING")

    def test_CallInBackoff_WaitsNoLongerThanItsDeadline(self):
        self.start("--trials=trial?", "--trial-least-backoff=60s")
        self.throw()
        self.assert_fails(grpc.StatusCode.DEADLINE_EXCEEDED,
                          lambda: self.stub.Echo(ECHO, timeout=0.3), "a call in BACKOFF")
        self.assertEqual(self.lifecycle.state("trial"), "BACKOFF")

    def test_StopInBackoff_IsAtOnce_AndRefusesTheQueue(self):
        self.start("--trials=trial?", "--trial-least-backoff=60s")
        self.throw()
        queued = self.stub.Echo.future(ECHO, timeout=SOON)
        self.pass_ingress(self.health)
        stopped = self.lifecycle.stop("trial")
        self.assertEqual(name_of(stopped.component.state), "STOPPED")
        self.assertEqual(queued.code(), grpc.StatusCode.UNAVAILABLE, "expected the queue refused")
        for words in ("trial", "STOPPED"):
            self.assertIn(words, queued.details())

    def test_StartOrRestartInBackoff_DoesNotWaitForTheTimer(self):
        for command in ("start", "restart"):
            with self.subTest(command=command):
                self.start("--trials=trial?", "--trial-least-backoff=60s")
                self.throw()
                queued = self.stub.Echo.future(ECHO, timeout=SOON)
                answer = getattr(self.lifecycle, command)("trial")
                self.assertEqual((name_of(answer.component.state), answer.component.generation),
                                 ("RUNNING", 2))
                self.assertEqual(queued.result().text, "hello", "expected the queue to be kept")

    def test_StartThatFailsAfterAThrow_IsTriedAgain(self):
        self.start("--trials=trial?", "--trial-start=trial:fail@2,trial:throw@3", *AT_ONCE)
        self.throw()
        self.assert_echoes()
        component = self.lifecycle.get("trial")
        self.assertEqual(component.generation, 4, "expected two instances that did not start")
        self.assertEqual([each.during.rsplit("/")[-1] for each in component.recent_failures],
                         ["Throw", "Start", "Start"])
        self.assertIn("told to fail", component.recent_failures[1].error)
        self.assertIn("told to throw", component.recent_failures[2].error)


class Budget(RestartTestCase):
    def test_FiveFailures_ShowTheScheduleAtEachStep_ThenFailed(self):
        self.start("--trials=trial?", "--trial-least-backoff=300ms", "--trial-most-backoff=500ms")
        backoffs = (0.3, 0.5, 0.5, 0.5)
        for number, expected in enumerate(backoffs, start=1):
            request_id = self.throw(f"failure number {number}").details()
            self.lifecycle.wait_for_state("trial", "BACKOFF", generation=number)
            component = self.lifecycle.get("trial")
            self.assertEqual(name_of(component.state), "BACKOFF", "expected to be in time")
            self.assertEqual(component.restarts_left, 4 - number, "expected one fewer each time")
            self.assertRegex(component.reason, r"^failed in .*Trial/Throw; started again in ")
            backoff = (component.next_restart_time.ToNanoseconds()
                       - component.since.ToNanoseconds()) / 1e9
            self.assertGreater(backoff, expected * 0.79, f"expected the backoff of {number}")
            self.assertLess(backoff, expected * 1.21 + 0.05, f"expected the backoff of {number}")
            self.assertEqual(len(component.recent_failures), number)
            latest = component.recent_failures[-1]
            self.assertIn(f"failure number {number}", latest.error)
            self.assertIn(latest.request_id, request_id, "expected the id that the caller got")
            self.assertIn(f"failure number {number}", component.last_error)
            self.lifecycle.wait_for_state("trial", "RUNNING", generation=number + 1)
        self.throw("the last")
        self.lifecycle.wait_for_state("trial", "FAILED")
        component = self.lifecycle.get("trial")
        self.assertEqual(component.restarts_left, 0)
        self.assertFalse(component.HasField("next_restart_time"), "expected no restart any more")
        self.assertRegex(component.reason, r"^failed in .*Throw; the 5th failure within 1m")
        error = self.assert_fails(grpc.StatusCode.UNAVAILABLE,
                                  lambda: self.stub.Echo(ECHO, timeout=SOON), "one that FAILED")
        for words in ("trial", "FAILED", "5th failure"):
            self.assertIn(words, error.details(), "expected component, state and reason")

    def fail_for_good(self):
        for _ in range(5):
            self.throw()
        self.lifecycle.wait_for_state("trial", "FAILED")

    def test_NotEssential_StaysFailed_UntilStarted_WithAFreshBudget(self):
        self.start("--trials=trial?", *AT_ONCE)
        self.fail_for_good()
        clocks = clock.stub(self.connect(self.host.data), "Clock")
        self.assertTrue(clocks.GetTime(clock.GetTimeRequest(), timeout=SOON).rfc3339,
                        "expected the host to serve on")
        self.assertEqual(self.check(self.health, "readiness"), SERVING)
        started = self.lifecycle.start("trial").component
        self.assertEqual((name_of(started.state), started.restarts_left, started.generation),
                         ("RUNNING", 4, 6), "expected a fresh budget")
        for _ in range(4):
            self.throw()
            self.assert_echoes()
        self.fail_for_good_after_one_more()
        restarted = self.lifecycle.restart("trial").component
        self.assertEqual((name_of(restarted.state), restarted.restarts_left), ("RUNNING", 4),
                         "expected a restart to start it as well")

    def fail_for_good_after_one_more(self):
        self.throw()
        self.lifecycle.wait_for_state("trial", "FAILED")

    def test_QueuedCalls_OfOneThatIsGivenUpOn_AreRefused(self):
        self.start("--trials=trial?", "--trial-max-failures=1")
        block = self.stub.Block.future(trial.BlockRequest(time=seconds(0.3)), timeout=SOON)
        thrown = self.stub.Throw.future(trial.ThrowRequest(what="x"), timeout=SOON)
        queued = [self.stub.Echo.future(ECHO, timeout=SOON) for _ in range(5)]
        self.pass_ingress(self.health)
        self.assertIsNone(block.exception())
        self.assertEqual(thrown.code(), grpc.StatusCode.INTERNAL)
        for each in queued:
            self.assertEqual(each.code(), grpc.StatusCode.UNAVAILABLE, each.details())
            self.assertIn("FAILED", each.details())

    def test_Essential_DrainsTheHost_AndExitsWith71(self):
        self.start("--lame-duck=300ms", "--drain-timeout=300ms", *AT_ONCE)
        for _ in range(5):
            self.throw()
        line = self.assert_exit(self.host, COMPONENT_FAILED)
        self.assertIn("trial", line["trigger"], "expected the component as the trigger")
        self.assertGreaterEqual(line["lame_duck_ms"], 300, "expected a drain like any other")
        self.assertEqual((line["cut_calls"], line["hung"]), (0, []))

    def test_HardDependencyOfAnEssential_IsEssentialToo(self):
        self.start("--trials=trial?,web(trial)", *AT_ONCE)
        self.assertTrue(self.lifecycle.get("trial").essential)
        for _ in range(5):
            error = self.stub.Throw.future(trial.ThrowRequest(what="x"), timeout=SOON,
                                           metadata=[("mainspring-component", "trial")])
            self.assertEqual(error.code(), grpc.StatusCode.INTERNAL)
        line = self.assert_exit(self.host, COMPONENT_FAILED)
        self.assertIn("trial", line["trigger"])

    def test_Temporary_IsNotStartedAgain(self):
        self.start("--trials=trial?", "--trial-restart=temporary")
        self.throw()
        self.lifecycle.wait_for_state("trial", "FAILED")
        component = self.lifecycle.get("trial")
        self.assertIn("temporary", component.reason)
        self.assertEqual((component.generation, component.restarts_left), (1, 0))

    def test_FailuresOutsideThePeriod_DoNotCount(self):
        self.start("--trials=trial?", "--trial-max-failures=2", "--trial-period=100ms",
                   "--trial-least-backoff=200ms", "--trial-most-backoff=200ms")
        for _ in range(4):
            self.throw()
            self.assert_echoes()
        self.assertEqual(self.lifecycle.get("trial").generation, 5, "expected a restart each time")

    def test_ThrowsFromMany_AreCountedOnceAnInstance(self):
        """Callers that all ask for a throw while it is down are not told about each other."""
        self.start("--trials=trial?", "--trial-max-failures=50", *AT_ONCE)
        codes, lock = [], threading.Lock()

        def ask():
            for _ in range(5):
                call = self.stub.Throw.future(trial.ThrowRequest(what="x"), timeout=SOON)
                with lock:
                    codes.append(call.code())

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        self.assertEqual(codes, [grpc.StatusCode.INTERNAL] * 20)
        self.assert_echoes()
        component = self.lifecycle.get("trial")
        self.assertEqual((component.generation, component.mailbox.failed), (21, 20),
                         "expected a new instance for each, and none for nothing")


if __name__ == "__main__":
    unittest.main(verbosity=2)
