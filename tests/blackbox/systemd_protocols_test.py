"""systemd's protocols: what the host tells a service manager, and sockets that one passes."""

import os
import signal
import socket
import threading
import time
import unittest

from harness import places
from harness.case import HostTestCase
from harness.client import SOON
from harness.protos import clock, seconds, trial

AN_HOUR = 3600.0


class NotifySocket:
    """The service manager's end: every message, and when it came."""

    def __init__(self, test):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        test.addCleanup(self._socket.close)
        self.path = str(places.socket_directory(test) / "notify")
        self._socket.bind(self.path)

    def environment(self, **more):
        return {"NOTIFY_SOCKET": self.path, **more}

    def next(self, timeout=SOON):
        """The lines of the next message; nothing where none comes."""
        self._socket.settimeout(timeout)
        try:
            return self._socket.recv(4096).decode().splitlines()
        except socket.timeout:
            return []

    def until(self, line, timeout=SOON):
        """All lines up to the message with this one."""
        lines, deadline = [], time.monotonic() + timeout
        while line not in lines:
            came = self.next(max(0.01, deadline - time.monotonic()))
            if not came:
                raise AssertionError(f"expected {line} within {timeout} s, got {lines}")
            lines += came
        return lines


class Notifications(HostTestCase):
    def test_AWholeLife_IsToldInOrder(self):
        manager = NotifySocket(self)
        host = self.start_host("--lame-duck=1500ms", environment=manager.environment())
        began = manager.until("READY=1")
        self.assertIn("STATUS=ready: 1 of 1 components RUNNING", began)
        host.signal(signal.SIGHUP)
        reload = manager.until("READY=1")
        self.assertIn("RELOADING=1", reload)
        self.assertTrue([line for line in reload if line.startswith("MONOTONIC_USEC=")], reload)
        host.signal(signal.SIGTERM)
        stopping = manager.until("STOPPING=1")
        self.assertIn("EXTEND_TIMEOUT_USEC=15000000", stopping)
        self.assert_exit(host, 0)
        after = []
        while came := manager.next(0.2):
            after += came
        self.assertIn("EXTEND_TIMEOUT_USEC=15000000", after, "expected it again in a long drain")
        self.assertNotIn("READY=1", stopping + after)

    def test_AHostThatDoesNotStart_IsNeverReady(self):
        manager = NotifySocket(self)
        host = self.launch_host("--trial-start=trial:fail", binary=places.TRIAL_HOST,
                                environment=manager.environment())
        self.assertEqual(host.wait(), 69)
        told = []
        while came := manager.next(0.2):
            told += came
        self.assertNotIn("READY=1", told)

    def test_WithoutANotifySocket_NothingIsTold(self):
        host = self.start_host()
        host.signal(signal.SIGTERM)
        self.assert_exit(host, 0)

    def test_TheWatchdog_HearsNothingOnceAMethodHangs(self):
        manager = NotifySocket(self)
        host = self.start_trial_host(
            "--trial-stall-warning=200ms", "--trial-stall-limit=600ms", "--trial-exit-margin=1s",
            "--trial-stop-timeout=200ms", "--drain-timeout=200ms",
            environment=manager.environment(WATCHDOG_USEC="300000"))
        manager.until("READY=1")
        for _ in range(5):
            self.assertIn("WATCHDOG=1", manager.next(1))
        stub, health = self.trial(host)
        self.pass_ingress(health)
        hangs = stub.Block.future(trial.BlockRequest(time=seconds(AN_HOUR)), timeout=60)
        self.operator(host).wait_until(
            lambda components: components["trial"].thread.method.endswith("Trial/Block"), "Block")
        deadline = time.monotonic() + SOON
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 1 and time.monotonic() < deadline:
            if "WATCHDOG=1" in manager.next(0.1):
                quiet_since = time.monotonic()
        self.assertGreaterEqual(time.monotonic() - quiet_since, 1, "expected it to fall silent")
        self.assertFalse(hangs.done())
        # What systemd does then, with a signal that a stuck host can still take.
        host.signal(signal.SIGTERM)
        self.assert_exit(host, 70)

    def test_ADrain_KeepsTheWatchdogFed(self):
        manager = NotifySocket(self)
        host = self.start_host("--lame-duck=1s",
                               environment=manager.environment(WATCHDOG_USEC="300000"))
        manager.until("READY=1")
        host.signal(signal.SIGTERM)
        manager.until("STOPPING=1")
        fed = 0
        while came := manager.next(0.5):
            fed += came.count("WATCHDOG=1")
        self.assertGreaterEqual(fed, 5, "expected a drain not to be killed by the watchdog")
        self.assert_exit(host, 0)


class SocketActivation(HostTestCase):
    def listening(self):
        # systemd's own default for the backlog: who connects while nobody serves waits in it.
        listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.addCleanup(listener.close)
        return listener

    def get_time(self, address):
        stub = clock.stub(self.connect(address), "Clock")
        return stub.GetTime(clock.GetTimeRequest(), timeout=SOON)

    def test_APassedSocket_IsServedInThePlaceOfTheFlagsAddress(self):
        listener = self.listening()
        host = self.start_host(sockets=[listener])
        port = listener.getsockname()[1]
        self.assertEqual(host.addresses("data"), [f"ipv4:127.0.0.1:{port}"])
        self.assertTrue(self.get_time(host.data).rfc3339)
        host.signal(signal.SIGTERM)
        self.assert_exit(host, 0)

    def test_ANamedOne_IsTheProbePlanes(self):
        data, probe = self.listening(), self.listening()
        host = self.start_host(sockets=[data, probe],
                               environment={"LISTEN_FDNAMES": "data:probe"})
        self.assertEqual(host.addresses("probe"), [f"ipv4:127.0.0.1:{probe.getsockname()[1]}"])
        self.assertEqual(host.addresses("data"), [f"ipv4:127.0.0.1:{data.getsockname()[1]}"])

    def test_TheNameOfItsUnit_IsTheDataPlanes(self):
        listener = self.listening()
        host = self.start_host(sockets=[listener],
                               environment={"LISTEN_FDNAMES": "mainspring.socket"})
        self.assertTrue(self.get_time(host.data).rfc3339)

    def test_AnotherName_IsOneLineThatSaysWhichThereAre(self):
        host = self.launch_host(sockets=[self.listening()],
                                environment={"LISTEN_FDNAMES": "admin"})
        self.assertEqual(host.wait(), 64)
        self.assertEqual(len(host.lines), 1, host.lines)
        for words in ('passed socket "admin"', "data", "probe"):
            self.assertIn(words, host.lines[0])

    def test_AcrossARestart_NoConnectionIsRefused(self):
        listener = self.listening()
        port = listener.getsockname()[1]
        over, outcomes = threading.Event(), []

        def connect():
            while not over.is_set():
                try:
                    with socket.create_connection(("127.0.0.1", port), timeout=SOON):
                        outcomes.append(None)
                except OSError as error:
                    outcomes.append(error)
                over.wait(0.002)

        host = self.start_host(sockets=[listener])
        connector = threading.Thread(target=connect)
        connector.start()
        try:
            for _ in range(3):
                host.signal(signal.SIGTERM)
                self.assertIn(host.wait(), (0, 75))
                # Asked while nobody serves; answered by the next.
                waiting = clock.stub(self.connect(f"ipv4:127.0.0.1:{port}"), "Clock").GetTime.future(
                    clock.GetTimeRequest(), timeout=SOON)
                host = self.start_host(sockets=[listener])
                self.assertTrue(waiting.result().rfc3339)
        finally:
            over.set()
            connector.join()
        self.assertEqual([each for each in outcomes if each is not None], [],
                         "expected no connection to be refused")
        self.assertGreater(len(outcomes), 100)

    def test_SomethingElseThanAListeningSocket_IsOneLineThatSaysSo(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, writer)
        with os.fdopen(reader) as pipe:
            host = self.launch_host(sockets=[pipe])
            self.assertEqual(host.wait(), 64)
        self.assertEqual(len(host.lines), 1, host.lines)
        self.assertIn('plane "data": cannot take over descriptor 3', host.lines[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
