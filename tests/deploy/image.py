"""The image, built by buildah as a user builds it, but for two things: its Debian comes from the
package archive, where no image registry can be reached, and its package from this build.
"""

import json
import os
import pathlib
import shutil

from archive import bare_root, run
from harness import places

_CONTAINER = places.REPOSITORY / "deploy" / "container"
NAME = "localhost/mainspring:0.1.0"


def debian_package(directory):
    """The Debian package of this build."""
    run("cpack", "--config", places.BUILD / "CPackConfig.cmake", "-B", directory)
    (package,) = pathlib.Path(directory).glob("*.deb")
    return package


def why_not():
    """What keeps an image from being built here; empty: nothing."""
    if os.geteuid() != 0:
        return "it needs root"
    for tool in ("buildah", "mmdebstrap", "runc"):
        if shutil.which(tool) is None:
            return f"there is no {tool}"
    return ""


class Image:
    """Built below `work`, with a storage of its own there, and gone with end()."""

    def __init__(self, work):
        self._work = pathlib.Path(work)
        self._mounted = []
        try:
            self._build()
        except BaseException:
            self.end()
            raise

    def buildah(self, *arguments):
        return run("buildah", "--root", self._work / "storage", "--runroot", self._work / "run",
                   "--storage-driver", "overlay", *arguments).strip()

    def _build(self):
        base = self.buildah("from", "scratch")
        self.buildah("add", "--quiet", base,
                     bare_root(include=("ca-certificates", "tzdata")), "/")
        self.buildah("commit", "--quiet", base, "localhost/debian:12-slim")
        self.buildah("rm", base)
        context = self._work / "context" / "deploy" / "container"
        shutil.copytree(_CONTAINER, context)
        shutil.copy(debian_package(self._work / "package"), context / "mainspring.deb")
        self.buildah("build", "--format", "docker", "--isolation", "chroot", "--network", "host",
                     "--build-arg", "DEBIAN=localhost/debian:12-slim",
                     "--file", _CONTAINER / "Dockerfile", "--tag", NAME, self._work / "context")

    def config(self):
        """What `docker inspect` shows of it."""
        return json.loads(self.buildah("inspect", "--type", "image", NAME))["Docker"]["config"]

    def mount(self):
        """Its root file system, as a folder."""
        container = self.buildah("from", "--pull-never", NAME)
        self._mounted.append(container)
        return pathlib.Path(self.buildah("mount", container))

    def save(self, path):
        """As an archive that container engines load."""
        self.buildah("push", "--quiet", NAME, f"docker-archive:{path}:{NAME}")

    def save_with(self, program, name, path):
        """The same with another program in it, as an image of that name."""
        container = self.buildah("from", "--pull-never", NAME)
        self.buildah("copy", "--quiet", container, program, f"/usr/bin/{program.name}")
        self.buildah("commit", "--quiet", container, name)
        self.buildah("rm", container)
        self.buildah("push", "--quiet", name, f"docker-archive:{path}:{name}")

    def end(self):
        for container in self._mounted:
            self.buildah("umount", container)
        if (self._work / "storage").exists():
            self.buildah("rm", "--all")
        shutil.rmtree(self._work, ignore_errors=True)
