"""The container image: built by buildah, run by runc with nothing that a container may lack."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "blackbox")]

import image as container_image  # pylint: disable=wrong-import-position
from harness import grpcurl  # pylint: disable=wrong-import-position

_SECOND = 1_000_000_000
# No capability, no new privilege, a root that cannot be written to, no /tmp: the least there is.
_NAMESPACES = ("pid", "mount", "ipc", "uts", "network")
_CAPABILITIES = ("bounding", "effective", "inheritable", "permitted", "ambient")


class Container:
    """The image's own command under runc, as process 1, until it ends."""

    def __init__(self, work, root, config, *flags):
        self._state = work / "runc"
        self._name = "mainspring"
        bundle = work / "bundle"
        bundle.mkdir(exist_ok=True)
        user, group = map(int, config["User"].split(":"))
        (bundle / "config.json").write_text(json.dumps({
            "ociVersion": "1.0.2",
            "root": {"path": str(root), "readonly": True},
            "process": {
                "user": {"uid": user, "gid": group}, "cwd": "/", "env": config["Env"],
                "args": config["Entrypoint"] + config["Cmd"] + list(flags),
                "capabilities": {kind: [] for kind in _CAPABILITIES}, "noNewPrivileges": True},
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                       {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
                        "options": ["nosuid", "mode=755", "size=64k"]}],
            "linux": {"namespaces": [{"type": kind} for kind in _NAMESPACES], "resources": {}}}),
            encoding="utf-8")
        self.began = time.monotonic()
        self._process = subprocess.Popen(
            ["runc", "--root", self._state, "run", "--bundle", bundle, self._name],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def runc(self, *arguments):
        return subprocess.run(["runc", "--root", self._state, *map(str, arguments)], check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def probe(self, target):
        """The exit code of the image's own probe, run as its health check is."""
        return self.runc("exec", self._name, "/usr/bin/mainspringd", f"--probe={target}").returncode

    def wait_until_ready(self):
        """How long that took, in seconds."""
        while self.probe("127.0.0.1:50053/readiness") != 0:
            if self._process.poll() is not None or time.monotonic() > self.began + 20:
                self._process.kill()
                raise AssertionError(f"expected it to serve: {self._process.communicate()}")
        return time.monotonic() - self.began

    @property
    def pid(self):
        return json.loads(self.runc("state", self._name).stdout)["pid"]

    def status(self):
        """/proc/PID/status of process 1."""
        lines = pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    def signal(self, name):
        self.runc("kill", self._name, name)

    def wait(self):
        """(exit code, standard output)."""
        output, _ = self._process.communicate(timeout=30)
        return self._process.returncode, output

    def end(self):
        self.runc("delete", "--force", self._name)
        self._process.wait()
        self._process.stdout.close()
        self._process.stderr.close()


class ContainerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp(prefix="mainspring-image-"))
        cls.image = container_image.Image(cls.work)
        cls.addClassCleanup(cls.image.end)
        cls.config = cls.image.config()
        cls.root = cls.image.mount()

    def start(self, *flags):
        container = Container(self.work, self.root, self.config, *flags)
        self.addCleanup(container.end)
        return container

    def test_Metadata_SaysWhatItIsAndHowItIsRun(self):
        self.assertEqual(self.config["User"], "65532:65532")
        self.assertEqual(self.config["Entrypoint"], ["/usr/bin/mainspringd"])
        self.assertEqual(self.config["StopSignal"], "SIGTERM")
        self.assertEqual(set(self.config["ExposedPorts"]), {"50051/tcp", "50053/tcp"})
        self.assertEqual(self.config["Healthcheck"]["Test"],
                         ["CMD", "/usr/bin/mainspringd", "--probe=127.0.0.1:50053/readiness"])
        self.assertEqual(self.config["Healthcheck"]["Timeout"], 2 * _SECOND)
        for label in ("title", "description", "version", "revision", "licenses"):
            self.assertTrue(self.config["Labels"][f"org.opencontainers.image.{label}"], label)

    def test_Contents_AreTheHostAndWhatItNeeds(self):
        files = [path for path in self.root.rglob("*") if path.is_file()]
        programs = [str(path.relative_to(self.root)) for path in files
                    if os.access(path, os.X_OK) and ".so" not in path.name]
        self.assertEqual(programs, ["usr/bin/mainspringd"], "expected no shell, and no tools")
        self.assertTrue((self.root / "usr/share/zoneinfo/Asia/Tokyo").exists())
        self.assertTrue((self.root / "etc/ssl/certs/ca-certificates.crt").exists())
        self.assertTrue((self.root / "var/lib/dpkg/status.d/libgrpc++1.51").exists())
        size = sum(path.stat().st_size for path in files) / 2**20
        print(f"{size:.1f} MiB in {len(files)} files")
        self.assertLess(size, 60, "expected an image without what it was built with")

    def test_Container_ServesAsProcess1WithoutAnyPrivilege(self):
        container = self.start("--lame-duck=0s")
        print(f"ready after {container.wait_until_ready() * 1000:.0f} ms, runc and probe included")
        status = container.status()
        self.assertEqual(status["NSpid"].split()[-1], "1")
        self.assertEqual(set(status["Uid"].split()), {"65532"})
        self.assertEqual((int(status["CapEff"], 16), int(status["CapBnd"], 16)), (0, 0))
        self.assertEqual(status["NoNewPrivs"], "1")
        for name in ("startup", "readiness", "liveness", "mainspring.clock.v1.Clock"):
            self.assertEqual(container.probe(f"127.0.0.1:50053/{name}"), 0, name)
        self.assertEqual(container.probe("127.0.0.1:50054/readiness"), 2)
        self.assertEqual(container.probe("127.0.0.1:50053/nobody"), 3)
        self.assertIn("+09:00", self.get_time(container))
        container.signal("TERM")
        code, output = container.wait()
        self.assertEqual((code, json.loads(output)["code"]), (0, 0))

    def get_time(self, container):
        program = grpcurl.require()
        return container_image.run(
            "nsenter", "-t", container.pid, "-n", program, "-plaintext", "-d",
            '{"time_zone":"Asia/Tokyo"}', "127.0.0.1:50051", "mainspring.clock.v1.Clock/GetTime")

    def test_ADrain_IsSeenByTheProbesAndEndsIt(self):
        container = self.start("--lame-duck=2s")
        container.wait_until_ready()
        container.signal("TERM")
        while container.probe("127.0.0.1:50053/readiness") != 4:
            self.assertLess(time.monotonic(), container.began + 20)
        self.assertEqual(container.probe("127.0.0.1:50053/liveness"), 0)
        self.assertEqual(container.wait()[0], 0)


if __name__ == "__main__":
    if reason := container_image.why_not():
        print(f"SKIPPED, nothing was tested: {reason}")
        sys.exit(0)
    unittest.main(verbosity=2)
