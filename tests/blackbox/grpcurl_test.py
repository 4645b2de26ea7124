"""What a new user does: grpcurl against the product, with nothing but reflection to go by."""

import datetime
import re
import unittest

from harness import grpcurl, places
from harness.grpcurl_case import (DEADLINE_EXCEEDED, INVALID_ARGUMENT, NOT_FOUND, UNIMPLEMENTED,
                                  GrpcurlTestCase)

CLOCK = "mainspring.clock.v1.Clock"


class Reflection(GrpcurlTestCase):
    def test_List_OfDataPlane_ShowsWhatItServes(self):
        self.assertEqual(set(self.ask("list").split()), {
            CLOCK, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection"}, "expected exactly these services")

    def test_List_OfService_ShowsItsMethods(self):
        self.assertEqual(set(self.ask("list", CLOCK).split()),
                         {f"{CLOCK}.{method}" for method in ("GetTime", "SetOffset", "WatchTime")},
                         "expected the three methods of Clock")

    def test_Describe_OfServiceMethodAndMessage_ShowsThem(self):
        self.assertIn("rpc WatchTime", self.ask("describe", CLOCK),
                      "expected the service's methods")
        self.assertIn("returns ( stream .mainspring.clock.v1.WatchTimeResponse )",
                      self.ask("describe", f"{CLOCK}.WatchTime"), "expected the method's types")
        self.assertIn("string time_zone = 1",
                      self.ask("describe", "mainspring.clock.v1.GetTimeRequest"),
                      "expected the message's field")

    def test_List_OfAdminPlane_HasNoComponentService(self):
        services = set(self.ask("list", address=self.host.admin).split())
        self.assertNotIn(CLOCK, services, "expected no component service on the admin plane")
        self.assertIn("grpc.health.v1.Health", services, "expected health on the admin plane")

    def test_Clock_OnAdminPlane_IsUnimplemented(self):
        # The data plane's descriptors are not the admin plane's, so grpcurl is given them.
        protos = [f"-import-path={places.REPOSITORY}/protos",
                  "-proto=mainspring/clock/v1/clock.proto"]
        said = self.ask(f"{CLOCK}/GetTime", address=self.host.admin, options=protos,
                        expect=UNIMPLEMENTED)
        where = self.host.data.removeprefix("ipv4:")
        self.assertIn(f"no {CLOCK} here; it is on the data plane {where}", said,
                      "expected to be told where the service is")


class Clock(GrpcurlTestCase):
    def test_GetTime_OfTokyo_HasOffsetAndNanoseconds(self):
        answer = self.ask_one(f"{CLOCK}/GetTime", {"time_zone": "Asia/Tokyo"})
        self.assertEqual(answer["utcOffset"], "32400s", "expected Tokyo nine hours ahead of UTC")
        self.assertEqual(answer["timeZone"], "Asia/Tokyo", "expected the zone that was asked for")
        self.assertRegex(answer["rfc3339"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\+09:00$",
                         "expected RFC 3339 with nine digits of a second and +09:00")
        text = re.sub(r"(\.\d{6})\d{3}", r"\1", answer["rfc3339"])
        apart = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(text)
        self.assertLess(abs(apart.total_seconds()), 60, "expected the time of this machine")

    def test_GetTime_OfNoZone_IsUtc(self):
        answer = self.ask_one(f"{CLOCK}/GetTime", {})
        self.assertEqual(answer["timeZone"], "UTC", "expected UTC where no zone was asked for")
        self.assertRegex(answer["rfc3339"], r"(Z|\+00:00)$", "expected a time of UTC")

    def test_GetTime_OfUnknownZone_IsInvalidArgumentNamingIt(self):
        error = self.ask(f"{CLOCK}/GetTime", data={"time_zone": "Asia/Atlantis"},
                         expect=INVALID_ARGUMENT)
        self.assertIn("Asia/Atlantis", error, "expected the unknown zone to be named")

    def test_SetOffset_AnswersOldAndNew_AndShiftsTheClock(self):
        first = self.ask_one(f"{CLOCK}/SetOffset", {"offset": "86400s"})
        self.assertEqual((first.get("oldOffset", "0s"), first["newOffset"]), ("0s", "86400s"),
                         "expected the offset to go from nothing to a day")
        time = self.ask_one(f"{CLOCK}/GetTime", {})["time"][:10]
        tomorrow = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
        just_before = tomorrow - datetime.timedelta(minutes=1)
        self.assertIn(time, {str(tomorrow.date()), str(just_before.date())},
                      "expected the clock to be a day ahead")
        second = self.ask_one(f"{CLOCK}/SetOffset", {"offset": "-1.5s"})
        self.assertEqual((second["oldOffset"], second["newOffset"]), ("86400s", "-1.500s"),
                         "expected the offset to go from a day to minus one and a half seconds")

    def test_WatchTime_TicksUntilMaxTime(self):
        result = grpcurl.run(self.host.data, f"{CLOCK}/WatchTime", data={"interval": "0.050s"},
                             options=["-max-time", "1"])
        self.assertEqual(result.exit, DEADLINE_EXCEEDED, f"expected the deadline:\n{result.error}")
        ticks = [int(message.get("tick", 0)) for message in grpcurl.messages(result.output)]
        self.assertGreaterEqual(len(ticks), 2, "expected several ticks of 50 ms in a second")
        self.assertEqual(ticks[0], 0, "expected the first tick to be number 0")
        self.assertEqual(ticks, sorted(set(ticks)), "expected ticks in order, none twice")


class Health(GrpcurlTestCase):
    def test_Check_OfEveryName_IsServing(self):
        for name in ("", "readiness", "liveness", "startup", CLOCK, "clock"):
            for address in (self.host.data, self.host.admin):
                with self.subTest(name=name, address=address):
                    answer = self.ask_one("grpc.health.v1.Health/Check", {"service": name},
                                          address=address)
                    self.assertEqual(answer, {"status": "SERVING"}, f"expected {name!r} to serve")

    def test_Check_OfUnknownName_IsNotFound(self):
        error = self.ask("grpc.health.v1.Health/Check", data={"service": "no.such.Name"},
                         expect=NOT_FOUND)
        self.assertIn("NotFound", error, "expected the code in grpcurl's words")


if __name__ == "__main__":
    unittest.main(verbosity=2)
