"""Calls without a pause from several threads, told apart by what the component was going through.

A check names the phase that the component is in. A call that begins and ends in one phase belongs
to it; one that began in another may be answered as either has it.
"""

import collections
import threading

from host import COMMAND
from service import is_answered

MIXED = "between phases"
THREADS = 8
# The deadline of each call. A call that meets it was left hanging.
HANGS = 15.0


class Load:
    """Calls until it is stopped. Each thread makes one call after another."""

    def __init__(self, caller, phase):
        self._caller = caller
        self._changed = threading.Condition()
        self._phase = phase
        self._stopped = False
        # phase -> Answer -> how many
        self._answers = collections.defaultdict(collections.Counter)
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def enter(self, phase):
        """The component is in another phase from now on."""
        with self._changed:
            self._phase = phase

    def wait_for_calls(self, phase, count):
        """Waits until so many calls have begun and ended in a phase."""
        def enough():
            return sum(self._answers[phase].values()) >= count

        with self._changed:
            if not self._changed.wait_for(enough, COMMAND):
                raise AssertionError(f"expected {count} calls while {phase}, "
                                     f"got {sum(self._answers[phase].values())}")

    def stop(self):
        """Waits for the calls that are under way: phase -> Answer -> how many."""
        with self._changed:
            self._stopped = True
        for thread in self._threads:
            thread.join(2 * HANGS)
            if thread.is_alive():
                raise AssertionError(f"a call has not ended {HANGS:.0f} s after its deadline")
        return self._answers

    def _run(self):
        while True:
            with self._changed:
                if self._stopped:
                    return
                began = self._phase
            answer = self._caller.call(timeout=HANGS)
            with self._changed:
                self._answers[began if began == self._phase else MIXED][answer] += 1
                self._changed.notify_all()


def answered(answers):
    """How many of these were answered by the component."""
    return sum(count for answer, count in answers.items() if is_answered(answer))
