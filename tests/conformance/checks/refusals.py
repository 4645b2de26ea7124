"""Calls in each state that can be reached from outside, and health, which tells the state."""

import grpc

from expectation import Check, Mismatch, expect, expect_code, expect_ok
from host import AT_ONCE, SETTLES, component_text, eventually
from protos import RUNNING, lifecycle
from service import caller, is_answered, is_refusal, outcome

# The deadline of a call that is to run into it.
SHORT = 0.3


def stopped_refuses(subject):
    service = caller(subject.host, subject.get())
    _expect_answered(service, "RUNNING")
    subject.must_stop()
    refused = service.call()
    expect(is_refusal(refused, subject.name), refused,
           f"UNAVAILABLE naming {subject.name} and a state while STOPPED")
    subject.must_start()
    _expect_answered(service, "RUNNING again")
    return refused


def paused_waits(subject):
    service = caller(subject.host, subject.get())
    expect_ok(subject.pause(), "PauseComponent")
    waiting = service.start(timeout=AT_ONCE)
    expired = service.call(timeout=SHORT)
    expect_code(expired, grpc.StatusCode.DEADLINE_EXCEEDED,
                f"a call with a deadline of {SHORT} s while paused")
    expect(not waiting.done(), "an answer while paused", "the other call to wait still")
    expect_ok(subject.resume(), "ResumeComponent")
    answer = outcome(waiting)
    expect(is_answered(answer), answer, "the call that waited answered after ResumeComponent")
    _expect_answered(service, "resumed")
    return f"{expired.code.name} while paused, {answer.code.name} after ResumeComponent"


def draining_refuses(subject):
    service = caller(subject.host, subject.get())
    expect_ok(subject.drain(), "DrainComponent")
    refused = service.call()
    expect_code(refused, grpc.StatusCode.UNAVAILABLE, "a call while draining")
    expect_ok(subject.undrain(), "UndrainComponent")
    answer = _expect_answered(service, "undrained")
    return f"{refused} while draining, {answer.code.name} after UndrainComponent"


def _expect_answered(service, when):
    answer = service.call()
    expect(is_answered(answer), answer, f"a call answered while {when}")
    return answer


def pause_is_a_flag(subject):
    return _expect_flag(subject, "paused", {"PAUSE": subject.pause, "RESUME": subject.resume})


def drain_is_a_flag(subject):
    return _expect_flag(subject, "draining", {"DRAIN": subject.drain, "UNDRAIN": subject.undrain})


def _expect_flag(subject, flag, commands):
    """Each command twice, as what is already so is done; a watch tells of each once."""
    before, mark = subject.get(), subject.mark()
    turn_on, turn_off = commands.values()
    for command, wanted in ((turn_on, True), (turn_on, True), (turn_off, False), (turn_off, False)):
        answer = command()
        told = expect_ok(answer, command.__name__).component
        for component in (told, subject.get()):
            expect(component.state == RUNNING and getattr(component, flag) == wanted,
                   component_text(component),
                   f"RUNNING, {'' if wanted else 'not '}{flag} after {command.__name__}")
    events = subject.events_since(mark)
    kinds = [lifecycle.Event.Kind.Name(event.kind) for event in events]
    expect(kinds == list(commands), " ".join(kinds) or "no event", " ".join(commands))
    subject.expect_unchanged(before, events[-1].sequence,
                             f"{turn_on.__name__} and {turn_off.__name__}")
    return answer


def stopped_has_no_flags(subject):
    subject.must_stop()
    for command in (subject.pause, subject.drain):
        answer = expect_code(command(), grpc.StatusCode.FAILED_PRECONDITION,
                             f"{command.__name__} while STOPPED")
    return answer


def health_follows(subject):
    for change, status in ((subject.bring_up, "SERVING"), (subject.must_stop, "NOT_SERVING"),
                           (subject.must_start, "SERVING")):
        change()
        for plane in subject.host.planes:
            _wait_for_health(subject, plane, status)
    return f"both, on {' and '.join(subject.host.planes)}"


def _wait_for_health(subject, plane, status):
    if not eventually(lambda: subject.host.health(plane, subject.name) == status):
        raise Mismatch(subject.host.health(plane, subject.name),
                       f"health {status} on the {plane} plane within {SETTLES:.0f} s while "
                       + component_text(subject.get()))


CHECKS = (
    Check("stopped-refuses", "UNAVAILABLE naming the component and its state", stopped_refuses),
    Check("paused-waits", "DEADLINE_EXCEEDED while paused, answered once resumed", paused_waits),
    Check("draining-refuses", "UNAVAILABLE while draining, answered once undrained",
          draining_refuses),
    Check("pause-is-a-flag", "RUNNING all the time, paused and not, each command twice",
          pause_is_a_flag),
    Check("drain-is-a-flag", "RUNNING all the time, draining and not, each command twice",
          drain_is_a_flag),
    Check("stopped-has-no-flags", "FAILED_PRECONDITION to pause and drain", stopped_has_no_flags),
    Check("health-follows", "SERVING while RUNNING, NOT_SERVING while STOPPED", health_follows),
)
