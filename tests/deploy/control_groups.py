"""Control groups of a test's own, in every hierarchy of this machine, for what wants to rule them all.

Made outside, joined by the process that then makes a cgroup namespace; mounted anew inside of it, so
that what runs there sees these groups as the roots and reaches nothing above them.
"""

import os
import pathlib
import time

ROOT = pathlib.Path("/sys/fs/cgroup")
_PLAIN = {"rw", "ro", "relatime", "nosuid", "nodev", "noexec", "xattr", "nsdelegate",
          "memory_recursiveprot"}


def hierarchies():
    """(folder, file system, what it is mounted with) of each, version 1 or 2."""
    found = []
    for line in pathlib.Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, folder, kind, options = line.split()[:4]
        if kind in ("cgroup", "cgroup2") and pathlib.Path(folder).is_relative_to(ROOT):
            own = [option for option in options.split(",") if option not in _PLAIN]
            if own and own[0].startswith("name="):
                own.insert(0, "none")
            found.append((pathlib.Path(folder), kind, ",".join(own)))
    return found


def mounting(below=""):
    """The shell commands that mount them anew, in a cgroup namespace; `below`: another root."""
    commands = [f"umount -l {below}{ROOT}"]
    if all(folder != ROOT for folder, _, _ in hierarchies()):
        commands.append(f"mount -t tmpfs tmpfs {below}{ROOT}")
    for folder, kind, options in hierarchies():
        commands.append(f"mkdir -p {below}{folder}")
        commands.append(f"mount -t {kind} {'-o ' + options if options else ''} {kind} {below}{folder}")
    return "\n".join(commands)


class ControlGroups:
    def __init__(self, name):
        self._groups = []
        try:
            for folder, _, _ in hierarchies():
                group = folder / name
                group.mkdir()
                self._groups.append(group)
                # A new cpuset has neither processors nor memory until it is told.
                for file in ("cpuset.cpus", "cpuset.mems"):
                    if (folder / file).exists() and (group / file).exists():
                        (group / file).write_text((folder / file).read_text())
        except BaseException:
            self.remove()
            raise

    @property
    def joining(self):
        """The shell commands by which a shell joins them."""
        return "\n".join(f"echo $$ >{group}/cgroup.procs" for group in self._groups)

    def remove(self):
        """Deepest first. The kernel lets go of a group a moment after its last process."""
        deadline = time.monotonic() + 10
        for group in self._groups:
            while group.exists() and time.monotonic() < deadline:
                for folder, _, _ in os.walk(group, topdown=False):
                    try:
                        os.rmdir(folder)
                    except OSError:
                        pass
