"""Calls at a steady rate, whatever becomes of them: an open loop, as users are."""

import collections
import threading
import time

import grpc

Failure = collections.namedtuple("Failure", "when code details")


class Traffic:
    """Starts `per_second` calls each second until it is stopped, for `most_seconds` at most.

    `start_call` starts one call and returns its future; `name_answer` makes of a response the name
    under which it is counted.
    """

    def __init__(self, start_call, per_second, most_seconds, name_answer=lambda _: "answered"):
        self._start_call = start_call
        self._name_answer = name_answer
        self._interval = 1.0 / per_second
        self._limit = int(per_second * most_seconds)
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._started = 0
        self._finished = 0
        self._answers = collections.Counter()
        self._failures = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._began = time.monotonic()
        self._thread.start()

    @property
    def answers(self):
        """How many calls were answered OK, by name."""
        with self._changed:
            return collections.Counter(self._answers)

    @property
    def failures(self):
        with self._changed:
            return list(self._failures)

    def wait_for_answers(self, name, count, what, timeout=20.0):
        """Waits until `name` was counted `count` times more than now."""
        with self._changed:
            wanted = self._answers[name] + count
            if not self._changed.wait_for(lambda: self._answers[name] >= wanted, timeout):
                raise AssertionError(f"expected {what} within {timeout} s; answers so far: "
                                     f"{dict(self._answers)}, failures: {self._failures[:5]}")

    def stop(self, timeout=20.0):
        """Starts no more calls and waits for those in flight: (calls, seconds that it ran)."""
        self._stop.set()
        self._thread.join(timeout)
        ran = time.monotonic() - self._began
        with self._changed:
            if not self._changed.wait_for(lambda: self._finished == self._started, timeout):
                raise AssertionError(f"expected every call to end: {self._started} started, "
                                     f"{self._finished} ended")
            return self._started, ran

    def _run(self):
        for number in range(self._limit):
            if self._stop.wait(max(0.0, self._began + number * self._interval - time.monotonic())):
                return
            with self._changed:
                self._started += 1
            self._start_call().add_done_callback(self._finish)

    def _finish(self, call):
        try:
            outcome = self._name_answer(call.result())
        except grpc.RpcError:
            outcome = None
        with self._changed:
            self._finished += 1
            if outcome is None:
                self._failures.append(Failure(time.monotonic(), call.code(), call.details()))
            else:
                self._answers[outcome] += 1
            self._changed.notify_all()
