"""A stop while calls come in: the component stops in time, and each call learns what became of it.
"""

import time

import grpc

from expectation import Check, expect
from load import THREADS, Load, answered
from service import caller, is_answered, is_refusal

RUNNING, STOPPING, STOPPED, STARTING, AGAIN = (
    "RUNNING", "STOPPING", "STOPPED", "STARTING", "RUNNING again")
CALLS = 25 * THREADS


def stop_under_load(subject):
    load = Load(caller(subject.host, subject.get()), RUNNING)
    try:
        load.wait_for_calls(RUNNING, CALLS)
        load.enter(STOPPING)
        began = time.monotonic()
        subject.must_stop()
        took = time.monotonic() - began
        load.enter(STOPPED)
        load.wait_for_calls(STOPPED, CALLS)
        load.enter(STARTING)
        subject.must_start()
        load.enter(AGAIN)
        load.wait_for_calls(AGAIN, CALLS)
    finally:
        answers = load.stop()
    _judge(answers, subject.name)
    total = sum(sum(phase.values()) for phase in answers.values())
    return (f"stopped after {took:.2f} s; {total} calls, {answered(answers[RUNNING])} answered "
            f"before, {sum(answers[STOPPED].values())} refused while STOPPED, "
            f"{answered(answers[AGAIN])} answered after")


def _judge(answers, name):
    for phase, counted in answers.items():
        for answer in counted:
            came = f"{answer} while {phase}"
            expect(answer.code not in (grpc.StatusCode.DEADLINE_EXCEEDED,
                                       grpc.StatusCode.CANCELLED), came, "no call that hangs")
            if phase == STOPPED:
                expect(is_refusal(answer, name), came, f"UNAVAILABLE naming {name} and a state")
            elif phase in (RUNNING, AGAIN):
                expect(is_answered(answer), came, "every call answered while RUNNING")
            else:
                expect(is_answered(answer) or is_refusal(answer, name), came,
                       f"an answer, or UNAVAILABLE naming {name} and a state")


CHECKS = (
    Check("stop-under-load", "Stop answers, and every call ends: answered or refused by name",
          stop_under_load),
)
