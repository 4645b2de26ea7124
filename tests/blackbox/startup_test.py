"""Flags, their errors, and the log: what a host says before and while it serves."""

import datetime
import json
import re
import signal
import unittest

from harness import raw_http2
from harness.case import HostTestCase
from harness.client import SOON
from harness.host import parse_event, run_to_end
from harness.protos import clock

USAGE = 64

# A host that takes a bad flag for a good one must not listen to the world.
HARMLESS = ("--data-address=127.0.0.1:0", "--admin-address=127.0.0.1:0")

FLAGS = ("--data-address", "--admin-address", "--probe-address", "--probe", "--lame-duck", "--drain-timeout",
         "--max-connection-age", "--max-connection-idle", "--log-format", "--version", "--help")


class Flags(unittest.TestCase):
    def assert_usage_error(self, *flags, naming, codes=(USAGE,)):
        code, output, lines = run_to_end(*HARMLESS, *flags)
        self.assertIn(code, codes, f"expected exit {codes} for {flags}, log: {lines}")
        self.assertEqual(len(lines), 1, f"expected one line for {flags}, got {lines}")
        for words in naming:
            self.assertIn(words, lines[0], "expected the line to name the flag and what is wrong")
        self.assertEqual(output, "", "expected nothing on standard output")

    def test_UnknownFlag_IsNamed(self):
        self.assert_usage_error("--data-addres=127.0.0.1:0", naming=("data-addres",))
        self.assert_usage_error("--no-such-flag", naming=("no-such-flag",))

    def test_StrayArgument_IsNamed(self):
        self.assert_usage_error("stray", naming=("stray",))

    def test_MalformedDuration_IsNamedWithItsFlag(self):
        for value in ("5", "soon", "-1s", ""):
            for flag in ("lame-duck", "drain-timeout", "max-connection-age", "max-connection-idle"):
                with self.subTest(flag=flag, value=value):
                    self.assert_usage_error(f"--{flag}={value}", naming=(flag, value))

    def test_UnknownLogFormat_IsNamedWithTheKnownOnes(self):
        self.assert_usage_error("--log-format=xml", naming=("log-format", "xml", "text", "json"))

    def test_MalformedAddress_IsNamedWithItsFlag(self):
        for address in ("nonsense", "127.0.0.1:99999", "127.0.0.1:http", "unix:", "unix:@name",
                        "127.0.0.1:0,nonsense", "::1:80"):
            for flag in ("data", "admin", "probe"):
                with self.subTest(flag=flag, address=address):
                    self.assert_usage_error(f"--{flag}-address={address}",
                                            naming=(f"--{flag}-address", address))

    def test_AddressesThatAreMissing_AreNamed(self):
        self.assert_usage_error("--data-address=", naming=("planes.data.addresses", "no address"))
        for addresses in (",", "127.0.0.1:0,", "127.0.0.1:0,,127.0.0.1:0"):
            self.assert_usage_error(f"--data-address={addresses}",
                                    naming=("--data-address", "missing"))

    def test_AddressGivenTwice_IsNamed(self):
        self.assert_usage_error("--data-address=127.0.0.1:4711,127.0.0.1:4711",
                                naming=("planes.data.addresses", "127.0.0.1:4711", "twice"))
        self.assert_usage_error("--data-address=[::1]:4711", "--probe-address=[0:0::1]:4711",
                                naming=("planes.probe.addresses", "[::1]:4711", "twice"))

    def test_OnlyTheLameDuck_MayBeAuto(self):
        self.assert_usage_error("--drain-timeout=auto", naming=("--drain-timeout", "auto"))
        self.assert_usage_error("--probe-timeout=auto", naming=("--probe-timeout", "auto"))

    def test_Version_IsPrinted(self):
        code, output, lines = run_to_end("--version")
        self.assertEqual((code, lines), (0, []), "expected exit 0 and nothing on standard error")
        self.assertRegex(output, r"\b\d+\.\d+\.\d+\b", "expected a version number")

    def test_Help_ListsEveryFlag(self):
        code, output, _ = run_to_end("--help")
        self.assertEqual(code, 0, "expected exit 0: help was asked for")
        for flag in FLAGS:
            self.assertIn(flag, output, "expected the flag in the help")


class Ends(HostTestCase):
    """Values that can be, however far out they are."""

    def test_MaxConnectionAgeOfAMonth_IsServed(self):
        for age in ("720h", "597h", "80000000h"):
            host = self.start_host(f"--max-connection-age={age}")
            stub = clock.stub(self.connect(host.data), "Clock")
            self.assertTrue(stub.GetTime(clock.GetTimeRequest(), timeout=SOON).rfc3339,
                            f"expected a host with --max-connection-age={age} to serve")

    def test_MaxConnectionIdle_ClosesWhatIsNotUsed(self):
        host = self.start_host("--max-connection-age=0s", "--max-connection-idle=200ms")
        with raw_http2.connect(host.data) as unused:
            raw_http2.greet(unused)
            while unused.recv(4096):
                pass

    def test_LameDuckAuto_IsWhatItIsWithoutTheFlag(self):
        host = self.start_host("--lame-duck=auto")
        host.signal(signal.SIGTERM)
        host.signal(signal.SIGTERM)
        host.wait()
        [drain] = [event for event in host.events if "trigger" in event]
        self.assertEqual(drain["lame_duck"], "5000", "expected 5 s: there is no terminal")

    def test_ContradictionsAreToldAtTheStart(self):
        host = self.start_host("--drain-timeout=35s", "--max-connection-age=40s")
        [warning] = [event for event in host.events if event.get("event") == "configuration"]
        self.assertIn("max_connection_age, 40s", warning["warning"])
        quiet = self.start_host("--drain-timeout=35s")
        self.assertFalse([event for event in quiet.events if event.get("event") == "configuration"])


class Log(HostTestCase):
    def run_through(self, log_format):
        """The log of a host that served, was asked for its state and was drained."""
        host = self.start_host(f"--log-format={log_format}")
        seen = len(host.lines)
        host.signal(signal.SIGUSR1)
        host.wait_for_line(lambda line: "clock" in line, "the state of the clock", since=seen)
        host.signal(signal.SIGTERM)
        self.assert_exit(host, 0)
        return host.lines

    def test_JsonLog_IsOneObjectALine(self):
        events = [json.loads(line) for line in self.run_through("json")]
        for event in events:
            self.assertLessEqual({"time", "level", "event"}, event.keys(), "expected these fields")
            datetime.datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", event["time"]))
        self.assert_tells_the_story(events)

    def test_TextLog_IsOneEventALine(self):
        lines = self.run_through("text")
        for line in lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) "
                             r"\w+ event=\S+", "expected time, level and event")
        self.assert_tells_the_story([parse_event(line) for line in lines])

    def assert_tells_the_story(self, events):
        names = [event["event"] for event in events]
        listening = [event["plane"] for event in events if event["event"] == "listening"]
        self.assertEqual(sorted(listening), ["admin", "data"], "expected a line a listener")
        self.assertEqual(names.count("serving"), 1, "expected one line when all components run")
        self.assertLess(max(i for i, name in enumerate(names) if name == "listening"),
                        names.index("serving"), "expected to listen before it says that it serves")
        addresses = [event["address"] for event in events if event["event"] == "listening"]
        self.assertFalse([text for text in addresses if text.endswith(":0")],
                         "expected the real port in the place of 0")


if __name__ == "__main__":
    unittest.main(verbosity=2)
