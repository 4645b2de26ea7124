"""Components that need each other: who starts after whom, and who goes with whom."""

import collections
import random
import signal
import threading
import unittest

import grpc

from harness import places
from harness.case import HostTestCase
from harness.client import SOON
from harness.host import parse_event, run_to_end
from harness.operator import name_of, told
from harness.protos import lifecycle, seconds, trial

USAGE, NOT_STARTED = 64, 69
# web needs cache, cache needs db; web comes after extra but can do without it.
CHAIN = "--trials=web(cache,~extra)?,extra?,cache(db)?,db?"
START, STOP = lifecycle.Step.Action.START, lifecycle.Step.Action.STOP


class DependencyTestCase(HostTestCase):
    def start(self, *flags):
        self.host = self.start_trial_host(*flags)
        self.stub, self.health = self.trial(self.host)
        self.lifecycle = self.operator(self.host)
        # Calls keep their order on a connection that is there.
        self.check(self.health, "liveness")

    def metadata(self, name):
        return [("mainspring-component", name)]

    def relay(self, by, to, timeout=SOON):
        """A call to one component that asks another one for the answer; a future."""
        return self.stub.Relay.future(trial.RelayRequest(component=to, text="hello"),
                                      timeout=timeout, metadata=self.metadata(by))

    def block(self, name, duration):
        return self.stub.Block.future(trial.BlockRequest(time=seconds(duration)), timeout=SOON,
                                      metadata=self.metadata(name))

    def throw(self, name):
        call = self.stub.Throw.future(trial.ThrowRequest(what="x"), timeout=SOON,
                                      metadata=self.metadata(name))
        self.assertEqual(call.code(), grpc.StatusCode.INTERNAL, call.details())

    def echo(self, name):
        return self.stub.Echo(trial.EchoRequest(text="hello"), timeout=SOON,
                              metadata=self.metadata(name))

    def changes(self, *names):
        """All changes of these components since the host started, as "db RUNNING"."""
        self.lifecycle.restart("mark")
        generation = self.lifecycle.get("mark").generation
        events = self.lifecycle.events_since_start(
            lambda event: (event.component, event.generation) == ("mark", generation),
            "the mark")
        return [told(event) for event in events if event.component in names]

    def assert_order(self, changes, *wanted):
        """Each of `wanted` is among the changes, in this order."""
        places_of = [changes.index(each) for each in wanted]
        self.assertEqual(places_of, sorted(places_of), f"expected {wanted} in order: {changes}")


class Order(DependencyTestCase):
    def test_Start_IsDependenciesFirst_HoweverLongTheyTake(self):
        self.start(f"{CHAIN},mark?", "--trial-start=db:take=300ms,extra:take=600ms")
        changes = self.changes("web", "cache", "db", "extra")
        self.assert_order(changes, "db STARTING", "db RUNNING", "cache STARTING", "cache RUNNING",
                          "web STARTING", "web RUNNING")
        self.assert_order(changes, "extra RUNNING", "web STARTING")
        self.assert_order(changes, "extra STARTING", "db RUNNING")  # side by side

    def test_StopOfWhatIsNeeded_WithoutCascade_IsRefusedNamingWhoNeedsIt(self):
        self.start(CHAIN)
        for command in (self.lifecycle.stop, self.lifecycle.restart):
            for dry_run in (False, True):
                error = self.assert_fails(grpc.StatusCode.FAILED_PRECONDITION,
                                          lambda: command("db", dry_run=dry_run), "a stop of db")
                for words in ('"db"', '"cache"', '"web"', "cascade"):
                    self.assertIn(words, error.details())
                self.assertNotIn('"extra"', error.details())
        self.assertEqual(set(self.lifecycle.states().values()), {"RUNNING"},
                         "expected nothing to have happened")

    def test_Cascade_StopsInReverse_AndAStartBringsThemBack(self):
        self.start(f"{CHAIN},mark?")
        steps = self.lifecycle.stop("db", cascade=True, dry_run=True).steps
        self.assertEqual([(step.action, step.component, step.done) for step in steps],
                         [(STOP, "web", False), (STOP, "cache", False), (STOP, "db", False)])
        stopped = self.lifecycle.stop("db", cascade=True)
        self.assertEqual([(step.component, step.done) for step in stopped.steps],
                         [("web", True), ("cache", True), ("db", True)])
        self.assert_order(self.changes("web", "cache", "db"),
                          "web STOPPING", "web STOPPED", "cache STOPPING", "cache STOPPED",
                          "db STOPPING", "db STOPPED")
        self.assertEqual(self.lifecycle.states(),
                         {"clock": "RUNNING", "web": "STOPPED", "extra": "RUNNING",
                          "cache": "STOPPED", "db": "STOPPED", "mark": "RUNNING"})
        web = self.lifecycle.get("web")
        self.assertTrue(web.wanted, "expected it to be wanted, though it cannot run")
        self.assertIn('"cache"', web.reason, "expected the reason to name what it needs")
        error = self.assert_fails(grpc.StatusCode.UNAVAILABLE, lambda: self.echo("web"), "web")
        for words in ("web", "STOPPED", "cache"):
            self.assertIn(words, error.details())

        started = self.lifecycle.start("db")
        self.assertEqual([(step.action, step.component, step.done) for step in started.steps],
                         [(START, "db", True), (START, "cache", True), (START, "web", True)])
        self.assertEqual(set(self.lifecycle.states().values()), {"RUNNING"},
                         "expected the dependents to be back by the time of the answer")
        self.assertEqual(self.echo("web").component, "web")

    def test_RestartWithCascade_IsANewInstanceOfEachThatNeedsIt(self):
        self.start(CHAIN)
        answer = self.lifecycle.restart("db", cascade=True)
        self.assertEqual([(step.action, step.component) for step in answer.steps],
                         [(STOP, "web"), (STOP, "cache"), (STOP, "db"),
                          (START, "db"), (START, "cache"), (START, "web")])
        self.assertEqual({each.name: each.generation for each in self.lifecycle.list().components},
                         {"clock": 1, "web": 2, "extra": 1, "cache": 2, "db": 2})

    def test_StartOfOneWhoseDependencyIsStopped_IsRefused_UnlessItCascades(self):
        self.start(CHAIN)
        self.lifecycle.stop("db", cascade=True)
        self.lifecycle.stop("web")
        error = self.assert_fails(grpc.StatusCode.FAILED_PRECONDITION,
                                  lambda: self.lifecycle.start("web"), "web without cache and db")
        for words in ('"web"', '"cache"', '"db"', "cascade"):
            self.assertIn(words, error.details())
        self.lifecycle.start("web", cascade=True)
        self.assertEqual(set(self.lifecycle.states().values()), {"RUNNING"})

    def test_StoppedByTheOperator_DoesNotComeBackWithItsDependency(self):
        self.start(CHAIN)
        self.lifecycle.stop("web")
        self.lifecycle.restart("db", cascade=True)
        states = self.lifecycle.states()
        self.assertEqual((states["web"], states["cache"], states["db"]),
                         ("STOPPED", "RUNNING", "RUNNING"))

    def test_SoftDependency_ComesAndGoesAlone(self):
        self.start(CHAIN)
        self.lifecycle.stop("extra")
        self.assertEqual(self.lifecycle.state("web"), "RUNNING")
        self.lifecycle.start("extra")
        self.assertEqual(self.lifecycle.get("web").generation, 1, "expected it not to matter")
        web = self.lifecycle.get("web")
        self.assertEqual([(each.component, each.hard) for each in web.depends_on],
                         [("cache", True), ("extra", False)])
        self.assertEqual([(each.component, each.hard)
                          for each in self.lifecycle.get("extra").dependents], [("web", False)])

    def test_SoftDependencyThatDoesNotStart_IsDoneWithout(self):
        self.start("--trials=web(~extra),extra?", "--trial-start=extra:fail",
                   "--trial-max-failures=2", "--trial-least-backoff=10ms")
        self.lifecycle.wait_for_state("extra", "FAILED")
        self.assertEqual(self.lifecycle.state("web"), "RUNNING")
        self.assertEqual(self.echo("web").component, "web")


class Failure(DependencyTestCase):
    def test_DependencyInBackoff_DoesNotStopItsDependents_AndTheirCallsWait(self):
        self.start(CHAIN)
        self.throw("db")
        answer = self.relay("cache", "db").result()
        self.assertEqual((answer.component, answer.text), ("db", "hello"))
        generations = {each.name: each.generation for each in self.lifecycle.list().components}
        self.assertEqual((generations["db"], generations["cache"], generations["web"]), (2, 1, 1))

    def test_DependencyGivenUpOn_StopsItsDependents_UntilItIsStarted(self):
        self.start(CHAIN, "--trial-max-failures=1")
        self.throw("db")
        self.lifecycle.wait_for_state("web", "STOPPED")
        self.lifecycle.wait_for_state("cache", "STOPPED")
        cache = self.lifecycle.get("cache")
        for words in ('"db"', "FAILED"):
            self.assertIn(words, cache.reason, "expected to be told which dependency, and why")
        self.lifecycle.start("db")
        self.assertEqual(set(self.lifecycle.states().values()), {"RUNNING"})

    def test_DependencyOfAnEssential_ThatIsNotStarted_RefusesTheStart(self):
        code, _, lines = run_to_end("--data-address=127.0.0.1:0", "--admin-address=127.0.0.1:0",
                                    "--trials=db-,web(db)", binary=places.TRIAL_HOST)
        self.assertEqual(code, NOT_STARTED, f"expected exit {NOT_STARTED}: {lines}")
        for words in ('"web"', '"db"', "STOPPED"):
            self.assertIn(words, lines[-1], "expected who waits for whom")

    def test_DependencyOfAnOther_ThatIsNotStarted_IsWaitedFor(self):
        self.start("--trials=db-?,web(db)?")
        self.assertEqual(self.lifecycle.state("web"), "STOPPED")
        self.lifecycle.start("db")
        self.lifecycle.wait_for_state("web", "RUNNING")


class Anything(DependencyTestCase):
    COMMANDERS, COMMANDS = 4, 100

    def test_RandomCommandsAndThrows_LeaveAGraphThatObeys(self):
        names = ("a", "b", "c", "d")
        self.start("--trials=a?,b(a)?,c(a,~b)?,d(b,c)?", "--trial-least-backoff=5ms",
                   "--trial-most-backoff=5ms", "--trial-start=c:fail@7,d:throw@5,a:take=20ms@9")
        codes, over = collections.Counter(), threading.Event()

        def command(seed):
            chance = random.Random(seed)
            for _ in range(self.COMMANDS):
                ask = chance.choice((self.lifecycle.start, self.lifecycle.stop,
                                     self.lifecycle.restart))
                try:
                    ask(chance.choice(names), cascade=chance.random() < 0.7)
                    codes["OK"] += 1
                except grpc.RpcError as error:
                    codes[error.code().name] += 1
                    if error.code().name not in ("ABORTED", "FAILED_PRECONDITION", "UNAVAILABLE"):
                        print(error.details())

        def throw():
            chance = random.Random(0)
            while not over.is_set():
                self.stub.Throw.future(trial.ThrowRequest(what="x"), timeout=SOON,
                                       metadata=self.metadata(chance.choice(names))).exception()

        thrower = threading.Thread(target=throw)
        commanders = [threading.Thread(target=command, args=(seed,))
                      for seed in range(self.COMMANDERS)]
        for thread in (thrower, *commanders):
            thread.start()
        for thread in commanders:
            thread.join(30)
        over.set()
        thrower.join(30)
        print(f"{sum(codes.values())} commands: {dict(codes)}")
        self.assertEqual(sum(codes.values()), self.COMMANDERS * self.COMMANDS)
        self.assertLessEqual(set(codes), {"OK", "ABORTED", "FAILED_PRECONDITION", "UNAVAILABLE"})
        for name in names:
            self.lifecycle.start(name, cascade=True)
        self.assertEqual(set(self.lifecycle.states().values()), {"RUNNING"})
        self.lifecycle.stop("a", cascade=True)
        self.assertEqual({name: state for name, state in self.lifecycle.states().items()
                          if name != "clock"}, {name: "STOPPED" for name in names})
        self.host.signal(signal.SIGTERM)
        self.assert_exit(self.host, 0)


class Drain(DependencyTestCase):
    def test_HostDrain_LetsTheLastCallsReachWhatTheyNeed(self):
        self.start(CHAIN, "--drain-timeout=10s")
        blocked = [self.block("web", 0.5), self.block("cache", 0.7)]
        last = [self.relay(*way) for way in (("web", "cache"), ("web", "db"), ("cache", "db"))
                for _ in range(20)]
        self.pass_ingress(self.health)
        self.host.signal(signal.SIGTERM)
        for call in (*blocked, *last):
            self.assertIsNone(call.exception(), "expected the last calls to be answered")
        line = self.assert_exit(self.host, 0)
        self.assertEqual((line["cut_calls"], line["hung"]), (0, []))
        events = [parse_event(text) for text in self.host.lines]
        changes = [f"{event['component']} {event['to']}" for event in events
                   if event.get("event") == "state"]
        self.assert_order(changes, "web STOPPED", "cache STOPPING", "cache STOPPED", "db STOPPING",
                          "db STOPPED")

    def test_StopWithCascade_LetsTheQueueReachWhatItNeeds(self):
        self.start(CHAIN)
        blocked = self.block("web", 0.5)
        last = [self.relay("web", "db") for _ in range(20)]
        self.pass_ingress(self.health)
        stopped = self.lifecycle.stop("db", cascade=True)
        self.assertEqual(name_of(stopped.component.state), "STOPPED")
        self.assertIsNone(blocked.exception())
        outcomes = {(call.code().name, call.details()) for call in last}
        self.assertEqual(outcomes, {("OK", "")}, "expected what was accepted to be answered")


class Refused(unittest.TestCase):
    def assert_refused(self, trials, *naming):
        code, output, lines = run_to_end(
            "--data-address=127.0.0.1:0", "--admin-address=127.0.0.1:0", f"--trials={trials}",
            binary=places.TRIAL_HOST)
        self.assertEqual((code, output), (USAGE, ""), f"expected exit {USAGE}: {lines}")
        self.assertEqual(len(lines), 1, f"expected one line, got {lines}")
        for words in naming:
            self.assertIn(words, lines[0])

    def test_UnknownDependency_IsNamed_WithTheNearest(self):
        self.assert_refused("database,web(databse)", 'components[web]', '"databse"', 'mean "database"')
        self.assert_refused("web(something)", 'components[web]', '"something"')

    def test_Circle_IsNamedAsAChain(self):
        self.assert_refused("a(b),b(c),c(a)", '"a" -> "b" -> "c" -> "a"')
        self.assert_refused("a(a)", '"a" -> "a"')
        self.assert_refused("a(~b),b(a)", '"a" -> "b" -> "a"')
        # What leads into the circle is not of it.
        self.assert_refused("x(a),a(b),b(a),y", '"a" -> "b" -> "a"')

    def test_EverythingThatIsWrong_IsToldAtOnce(self):
        self.assert_refused("a(b),b(a),c(nobody),d(c,c)", '"nobody"', '"a" -> "b" -> "a"', "twice")

    def test_MalformedTrials_AreTold(self):
        """The test host's own flag: a test must not run with another host than it asked for."""
        for trials in ("", "a,", "a(", "a(b", "a()", "a(b)c", "a!", "(a)"):
            self.assert_refused(trials, "--trials", "expected")


if __name__ == "__main__":
    unittest.main(verbosity=2)
