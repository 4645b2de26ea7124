"""One trial: a host, good clients, and an attack on it; what it cost, and whether that is bearable."""

import collections
import dataclasses
import json
import math
import os
import signal
import subprocess
import sys
import time

import hosts
import loading
from readings import Lines, Recorder

# Above this the attack is called off, and above the other the host is ended, so that the machine
# survives.
MOST_MIB, END_MIB = 3000, 5000
# How long a host may take to serve its good clients again, when the attack is over.
MOST_TO_RECOVER = 60.0


@dataclasses.dataclass
class Phase:
    """What was seen from one moment to another."""

    memory: float = 0.0  # MiB, the most
    last_memory: float = 0.0
    descriptors: int = 0  # the most
    last_descriptors: int = 0
    processor: float = 0.0  # seconds a second
    calls: dict = dataclasses.field(default_factory=dict)  # kind -> Counter of codes
    slowest: dict = dataclasses.field(default_factory=dict)  # kind -> seconds, of those answered

    def share(self, kind):
        """Of the calls of that kind, how many were answered; 1 where none was made."""
        codes = self.calls.get(kind, {})
        total = sum(codes.values())
        return codes.get("OK", 0) / total if total else 1.0


@dataclasses.dataclass
class Outcome:
    attack: str
    host: str
    before: Phase
    during: Phase
    after: Phase  # as long as it was looked at
    recovered: float  # seconds until all good clients were answered again; infinite: they were not
    sent: dict
    ended: bool  # the host
    called_off: bool
    log: str = ""

    def complaints(self, bounds):
        """What did not hold."""
        if self.ended:
            return ["the host ended"]
        found = []
        for what, value, most in (
                ("MiB more", max(self.during.memory, self.after.memory) - self.before.memory,
                 bounds.growth_mib),
                ("descriptors kept", self.after.last_descriptors - self.before.descriptors, 100),
                ("seconds until all are served again", self.recovered, MOST_TO_RECOVER)):
            if value > most:
                found.append(f"expected at most {most:.0f} {what}, found {value:.0f}")
        for what, kind, least in (("calls", "time", bounds.answered),
                                  ("probes", "probe", bounds.probed)):
            share = self.during.share(kind)
            if share < least:
                found.append(f"expected {least:.0%} of the {what} to be answered meanwhile, found "
                             f"{share:.0%}: {dict(self.during.calls[kind])}")
        if self.called_off:
            found.append(f"the host had more than {MOST_MIB} MiB")
        return found


def phase(recorder, calls, begin, end):
    seen = recorder.between(begin, end)
    result = Phase()
    if seen:
        result.memory = max(each[1] for each in seen)
        result.last_memory = seen[-1][1]
        result.descriptors = max(each[2] for each in seen)
        result.last_descriptors = seen[-1][2]
        result.processor = (seen[-1][3] - seen[0][3]) / max(0.05, seen[-1][0] - seen[0][0])
    for _, kind, began, seconds, code in calls:
        if begin <= began < end:
            result.calls.setdefault(kind, collections.Counter())[code] += 1
            if code == "OK":
                result.slowest[kind] = max(result.slowest.get(kind, 0), seconds)
    return result


def recovery(calls, over):
    """Seconds from the end of the attack to the first call of a second in which all were answered, of
    every kind; infinite where there has been no such second, or none whose calls are all over."""
    after = [each for each in calls if each[2] >= over]
    clients = {client for client, _, _, _, _ in calls}
    kinds = {kind for _, kind, _, _, _ in calls}
    for begin in [over] + sorted(began for _, _, began, _, _ in after):
        seen = [(kind, code) for _, kind, began, _, code in after if begin < began <= begin + 1]
        # Each makes one call at a time: whoever has made a later one has none of this second open.
        later = {client for client, _, began, _, _ in after if began > begin + 1}
        if (later == clients and {kind for kind, _ in seen} == kinds
                and all(code == "OK" for _, code in seen)):
            return begin - over
    return math.inf


def run(attack, host, seconds, after, bursts):
    """Attacks for so long, and looks for `after` seconds more, or until the host has recovered."""
    with hosts.HOSTS[host](attack) as (pid, where, transcript):
        attackers = []
        recorder = Recorder(pid, (MOST_MIB, lambda: [each.kill() for each in attackers]),
                            (END_MIB, lambda: os.kill(pid, signal.SIGKILL)))
        good = start("good_clients.py", json.dumps(where))
        calls = Lines(good)
        try:
            hosts.wait_for(calls.so_far, "the good clients to be answered")
            began = time.monotonic()
            hosts.pause(0.5)
            attackers.append(start("attacker.py", attack.name, json.dumps(where), str(seconds),
                                   str(bursts)))
            attacked = time.monotonic()
            out = attackers[0].communicate(timeout=seconds + 60)[0]
            over = time.monotonic()
            hosts.pause(after)
            end = over + MOST_TO_RECOVER
            while (recovery(calls.so_far(), over) == math.inf and time.monotonic() < end
                   and not recorder.ended):
                hosts.pause(0.5)
            finished = time.monotonic()
            good.stdin.close()
            all_calls = calls.all()
        finally:
            for each in (good, *attackers):
                if each.poll() is None:
                    each.kill()
                each.wait()
            recorder.stop()
        if attackers[0].returncode > 0:
            raise RuntimeError(f"{attack.name}: the attacker failed")
        return Outcome(
            attack.name, host,
            *(phase(recorder, all_calls, begin, end) for begin, end in (
                (began, attacked), (attacked, over), (over, finished))),
            recovery(all_calls, over), json.loads(out or "{}"), recorder.ended,
            called_off=attackers[0].returncode < 0, log=transcript())


def start(script, *arguments):
    return subprocess.Popen([sys.executable, str(loading.HERE / script), *arguments],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
