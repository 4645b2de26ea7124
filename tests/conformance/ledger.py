"""Whether the messages of a watch add up: the state machine of server/README.md, told from outside.

A ledger takes the messages of one watch, which may have been cut and resumed, keeps what it says
of each component, and notes every message that cannot follow what came before. It knows messages
alone, no connection, so that a test can hand it a made-up list of them.
"""

from typing import NamedTuple

from protos import (BACKOFF, FAILED, RUNNING, STARTING, STOPPED, STOPPING, lifecycle,
                    state_name)

LEGAL = frozenset({
    (STOPPED, STARTING), (FAILED, STARTING),
    (STARTING, RUNNING), (STARTING, BACKOFF), (STARTING, FAILED), (STARTING, STOPPING),
    (RUNNING, STOPPING), (RUNNING, BACKOFF), (RUNNING, FAILED),
    (RUNNING, STOPPED),  # it ended itself
    (STOPPING, STOPPED), (STOPPING, FAILED),
    (BACKOFF, STARTING), (BACKOFF, STOPPED), (BACKOFF, FAILED),
})


class Known(NamedTuple):
    """What a watch has told of one component."""

    state: int
    generation: int

    def __str__(self):
        return f"{state_name(self.state)} in generation {self.generation}"


class Ledger:
    """What a watch has told so far, and what was wrong with it.

    violations  one line for each message that does not fit
    components  name -> Known
    events      all events, in the order in which they came
    """

    def __init__(self):
        self.incarnation = ""
        self.sequence = 0
        self.components = {}
        self.events = []
        self.violations = []
        # Whether a snapshot must come before the next event, all of it or what is left of it.
        self.snapshot_due = True
        self._parts = []

    def begin_stream(self):
        """A new stream begins: from anew where there is nothing to go on from."""
        self.snapshot_due = not self.incarnation
        self._parts = []

    def take(self, message):
        """Takes the next WatchComponentsResponse."""
        kind = message.WhichOneof("update")
        if kind == "snapshot":
            self._take_snapshot(message.snapshot)
        elif kind == "event":
            self._take_event(message.event)
        elif kind == "history_lost":
            self._note("history lost, so that there is a gap")
            self.snapshot_due = True
            self._parts = []
        else:
            self._note("a message without an update")

    def _take_snapshot(self, snapshot):
        if not self.snapshot_due:
            self._note(f"a snapshot at {snapshot.sequence} that neither began a watch nor followed "
                       "history_lost")
        if not snapshot.incarnation:
            self._note("a snapshot without an incarnation")
        if self._parts and _origin(self._parts[0]) != _origin(snapshot):
            self._note(f"a snapshot at {snapshot.sequence} in between another's parts")
        self._parts.append(snapshot)
        self.snapshot_due = snapshot.more
        if snapshot.more:
            return
        self.incarnation = snapshot.incarnation
        self.sequence = snapshot.sequence
        self.components = {each.name: Known(each.state, each.generation)
                           for part in self._parts for each in part.components}
        self._parts = []

    def _take_event(self, event):
        where = f"event {event.sequence} of {event.component}"
        if self.snapshot_due:
            self._note(f"{where} before a snapshot, or in between its parts")
        elif event.sequence != self.sequence + 1:
            self._note(f"{where} after event {self.sequence}: expected {self.sequence + 1}")
        self.sequence = event.sequence
        self.events.append(event)

        origin = getattr(event, "from")  # a field that is a keyword of Python
        change = f"{state_name(origin)}->{state_name(event.to)}"
        changes = event.kind in (lifecycle.Event.STATE, lifecycle.Event.KIND_UNSPECIFIED)
        if not changes:
            if origin != event.to:
                kind = lifecycle.Event.Kind.Name(event.kind)
                self._note(f"{where}: {kind} comes with {change}, expected no change")
        elif (origin, event.to) not in LEGAL:
            self._note(f"{where}: {change} is no legal change")
        known = self.components.get(event.component)
        if known is None:
            self._note(f"{where}: no snapshot told of that component")
        else:
            is_started = changes and event.to == STARTING
            self._compare(f"{where}: {change}", known, origin, event, is_started)
        self.components[event.component] = Known(event.to, event.generation)

    def _compare(self, what, known, origin, event, is_started):
        if origin != known.state:
            self._note(f"{what}, but it was {state_name(known.state)}")
        generation = known.generation + (1 if is_started else 0)
        if event.generation != generation:
            self._note(f"{what} in generation {event.generation}, expected {generation}")

    def _note(self, violation):
        self.violations.append(violation)


def _origin(snapshot):
    return snapshot.incarnation, snapshot.sequence
