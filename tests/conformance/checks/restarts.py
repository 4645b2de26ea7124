"""Restarts, many of them: nothing is left behind."""

from expectation import Check, Mismatch, expect
from host import SETTLES, component_text, eventually
from protos import RUNNING

WARM_UP = 3
MOST_GROWTH = 4 * 1024 * 1024


def restart_many_times(subject):
    _restart(subject, WARM_UP)
    before, process = subject.get(), subject.host.list().host
    _restart(subject, subject.restarts)
    after = subject.get()
    expect(after.state == RUNNING and after.generation == before.generation + subject.restarts,
           component_text(after),
           f"RUNNING, generation {before.generation + subject.restarts}")
    # What a thread or a connection leaves behind it is gone soon after, not before the answer.
    if not eventually(lambda: not _grown(process, subject.host.list().host)):
        raise Mismatch(_growth(process, subject.host.list().host),
                       f"no more threads and descriptors, and less than {MOST_GROWTH >> 20} MiB "
                       f"more memory, {SETTLES:.0f} s after {subject.restarts} restarts")
    return f"{_growth(process, subject.host.list().host)}; {component_text(after)}"


def _restart(subject, times):
    for _ in range(times):
        subject.must_restart()


def _grown(before, after):
    return (after.threads > before.threads or after.open_descriptors > before.open_descriptors
            or after.resident_bytes >= before.resident_bytes + MOST_GROWTH)


def _growth(before, after):
    kibibytes = (after.resident_bytes - before.resident_bytes) // 1024
    return (f"threads {before.threads} to {after.threads}, descriptors {before.open_descriptors} "
            f"to {after.open_descriptors}, memory {kibibytes:+d} KiB")


CHECKS = (
    Check("restart-many-times", "as many generations more, no more threads, descriptors or memory",
          restart_many_times),
)
