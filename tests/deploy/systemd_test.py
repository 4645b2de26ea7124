"""The Debian package under a real systemd: installed, started, watched, restarted, purged."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import grpc

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "blackbox")]

import systemd_box  # pylint: disable=wrong-import-position
from image import debian_package, run  # pylint: disable=wrong-import-position
from harness import places  # pylint: disable=wrong-import-position
from harness.client import SOON, channel  # pylint: disable=wrong-import-position
from harness.protos import clock, seconds, trial  # pylint: disable=wrong-import-position

DATA = "127.0.0.1:50051"
SERVICE, SOCKET = "mainspring.service", "mainspring.socket"
FILES = ("/usr/bin/mainspringd", "/usr/lib/systemd/system/mainspring.service",
         "/usr/lib/systemd/system/mainspring.socket", "/etc/default/mainspring",
         "/etc/mainspring/mainspring.yaml",
         "/usr/share/man/man8/mainspringd.8", "/usr/share/doc/mainspring/copyright")


def probe(target):
    return subprocess.run([places.MAINSPRINGD, f"--probe={target}"], check=False,
                          capture_output=True).returncode


class SystemdTestCase(unittest.TestCase):
    """A box for each class, with the package in it."""

    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp(prefix="mainspring-deb-"))
        cls.addClassCleanup(shutil.rmtree, cls.work, ignore_errors=True)
        cls.package = debian_package(cls.work)
        cls.box = systemd_box.SystemdBox()
        cls.addClassCleanup(cls.box.end)
        # The box has a /tmp of its own.
        cls.box.run("mkdir", "-p", "/run/box/package")
        cls.box.copy(cls.package, "/run/box/package/mainspring.deb")
        cls.box.run("dpkg", "-i", "/run/box/package/mainspring.deb")

    def wait_until(self, holds, what, timeout=20):
        deadline = time.monotonic() + timeout
        while not holds():
            if time.monotonic() > deadline:
                raise AssertionError(f"expected {what} within {timeout} s:\n{self.box.log()}")

    def get_time(self):
        with channel(f"ipv4:{DATA}") as opened:
            stub = clock.stub(opened, "Clock")
            return stub.GetTime(clock.GetTimeRequest(), timeout=SOON, wait_for_ready=True)


class Service(SystemdTestCase):
    def setUp(self):
        self.box.run("systemctl", "restart", SERVICE)

    def test_APackageThatIsInstalled_ServesAsAUserOfItsOwn(self):
        for path in FILES:
            self.assertTrue(self.box.exists(path), f"expected {path} in the package")
        state = self.box.show(SERVICE, "ActiveState", "StatusText", "UnitFileState", "MainPID")
        self.assertEqual((state["ActiveState"], state["UnitFileState"]), ("active", "enabled"))
        self.assertEqual(state["StatusText"], "ready: 1 of 1 components RUNNING")
        self.assertTrue(self.get_time().rfc3339)
        user = self.box.run("ps", "-o", "uid=", "-p", state["MainPID"]).stdout.strip()
        self.assertNotEqual(user, "0", "expected a dynamic user")
        self.assertTrue(self.box.exists("/run/mainspring/admin.sock"))
        self.assertEqual(self.box.run("/usr/bin/mainspringd",
                                      "--probe=unix:/run/mainspring/admin.sock/readiness").returncode, 0)

    def test_Reload_LeavesItServing(self):
        before = self.box.show(SERVICE, "MainPID")
        self.box.run("systemctl", "reload", SERVICE)
        self.assertEqual(self.box.show(SERVICE, "MainPID"), before)
        self.assertEqual(self.box.show(SERVICE, "ActiveState")["ActiveState"], "active")

    def test_Reload_CarriesOutWhatTheFileSaysAnew(self):
        path = "/etc/mainspring/mainspring.yaml"
        self.addCleanup(self.box.write, path, self.box.read(path))
        before = self.box.show(SERVICE, "MainPID")
        self.box.write(path, self.box.read(path) +
                       "\n  - {name: extra, type: clock}\n")
        self.box.run("systemctl", "reload", SERVICE)
        self.wait_until(lambda: self.box.run(
            "/usr/bin/mainspringd", "--probe=unix:/run/mainspring/admin.sock/extra",
            check=False).returncode == 0, "the component that was added")
        self.wait_until(lambda: self.box.show(SERVICE, "MainPID", "ActiveState") ==
                        {**before, "ActiveState": "active"}, "the same process, active again")

    def test_Stop_DrainsAndIsASuccess(self):
        self.box.run("systemctl", "stop", SERVICE)
        self.assertEqual(self.box.show(SERVICE, "ActiveState", "Result", "ExecMainStatus"),
                         {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"})
        self.assertFalse(self.box.exists("/run/mainspring"), "expected the run directory to go")

    def test_AProcessThatIsKilled_IsStartedAgain(self):
        before = self.box.show(SERVICE, "MainPID", "NRestarts")
        self.box.run("kill", "-KILL", before["MainPID"])
        self.wait_until(lambda: self.box.show(SERVICE, "NRestarts", "ActiveState") ==
                        {"NRestarts": str(int(before["NRestarts"]) + 1), "ActiveState": "active"},
                        "another process")
        self.assertTrue(self.get_time().rfc3339)

    def test_AWrongFlag_IsNotTriedAgain(self):
        self.box.write("/run/systemd/system/mainspring.service.d/wrong.conf",
                       "[Service]\nEnvironment=MAINSPRING_FLAGS=--no-such-flag\nEnvironmentFile=\n"
                       "StandardError=truncate:/run/box/said\n")
        try:
            self.box.run("systemctl", "daemon-reload")
            self.box.run("systemctl", "restart", SERVICE, check=False)
            self.assertEqual(self.box.show(SERVICE, "ActiveState", "ExecMainStatus"),
                             {"ActiveState": "failed", "ExecMainStatus": "64"})
            self.assertIn("flag --no-such-flag: not known", self.box.read("/run/box/said"))
        finally:
            self.box.run("rm", "-r", "/run/systemd/system/mainspring.service.d")
            self.box.run("systemctl", "daemon-reload")

    def test_AWrongConfiguration_IsNotTriedAgain(self):
        path = "/etc/mainspring/mainspring.yaml"
        right = self.box.read(path)
        self.box.write("/run/systemd/system/mainspring.service.d/said.conf",
                       "[Service]\nStandardError=truncate:/run/box/said\n")
        self.box.write(path, right + "drian: {}\n")
        try:
            self.box.run("systemctl", "daemon-reload")
            self.box.run("systemctl", "restart", SERVICE, check=False)
            self.assertEqual(self.box.show(SERVICE, "ActiveState", "ExecMainStatus"),
                             {"ActiveState": "failed", "ExecMainStatus": "78"})
            self.assertIn(f"{path}:13:1: drian: is not known; did you mean \"drain\"?",
                          self.box.read("/run/box/said"))
        finally:
            self.box.write(path, right)
            self.box.run("rm", "-r", "/run/systemd/system/mainspring.service.d")
            self.box.run("systemctl", "daemon-reload")

    def test_AHostThatHangs_IsKilledByTheWatchdogAndStartedAgain(self):
        # Not below a mount that the box does not have.
        self.box.copy(places.TRIAL_HOST, "/run/box/trial_host")
        self.box.write("/run/systemd/system/stuck.service", "\n".join((
            "[Service]", "Type=notify", "WatchdogSec=1s", "Restart=on-failure", "RestartSec=100ms",
            "TimeoutStopSec=2s", "ExecStopPost=sh -c 'echo $SERVICE_RESULT >>/run/box/results'",
            "ExecStart=/run/box/trial_host --data-address=127.0.0.1:50061 --lame-duck=0s "
            "--admin-address=127.0.0.1:50062 --trial-stall-warning=200ms --trial-stall-limit=600ms",
            "")))
        self.box.run("systemctl", "daemon-reload")
        self.box.run("systemctl", "start", "stuck.service")
        self.addCleanup(self.box.run, "systemctl", "stop", "stuck.service")
        fed = set()

        def fed_for_long():
            fed.update(self.box.show("stuck.service", "WatchdogTimestampMonotonic").values())
            return len(fed) > 6

        self.wait_until(fed_for_long, "the watchdog to be fed for longer than it waits")
        self.assertEqual(self.box.show("stuck.service", "NRestarts")["NRestarts"], "0",
                         "expected a host that lives to be left alone")
        with channel("ipv4:127.0.0.1:50061") as opened:
            stub = trial.stub(opened, "Trial")
            hangs = stub.Block.future(trial.BlockRequest(time=seconds(3600)), timeout=60)
            self.wait_until(
                lambda: self.box.show("stuck.service", "NRestarts", "ActiveState") ==
                {"NRestarts": "1", "ActiveState": "active"}, "the watchdog to bite")
            self.assertEqual(hangs.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(self.box.read("/run/box/results"), "watchdog\n")
        self.assertEqual(probe("127.0.0.1:50061/liveness"), 0)


class Socket(SystemdTestCase):
    def setUp(self):
        self.box.run("systemctl", "stop", SERVICE)
        self.box.run("systemctl", "start", SOCKET)

    def tearDown(self):
        self.box.run("systemctl", "stop", SOCKET, SERVICE)

    def test_TheFirstConnection_StartsTheService(self):
        self.assertEqual(self.box.show(SERVICE, "ActiveState")["ActiveState"], "inactive")
        self.assertTrue(self.get_time().rfc3339)
        self.assertEqual(self.box.show(SERVICE, "ActiveState")["ActiveState"], "active")

    def test_AcrossRestarts_NoConnectionIsRefused(self):
        over, outcomes = threading.Event(), []

        def connect():
            while not over.is_set():
                try:
                    with socket.create_connection(("127.0.0.1", 50051), timeout=SOON):
                        outcomes.append(None)
                except OSError as error:
                    outcomes.append(error)
                over.wait(0.005)

        self.get_time()
        connector = threading.Thread(target=connect)
        connector.start()
        try:
            for _ in range(3):
                self.box.run("systemctl", "restart", SERVICE)
                self.assertTrue(self.get_time().rfc3339)
        finally:
            over.set()
            connector.join()
        self.assertEqual([each for each in outcomes if each is not None], [])
        print(f"{len(outcomes)} connections across 3 restarts, none refused")


class Purge(SystemdTestCase):
    def test_APackageThatIsPurged_LeavesNothing(self):
        self.assertEqual(self.box.show(SERVICE, "ActiveState")["ActiveState"], "active")
        self.box.run("dpkg", "--remove", "mainspring")
        self.assertNotEqual(probe(DATA), 0, "expected the service to have ended")
        for path in ("/etc/default/mainspring", "/etc/mainspring/mainspring.yaml"):
            self.assertTrue(self.box.exists(path), f"{path} is a configuration file")
        self.box.run("dpkg", "--purge", "mainspring")
        left = self.box.run("find", "/etc", "/usr", "/var", "/run", "-xdev", "-name", "*mainspring*",
                            "-not", "-path", "/run/box/*", "-not", "-path", "*/dpkg/*").stdout
        self.assertEqual(left, "", "expected nothing to be left")
        self.assertNotIn("mainspring", self.box.run("dpkg", "-l").stdout)


class Units(unittest.TestCase):
    def test_Units_AreAccepted(self):
        with tempfile.TemporaryDirectory() as work:
            for unit in (SERVICE, SOCKET):
                text = (places.REPOSITORY / "deploy" / "systemd" / unit).read_text()
                text = text.replace("/usr/bin/mainspringd", str(places.MAINSPRINGD))
                pathlib.Path(work, unit).write_text(text)
            done = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", *map(str, pathlib.Path(work).iterdir())],
                capture_output=True, text=True, check=False)
        complaints = [line for line in done.stderr.splitlines() if "mainspring" in line]
        self.assertEqual((done.returncode, complaints), (0, []), done.stderr)

    def test_TheService_IsHardened(self):
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--threshold=20",
             str(places.REPOSITORY / "deploy" / "systemd" / SERVICE)],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, "expected an exposure of at most 2.0:\n" + done.stdout)

    def test_TimeoutStopSec_CoversADrain(self):
        text = (places.REPOSITORY / "deploy" / "systemd" / SERVICE).read_text()
        stop = int(text.split("TimeoutStopSec=")[1].split("s")[0])
        # server/config/host_config.h: lame_duck, drain_timeout, stop_timeout, exit_margin.
        self.assertGreaterEqual(stop, 5 + 35 + 5 + 5)

    def test_TheManualPage_HasEveryFlag(self):
        text = (places.REPOSITORY / "deploy" / "systemd" / "mainspringd.8").read_text()
        help_text = run(places.MAINSPRINGD, "--help")
        flags = [line.strip().removeprefix("--") for line in help_text.splitlines()
                 if line.startswith("  --")]
        self.assertGreater(len(flags), 5)
        for flag in flags:
            self.assertIn(f"-{flag}", text, f"expected --{flag} in the manual page")


if __name__ == "__main__":
    if reason := systemd_box.why_not():
        print(f"SKIPPED, nothing was tested: {reason}")
        sys.exit(0)
    if "MAINSPRING_OWN_NETWORK" not in os.environ:
        # The unit's ports are fixed, so that they must be ours alone.
        os.environ["MAINSPRING_OWN_NETWORK"] = "yes"
        os.execvp("unshare", ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh",
                              sys.executable, *sys.argv])
    unittest.main(verbosity=2)
