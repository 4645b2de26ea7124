"""Each client of clients/examples, built by the commands of protos/clients.md, asks a real host.

    examples_test.py Go Rust     # some; without arguments all
"""

import itertools
import pathlib
import re
import signal
import socket
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "blackbox")]

from client import Client, require  # pylint: disable=wrong-import-position
from harness import places  # pylint: disable=wrong-import-position
from harness.case import HostTestCase  # pylint: disable=wrong-import-position

TOKYO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\+09:00"
LOST = re.compile(r"lost: \S.*; again in (\d+) ms")


class Example:
    """What each of them does."""

    title = ""  # of the section in protos/clients.md
    folder = ""
    needs = {}  # what asks a tool for its version: the oldest that will do

    @classmethod
    def setUpClass(cls):
        for command, oldest in cls.needs.items():
            require(command, oldest)
        began = time.monotonic()
        cls.client = Client(cls.title, cls.folder)
        cls.addClassCleanup(cls.client.remove)
        cls.client.build()
        print(f"built in {time.monotonic() - began:.0f} s", flush=True)

    def run_client(self, address, time_zone="Asia/Tokyo", count=1):
        running = self.client.run(address, time_zone, count)
        self.addCleanup(running.end)
        return running

    def test_Watch_GoesOnAcrossRestarts(self):
        address = f"127.0.0.1:{places.fixed_ports(1)[0]}"
        host = self.start_host(data=address)
        client = self.run_client(address, count=7)
        for ticks, losses, ending in ((2, 1, signal.SIGTERM), (3, 2, signal.SIGKILL)):
            client.wait_for_lines("tick ", ticks)
            host.signal(ending)
            host.wait()
            client.wait_for_lines("lost: ", losses)
            host = self.start_host(data=address)
        code, lines, errors = client.wait()
        self.assertEqual(code, 0, errors)
        self.assertRegex(lines[0], rf"^time {TOKYO}$")
        self.assertEqual(lines[1], "health SERVING")
        self.check_watch(lines[2:])

    def check_watch(self, lines):
        """Ticks, a first loss, ticks, a second one, ticks; and each loss is waited out longer."""
        parts = [(lost, list(part))
                 for lost, part in itertools.groupby(lines, lambda line: line.startswith("lost: "))]
        self.assertEqual([lost for lost, _ in parts], [False, True, False, True, False], lines)
        ticks = [line for lost, part in parts if not lost for line in part]
        self.assertEqual(len(ticks), 7, lines)
        for tick in ticks:
            self.assertRegex(tick, rf"^tick {TOKYO}$")
        self.assertIn("draining", parts[1][1][0], "expected the host's own reason")
        for _, part in parts[1::2]:
            waits = [int(LOST.fullmatch(line)[1]) for line in part]
            self.assertEqual(waits, [min(100 * 2**n, 5000) for n in range(len(waits))], lines)

    def test_NoHost_IsSaid(self):
        self.check_failure(f"127.0.0.1:{places.fixed_ports(1)[0]}", "connect")

    def test_HostThatNeverAnswers_IsGivenUpAtTheDeadline(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.check_failure(f"127.0.0.1:{silent.getsockname()[1]}", "deadline|timeout")

    def test_WrongTimeZone_IsSaidInTheWordsOfTheHost(self):
        address = self.start_host().data.removeprefix("ipv4:")
        self.check_failure(address, "Asia/Nowhere.* is not in the IANA database", "Asia/Nowhere")

    def check_failure(self, address, reason, time_zone="Asia/Tokyo"):
        code, lines, errors = self.run_client(address, time_zone).wait()
        self.assertNotEqual(code, 0, errors)
        self.assertEqual(lines, [], errors)
        self.assertRegex(errors, rf"(?im)^error: .*({reason})")


class Cpp(Example, HostTestCase):
    title, folder = "C++", "cpp"
    needs = {"cmake --version": "3.16", "pkg-config --modversion grpc++": "1.30"}


class Go(Example, HostTestCase):
    title, folder = "Go", "go"
    needs = {"go version": "1.19"}


class Python(Example, HostTestCase):
    title, folder = "Python", "python"
    needs = {"python3 --version": "3.9", "python3 -m ensurepip --version": "20.0"}


class TypeScript(Example, HostTestCase):
    title, folder = "TypeScript", "typescript"
    needs = {"node --version": "18.0", "npm --version": "9.0"}


class Java(Example, HostTestCase):
    title, folder = "Java", "java"
    needs = {"mvn --version": "3.6.3", "javac --version": "17.0"}


class Rust(Example, HostTestCase):
    title, folder = "Rust", "rust"
    needs = {"cargo --version": "1.75"}


if __name__ == "__main__":
    unittest.main(verbosity=2)
