"""Watches of the host's components: one that lasts for the whole run, and one that hops."""

import threading
import time

import grpc

from host import SETTLES
from ledger import Ledger


class Follower:
    """Follows the host on a thread of its own, from beginning to end.

    A stream that the server ends, for its connection came of age, is resumed where it ended; the
    ledger sees to it that nothing is missing. One that ends before it has told anything is the end.
    """

    def __init__(self, host):
        self._host = host
        self._changed = threading.Condition()
        self._ledger = Ledger()
        self._call = None
        self._stopped = False
        self._end = None
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    @property
    def violations(self):
        with self._changed:
            ended = [f"the watch ended: {self._end}"] if self._end else []
            return [*self._ledger.violations, *ended]

    @property
    def components(self):
        with self._changed:
            return dict(self._ledger.components)

    @property
    def events(self):
        with self._changed:
            return list(self._ledger.events)

    def catch_up(self, sequence):
        """Waits until the watch has told of the event with this number."""
        def settled():
            return (self._ledger.incarnation and self._ledger.sequence >= sequence) or self._end

        with self._changed:
            if not self._changed.wait_for(settled, SETTLES) or self._end:
                raise AssertionError(f"the watch is at {self._ledger.sequence}, expected it at "
                                     f"{sequence} within {SETTLES:.0f} s; end: {self._end}")

    def stop(self):
        with self._changed:
            self._stopped = True
            if self._call:
                self._call.cancel()
        self._thread.join(SETTLES)

    def _follow(self):
        while self._read_one_stream():
            pass

    def _read_one_stream(self):
        """Whether to go on with another."""
        with self._changed:
            if self._stopped:
                return False
            self._ledger.begin_stream()
            self._call = self._host.watch(self._ledger.incarnation, self._ledger.sequence)
        told = False
        try:
            for message in self._call:
                told = True
                with self._changed:
                    self._ledger.take(message)
                    self._changed.notify_all()
        except grpc.RpcError:
            pass
        with self._changed:
            if not told and not self._stopped:
                self._end = f'{self._call.code().name} "{self._call.details()}"'
                self._changed.notify_all()
            return told and not self._stopped


def hop(host, ledger, messages, seconds):
    """Goes on with a watch for some messages, or so many seconds, and hangs up.

    A snapshot is read to its end.
    """
    ledger.begin_stream()
    call = host.watch(ledger.incarnation, ledger.sequence, timeout=seconds)
    try:
        for count, message in enumerate(call, start=1):
            ledger.take(message)
            if count >= messages and not ledger.snapshot_due:
                break
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
            raise
    finally:
        call.cancel()


def hop_until(host, ledger, last_sequence, seconds):
    """Hops until the watch has told of an event. Returns how often it hopped.

    `last_sequence` returns the number of that event, or None while it is not known.
    """
    end = time.monotonic() + seconds
    hops = 0
    while (last := last_sequence()) is None or ledger.sequence < last:
        if time.monotonic() > end:
            raise AssertionError(f"after {hops} resumed watches and {seconds:.0f} s at event "
                                 f"{ledger.sequence}, expected {last or 'the restarts to end'}")
        hop(host, ledger, messages=1 + hops % 4, seconds=1.0)
        hops += 1
    return hops
