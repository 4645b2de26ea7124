"""A real host process: started, waited for by what it logs, signalled and always ended."""

import json
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import threading
import time

from harness import places

# Long enough for a busy machine and a sanitizer build; nothing waits for it when all is well.
PATIENCE = 20.0

_PASS_SOCKETS = pathlib.Path(__file__).with_name("pass_sockets.py")

_FIELD = re.compile(r'([\w.-]+)=("(?:[^"\\]|\\.)*"|\S*)')


def parse_event(line):
    """The fields of one log line, of either format; {} where it has none."""
    if line.startswith("{"):
        return json.loads(line)
    return {key: value.strip('"') for key, value in _FIELD.findall(line)}


def target(address):
    """What a client dials for an address as the host logs it."""
    return address if address.startswith("unix:") else f"ipv4:{address}"


class HostProcess:
    """One host. Not shared between threads, but for `lines` and `wait_for_line`.

    Flags that are not given: data plane on a free loopback port, lame duck 0, drain timeout 5 s.
    `prefix` is a command that execs the host, such as prlimit. `sockets` are passed as systemd
    passes them, `environment` is added to the test's own.
    """

    def __init__(self, *flags, binary=places.MAINSPRINGD, admin, data="127.0.0.1:0", prefix=(),
                 sockets=(), environment=None):
        flags = [f"--data-address={data}", f"--admin-address={admin}", *flags]
        for name, value in (("--lame-duck", "0s"), ("--drain-timeout", "5s")):
            if not any(flag.startswith(f"{name}=") for flag in flags):
                flags.append(f"{name}={value}")
        # Should the test be killed, the host goes with it.
        command = ["setpriv", "--pdeathsig", "KILL", *prefix, str(binary), *flags]
        descriptors = [each.fileno() for each in sockets]
        if sockets:
            command = [sys.executable, str(_PASS_SOCKETS), ",".join(map(str, descriptors)), *command]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            pass_fds=descriptors, env={**os.environ, **(environment or {})})
        self._pidfd = os.pidfd_open(self._process.pid)
        self._changed = threading.Condition()
        self._lines = []
        self._log_ended = False
        self._stdout = b""
        self._signalled_at = None
        self._ended_at = None
        self._readers = [threading.Thread(target=self._read_log, daemon=True),
                         threading.Thread(target=self._read_stdout, daemon=True)]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self):
        return self._process.pid

    def memory_kib(self):
        """What it has in memory now, in KiB."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1))

    @property
    def lines(self):
        """What the host has logged so far."""
        with self._changed:
            return list(self._lines)

    @property
    def events(self):
        return [parse_event(line) for line in self.lines]

    def addresses(self, plane):
        """The addresses that a plane listens on, ready to be dialled."""
        return [target(event["address"]) for event in self.events
                if event.get("event") == "listening" and event.get("plane") == plane]

    @property
    def data(self):
        return self.addresses("data")[0]

    @property
    def admin(self):
        return self.addresses("admin")[0]

    def wait_until_serving(self):
        self.wait_for_line(lambda line: parse_event(line).get("event") == "serving",
                           "event=serving")
        return self

    def wait_for_line(self, matches, what, since=0, timeout=PATIENCE):
        """The first line from `since` on that matches; an error when the log ends without it."""
        found = None

        def settled():
            nonlocal found
            found = next((line for line in self._lines[since:] if matches(line)), None)
            return found is not None or self._log_ended

        with self._changed:
            self._changed.wait_for(settled, timeout)
            if found is None:
                why = "the host ended" if self._log_ended else f"{timeout} s passed"
                raise AssertionError(f"expected {what} in the log, but {why}:\n"
                                     + self.transcript())
            return found

    def signal(self, number):
        """Sends a signal to this very process, never to one that was given its pid since."""
        if self._signalled_at is None:
            self._signalled_at = time.monotonic()
        signal.pidfd_send_signal(self._pidfd, number)

    def wait(self, timeout=PATIENCE):
        """Waits for the process to end by itself: its exit code."""
        if self._ended_at is None:
            poll = select.poll()
            poll.register(self._pidfd, select.POLLIN)
            if not poll.poll(timeout * 1000):
                raise AssertionError(
                    f"expected the host to be gone after {timeout} s:\n" + self.transcript())
            self._ended_at = time.monotonic()
            self._reap()
        return self._process.returncode

    @property
    def seconds_to_end(self):
        """From the first signal to the end."""
        return self._ended_at - self._signalled_at

    @property
    def exit_line(self):
        """The one line of JSON on standard output. After `wait`."""
        lines = self._stdout.decode().splitlines()
        if len(lines) != 1:
            raise AssertionError(f"expected one line of standard output, the exit line: {lines}")
        return json.loads(lines[0])

    def end(self):
        """Ends the process if it runs; an error if it ended by itself with nobody waiting."""
        if self._ended_at is not None:
            return
        surprise = self._process.poll()
        if surprise is None:
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        self._ended_at = time.monotonic()
        self._reap()
        if surprise is not None:
            raise AssertionError(
                f"expected the host to live to the end of the test; it ended with {surprise}:\n"
                + self.transcript())

    def transcript(self, last=60):
        """What a person needs when a test has failed."""
        code = self._process.returncode
        state = "runs" if code is None else f"ended with {code}"
        with self._changed:
            log = self._lines[-last:]
        return "\n".join([f"--- host {self.pid} {state}; the end of its log:", *log,
                          f"--- its standard output: {self._stdout.decode(errors='replace')}"])

    def _reap(self):
        self._process.wait()
        for reader in self._readers:
            reader.join(PATIENCE)
        os.close(self._pidfd)
        self._process.stdout.close()
        self._process.stderr.close()

    def _read_log(self):
        for line in self._process.stderr:
            with self._changed:
                self._lines.append(line.decode(errors="replace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._log_ended = True
            self._changed.notify_all()

    def _read_stdout(self):
        self._stdout = self._process.stdout.read()


def run_to_end(*flags, binary=places.MAINSPRINGD, timeout=PATIENCE):
    """Runs a host that is expected to end at once: code, standard output, log lines."""
    done = subprocess.run([str(binary), *flags], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=timeout, check=False)
    return done.returncode, done.stdout, done.stderr.splitlines()
