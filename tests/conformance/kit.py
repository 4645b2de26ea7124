"""The run: which checks, of which components, in which order, and everything put back."""

import contextlib

import checks.commands
import checks.config
import checks.operations
import checks.refusals
import checks.restarts
import checks.under_load
import checks.watching
from baseline import Baseline
from expectation import Check, Mismatch
from subject import HostSubject, Subject
from watch import Follower

COMPONENT_CHECKS = (
    *checks.commands.CHECKS,
    *checks.operations.CHECKS,
    *checks.refusals.CHECKS,
    *checks.config.CHECKS,
    *checks.under_load.CHECKS,
    *checks.restarts.CHECKS,
    *checks.watching.CHECKS,
)


def run(host, report, names, restarts):
    """Checks the components of these names, or all of them, and then the host."""
    baseline = Baseline(host)
    follower = Follower(host)
    try:
        for name in names or baseline.names:
            _check_component(Subject(host, follower, name, restarts), baseline, report)
        whole = HostSubject(host, follower)
        report.run(whole, Check("left-as-found", "every component as it was before the first check",
                                lambda _: baseline.left_as_found()))
        for check in checks.watching.HOST_CHECKS:
            report.run(whole, check)
    finally:
        _put_back(baseline)  # an interrupted run has it still to do
        follower.stop()


def _check_component(subject, baseline, report):
    why_not = baseline.why_not(subject.name)
    if why_not:
        report.skip(subject.name, "*", why_not)
        return
    for check in COMPONENT_CHECKS:
        report.run(subject, check)
        _put_back(baseline)


def _put_back(baseline):
    """What fails here fails again in the next check or in the last one, and is told there."""
    with contextlib.suppress(Mismatch, AssertionError):
        baseline.restore()
