"""A machine that nothing was done to: a bare Debian in a folder, with namespaces of its own.

The network is this machine's. What lasts beyond it are caches: packages that apt has fetched, and
what the compiler has compiled, which counts only where the tree stands at the same path.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

import archive
from archive import run
from harness import places

_TREE = places.REPOSITORY
_COMPILED = "root/compiled.log"
# As a login of root has it; of this machine's only the way to the network, and its language.
_ENVIRONMENT = {"HOME": "/root", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "CCACHE_STATSLOG": f"/{_COMPILED}"}
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy")
# ccache keeps apart what was compiled in another language.
_LANGUAGE = ("lang", "lc_all", "lc_ctype", "lc_messages")

# Process 1 is a cat: it ends when the test does, and then everything else in here does.
_ENTER = """
root=$1 packages=$2 objects=$3
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount --bind "$packages" "$root/var/cache/apt/archives"
mount --bind "$objects" "$root/root/.cache/ccache"
exec chroot "$root" cat
"""


def why_not(suite):
    """What keeps such a root from being made here; empty: nothing."""
    if os.geteuid() != 0:
        return "it needs root"
    for tool in ("mmdebstrap", "git", "unshare", "nsenter", "apt-get"):
        if shutil.which(tool) is None:
            return f"there is no {tool}"
    if not archive.sources(suite):
        return "apt has no Debian 12 here"
    tried = subprocess.run(["unshare", "--mount", "--pid", "--fork", "mount", "-t", "proc", "proc", "/proc"],
                           capture_output=True, text=True, check=False)
    return tried.stderr.strip()


def _copy_tree(target):
    """What a clone has; of files that were changed since the last commit, what they are now."""
    run("git", "clone", "--quiet", "--no-hardlinks", _TREE, target)
    changed = run("git", "-C", _TREE, "diff", "--name-only", "--no-renames", "-z", "HEAD").split("\0")
    for name in filter(None, changed):
        (target / name).unlink(missing_ok=True)
        if (_TREE / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(_TREE / name, target / name, follow_symlinks=False)


class FreshRoot:
    """Made of `suite`, with this tree at the path where it stands here; gone with end()."""

    def __init__(self, suite):
        packages = archive.CACHE / "debian" / f"{suite}-packages"
        (packages / "partial").mkdir(parents=True, exist_ok=True)
        objects = pathlib.Path(run("ccache", "--get-config", "cache_dir").strip())
        objects.mkdir(parents=True, exist_ok=True)
        self._path = pathlib.Path(tempfile.mkdtemp(prefix="mainspring-fresh-"))
        self._cat = None
        try:
            run("tar", "-C", self._path, "--numeric-owner", "-xpf", archive.bare_root(suite))
            shutil.copy("/etc/resolv.conf", self._path / "etc/resolv.conf")
            (self._path / "root/.cache/ccache").mkdir(parents=True)
            _copy_tree(self._path / _TREE.relative_to("/"))
            self._enter(packages, objects)
        except BaseException:
            self.end()
            raise

    def _enter(self, packages, objects):
        self._cat = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", _ENTER, "sh",
             self._path, packages, objects],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self._cat.stdin.write(b"up\n")
        if self._cat.stdout.readline() != b"up\n":
            raise AssertionError("expected the namespaces of the root to be made")

    def entering(self, **environment):
        """What is put before a command so that it runs in here, where the tree is."""
        (first,) = _children(self._cat.pid)
        kept = {name: value for name, value in os.environ.items() if name.lower() in _PROXIES + _LANGUAGE}
        variables = {**_ENVIRONMENT, **kept, **environment}
        return ["nsenter", "-t", str(first), "-m", "-p", "-r", f"--wd={self._path}{_TREE}",
                "env", "-i", *(f"{name}={value}" for name, value in variables.items())]

    def run(self, *command, **environment):
        """A command in here, to its end, for as long as it takes: (exit code, both its outputs)."""
        done = subprocess.run([*self.entering(**environment), *command], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout

    def has_package(self, name):
        status = self.run("dpkg-query", "-W", "-f", "${db:Status-Status}", name)
        return status == (0, "installed")

    def compiled(self):
        """How many objects came from the compiler's cache so far, and how many did not."""
        results = (self._path / _COMPILED).read_text(encoding="utf-8").splitlines()
        hits = results.count("direct_cache_hit") + results.count("preprocessed_cache_hit")
        return hits, results.count("cache_miss")

    def modified(self, name):
        """When a file of the tree was written."""
        return (self._path / _TREE.relative_to("/") / name).stat().st_mtime_ns

    @staticmethod
    def signal(entered, number):
        """To the command that a process `entered` with."""
        (command,) = _children(entered)
        os.kill(command, number)

    def end(self):
        if self._cat is not None:
            self._cat.stdin.close()
            self._cat.stdout.close()
            self._cat.wait()
        # The mounts were in the namespace alone.
        shutil.rmtree(self._path, ignore_errors=True)


def _children(process):
    """The process ids of its children."""
    return list(map(int, pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()))
