"""The two hosts that are attacked: mainspringd, and a plain gRPC server to compare it with."""

import contextlib
import re
import subprocess
import time

import loading  # noqa: F401, for the path of the harness
from harness import places
from harness.host import HostProcess

PLAIN = places.BUILD / "tests" / "hostile" / "plain_server"
PATIENCE = 20.0


def address(text):
    host, port = text.removeprefix("ipv4:").rsplit(":", 1)
    return host, int(port)


@contextlib.contextmanager
def mainspringd(attack):
    """(pid, where it listens, the end of its log: a function) of the product."""
    host = HostProcess("--probe-address=127.0.0.1:0", *attack.flags, admin="127.0.0.1:0",
                       binary=places.TRIAL_HOST if attack.trial_host else places.MAINSPRINGD,
                       prefix=limit(attack.descriptors))
    try:
        host.wait_until_serving()
        yield host.pid, {"data": address(host.data), "health": address(host.addresses("probe")[0]),
                         "admin": address(host.admin)}, host.transcript
    finally:
        # It may have been ended by an attack; whoever attacks tells.
        with contextlib.suppress(AssertionError):
            host.end()


@contextlib.contextmanager
def plain_server(attack):
    """The same of a callback server of gRPC's, as one writes it by hand; it has one port."""
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *limit(attack.descriptors),
                                str(PLAIN)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        found = re.match(r"listening (\S+)", process.stdout.readline())
        if found is None:
            raise RuntimeError(f"expected {PLAIN} to say where it listens")
        where = address(found[1])
        yield process.pid, {"data": where, "health": where, "admin": ()}, lambda: ""
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


HOSTS = {"mainspringd": mainspringd, "plain": plain_server}


def limit(descriptors):
    return ("prlimit", f"--nofile={descriptors}:{descriptors}", "--") if descriptors else ()


def wait_for(condition, what, patience=PATIENCE):
    """Asks until it holds."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"expected {what} within {patience:.0f} s")
        pause(0.02)


def pause(seconds):
    """For what is measured over a time."""
    loading.never.wait(seconds)
