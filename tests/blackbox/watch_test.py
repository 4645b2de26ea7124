"""WatchComponents: what is put together from a thousand broken watches is the truth."""

import random
import signal
import threading
import time
import unittest

import grpc

from harness.case import HostTestCase
from harness.client import SOON, StreamReader
from harness.operator import Operator, name_of

RESUMPTIONS = 1000
MOST_SECONDS = 40.0


class Path:
    """The states of all components, followed event by event; any gap is an error."""

    def __init__(self):
        self.incarnation = ""
        self.sequence = 0
        self.states = {}
        self.generations = {}
        self.snapshots = 0
        self.events = 0

    def follow(self, message):
        kind = message.WhichOneof("update")
        if kind == "snapshot":
            self.snapshots += 1
            self.incarnation = message.snapshot.incarnation
            self.sequence = message.snapshot.sequence
            for each in message.snapshot.components:
                self.states[each.name] = name_of(each.state)
                self.generations[each.name] = each.generation
        elif kind == "event":
            self.follow_event(message.event)
        else:
            raise AssertionError(f"expected the history to be kept, got {message}")

    def follow_event(self, event):
        if event.sequence != self.sequence + 1:
            raise AssertionError(f"expected event {self.sequence + 1}, got {event}")
        came_from = name_of(getattr(event, "from"))
        if came_from != self.states[event.component]:
            raise AssertionError(f"expected {event.component} to leave "
                                 f"{self.states[event.component]}, got {event}")
        self.events += 1
        self.sequence = event.sequence
        self.states[event.component] = name_of(event.to)
        self.generations[event.component] = event.generation


class WatchTestCase(HostTestCase):
    def start(self, *flags):
        self.host = self.start_trial_host(*flags)
        self.lifecycle = self.operator(self.host)

    def read(self, watch, count):
        """The next messages, and no more; cancelled then."""
        messages = [next(watch) for _ in range(count)]
        watch.cancel()
        return messages


class Resumed(WatchTestCase):
    def churn(self, over):
        """Restarts until it is told that it is over, from a thread of its own."""
        lifecycle_of_churn = self.operator(self.host)
        restarts = []

        def run():
            while not over.is_set():
                for name in ("db", "web", "alone"):
                    lifecycle_of_churn.restart(name, cascade=True)
                    restarts.append(name)

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join, 20)
        self.addCleanup(over.set)
        return thread, restarts

    def test_AThousandResumptionsDuringChurn_LeaveNoGap(self):
        self.start("--trials=db,web(db),alone", "--trial-event-history=1000000")
        over, path, chance = threading.Event(), Path(), random.Random(1)
        churn, restarts = self.churn(over)
        began = time.monotonic()
        for _ in range(RESUMPTIONS):
            watch = self.lifecycle.watch(path.incarnation, path.sequence)
            # At times it is given up before anything came.
            for message in self.read(watch, chance.choice((0, 1, 1, 2, 5)) if path.incarnation
                                     else 1):
                path.follow(message)
        over.set()
        churn.join(20)
        self.assertEqual(path.snapshots, 1, "expected to go on from where it was, each time")
        behind = self.follow_to_the_end(path)
        took = time.monotonic() - began
        print(f"{RESUMPTIONS} resumptions over {path.events} events of {len(restarts)} restarts "
              f"took {took:.1f} s; {behind} events behind at the end")
        self.assertGreater(path.events, RESUMPTIONS, "expected churn")
        self.assertLess(took, MOST_SECONDS)

    def follow_to_the_end(self, path):
        """Follows what is left, and compares with what the host says now."""
        now = Path()
        for message in self.read(self.lifecycle.watch(), 1):
            now.follow(message)
        behind = now.sequence - path.sequence
        for message in self.read(self.lifecycle.watch(path.incarnation, path.sequence), behind):
            path.follow(message)
        self.assertEqual((path.sequence, path.states, path.generations),
                         (now.sequence, now.states, now.generations),
                         "expected the path to end in the snapshot")
        self.assertEqual(path.states, self.lifecycle.states(),
                         "expected the path to end in what ListComponents says")
        return behind

    def test_WatcherThatDoesNotRead_MissesNothing(self):
        self.start("--trials=db,web(db),alone", "--trial-event-history=1000000")
        path = Path()
        watch = self.lifecycle.watch()
        path.follow(next(watch))
        for _ in range(300):
            self.lifecycle.restart("db", cascade=True)
        while path.generations != {"clock": 1, "db": 301, "web": 301, "alone": 1} or (
                set(path.states.values()) != {"RUNNING"}):
            path.follow(next(watch))
        self.assertEqual(path.events, 300 * 8, "expected four changes of each in each restart")


class Anew(WatchTestCase):
    def test_Snapshot_IsAllComponents_AsListed(self):
        self.start("--trials=db,web(db),spare-")
        [message] = self.read(self.lifecycle.watch(), 1)
        answer = self.lifecycle.list()
        self.assertEqual(message.snapshot.incarnation, answer.host.incarnation)
        self.assertFalse(message.snapshot.more)
        self.assertEqual([each.name for each in message.snapshot.components],
                         ["clock", "db", "web", "spare"], "expected all in the order of the list")
        self.assertEqual([each.name for each in answer.components],
                         ["clock", "db", "web", "spare"])

    def test_SnapshotOfManyComponents_ComesInParts(self):
        names = [f"c{number}" for number in range(600)]
        self.start(f"--trials={','.join(names)}")
        watch = self.lifecycle.watch()
        parts = [next(watch).snapshot]
        while parts[-1].more:
            parts.append(next(watch).snapshot)
        watch.cancel()
        self.assertGreater(len(parts), 1, "expected several messages")
        self.assertEqual([each.name for part in parts for each in part.components],
                         ["clock", *names])
        self.assertEqual(len({(part.incarnation, part.sequence) for part in parts}), 1)

    def test_WhatIsGone_IsSaidToBeLost_AndASnapshotFollows(self):
        self.start("--trials=trial", "--trial-event-history=10")
        incarnation = self.lifecycle.list().host.incarnation
        [first] = self.read(self.lifecycle.watch(), 1)
        for _ in range(20):
            self.lifecycle.restart("trial")
        for given in ((incarnation, first.snapshot.sequence),  # too long ago
                      ("another", first.snapshot.sequence + 79),  # another host's
                      (incarnation, 1_000_000)):  # not yet
            with self.subTest(given=given):
                lost, anew = self.read(self.lifecycle.watch(*given), 2)
                self.assertTrue(lost.HasField("history_lost"), f"expected it lost: {lost}")
                self.assertEqual(lost.history_lost.oldest_sequence, first.snapshot.sequence + 71)
                self.assertEqual(anew.snapshot.incarnation, incarnation)
                self.assertEqual(anew.snapshot.sequence, first.snapshot.sequence + 80)
        kept = self.read(self.lifecycle.watch(incarnation, first.snapshot.sequence + 70), 10)
        self.assertEqual([message.event.sequence - first.snapshot.sequence for message in kept],
                         list(range(71, 81)), "expected the last ten to be kept")

    def test_WatcherThatIsFarBehind_IsToldSo_AndBeginsAnew(self):
        self.start("--trials=db,web(db)", "--trial-event-history=10")
        # A client that takes no more than it must.
        slow = Operator(self.connect(self.host.admin, ("grpc.http2.bdp_probe", 0)))
        watch = slow.watch()
        path = Path()
        path.follow(next(watch))
        for _ in range(500):
            self.lifecycle.restart("db", cascade=True)
        lost = 0
        while path.generations["web"] != 501 or set(path.states.values()) != {"RUNNING"}:
            message = next(watch)
            if message.HasField("history_lost"):
                lost += 1
                message = next(watch)
                self.assertTrue(message.HasField("snapshot"), "expected a snapshot after the loss")
            path.follow(message)
        self.assertGreaterEqual(lost, 1, "expected a slow watcher to lose what is not kept")

    def test_TooMany_AreRefused_UntilOneLeaves(self):
        self.start("--trials=trial", "--trial-watchers=3")
        watches = [StreamReader(self.lifecycle.watch()) for _ in range(3)]
        for watch in watches:
            watch.wait_for_message(lambda m: m.HasField("snapshot"), "a snapshot")
        error = self.assert_fails(grpc.StatusCode.RESOURCE_EXHAUSTED,
                                  lambda: next(self.lifecycle.watch()), "one watcher too many")
        self.assertIn("3", error.details(), "expected the limit")
        watches[0].cancel()
        watches[0].wait_for_end()
        self.wait_for_a_place()
        self.lifecycle.restart("trial")
        watches[1].wait_for_message(lambda m: m.event.generation == 2, "an event for who stays")

    def wait_for_a_place(self):
        deadline = time.monotonic() + SOON
        while time.monotonic() < deadline:
            try:
                return self.read(self.lifecycle.watch(), 1)
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        raise self.failureException("expected the place of one that left to be free")

    def test_Drain_IsWatchedToItsEnd(self):
        self.start("--trials=db,web(db)")
        watch = StreamReader(self.lifecycle.watch())
        watch.wait_for_message(lambda m: m.HasField("snapshot"), "a snapshot")
        self.host.signal(signal.SIGTERM)
        self.assert_exit(self.host, 0)
        code, details, _ = watch.wait_for_end()
        self.assertEqual((code, details), (grpc.StatusCode.UNAVAILABLE, "draining"))
        path = Path()
        for message in watch.messages:
            path.follow(message)
        self.assertEqual(path.states, {name: "STOPPED" for name in ("clock", "db", "web")},
                         "expected to have seen every component stop")


if __name__ == "__main__":
    unittest.main(verbosity=2)
