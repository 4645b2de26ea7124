"""The contestants: how each is started, measured and stopped."""
import collections
import contextlib
import json
import queue
import re
import subprocess
import threading
import time

NAMES = {"a": "callback", "b": "queue", "c": "mainspring"}
KEYS = list(NAMES)

START_SECONDS = 20
STOP_SECONDS = 20


class Failed(Exception):
    """A contestant did not start, end or answer as it has to. The text says which and how."""


Server = collections.namedtuple("Server", "key pid address")


def find_binaries(build_dir):
    """Name -> path. Failed: one of them is not built."""
    build_dir = build_dir.resolve()  # servers are started in a directory of their own
    binaries = {
        "a": build_dir / "tests/bench/baseline_callback",
        "b": build_dir / "tests/bench/baseline_queue",
        "c": build_dir / "server/mainspringd",
        "load_client": build_dir / "tests/bench/load_client",
        "in_process": build_dir / "tests/bench/in_process",
        "coroutine": build_dir / "tests/bench/coroutine",
    }
    for path in binaries.values():
        if not path.exists():
            raise Failed(f"{path}: not built; cmake --build {build_dir} --target bench")
    return binaries


@contextlib.contextmanager
def start(key, binaries, directory):
    """A running Server that is stopped by SIGTERM at the end and has to exit with 0."""
    command = [str(binaries[key])]
    if key == "c":
        command += ["--data-address", "127.0.0.1:0", "--admin-address",
                    f"unix:{directory}/admin.sock", "--lame-duck", "0s",
                    "--max-connection-age", "0s", "--max-connection-idle", "0s"]
    process = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = _Output(process.stdout)
    try:
        yield Server(key, process.pid, _await_address(key, process, output))
        process.terminate()
        if process.wait(timeout=STOP_SECONDS) != 0:
            raise Failed(f"{NAMES[key]}: exit code {process.returncode} after SIGTERM\n"
                         + output.tail())
    except subprocess.TimeoutExpired:
        raise Failed(f"{NAMES[key]}: still there {STOP_SECONDS} s after SIGTERM\n" + output.tail())
    finally:
        process.kill()
        process.wait()


def measure(server, binaries, arguments):
    """The load client's figures for one window."""
    command = [
        str(binaries["load_client"]), f"--address={server.address}", f"--server_pid={server.pid}",
        f"--connections={arguments.connections}", f"--in_flight={arguments.in_flight}",
        f"--threads={arguments.client_threads}", f"--warmup={arguments.warmup}",
        f"--seconds={arguments.seconds}", f"--time_zone={arguments.time_zone}"]
    return _run_json(command, arguments.warmup + arguments.seconds + 60, NAMES[server.key])


def measure_in_process(binaries, arguments):
    """What in_process prints: for each window the calls a second, and the ratios."""
    seconds = max(1, round(arguments.seconds))
    command = [str(binaries["in_process"]), f"--rounds={arguments.rounds}",
               f"--seconds={seconds}", f"--window={arguments.window}"]
    return _run_json(command, 4 * arguments.rounds * (seconds + 1) + 60, "in process")


def measure_coroutine(binaries):
    """What coroutine prints: the ratios of its rounds."""
    return _run_json([str(binaries["coroutine"])], 60, "coroutine")


def _run_json(command, seconds, who):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise Failed(f"{who}: {command[0]} did not end within {seconds:.0f} s")
    # A failed call is exit code 1 with figures all the same: they are reported, then refused.
    if not done.stdout:
        raise Failed(f"{who}: {command[0]}: exit code {done.returncode}\n{done.stderr}")
    figures = json.loads(done.stdout)
    if done.returncode != 0:
        figures["failure"] = done.stderr.strip()
    return figures


def _await_address(key, process, output):
    """The address, once the server serves. The host announces it before it serves."""
    if key == "c":
        address_line = r"event=listening\b.*\bplane=data\b.*\baddress=(\S+)"
        ready_line = r"event=serving\b"
    else:
        address_line = ready_line = r"^listening (\S+)"
    address, ready = None, False
    deadline = time.monotonic() + START_SECONDS
    while not (address and ready):
        line = output.next_line(deadline)
        if line is None:
            raise Failed(f"{NAMES[key]}: not serving after {START_SECONDS} s, or gone "
                         f"(exit code {process.poll()})\n" + output.tail())
        match = re.search(address_line, line)
        address = match.group(1) if match else address
        ready = ready or re.search(ready_line, line) is not None
    return address


class _Output:
    """Reads what a server says to its end, so that it never blocks on a full pipe."""

    def __init__(self, stream):
        self._lines = queue.SimpleQueue()
        self._last = collections.deque(maxlen=20)
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def next_line(self, deadline):
        """None: the deadline passed, or the server closed its output."""
        try:
            return self._lines.get(timeout=max(0, deadline - time.monotonic()))
        except queue.Empty:
            return None

    def tail(self):
        return "".join(list(self._last))

    def _read(self, stream):
        with stream:
            for line in stream:
                self._last.append(line)
                self._lines.put(line)
        self._lines.put(None)
