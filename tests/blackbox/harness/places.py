"""Where things are: the repository, the build, the two hosts, sockets and ports that are free."""

import os
import pathlib
import random
import shutil
import socket
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("MAINSPRING_BUILD", REPOSITORY / ".build" / "release"))

# The product.
MAINSPRINGD = BUILD / "server" / "mainspringd"
# The same host, with the component type Trial in it, which misbehaves on request.
TRIAL_HOST = BUILD / "tests" / "testing" / "trial_host"


def socket_directory(test):
    """A fresh directory with a path short enough for a unix socket in it; gone after `test`."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="mainspring-"))
    test.addCleanup(shutil.rmtree, path, ignore_errors=True)
    return path


def fixed_ports(count):
    """Loopback ports that are free now and that no outgoing connection can be given.

    A port of the ephemeral range could be taken by a client's end, or connect to itself, while its
    host restarts; so these lie below that range.
    """
    low = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    candidates = random.sample(range(min(10000, low // 2), low), min(200, low // 4))
    ports = []
    for port in candidates:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise RuntimeError(f"expected {count} free loopback ports below {low}, found {len(ports)}")
