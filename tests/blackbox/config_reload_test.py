"""The configuration file, read again: by SIGHUP and because it has changed, under traffic; replicas."""

import concurrent.futures
import os
import pathlib
import random
import signal
import time
import unittest

import grpc

from harness import places
from harness.case import SERVICE_UNKNOWN, SERVING, HostTestCase
from harness.client import SOON
from harness.protos import clock, config, health, seconds, trial
from harness.traffic import Traffic

ZONES = ("Asia/Tokyo", "Europe/Berlin", "America/Lima", "UTC", "Africa/Cairo")


def to(name):
    """Metadata that sends a call to that component."""
    return [("mainspring-component", name)]


class ReloadTestCase(HostTestCase):
    def setUp(self):
        self.directory = pathlib.Path(places.socket_directory(self))
        self.path = self.directory / "host.yaml"

    def write(self, *components, before=""):
        """The file, in one step: each component is one line of YAML."""
        fresh = self.directory / "fresh.yaml"
        fresh.write_text(before + "components:\n" + "".join(f"- {{{each}}}\n" for each in components))
        os.rename(fresh, self.path)

    def start(self, *components, trial_host=False, flags=(), **fields):
        self.write(*components, **fields)
        start = self.start_trial_host if trial_host else self.start_host
        host = start(f"--config={self.path}", *flags)
        self.times = clock.stub(self.connect(host.data), "Clock")
        self.config = config.stub(self.connect(host.admin), "Config")
        return host

    def reload(self, host, outcome="accepted"):
        """SIGHUP, and what the log says came of it."""
        seen = len(host.lines)
        host.signal(signal.SIGHUP)
        host.wait_for_line(lambda line: f"outcome={outcome}" in line, outcome, since=seen)

    def zone(self, name="clock"):
        return self.times.GetTime(clock.GetTimeRequest(), timeout=SOON, metadata=to(name)).time_zone


class BySignal(ReloadTestCase):
    def test_InOneSignal_OneComesAndOneGoesAndOneChangesAndOneIsDoubled_AndAFifthNeverNotices(self):
        host = self.start("name: steady, type: clock", "name: gone, type: clock",
                          "name: changed, type: clock", "name: worker, type: clock, replicas: 2")
        operator = self.operator(host)
        traffic = Traffic(
            lambda: self.times.GetTime.future(clock.GetTimeRequest(), timeout=SOON,
                                              metadata=to("steady")),
            per_second=300, most_seconds=60)
        self.addCleanup(traffic.stop)
        traffic.wait_for_answers("answered", 100, "traffic")
        self.write("name: steady, type: clock", "name: come, type: clock",
                   "name: changed, type: clock, config: {time_zone: Asia/Tokyo}",
                   "name: worker, type: clock, replicas: 4")
        self.reload(host)
        traffic.wait_for_answers("answered", 100, "traffic afterwards")
        calls, _ = traffic.stop()
        self.assertEqual(traffic.failures[:5], [], "expected no call to be lost")
        names = {each.name: each.generation for each in operator.list().components}
        self.assertEqual(names, {"steady": 1, "changed": 1, "come": 1, "worker-0": 1, "worker-1": 1,
                                 "worker-2": 1, "worker-3": 1})
        self.assertEqual(self.zone("changed"), "Asia/Tokyo")
        self.zone("come")
        for worker in ("worker", "worker-3"):
            self.zone(worker)
        self.assert_fails(grpc.StatusCode.NOT_FOUND, lambda: self.zone("gone"), "one that is gone")
        stub = health.stub(self.connect(host.data), "Health")
        self.assertEqual(self.check(stub, "worker"), SERVING)
        self.assert_fails(grpc.StatusCode.NOT_FOUND, lambda: self.check(stub, "gone"), "its health")
        (revision,) = self.config.ListRevisions(config.ListRevisionsRequest()).revisions
        self.assertEqual(revision.author, "SIGHUP")
        print(f"{calls} calls beside it, none failed")

    def test_AWrongFile_IsRefusedWhole_WithEveryReasonInTheLog(self):
        host = self.start("name: clock")
        watch = self.config.WatchConfig(config.WatchConfigRequest(), timeout=SOON)
        next(watch)
        self.path.write_text("components:\n- {name: clock, config: {time_zone: Asia/Tokyo}}\n"
                             "- {name: two, typ: clock}\n- {name: three, type: clok}\n")
        seen = len(host.lines)
        host.signal(signal.SIGHUP)
        for place in (":3:15: components[two].typ:", ":3:3: components[two].type",
                      ":4:17: components[three].type"):
            host.wait_for_line(lambda line: f"outcome=refused" in line and f"{self.path}{place}" in line,
                               place, since=seen)
        self.assertEqual(next(watch).refused.code, grpc.StatusCode.INVALID_ARGUMENT.value[0])
        self.assertEqual(self.zone(), "UTC")
        self.path.unlink()
        self.reload(host, "refused")
        self.assertEqual(self.zone(), "UTC")

    def test_AServiceOfWhichNobodyIsThere_IsAnsweredFromThenOn(self):
        host = self.start(before="# none of them\n", flags=["--lame-duck=0s"])
        error = self.assert_fails(grpc.StatusCode.UNAVAILABLE, lambda: self.times.GetTime(
            clock.GetTimeRequest(), timeout=SOON), "a call that nobody answers")
        self.assertEqual(error.details(), "no component answers this service")
        stub = health.stub(self.connect(host.data), "Health")
        watch = stub.Watch(health.HealthCheckRequest(service="mainspring.clock.v1.Clock"), timeout=SOON)
        self.assertEqual(next(watch).status, SERVICE_UNKNOWN)
        self.write("name: clock")
        self.reload(host)
        self.assertEqual(self.zone(), "UTC")
        while next(watch).status != SERVING:
            pass

    def test_WhileItStarts_IsDoneOnceItServes(self):
        self.write("name: clock, config: {time_zone: Asia/Tokyo}")
        host = self.launch_host(f"--config={self.path}")
        host.wait_for_line(lambda line: "event=" in line, "the first line")
        self.write("name: clock, config: {time_zone: Africa/Cairo}")
        host.signal(signal.SIGHUP)
        host.wait_until_serving()
        host.wait_for_line(lambda line: "event=config" in line, "the reload")
        self.times = clock.stub(self.connect(host.data), "Clock")
        self.assertEqual(self.zone(), "Africa/Cairo")

    def test_WithoutAFile_NothingHappens(self):
        host = self.start_host()
        self.reload(host, "refused")
        self.assertIn("there is no configuration file; --config names one", host.transcript())

    def test_WhatNeedsARestart_IsToldUntilItIsTakenBack(self):
        host = self.start("name: clock")
        self.write("name: clock", before="log: {format: json}\n")
        self.reload(host)
        waits = 'paths=log.format warning="holds once the host is restarted"'
        host.wait_for_line(lambda line: waits in line, waits)
        seen = len(host.lines)
        self.reload(host, "unchanged")
        host.wait_for_line(lambda line: waits in line, waits, since=seen)
        seen = len(host.lines)
        self.write("name: clock")
        self.reload(host)
        self.reload(host, "unchanged")
        self.assertFalse([line for line in host.lines[seen:] if waits in line])

    def test_TheTimesOfADrain_AreThoseThatHoldWhenItBegins(self):
        host = self.start("name: clock", before="drain: {timeout: 30s}\n")
        self.write("name: clock", "name: more, type: clock", before="drain: {timeout: 31s}\n")
        self.reload(host)
        host.signal(signal.SIGTERM)
        self.assert_exit(host, 0)

    def test_AThousandUpdates_ByRpcAndBySignal_LoseNoCall(self):
        """Each accepted one is there; of the refused ones nothing is."""
        count = int(os.environ.get("MAINSPRING_UPDATES", "300"))
        calls_between = int(os.environ.get("MAINSPRING_CALLS_BETWEEN", "2"))
        host = self.start("name: clock")
        traffic = Traffic(lambda: self.times.GetTime.future(clock.GetTimeRequest(), timeout=SOON,
                                                            metadata=to("clock")),
                          per_second=500, most_seconds=120)
        self.addCleanup(traffic.stop)
        traffic.wait_for_answers("answered", 100, "traffic")
        draw = random.Random(5)
        names = {"clock"}
        in_force, accepted = "", 0
        memory = []
        for number in range(count):
            traffic.wait_for_answers("answered", calls_between, "traffic between updates")
            zone = draw.choice(ZONES + ("Mars/Olympus",))
            is_right = zone in ZONES
            if draw.random() < 0.5:
                change = config.Change(name="clock")
                change.config.Pack(clock.ClockConfig(time_zone=zone))
                call = lambda: self.config.UpdateConfig(
                    config.UpdateConfigRequest(changes=[change]), timeout=SOON)
                if is_right:
                    accepted = call().revision
                    in_force = zone
                else:
                    self.assert_fails(grpc.StatusCode.INVALID_ARGUMENT, call, "a wrong zone")
            else:
                wanted = {"clock", *draw.sample(("a", "b", "c"), draw.randrange(4))}
                seconds_ahead = number + 1  # so that the file differs each time
                self.write(*(f"name: {name}, type: clock" for name in sorted(wanted - {"clock"})),
                           f"name: clock, config: {{time_zone: {zone}, offset: {seconds_ahead}s}}")
                self.reload(host, "accepted" if is_right else "refused")
                if is_right:
                    accepted, in_force, names = accepted + 1, zone, wanted
            if number in (count // 2, count - 1):
                memory.append(host.memory_kib())
        calls, _ = traffic.stop()
        self.assertEqual(traffic.failures[:5], [])
        self.assertEqual(self.zone(), in_force)
        latest = self.config.GetConfig(config.GetConfigRequest(name="clock")).latest_revision
        self.assertEqual(latest, accepted)
        self.assertEqual({each.name for each in self.operator(host).list().components}, names)
        self.assertLess(memory[1], memory[0] + (8 << 10), "expected no memory for what has gone")
        print(f"{accepted} of {count} accepted, {calls} calls beside them, none failed")


class ByItself(ReloadTestCase):
    def test_AFileThatIsReplaced_AsEditorsAndTheKubeletDo_IsRead(self):
        watched = "reload: {watch_file: true}\n"
        # As a ConfigMap is mounted: the file is a link over a link to a directory.
        first, second = self.directory / "..first", self.directory / "..second"
        for place, zone in ((first, "Asia/Tokyo"), (second, "Africa/Cairo")):
            place.mkdir()
            (place / "host.yaml").write_text(
                f"{watched}components: [{{name: clock, config: {{time_zone: {zone}}}}}]\n")
        data = self.directory / "..data"
        data.symlink_to(first.name)
        self.path.symlink_to("..data/host.yaml")
        host = self.start_host(f"--config={self.path}")
        self.times = clock.stub(self.connect(host.data), "Clock")
        self.assertEqual(self.zone(), "Asia/Tokyo")
        swap = self.directory / "..tmp"
        swap.symlink_to(second.name)
        swap.rename(data)
        self.wait_for_zone(host, "Africa/Cairo")
        # Beside it and renamed over it, and written where it stands.
        self.write("name: clock, config: {time_zone: America/Lima}", before=watched)
        self.wait_for_zone(host, "America/Lima")
        with open(self.path, "a", encoding="ascii") as file:
            file.write("# more\n- {name: other, type: clock}\n")
        host.wait_for_line(lambda line: "component=other" in line and "RUNNING" in line, "other")

    def wait_for_zone(self, host, zone):
        """Until a change of the file that says so has been carried out."""
        host.wait_for_line(lambda line: "path=time_zone" in line and zone in line, zone)
        self.assertEqual(self.zone(), zone)


class OfNothing(ReloadTestCase):
    def test_AFileThatIsAboutToBeWritten_IsRefused(self):
        host = self.start("name: clock, type: clock", "name: other, type: clock")
        self.path.write_text("# soon\n")
        self.reload(host, "refused")
        self.assertTrue([line for line in host.lines if "is empty; {} is a host" in line])
        self.path.unlink()
        os.mkfifo(self.path)
        self.reload(host, "refused")
        self.assertTrue([line for line in host.lines if "is no file now" in line])
        self.assertEqual(len(self.operator(host).list().components), 2)


class Replicas(ReloadTestCase):
    """Of a component that blocks for 50 ms a call."""

    BLOCK = trial.BlockRequest(time=seconds(0.05))

    def serve(self, replicas):
        self.host = self.start(f"name: worker, type: trial, replicas: {replicas}", trial_host=True)
        self.stub, _ = self.trial(self.host)

    def rate(self, callers=16, lasting=3.0):
        """Calls that are answered a second while so many callers call one after the other."""
        end = time.monotonic() + lasting

        def call():
            answered = 0
            while time.monotonic() < end:
                self.stub.Block(self.BLOCK, timeout=SOON)
                answered += 1
            return answered

        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(callers) as pool:
            answered = sum(each.result() for each in [pool.submit(call) for _ in range(callers)])
        return answered / (time.monotonic() - began)

    def test_OfFour_ServeNearlyFourTimesAsMuch(self):
        self.serve(1)
        one = self.rate()
        self.host.end()
        self.serve(4)
        four = self.rate()
        print(f"one {one:.1f} calls/s, four {four:.1f}: {four / one:.2f} times as many")
        self.assertGreaterEqual(four / one, 3.8)

    def test_RestartedOneByOneUnderLoad_LoseNoCall(self):
        self.serve(4)
        operator = self.operator(self.host)
        traffic = Traffic(lambda: self.stub.Block.future(self.BLOCK, timeout=SOON),
                          per_second=40, most_seconds=60)
        self.addCleanup(traffic.stop)
        for number in range(12):
            operator.restart(f"worker-{number % 4}")
            traffic.wait_for_answers("answered", 5, "answers after a restart")
        calls, _ = traffic.stop()
        self.assertEqual(traffic.failures[:5], [], "expected no call to be lost")
        print(f"12 restarts, {calls} calls, none failed")

    def test_OneThatBecomesSeveralAndBack_LosesNoCall(self):
        self.host = self.start("name: worker, type: trial", trial_host=True)
        self.stub, _ = self.trial(self.host)
        traffic = Traffic(lambda: self.stub.Block.future(self.BLOCK, timeout=SOON),
                          per_second=10, most_seconds=60)
        self.addCleanup(traffic.stop)
        for more in (", replicas: 3", "", ", replicas: 2", ""):
            self.write(f"name: worker, type: trial{more}")
            self.reload(self.host)
            traffic.wait_for_answers("answered", 10, "answers after a change")
        calls, _ = traffic.stop()
        self.assertEqual(traffic.failures[:5], [], "expected no call to be lost")
        self.assertEqual([each.name for each in self.operator(self.host).list().components], ["worker"])
        print(f"{calls} calls that name nobody, none failed")

    def test_FewerAndMore_LoseNoCall(self):
        self.serve(4)
        traffic = Traffic(lambda: self.stub.Block.future(self.BLOCK, timeout=SOON),
                          per_second=15, most_seconds=60)
        self.addCleanup(traffic.stop)
        for number in (1, 6, 2, 4):
            self.write(f"name: worker, type: trial, replicas: {number}")
            self.reload(self.host)
            traffic.wait_for_answers("answered", 10, "answers after a change")
        calls, _ = traffic.stop()
        self.assertEqual(traffic.failures[:5], [], "expected no call to be lost")
        self.assertEqual([each.name for each in self.operator(self.host).list().components],
                         [f"worker-{number}" for number in range(4)])
        print(f"{calls} calls, none failed")

    def test_ACallThatNamesOne_GoesThere(self):
        self.serve(3)
        for name in ("worker-2", "worker-0"):
            answer = self.stub.Echo(trial.EchoRequest(text="x"), timeout=SOON, metadata=to(name))
            self.assertEqual(answer.component, name)
        seen = {self.stub.Echo(trial.EchoRequest(text="x"), timeout=SOON, metadata=to("worker")).component
                for _ in range(6)}
        self.assertEqual(seen, {"worker-0", "worker-1", "worker-2"}, "expected them to take turns")
        error = self.assert_fails(grpc.StatusCode.NOT_FOUND, lambda: self.stub.Echo(
            trial.EchoRequest(), timeout=SOON, metadata=to("worker-3")), "one that is not there")
        self.assertIn("there are: worker, worker-0, worker-1, worker-2", error.details())


if __name__ == "__main__":
    unittest.main(verbosity=2)
