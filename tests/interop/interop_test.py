"""gRPC-Go's interop client asks a host of ours each case of the suite that it knows."""

import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "blackbox"))

from harness import go_program, places  # pylint: disable=wrong-import-position
from harness.case import HostTestCase  # pylint: disable=wrong-import-position

INTEROP_HOST = places.BUILD / "tests" / "interop" / "interop_host"

# What the client knows and does not tell of.
UNTOLD = {"rpc_soak", "channel_soak"}
# They need TLS and an account, or a server that reports its load (ORCA).
NOT_OURS = {"compute_engine_creds", "service_account_creds", "jwt_token_creds", "per_rpc_creds",
            "oauth2_auth_token", "google_default_credentials",
            "compute_engine_channel_credentials", "orca_per_rpc", "orca_oob"}
# A hundred calls; the bounds are for hanging.
SOAK = ("-soak_iterations=100", "-soak_per_iteration_max_acceptable_latency_ms=60000",
        "-soak_overall_timeout_seconds=60")


class Interop(HostTestCase):
    def setUp(self):
        self.client = go_program.require("grpc_interop_client")
        self.host = self.start_host(binary=INTEROP_HOST)

    def ask(self, case):
        """Runs the client for one case: (exit code, what it said)."""
        name, port = self.host.data.removeprefix("ipv4:").split(":")
        done = self.run_client(f"-server_host={name}", f"-server_port={port}", f"-test_case={case}", *SOAK)
        return done.returncode, done.stderr

    def run_client(self, *flags):
        return subprocess.run([self.client, *flags], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120, check=False)

    def cases(self):
        """What its -help lists, a line each: "empty_unary : what it does"."""
        told = re.findall(r"^\s+(\w+) ?:", self.run_client("-help").stderr, re.M)
        self.assertLess(NOT_OURS, set(told), "expected cases that are not ours among the client's")
        return (set(told) | UNTOLD) - NOT_OURS

    def test_EachCase_Passes(self):
        cases = sorted(self.cases())
        for case in cases:
            with self.subTest(case=case):
                code, said = self.ask(case)
                self.assertEqual(code, 0, said)
        print(f"{len(cases)} cases: {' '.join(cases)}")

    def test_CaseThatIsNotOurs_Fails(self):
        code, said = self.ask("orca_per_rpc")
        self.assertNotEqual(code, 0, "expected the client to fail where the host does not do what it asks")
        self.assertIn("orca", said.lower())


if __name__ == "__main__":
    unittest.main()
