"""The product asked by another language: grpcio, with messages made from the protos alone."""

import datetime
import signal
import unittest

import grpc
from google.protobuf import descriptor_pb2

from harness.case import NOT_SERVING, SERVICE_UNKNOWN, SERVING, HostTestCase
from harness.client import SOON, StreamReader
from harness.protos import clock, health, reflection_v1, reflection_v1alpha, seconds

CLOCK = "mainspring.clock.v1.Clock"
CONFIG = "mainspring.config.v1.Config"
LIFECYCLE = "mainspring.lifecycle.v1.Lifecycle"
HEALTH = "grpc.health.v1.Health"
READY_NAMES = ("", "readiness", CLOCK, "clock")
NAMES = (*READY_NAMES, "liveness", "startup")


class Clock(HostTestCase):
    def setUp(self):
        self.stub = clock.stub(self.connect(self.start_host().data), "Clock")

    def test_GetTime_OfTokyo_IsTheTimeThere(self):
        answer = self.stub.GetTime(clock.GetTimeRequest(time_zone="Asia/Tokyo"), timeout=SOON)
        self.assertEqual(answer.utc_offset.ToSeconds(), 32400, "expected nine hours")
        self.assertRegex(answer.rfc3339, r"\.\d{9}\+09:00$", "expected nanoseconds and +09:00")
        local = answer.time.ToDatetime() + datetime.timedelta(hours=9)
        self.assertEqual(answer.rfc3339[:19], local.isoformat()[:19],
                         "expected the text to say what the timestamp says")
        self.assertEqual(answer.rfc3339[20:29], f"{answer.time.nanos:09d}",
                         "expected the text to have the timestamp's nanoseconds")

    def test_GetTime_OfUnknownZone_IsInvalidArgumentNamingIt(self):
        for zone in ("Mars/Olympus", "../etc/passwd", "/etc/localtime"):
            error = self.assert_fails(
                grpc.StatusCode.INVALID_ARGUMENT,
                lambda: self.stub.GetTime(clock.GetTimeRequest(time_zone=zone), timeout=SOON), zone)
            self.assertIn(zone, error.details(), "expected the zone to be named")

    def test_SetOffset_AnswersOldAndNew(self):
        for old, new in ((0, 3600), (3600, -0.25), (-0.25, 0)):
            answer = self.stub.SetOffset(clock.SetOffsetRequest(offset=seconds(new)), timeout=SOON)
            self.assertEqual((answer.old_offset, answer.new_offset), (seconds(old), seconds(new)),
                             f"expected the offset to go from {old} s to {new} s")

    def test_SetOffset_OfNothing_IsInvalidArgument(self):
        self.assert_fails(grpc.StatusCode.INVALID_ARGUMENT,
                          lambda: self.stub.SetOffset(clock.SetOffsetRequest(), timeout=SOON),
                          "SetOffset without an offset")

    def test_WatchTime_TicksInOrder_UntilCancelled(self):
        stream = self.stub.WatchTime(clock.WatchTimeRequest(interval=seconds(0.01)), timeout=SOON)
        ticks = [next(stream) for _ in range(20)]
        numbers = [tick.tick for tick in ticks]
        self.assertEqual(numbers[0], 0, "expected the first tick to be number 0")
        self.assertEqual(numbers, sorted(set(numbers)), "expected ticks in order, none twice")
        took = ticks[-1].time.ToNanoseconds() - ticks[0].time.ToNanoseconds()
        due = (numbers[-1] - numbers[0]) * 10_000_000
        self.assertGreater(took, due * 0.5, "expected ticks 10 ms apart, not a burst")
        stream.cancel()
        self.assertEqual(stream.code(), grpc.StatusCode.CANCELLED, "expected the stream cancelled")

    def test_WatchTime_OfBadInterval_IsInvalidArgument(self):
        for interval in (0.005, -1, 86401):
            stream = self.stub.WatchTime(clock.WatchTimeRequest(interval=seconds(interval)),
                                         timeout=SOON)
            self.assert_fails(grpc.StatusCode.INVALID_ARGUMENT, lambda: next(stream),
                              f"an interval of {interval} s")


class Health(HostTestCase):
    def test_CheckAndList_WhenServing_KnowEveryName(self):
        host = self.start_host()
        for address in (host.data, host.admin):
            stub = health.stub(self.connect(address), "Health")
            for name in NAMES:
                self.assertEqual(self.check(stub, name), SERVING, f"expected {name!r} SERVING")
            listed = stub.List(health.HealthListRequest(), timeout=SOON).statuses
            self.assertEqual({name: listed[name].status for name in NAMES if name in listed},
                             {name: SERVING for name in NAMES}, "expected List to have every name")
            self.assert_fails(grpc.StatusCode.NOT_FOUND, lambda: self.check(stub, "no.such"),
                              "Check of an unknown name")

    def test_Watch_AcrossDrain_TurnsAndEnds(self):
        host = self.start_host("--lame-duck=500ms")
        stub = health.stub(self.connect(host.data), "Health")
        watches = {name: self.watch(stub, name) for name in READY_NAMES}
        for name, watch in watches.items():
            watch.wait_for_message(lambda m: m.status == SERVING, f"SERVING of {name!r}")
        unknown = self.watch(stub, "no.such")
        unknown.wait_for_message(lambda m: m.status == SERVICE_UNKNOWN, "SERVICE_UNKNOWN")
        host.signal(signal.SIGTERM)
        for name, watch in (*watches.items(), ("no.such", unknown)):
            code, details, _ = watch.wait_for_end()
            self.assertIn(code, (grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE),
                          f"expected the Watch of {name!r} to be ended, not cut: {details}")
        for name, watch in watches.items():
            self.assertEqual([message.status for message in watch.messages], [SERVING, NOT_SERVING],
                             f"expected the Watch of {name!r} to turn once")
        self.assert_exit(host, 0)

    def test_Lameduck_IsUnreadyButServesAndLives(self):
        host = self.start_host("--lame-duck=30s")
        stub = health.stub(self.connect(host.data), "Health")
        watch = self.watch(stub, "")
        host.signal(signal.SIGTERM)
        watch.wait_for_message(lambda m: m.status == NOT_SERVING, "NOT_SERVING")
        expected = {name: NOT_SERVING if name in READY_NAMES else SERVING for name in NAMES}
        for address in (host.data, host.admin):
            # New connections: in the lame duck the listener is still there.
            fresh = health.stub(self.connect(address), "Health")
            self.assertEqual({name: self.check(fresh, name) for name in NAMES}, expected,
                             "expected readiness gone, liveness and startup untouched by a drain")
        answer = clock.stub(self.connect(host.data), "Clock").GetTime(
            clock.GetTimeRequest(), timeout=SOON)
        self.assertTrue(answer.rfc3339, "expected a lame duck to serve")

    def watch(self, stub, name):
        return StreamReader(stub.Watch(health.HealthCheckRequest(service=name), timeout=30))


class Reflection(HostTestCase):
    def setUp(self):
        self.host = self.start_host()

    def ask(self, package, address, *questions):
        """The answers of one reflection stream, one a question."""
        stub = package.stub(self.connect(address), "ServerReflection")
        requests = [package.ServerReflectionRequest(**question) for question in questions]
        answers = list(stub.ServerReflectionInfo(iter(requests), timeout=SOON))
        self.assertEqual(len(answers), len(questions), "expected one answer a question")
        return answers

    def test_ListServices_OfBothVersionsAndPlanes(self):
        common = {HEALTH, "grpc.reflection.v1.ServerReflection",
                  "grpc.reflection.v1alpha.ServerReflection"}
        for package in (reflection_v1, reflection_v1alpha):
            for address, expected in ((self.host.data, common | {CLOCK}),
                                      (self.host.admin, common | {CONFIG, LIFECYCLE})):
                with self.subTest(package=package.name, address=address):
                    [answer] = self.ask(package, address, {"list_services": "*"})
                    names = [service.name for service in answer.list_services_response.service]
                    self.assertEqual(sorted(names), sorted(expected), "expected what is served")

    def test_Files_BySymbolAndByName_AreWhole(self):
        questions = [{"file_containing_symbol": symbol} for symbol in
                     (CLOCK, f"{CLOCK}.GetTime", "mainspring.clock.v1.GetTimeRequest",
                      "mainspring.clock.v1.GetTimeRequest.time_zone")]
        questions.append({"file_by_filename": "mainspring/clock/v1/clock.proto"})
        for package in (reflection_v1, reflection_v1alpha):
            for question in questions:
                with self.subTest(package=package.name, question=question):
                    [answer] = self.ask(package, self.host.data, question)
                    sent = answer.file_descriptor_response.file_descriptor_proto
                    files = [descriptor_pb2.FileDescriptorProto.FromString(file) for file in sent]
                    self.assertTrue(files, f"expected files, got {answer}")
                    self.assertEqual(files[0].name, "mainspring/clock/v1/clock.proto",
                                     "expected the file asked for first")
                    self.assertLessEqual(set(files[0].dependency), {file.name for file in files},
                                         "expected its imports with it")

    def test_UnknownThings_AreNotFound_AndTheStreamLives(self):
        for package in (reflection_v1, reflection_v1alpha):
            *unknown, last = self.ask(
                package, self.host.data, {"file_by_filename": "no/such.proto"},
                {"file_containing_symbol": "no.Such"}, {"list_services": ""})
            self.assertEqual([answer.error_response.error_code for answer in unknown],
                             [grpc.StatusCode.NOT_FOUND.value[0]] * 2,
                             "expected NOT_FOUND, as data")
            self.assertTrue(last.list_services_response.service,
                            "expected the stream to answer after an error")


if __name__ == "__main__":
    unittest.main(verbosity=2)
