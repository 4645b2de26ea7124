"""How a check tells what it found: it returns what came, or raises what was wrong."""

from typing import Callable, NamedTuple

import grpc


class Check(NamedTuple):
    """One named check of a subject, which is a component or the host."""

    name: str
    expected: str
    # Takes the subject and returns what came, as text for the report.
    run: Callable


class Mismatch(Exception):
    """Something else came than was expected."""

    def __init__(self, came, expected=""):
        super().__init__(came)
        self.came = str(came)
        # More exact than the expectation of the whole check; empty: that one.
        self.expected = expected


class Skip(Exception):
    """The check cannot be made here; the text says why."""


def expect(holds, came, expected=""):
    """Raises Mismatch unless it holds."""
    if not holds:
        raise Mismatch(came, expected)


def expect_ok(answer, what):
    """The response of an answer that must be OK."""
    expect(answer.code is grpc.StatusCode.OK, answer, f"OK from {what}")
    return answer.response


def expect_code(answer, code, what):
    """The answer, which must have this code."""
    expect(answer.code is code, answer, f"{code.name} from {what}")
    return answer
