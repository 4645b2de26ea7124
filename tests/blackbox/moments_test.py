"""Signals at every moment of a host's life, from its first instruction to its last."""

import os
import random
import signal
import socket
import subprocess
import sys
import unittest

from harness import places
from harness.case import HostTestCase
from harness.client import SOON
from harness.protos import health

TERM, SOFTWARE_FAILURE = signal.SIGTERM, 70
# How many lives; more of them by hand.
LIVES = int(os.environ.get("MAINSPRING_LIVES", "60"))

# Blocks a signal, sends it to itself, and becomes the host: it is pending from the first moment on.
_PENDING = ("import os,signal,sys;"
            "number=int(sys.argv[1]);"
            "signal.pthread_sigmask(signal.SIG_BLOCK,[number]);"
            "os.kill(os.getpid(),number);"
            "os.execv(sys.argv[2],sys.argv[2:])")


class NotifySocket:
    """What systemd is told."""

    def __init__(self, test):
        self.path = str(places.socket_directory(test) / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        test.addCleanup(self._socket.close)
        self._socket.bind(self.path)

    def told(self):
        """All that was told so far, one text a message."""
        texts = []
        self._socket.setblocking(False)
        try:
            while True:
                texts.append(self._socket.recv(65536).decode())
        except BlockingIOError:
            return texts


class Moments(HostTestCase):
    def start(self, *prefix, flags=(), **options):
        directory = places.socket_directory(self)
        self.data = f"unix:{directory}/data.sock"
        process = subprocess.Popen(
            [*prefix, str(places.TRIAL_HOST), f"--data-address={self.data}",
             f"--admin-address=unix:{directory}/admin.sock", "--lame-duck=0s",
             "--drain-timeout=2s", *flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def wait_until_serving(self):
        stub = health.stub(self.connect(self.data), "Health")
        for answer in stub.Watch(health.HealthCheckRequest(service="startup"), timeout=SOON,
                                 wait_for_ready=True):
            if answer.status == health.HealthCheckResponse.SERVING:
                return

    def assert_told_in_order(self, texts):
        """READY once, and only a reload's after it; never after STOPPING."""
        words = [line for text in texts for line in text.split("\n")
                 if line in ("READY=1", "RELOADING=1", "STOPPING=1")]
        expected_next = {"": {"READY=1", "STOPPING=1"}, "READY=1": {"RELOADING=1", "STOPPING=1"},
                         "RELOADING=1": {"READY=1", "STOPPING=1"}, "STOPPING=1": set()}
        before = ""
        for word in words:
            self.assertIn(word, expected_next[before], f"expected another order: {words}")
            before = word

    def test_SignalPendingFromTheStart_IsTakenWhenThereIsSomethingToTakeIt(self):
        for number in (signal.SIGUSR1, signal.SIGHUP, signal.SIGTERM):
            for _ in range(10):
                notify = NotifySocket(self)
                process = self.start(sys.executable, "-c", _PENDING, str(int(number)),
                                     env={**os.environ, "NOTIFY_SOCKET": notify.path})
                if number != TERM:
                    self.wait_until_serving()
                    process.send_signal(TERM)
                _, log = process.communicate(timeout=SOON)
                self.assertEqual(process.returncode, 0, f"{number.name}: {log.decode()}")
                self.assert_told_in_order(notify.told())

    def test_SignalsAtRandomMoments_NeverCrashIt(self):
        seed = int(os.environ.get("MAINSPRING_SEED", random.randrange(1 << 32)))
        print("MAINSPRING_SEED", seed)
        dice = random.Random(seed)
        for _ in range(LIVES):
            notify = NotifySocket(self)
            process = self.start(env={**os.environ, "NOTIFY_SOCKET": notify.path})
            sent = self.send_at_random(process, dice)
            _, log = process.communicate(timeout=SOON * 3)
            code = process.returncode
            # Before main has begun a signal does what it does to any process.
            allowed = {0, 75, SOFTWARE_FAILURE} | {-int(number) for number in sent
                                                   if b"event=" not in log}
            self.assertIn(code, allowed, f"after {sent}: {log.decode()}")
            self.assert_told_in_order(notify.told())

    def send_at_random(self, process, dice):
        """Signals, a few milliseconds apart, of which one at least is a SIGTERM."""
        numbers = [dice.choice((signal.SIGUSR1, signal.SIGHUP, signal.SIGUSR1, TERM))
                   for _ in range(dice.randrange(8))] + [TERM]
        sent = []
        # From all within the loader to all while it serves.
        longest = 10 ** dice.uniform(-3.5, -0.5)
        for number in numbers:
            try:
                # The process's own end, or that much time: whichever comes first.
                process.wait(timeout=longest * dice.random())
                break
            except subprocess.TimeoutExpired:
                process.send_signal(number)
                sent.append(number)
        return sent

    def test_StartThatHangs_IsEndedByTheThirdSignal(self):
        process = self.start(flags=["--trial-start=trial:hang", "--trial-start-timeout=1h",
                                    "--trial-stop-timeout=1h"])
        stub = health.stub(self.connect(self.data), "Health")
        stub.Check(health.HealthCheckRequest(service="liveness"), timeout=SOON,
                   wait_for_ready=True)
        for number in (TERM, signal.SIGINT, TERM):
            process.send_signal(number)
            self.wait_until_taken(process, number)
        _, log = process.communicate(timeout=SOON)
        self.assertEqual(process.returncode, SOFTWARE_FAILURE, log.decode())

    def wait_until_taken(self, process, number):
        """Of two pending signals of one number the kernel keeps one."""
        bit = 1 << (number - 1)
        while process.poll() is None:
            with open(f"/proc/{process.pid}/status", encoding="ascii") as lines:
                pending = next((line for line in lines if line.startswith("ShdPnd:")), "x 0")
            if not int(pending.split()[1], 16) & bit:
                return

    def test_SystemThatGivesNoThreads_IsOneLineAnd69(self):
        self.assert_refused_at_every_limit("--nproc", "threads", last=41)

    def test_SystemThatGivesNoDescriptors_IsOneLineAnd69(self):
        self.assert_refused_at_every_limit("--nofile", "descriptors", last=41)

    def assert_refused_at_every_limit(self, limit, what, last):
        """Runs under each limit, as a user of whom nobody else has processes."""
        nobody = ["setpriv", "--reuid=54321", "--clear-groups", "--inh-caps=-all",
                  "--bounding-set=-all"] if os.geteuid() == 0 else []
        directory = places.socket_directory(self)
        directory.chmod(0o777)
        served = 0
        for count in range(1, last):
            host = self.launch_host(binary=places.TRIAL_HOST, data=f"unix:{directory}/data.sock",
                                    admin=f"unix:{directory}/admin.sock",
                                    prefix=(*nobody, "prlimit", f"{limit}={count}"))
            try:
                host.wait_until_serving()
            except AssertionError:
                self.assert_refused(host, what)
                continue
            served += 1
            host.signal(TERM)
            self.assert_exit(host, 0)
        print(f"{limit}: served under {served} of the limits")
        self.assertGreater(served, 0, "expected the last limit to be enough")

    def assert_refused(self, host, what):
        code = host.wait()
        if code == 127:
            return  # the loader has no descriptor for the libraries
        self.assertEqual(code, 69, host.transcript())
        complaints = [line for line in host.lines if "event=" not in line]
        self.assertEqual(len(complaints), 1, host.transcript())
        self.assertRegex(complaints[0], f"{what}|Too many open files|cannot start")


if __name__ == "__main__":
    unittest.main(verbosity=2)
