"""What an attack is: a name, what it sends, and what must hold meanwhile and afterwards.

An attack is a function (Target, Until) -> {"what was sent": how often}. It runs in a process of its
own, ends when Until says so, and every loop in it is bounded in number as well.
"""

import dataclasses
import time
from typing import Callable

import h2
import loading

ATTACKS = {}


@dataclasses.dataclass(frozen=True)
class Bounds:
    """What must hold in a short trial on any machine, with a wide margin. None: nothing is asked.

    A host must outlive every attack and serve every good client again when it is over; that is asked
    of all.
    """

    growth_mib: int = 200  # of the host's memory, at its peak
    answered: float = 0.5  # of the good clients' calls on the data plane, during the attack
    probed: float = 0.5  # of the probes of liveness, on a plane of its own


# How much a long attack costs is a figure, and no fault.
UNBOUNDED = Bounds(growth_mib=1 << 20, answered=0.0, probed=0.0)


@dataclasses.dataclass(frozen=True)
class Attack:
    name: str
    sends: str
    run: Callable
    bounds: Bounds
    # Of the host: a limit of descriptors, more flags, and whether it is the test host, which has
    # components that misbehave.
    descriptors: int = 0
    flags: tuple = ()
    trial_host: bool = False
    # It needs what a plain server does not have.
    ours_alone: bool = False


def attack(bounds=Bounds(), **options):
    """Registers a function; its first line of documentation says what it sends."""
    def register(run):
        name = run.__name__.replace("_", "-")
        ATTACKS[name] = Attack(name, run.__doc__.split("\n")[0], run, bounds, **options)
        return run
    return register


@dataclasses.dataclass(frozen=True)
class Target:
    """Where a host listens: (address, port) each."""

    data: tuple
    health: tuple
    admin: tuple


class Until:
    """When an attack is over."""

    def __init__(self, seconds, most_bursts=10_000_000):
        self._end = time.monotonic() + seconds
        self.most_bursts = most_bursts

    @property
    def left(self):
        return max(0.0, self._end - time.monotonic())

    @property
    def over(self):
        return self.left == 0

    def wait(self, seconds):
        """Lets so much of the time pass."""
        loading.never.wait(min(seconds, self.left))

    def times(self, most):
        """0, 1, 2, ... up to `most`, and no further than time goes."""
        for number in range(most):
            if self.over:
                return
            yield number


def flood(target, until, burst, connections=2, data=0):
    """Sends burst(connection) without a pause on so many connections, each opened anew when the host
    closes it. `data`: how much DATA is in a burst; it is not sent before the host takes so much.
    How often: {"bursts", "connections"}."""
    opened = [None] * connections
    bursts = reopened = 0
    for number in until.times(until.most_bursts):
        place = number % connections
        if opened[place] is None or not opened[place].alive:
            if reopened >= 20_000:
                break
            opened[place] = h2.Connection(target.data).count_window() if data else \
                h2.Connection(target.data)
            opened[place].hello(until)
            reopened += 1
        if data and not opened[place].spend(until, data):
            continue
        if not opened[place].alive:
            continue
        if opened[place].send(until, burst(opened[place])):
            bursts += 1
        else:
            opened[place].close()
    return {"bursts": bursts, "connections": reopened}


def hold(until, connections, seconds=0.5):
    """Keeps connections open, unread, until time is over."""
    alive = [each for each in connections if each.alive]
    while alive and not until.over:
        until.wait(seconds)
    for each in alive:
        each.close()
