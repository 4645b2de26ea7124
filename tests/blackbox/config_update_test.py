"""Config on a running host: grpcurl, writers side by side, kill -9, disks that are full or read-only."""

import os
import random
import signal
import subprocess
import threading
import unittest

import grpc

from harness import grpcurl, places
from harness.case import HostTestCase
from harness.client import SOON
from harness.protos import clock, config
from harness.traffic import Traffic

ZONES = ("Asia/Tokyo", "Europe/Berlin", "America/Lima", "UTC", "Africa/Cairo")
TYPE = "type.googleapis.com/mainspring.clock.v1.ClockConfig"


def change(name="clock", **fields):
    """A Change that makes the section of the Clock `name` what the fields say."""
    made = config.Change(name=name)
    made.config.Pack(clock.ClockConfig(**fields))
    return made


class ConfigTestCase(HostTestCase):
    def setUp(self):
        self.state = places.socket_directory(self) / "state"

    def start(self, *flags, **options):
        host = self.start_host(f"--state-dir={self.state}", *flags, **options)
        return host, config.stub(self.connect(host.admin), "Config")

    def get(self, stub, name="clock"):
        """(ClockConfig in force, latest revision)."""
        answer = stub.GetConfig(config.GetConfigRequest(name=name), timeout=SOON)
        section = clock.ClockConfig()
        answer.section.config.Unpack(section)
        return section, answer.latest_revision

    def update(self, stub, *changes, **fields):
        return stub.UpdateConfig(config.UpdateConfigRequest(changes=changes, **fields), timeout=SOON)

    def zone(self, host):
        stub = clock.stub(self.connect(host.data), "Clock")
        return stub.GetTime(clock.GetTimeRequest(), timeout=SOON).time_zone

    def revisions(self, stub):
        answer = stub.ListRevisions(config.ListRevisionsRequest(), timeout=SOON)
        return [each.number for each in answer.revisions]


class ByGrpcurl(ConfigTestCase):
    def call(self, host, method, **data):
        done = grpcurl.run(host.admin, f"mainspring.config.v1.Config/{method}", data=data)
        return grpcurl.messages(done.output), done.error

    def test_ASection_IsReadComparedChangedAndPutBack(self):
        grpcurl.require()
        host, _ = self.start(admin="127.0.0.1:0")
        wanted = [{"name": "clock", "config": {"@type": TYPE, "timeZone": "Asia/Tokyo"}}]
        (diff,), _ = self.call(host, "DiffConfig", changes=wanted)
        self.assertEqual(diff["changes"][0]["newValue"], "Asia/Tokyo")
        (made,), _ = self.call(host, "UpdateConfig", changes=wanted, expected_revision=0)
        self.assertEqual(made["revision"], "1")
        self.assertEqual(self.zone(host), "Asia/Tokyo")
        (shown,), _ = self.call(host, "GetConfig", name="clock")
        self.assertEqual(shown["section"]["config"], {"@type": TYPE, "timeZone": "Asia/Tokyo"})
        self.assertEqual(shown["section"]["text"], "time_zone: Asia/Tokyo\n")
        _, error = self.call(host, "UpdateConfig", changes=[
            {"name": "clock", "config": {"@type": TYPE, "timeZone": "Mars/Olympus"}}])
        self.assertIn('components[clock].config: time_zone: "Mars/Olympus"', error)
        self.call(host, "RollbackConfig", revision=0)
        self.assertEqual(self.zone(host), "UTC")
        self.assertIn("drain:", self.call(host, "GetConfig")[0][0]["section"]["text"])


class Writers(ConfigTestCase):
    def test_OfTwoWithOneExpectedRevision_OneWins(self):
        host, _ = self.start()
        stubs = [config.stub(self.connect(host.admin), "Config") for _ in range(2)]
        for revision in range(20):
            calls = [stub.UpdateConfig.future(config.UpdateConfigRequest(
                changes=[change(time_zone=ZONES[(revision + 2 * number) % len(ZONES)],
                                offset={"seconds": 10 * revision + number + 1})],
                expected_revision=revision), timeout=SOON) for number, stub in enumerate(stubs)]
            codes = sorted(call.code().name for call in calls)
            self.assertEqual(codes, ["ABORTED", "OK"])
            (loser,) = [call for call in calls if call.code() is grpc.StatusCode.ABORTED]
            self.assertEqual(loser.details(),
                             f"expected_revision is {revision}, and the latest is {revision + 1}")

    def test_AThousandUpdatesUnderLoad_FailNoCallAndLeaveNoTraceOfTheRefused(self):
        host, stub = self.start()
        times = clock.stub(self.connect(host.data), "Clock")
        traffic = Traffic(lambda: times.GetTime.future(clock.GetTimeRequest(), timeout=SOON),
                          per_second=500, most_seconds=120)
        draw = random.Random(17)
        accepted, in_force = 0, ""
        memory = []
        for number in range(1000):
            zone = draw.choice(ZONES + ("Mars/Olympus", "no such zone"))
            try:
                answer = self.update(stub, change(time_zone=zone))
                accepted += answer.revision > accepted
                in_force = zone
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.INVALID_ARGUMENT, error)
                self.assertNotIn(zone, ZONES)
            if number in (500, 999):
                memory.append(host.memory_kib())
        calls, _ = traffic.stop()
        self.assertEqual(traffic.failures, [])
        self.assertGreater(calls, 100)
        section, latest = self.get(stub)
        self.assertEqual((section.time_zone, latest), (in_force, accepted))
        self.assertEqual(self.revisions(stub), list(range(accepted, accepted - 100, -1)))
        self.assertLess(memory[1], memory[0] + (8 << 10), "expected no memory for what was refused")
        host.end()
        again, stub = self.start()
        self.assertEqual(self.zone(again), in_force)
        print(f"{accepted} of 1000 accepted, {calls} calls beside them, none failed")


class Killed(ConfigTestCase):
    def test_AtRandomMoments_EveryAnsweredUpdateIsThereAndNoneIsHalfThere(self):
        draw = random.Random(4)
        answered = sent = 0
        for _ in range(int(os.environ.get("MAINSPRING_KILLS", "25"))):
            host, stub = self.start()
            first, _ = self.get(stub, "clock")
            self.assertGreaterEqual(first.offset.seconds, answered, "expected what was answered")
            self.assertLessEqual(first.offset.seconds, sent, "expected nothing that was not sent")
            self.assertEqual(first.time_zone, ZONES[first.offset.seconds % len(ZONES)]
                             if first.offset.seconds else "", "expected it whole")
            sent = answered = first.offset.seconds
            killer = threading.Timer(draw.uniform(0, 0.15), host.signal, [signal.SIGKILL])
            killer.start()
            try:
                while True:
                    sent += 1
                    self.update(stub, change(offset={"seconds": sent},
                                             time_zone=ZONES[sent % len(ZONES)]))
                    answered = sent
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE, error)
            killer.join()
            host.wait(SOON)
        print(f"{answered} updates were answered")
        self.assertGreater(answered, 25)


class Disks(ConfigTestCase):
    """A file system of the test's own, in a mount namespace that the host is started in."""

    def mounted(self, options):
        if os.geteuid() != 0:
            self.skipTest("mounting needs root")
        self.state.mkdir(mode=0o700)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.state],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.skipTest(f"cannot mount here: {done.stderr}")
        self.addCleanup(subprocess.run, ["umount", "-l", self.state], check=False)

    def assert_refused(self, host, stub, code, **fields):
        before = self.get(stub)
        error = self.assert_fails(code, lambda: self.update(stub, change(**fields)), "the update")
        self.assertIn(str(self.state), error.details())
        self.assertEqual(self.get(stub), before, "expected nothing to have changed")
        self.assertEqual(self.zone(host), before[0].time_zone)

    def test_AFullDisk_RefusesUntilThereIsRoom(self):
        self.mounted("size=64k,mode=700")
        host, stub = self.start()
        self.update(stub, change(time_zone="Asia/Tokyo"))
        (self.state / "fill").write_bytes(b"x" * 60 * 1024)
        try:
            with open(self.state / "more", "wb", buffering=0) as more:
                while True:
                    more.write(b"x" * 512)
        except OSError:
            pass  # now it is full
        self.assert_refused(host, stub, grpc.StatusCode.RESOURCE_EXHAUSTED, time_zone="UTC")
        (self.state / "fill").unlink()
        self.assertEqual(self.update(stub, change(time_zone="UTC")).revision, 2)

    def test_AReadOnlyDisk_RefusesUntilItCanBeWritten(self):
        self.mounted("size=1m,mode=700")
        host, stub = self.start()
        self.update(stub, change(time_zone="Asia/Tokyo"))
        subprocess.run(["mount", "-o", "remount,ro", self.state], check=True)
        self.assert_refused(host, stub, grpc.StatusCode.FAILED_PRECONDITION, time_zone="UTC")
        subprocess.run(["mount", "-o", "remount,rw", self.state], check=True)
        self.assertEqual(self.update(stub, change(time_zone="UTC")).revision, 2)


class State(ConfigTestCase):
    def test_ADamagedRevision_IsSetAsideAndTheOneBeforeHolds(self):
        host, stub = self.start()
        self.update(stub, change(time_zone="Asia/Tokyo"))
        self.update(stub, change(time_zone="Africa/Cairo"))
        host.end()
        newest = max(self.state.iterdir())
        newest.write_bytes(newest.read_bytes()[:-3])
        host, stub = self.start()
        self.assertEqual(self.zone(host), "Asia/Tokyo")
        self.assertTrue([line for line in host.lines if "set_aside=" in line and newest.name in line])

    def test_AFileThatHasChangedSince_HoldsAndIsToldWithBoth(self):
        path = self.state.parent / "host.yaml"
        path.write_text("components: [{name: clock, config: {time_zone: Asia/Tokyo}}]\n")
        host, stub = self.start(f"--config={path}")
        self.update(stub, change(time_zone="Africa/Cairo"))
        host.end()
        host, _ = self.start(f"--config={path}")
        self.assertEqual(self.zone(host), "Africa/Cairo")
        host.end()
        path.write_text("components: [{name: clock, config: {time_zone: UTC}}]\n")
        host, _ = self.start(f"--config={path}")
        self.assertEqual(self.zone(host), "UTC")
        self.assertTrue([line for line in host.lines if "Asia/Tokyo" in line and "Cairo" in line])
        self.assertEqual(path.read_text(), "components: [{name: clock, config: {time_zone: UTC}}]\n")

    def test_WithoutADirectory_TheLogSaysThatRevisionsAreNotKept(self):
        host = self.start_host()
        stub = config.stub(self.connect(host.admin), "Config")
        self.assertEqual(self.update(stub, change(time_zone="UTC")).revision, 1)
        self.assertTrue([line for line in host.lines if "event=revisions kept=" in line])

    def test_ADirectoryThatCannotBe_StopsTheStart(self):
        host = self.launch_host("--state-dir=/proc/none/state")
        self.assertEqual(host.wait(SOON), 69)
        self.assertIn("/proc/none/state: cannot be made: ", host.transcript())


if __name__ == "__main__":
    unittest.main()
