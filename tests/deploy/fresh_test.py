"""The two commands of the README, on a bare Debian: what they need and do not install is not there.

MAINSPRING_FRESH_SUITE is the Debian to take, by its codename; bookworm without it.
"""

import os
import pathlib
import re
import signal
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "blackbox")]

import fresh_root  # pylint: disable=wrong-import-position
from harness import places  # pylint: disable=wrong-import-position
from harness.case import HostTestCase  # pylint: disable=wrong-import-position
from harness.client import SOON  # pylint: disable=wrong-import-position
from harness.protos import clock  # pylint: disable=wrong-import-position

SUITE = os.environ.get("MAINSPRING_FRESH_SUITE", "bookworm")
# Packages are fetched, and with nothing in the compiler's cache all of the host is compiled.
PATIENCE = 1200
# Of what is tested, and of no use to who only runs a host.
FOR_TESTS = ("libgtest-dev", "libgmock-dev", "python3-minimal", "systemd", "golang-go")
HOST = ".build/release/server/mainspringd"
MISSING = re.compile(r"^.*(?:command not found|: not found).*$", re.MULTILINE)


def options():
    """What this build was configured with, and decides whether objects in the cache are of use."""
    cache = (places.BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
    warnings = re.search(r"^MAINSPRING_WERROR:BOOL=(\w+)$", cache, re.MULTILINE)[1]
    return f"-DMAINSPRING_WERROR={warnings}"


class FreshMachine(HostTestCase):
    def setUp(self):
        self.root = fresh_root.FreshRoot(SUITE)
        self.addCleanup(self.root.end)

    def test_BothCommands_InstallAllThatTheyNeed(self):
        self.check_deploy_run()
        for package in FOR_TESTS:
            self.assertFalse(self.root.has_package(package), f"expected no {package} for the host alone")
        host = self.root.modified(HOST)
        self.check_tests_run()
        self.assertEqual(self.root.modified(HOST), host, "expected tests/run to keep what was built")
        code, said = self.root.run("deploy/run", "--version")
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"\A\S*\s?\d+\.\d+\.\d+\s*\Z", "expected deploy/run to have nothing to do")
        code, said = self.root.run("tests/run", "--target", "components.mailbox", "-R", "components.mailbox")
        self.assertEqual(code, 0, said)
        self.assertNotIn("mainspring:", said, "expected tests/run to have nothing to do")

    def check_deploy_run(self):
        began = time.monotonic()
        host = self.launch_host(binary=places.REPOSITORY / "deploy" / "run", admin="127.0.0.1:0",
                                prefix=self.root.entering(MAINSPRING_CMAKE_ARGS=options()))
        host.wait_for_line(lambda line: " event=serving" in line, "the host to serve", timeout=PATIENCE)
        print(f"deploy/run served after {time.monotonic() - began:.0f} s", flush=True)
        self.assertIsNone(MISSING.search("\n".join(host.lines)), host.transcript(last=1000))
        stub = clock.stub(self.connect(host.data), "Clock")
        answer = stub.GetTime(clock.GetTimeRequest(time_zone="Asia/Tokyo"), timeout=SOON)
        self.assertIn("+09:00", answer.rfc3339)
        self.root.signal(host.pid, signal.SIGTERM)
        self.assert_exit(host, 0)

    def check_tests_run(self):
        began = time.monotonic()
        code, said = self.root.run(
            "tests/run", "--target", "components.mailbox", "--target", "mainspringd",
            "-R", r"^(components\.mailbox\.|house\.|blackbox\.(startup|python_client)_test)")
        print(f"tests/run took {time.monotonic() - began:.0f} s; of all objects "
              "%d came from the compiler's cache, %d did not" % self.root.compiled(), flush=True)
        self.assertEqual(code, 0, said)
        self.assertIsNone(MISSING.search(said), said)
        for passed in (r"components\.mailbox\.\S+", r"house\.tree", r"blackbox\.startup_test"):
            self.assertRegex(said, passed + r" \.+ +Passed")
        self.assertRegex(said, r"100% tests passed, 0 tests failed out of [1-9]\d+")
        self.assertNotIn("did not run", said)


if __name__ == "__main__":
    if reason := fresh_root.why_not(SUITE):
        # ctest takes what says SKIPPED for skipped, whatever its exit code.
        in_ci = os.environ.get("CI") == "true"
        print(f"{'FAILED' if in_ci else 'SKIPPED'}, nothing was tested: {reason}")
        sys.exit(in_ci)
    unittest.main(verbosity=2)
