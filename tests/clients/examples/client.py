"""A client of clients/examples: copied beside the protos and nothing else, built, and run."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

from harness import places

EXAMPLES = pathlib.Path("clients/examples")
# Long enough for a JVM on a busy machine; nothing waits for it when all is well.
PATIENCE = 60.0
ARGUMENTS = "localhost:50051 Asia/Tokyo 5"
# Maven resets the colours of a terminal, even where there is none.
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


def commands(title):
    """What protos/clients.md says, a line each: the folder, how to build, and last how to run."""
    page = (places.REPOSITORY / "protos/clients.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.S | re.M)[1]
    block = re.search(r"^```sh\n(.*?)^```", section, re.S | re.M)[1]
    return block.replace("\\\n", "").splitlines()


def require(command, oldest):
    """Skips the test loudly unless the command says that version or a newer one; under CI=true that is
    an error."""
    asked = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           check=False)
    said = _COLOUR.sub("", asked.stdout).strip()
    version = re.search(r"\d+(?:\.\d+)+", said)
    if asked.returncode == 0 and version and numbers(version[0]) >= numbers(oldest):
        return
    message = f"expected {oldest} or newer of `{command}`, it says: {said}"
    if os.environ.get("CI") == "true":
        raise AssertionError(message)
    print(f"*** SKIPPED, nothing was tested: {message}", file=sys.stderr)
    raise unittest.SkipTest(message)


def numbers(version):
    return [int(number) for number in version.split(".")]


class Client:
    """Built in a folder of its own, which is made anew; compilers keep what they know beside it."""

    def __init__(self, title, folder):
        self._temporary = None
        kept = os.environ.get("MAINSPRING_EXAMPLES")
        if not kept:
            self._temporary = tempfile.TemporaryDirectory(prefix="mainspring-examples-")
        work = pathlib.Path(kept or self._temporary.name)
        self._root = work / folder
        self._environment = {**os.environ, "CARGO_TARGET_DIR": str(work / "cargo")}
        if shutil.which("ccache"):
            self._environment["CMAKE_CXX_COMPILER_LAUNCHER"] = "ccache"
        self._enter, *self._build, self._run = commands(title)
        assert ARGUMENTS in self._run, f"expected {ARGUMENTS} in the last command: {self._run}"
        self._copy(EXAMPLES / folder)

    def _copy(self, example):
        shutil.rmtree(self._root, ignore_errors=True)
        shutil.copytree(places.REPOSITORY / "protos", self._root / "protos")
        built = (places.REPOSITORY / EXAMPLES / ".gitignore").read_text(encoding="utf-8").split()
        names = [pathlib.Path(line).name for line in built if line.startswith(f"/{example.name}/")]
        shutil.copytree(places.REPOSITORY / example, self._root / example,
                        ignore=shutil.ignore_patterns(*names))

    def build(self):
        """As the page says; below tests that measure a time, for whoever runs beside it."""
        done = subprocess.run(["nice", "-n", "10", "bash", "-euxc", "\n".join([self._enter, *self._build])],
                              cwd=self._root, env=self._environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"expected the client to build:\n{done.stdout}")

    def run(self, address, time_zone, count):
        """Starts it."""
        command = self._run.replace(ARGUMENTS, f"{address} {time_zone} {count}")
        return RunningClient(["bash", "-c", f"{self._enter} && exec {command}"], self._root, self._environment)

    def remove(self):
        if self._temporary:
            self._temporary.cleanup()


class RunningClient:
    """A client as it runs: its lines of output as they come."""

    def __init__(self, command, folder, environment):
        # Should the test be killed, the client goes with it.
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command], cwd=folder, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._changed = threading.Condition()
        self._lines, self._errors, self._ended = [], [], False
        self._readers = [threading.Thread(target=self._read_output, daemon=True),
                         threading.Thread(target=self._read_errors, daemon=True)]
        for reader in self._readers:
            reader.start()

    @property
    def lines(self):
        with self._changed:
            return list(self._lines)

    def wait_for_lines(self, beginning, count):
        """Until that many of its lines begin so."""
        def enough():
            return sum(line.startswith(beginning) for line in self._lines) >= count

        with self._changed:
            self._changed.wait_for(lambda: enough() or self._ended, PATIENCE)
            if not enough():
                raise AssertionError(f"expected {count} lines {beginning!r}, got {self._lines}, "
                                     f"and as errors {self._errors}")

    def wait(self):
        """Waits for its end: (exit code, lines of output, error text)."""
        code = self._process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code, self._lines, "".join(self._errors)

    def end(self):
        """Ends it if it still runs."""
        self._process.kill()
        self.wait()
        self._process.stdout.close()
        self._process.stderr.close()

    def _read_output(self):
        for line in self._process.stdout:
            with self._changed:
                plain = _COLOUR.sub("", line).rstrip("\n")
                self._lines += [plain] if plain else []
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _read_errors(self):
        for line in self._process.stderr:
            self._errors.append(_COLOUR.sub("", line))
