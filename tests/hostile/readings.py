"""What a process costs, read from /proc: memory, descriptors, processor time."""

import json
import os
import threading
import time

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def read(pid):
    """(resident MiB, descriptors, seconds of processor time). OSError: it has gone."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        resident = int(statm.read().split()[1]) * _PAGE / (1 << 20)
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    if fields[0] == "Z":
        raise ProcessLookupError(pid)
    return resident, len(os.listdir(f"/proc/{pid}/fd")), (int(fields[11]) + int(fields[12])) / _TICKS


class Lines:
    """Collects the lines of JSON that a process prints."""

    def __init__(self, process):
        self._process = process
        self._lines = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def so_far(self):
        return list(self._lines)

    def all(self):
        """Once the process has been told to end."""
        self._thread.join()
        return self._lines

    def _run(self):
        for line in self._process.stdout:
            self._lines.append(json.loads(line))


class Recorder:
    """Reads a process every 50 ms, on a thread of its own, until it is stopped or the process ends.

    `limits`: (MiB, what is called once where the process has more).
    """

    def __init__(self, pid, *limits):
        self._pid, self._limits = pid, list(limits)
        self._stopped = threading.Event()
        self.readings = []  # (when, resident, descriptors, processor time)
        self.ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._stopped.set()
        self._thread.join()

    def between(self, begin, end):
        return [each for each in self.readings if begin <= each[0] <= end]

    def _run(self):
        while not self._stopped.wait(0.05):
            try:
                reading = read(self._pid)
            except OSError:
                self.ended = True
                return
            self.readings.append((time.monotonic(), *reading))
            while self._limits and reading[0] > self._limits[0][0]:
                self._limits.pop(0)[1]()
