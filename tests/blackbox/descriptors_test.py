"""A host that ran out of file descriptors accepts again as soon as it gets one back."""

import os
import time
import unittest

from harness import raw_http2
from harness.case import SERVING, HostTestCase
from harness.client import SOON, channel
from harness.protos import clock, health

DESCRIPTORS = 64
ROUNDS = 20


class IdleConnection:
    """A connection that asks for nothing. The kernel connects it; the host may not accept it."""

    def __init__(self, address):
        self._socket = raw_http2.connect(address)
        raw_http2.greet(self._socket)

    def is_accepted(self, within):
        """Whether the host answers with its SETTINGS; silence and a closed door are both a no."""
        self._socket.settimeout(within)
        try:
            return bool(self._socket.recv(64))
        except (TimeoutError, ConnectionError):
            return False

    def close(self):
        self._socket.close()


class Descriptors(HostTestCase):
    def setUp(self):
        self.host = self.start_host(
            "--max-connection-age=1h",
            prefix=("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}", "--"))
        self.idle = []

    def tearDown(self):
        for connection in self.idle:
            connection.close()

    def test_AfterRunningOut_OneBack_IsEnoughToServe(self):
        took = []
        for round_number in range(ROUNDS):
            self.exhaust()
            if round_number == 0:
                print(f"out of descriptors with {len(self.idle)} idle connections, "
                      f"{len(os.listdir(f'/proc/{self.host.pid}/fd'))} of {DESCRIPTORS} open")
            self.idle.pop().close()
            began = time.monotonic()
            self.assert_answers()
            took.append(time.monotonic() - began)
        print(f"served again after {max(took) * 1000:.0f} ms at most, "
              f"{sorted(took)[len(took) // 2] * 1000:.0f} ms in the middle, {ROUNDS} times")
        self.assertLess(max(took), 3.0, f"expected to be served within about a second: {took}")

    def test_WhenTheDataPlaneIsFull_TheOperatorIsServed(self):
        self.exhaust()
        admin = health.stub(self.connect(self.host.admin), "Health")
        answer = admin.Check(health.HealthCheckRequest(service=""), timeout=SOON)
        self.assertEqual(answer.status, SERVING, "expected the admin plane to have a share")

    def exhaust(self):
        """Opens idle connections until the host takes no more."""
        for _ in range(2 * DESCRIPTORS):
            connection = IdleConnection(self.host.data)
            if not connection.is_accepted(within=5.0 if not self.idle else 0.5):
                connection.close()
                self.assertGreater(len(self.idle), DESCRIPTORS // 4,
                                   "expected the descriptors to run out, not a lower limit")
                return
            self.idle.append(connection)
        self.fail(f"expected {DESCRIPTORS} descriptors to run out")

    def assert_answers(self):
        with channel(self.host.data) as connection:
            answer = clock.stub(connection, "Clock").GetTime(
                clock.GetTimeRequest(), timeout=10, wait_for_ready=True)
        self.assertTrue(answer.rfc3339, "expected the host to answer on a new connection")


if __name__ == "__main__":
    unittest.main(verbosity=2)
