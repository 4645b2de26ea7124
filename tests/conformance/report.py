"""What came of each check: a line as it ends, a count at the end, and all of it as JSON."""

import collections
import json
import time
from typing import NamedTuple

import grpc

from expectation import Mismatch, Skip

PASS, FAIL, SKIP = "PASS", "FAIL", "SKIP"


class Result(NamedTuple):
    subject: str
    check: str
    outcome: str
    expected: str
    came: str
    seconds: float

    def __str__(self):
        if self.outcome == SKIP:
            return f"{SKIP} {self.subject}/{self.check}: {self.came}"
        return (f"{self.outcome} {self.subject}/{self.check}: expected {self.expected}; "
                f"came {self.came}")


class Report:
    """Runs checks and remembers what came of them."""

    def __init__(self, out):
        self._out = out
        self.results = []

    def run(self, subject, check):
        """One check, and what came of it, whatever the check or the host does."""
        began = time.monotonic()
        expected = check.expected
        try:
            subject.bring_up()
            outcome, came = PASS, check.run(subject)
        except Skip as skipped:
            outcome, came = SKIP, skipped
        except Mismatch as mismatch:
            outcome, came, expected = FAIL, mismatch.came, mismatch.expected or expected
        except grpc.RpcError as error:
            outcome, came = FAIL, f'{error.code().name} "{error.details()}"'
        except AssertionError as error:
            outcome, came = FAIL, error
        except Exception as error:  # a check that breaks has not passed
            outcome, came = FAIL, f"{type(error).__name__}: {error}"
        seconds = time.monotonic() - began
        self.add(Result(subject.name, check.name, outcome, expected, _one_line(came), seconds))

    def skip(self, subject_name, check_name, why):
        self.add(Result(subject_name, check_name, SKIP, "", why, 0.0))

    def add(self, result):
        self.results.append(result)
        print(result, file=self._out, flush=True)

    def count(self, outcome):
        return collections.Counter(result.outcome for result in self.results)[outcome]

    @property
    def exit_code(self):
        return 1 if self.count(FAIL) else 0

    def print_summary(self):
        print(f"{self.count(PASS)} passed, {self.count(FAIL)} failed, {self.count(SKIP)} skipped",
              file=self._out, flush=True)

    def write_json(self, out, **about):
        """Everything, with what the kit knows about the host."""
        counts = {"passed": self.count(PASS), "failed": self.count(FAIL),
                  "skipped": self.count(SKIP)}
        checks = [{**result._asdict(), "seconds": round(result.seconds, 3)}
                  for result in self.results]
        json.dump({**about, **counts, "checks": checks}, out, indent=2)
        out.write("\n")


def _one_line(text):
    return " ".join(str(text).split())
