"""A real systemd, as process 1 of namespaces of its own, on a copy-on-write view of this machine.

What runs and is installed in the box changes nothing outside of it, and goes with it. The network
is the caller's: put the caller in a network namespace first. Needs root, and overlayfs.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import control_groups

# The machine's own services stay off: these take the place of what would pull them in.
_TARGETS = ("basic", "sysinit", "sockets", "network-online", "shutdown", "default", "multi-user")

_ENTER = """
set -eu
work=$1 targets=$2
mount --make-rprivate /
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/scratch" "$work/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/scratch" "$work/root"
cd "$work/root"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount --make-rprivate sys
eval "$3"
mkdir -p run/box/units
for target in $targets; do
  printf '[Unit]\\nDescription=%s\\nDefaultDependencies=no\\n' "$target" >"run/box/units/$target.target"
done
mkdir run/box/old
pivot_root . run/box/old
cd /
umount -l run/box/old
export container=mainspring SYSTEMD_UNIT_PATH=/run/box/units:/etc/systemd/system:/run/systemd/system:/lib/systemd/system
# Images of machines without a systemd forbid packages to start services.
rm -f usr/sbin/policy-rc.d
exec /lib/systemd/systemd --system --log-target=console --log-level=info --show-status=0
"""

_TRY = """
mount --make-rprivate /
mount -t tmpfs tmpfs /tmp
mkdir /tmp/upper /tmp/scratch /tmp/root
mount -t overlay overlay -o lowerdir=/,upperdir=/tmp/upper,workdir=/tmp/scratch /tmp/root
"""


def why_not():
    """What keeps a box from being made here; empty: nothing."""
    if os.geteuid() != 0:
        return "it needs root"
    if not os.path.exists("/lib/systemd/systemd"):
        return "there is no systemd"
    if not control_groups.hierarchies():
        return "there are no control groups"
    tried = subprocess.run(
        ["unshare", "--net", "--pid", "--fork", "--mount", "--cgroup", "sh", "-ec", _TRY],
        capture_output=True, text=True, check=False)
    return tried.stderr.strip() if tried.returncode != 0 else ""


class SystemdBox:
    def __init__(self):
        self._work = tempfile.mkdtemp(prefix="mainspring-box-")
        self._groups = control_groups.ControlGroups(os.path.basename(self._work))
        self._log = open(self._work + ".log", "w+", encoding="utf-8")
        self._unshare = subprocess.Popen(
            ["sh", "-ec", self._groups.joining + '\nexec "$@"', "sh", "unshare", "--pid", "--fork",
             "--mount", "--cgroup", "--uts", "--ipc", "sh", "-c", _ENTER, "sh", self._work,
             " ".join(_TARGETS), control_groups.mounting(below=f"{self._work}/root")],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        self._init = None
        try:
            self._wait_until_up()
        except BaseException:
            self.end()
            raise

    def _wait_until_up(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._unshare.poll() is None:
            children = pathlib.Path(
                f"/proc/{self._unshare.pid}/task/{self._unshare.pid}/children").read_text().split()
            if children and self._init is None:
                self._init = int(children[0])
            if self._init and self.run("systemctl", "list-units", check=False).returncode == 0:
                return
        raise AssertionError(f"expected systemd to come up in the box:\n{self.log()}")

    def run(self, *command, check=True, timeout=60):
        """Runs a command in the box: the finished process."""
        done = subprocess.run(
            ["nsenter", "-t", str(self._init), "-m", "-p", "-C", "-u", "-i", "-r", "-w",
             *map(str, command)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}:\n"
                                 f"{done.stdout}{done.stderr}\n{self.log()}")
        return done

    def show(self, unit, *properties):
        """Properties of a unit, by name."""
        lines = self.run("systemctl", "show", "-p", ",".join(properties), unit).stdout.splitlines()
        return dict(line.split("=", 1) for line in lines)

    def write(self, path, text):
        """A file in the box."""
        target = pathlib.Path(f"/proc/{self._init}/root{path}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def read(self, path):
        return pathlib.Path(f"/proc/{self._init}/root{path}").read_text(encoding="utf-8")

    def copy(self, source, path):
        """A file from outside, into the box."""
        shutil.copy(source, f"/proc/{self._init}/root{path}")

    def exists(self, path):
        return os.path.lexists(f"/proc/{self._init}/root{path}")

    def log(self, last=40):
        """The end of what systemd and the services said."""
        self._log.flush()
        text = pathlib.Path(self._log.name).read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-last:])

    def end(self):
        """Ends all that runs in the box, with its process 1, and takes it down."""
        if self._init is not None:
            try:
                os.kill(self._init, signal.SIGKILL)
            except ProcessLookupError:
                pass
        else:
            self._unshare.kill()
        self._unshare.wait()
        self._log.close()
        os.unlink(self._log.name)
        shutil.rmtree(self._work, ignore_errors=True)
        self._groups.remove()
