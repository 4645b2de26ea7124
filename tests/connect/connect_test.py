"""connectrpc's conformance suite: its runner starts a host of ours and says what it thinks of it."""

import pathlib
import re
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "blackbox"))

from harness import go_program, places  # pylint: disable=wrong-import-position

SERVER = places.BUILD / "tests" / "connect" / "conformance_server"

# A host has one bound for what it takes and what it sends. These ask for an answer that has the whole
# request in it, and that is as large as it may be.
NOT_ASKED = ("Server Message Size/**/request-equal-to-server-limit",
             "Server Message Size/**/all-requests-equal-to-server-limit")


class Connect(unittest.TestCase):
    maxDiff = None

    def run_suite(self, *flags):
        """(exit code, how many cases passed, all that the runner said)."""
        command = [go_program.require("connectconformance"), "--mode=server",
                   f"--conf={HERE / 'config.yaml'}", *(f"--skip={each}" for each in NOT_ASKED), *flags,
                   "--", str(SERVER), "--admin-address=127.0.0.1:0", "--lame-duck=0s"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=240, check=False)
        passed = re.search(r"^(\d+) passed, \d+ failed", done.stdout, re.M)
        self.assertIsNotNone(passed, done.stdout)
        return done.returncode, int(passed[1]), done.stdout

    def test_Suite_Passes_ButForWhatIsKnownToFail(self):
        code, passed, said = self.run_suite(f"--known-failing=@{HERE / 'known_failing.txt'}",
                                            f"--known-flaky=@{HERE / 'known_flaky.txt'}")
        self.assertEqual(code, 0, said)
        self.assertGreater(passed, 100, f"expected the suite to have been run:\n{said}")
        # One host for each of the suite's clients.
        self.assertEqual(re.findall(r'"event":"exit","code":(\d+)', said), ["0", "0"], said)
        print("\n".join(said.splitlines()[-3:]))

    def test_CaseThatPassesThoughKnownToFail_IsAFailure(self):
        code, _, said = self.run_suite("--run=Basic/**/unary/success", "--known-failing=**")
        self.assertNotEqual(code, 0, said)
        self.assertIn("was expected to fail but did not", said)


if __name__ == "__main__":
    unittest.main()
