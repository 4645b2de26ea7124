"""Our own hosts under the conformance kit, and the kit under hosts that are made up."""

import io
import json
import pathlib
import re
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "blackbox"))

import checks.config
import expectation
import kit
from harness import places
from harness.case import HostTestCase
from host import Host
from ledger import Ledger
from protos import BACKOFF, FAILED, RUNNING, STARTING, STOPPED, STOPPING, lifecycle
from report import Report

# Checks that need a component on which others depend, and one that depends on others.
OF_DEPENDENCIES = {"stop-without-cascade", "dependents-come-back"}
OF_DEPENDENTS = {"start-without-cascade"}
# A Clock has no files.
OF_FILES = {"files-are-told-or-none"}
# Checks of a section, which a Trial does not take.
OF_SECTIONS = {check.name for check in checks.config.CHECKS}


def run_kit(*arguments):
    """Runs the kit as a user does: exit code, standard output, standard error."""
    done = subprocess.run([sys.executable, str(HERE / "run"), *map(str, arguments)],
                          capture_output=True, text=True, timeout=150, check=False)
    return done.returncode, done.stdout, done.stderr


class OurHosts(HostTestCase):
    def test_Mainspringd_PassesEveryCheck(self):
        self.assert_conforms(self.start_host(), {"clock": OF_DEPENDENCIES | OF_DEPENDENTS | OF_FILES})

    def test_TrialHost_PassesEveryCheck_AndIsLeftAsItWasFound(self):
        graph = "base,left(base),right(base,~left),top(left,right),off-"
        host = self.start_trial_host(f"--trials={graph}")
        connection = Host(host.admin)
        self.addCleanup(connection.close)
        for rpc, name in (("PauseComponent", "clock"), ("DrainComponent", "left"),
                          ("PauseComponent", "right"), ("StopComponent", "top")):
            answer = connection.ask(rpc, name=name)
            self.assertIsNotNone(answer.response, f"expected OK from {rpc} {name}, got {answer}")
        found = self.kept(connection)
        # top is STOPPED when the kit comes, so that left and right have no dependents that are up.
        alone = OF_DEPENDENCIES | OF_DEPENDENTS
        first, later = OF_DEPENDENTS | OF_SECTIONS, OF_DEPENDENCIES | OF_SECTIONS
        self.assert_conforms(host, {"clock": alone | OF_FILES, "base": first, "left": later, "right": later,
                                    "top": later, "off": alone | OF_SECTIONS}, "--restarts", 5)
        self.assertEqual(self.kept(connection), found, "expected every component as it was found")

    def kept(self, connection):
        return {name: (each.state, each.paused, each.draining)
                for name, each in connection.components().items()}

    def assert_conforms(self, host, skipped, *flags):
        """Every check passes of these components, but for those that they cannot have."""
        results = places.socket_directory(self) / "results.json"
        code, output, error = run_kit("--admin", host.admin, "--data", host.data,
                                      "--json", results, *flags)
        print(output)
        failed = [line for line in output.splitlines() if line.startswith("FAIL")]
        self.assertEqual((code, failed, error), (0, [], ""), "expected every check to pass")
        told = json.loads(results.read_text())
        self.assertEqual(output.splitlines()[-1],
                         f"{told['passed']} passed, 0 failed, {told['skipped']} skipped",
                         "expected the counts in the last line, and the same as JSON")
        outcomes = {(each["subject"], each["check"]): each["outcome"] for each in told["checks"]}
        for name, without in skipped.items():
            expected = {(name, check.name): "SKIP" if check.name in without else "PASS"
                        for check in kit.COMPONENT_CHECKS}
            self.assertEqual({key: outcomes[key] for key in expected}, expected,
                             f"expected these outcomes of {name}")


class Arguments(unittest.TestCase):
    def test_WrongOnes_EndWith64_AndOneLine(self):
        for flags in ([], ["--admin", "unix:"], ["--admin", "unix:/x", "--restarts", "none"],
                      ["--admin", "unix:/x", "--json", "/nowhere/x"], ["--what"]):
            self.assert_refused(64, flags)

    def test_NoHost_EndsWith69_AndOneLine(self):
        line = self.assert_refused(69, ["--admin", "unix:/nowhere.sock"])
        self.assertIn("unix:/nowhere.sock", line, "expected the address that nobody answered at")

    def assert_refused(self, code, flags):
        got, output, error = run_kit(*flags)
        self.assertEqual((got, output), (code, ""), f"expected exit code {code} of {flags}")
        self.assertRegex(error, r"\Arun: [^\n]+\n\Z", f"expected one line from {flags}")
        return error


class ArgumentsThatAHostRefuses(HostTestCase):
    def test_UnknownComponent_EndsWith64_NamingWhatThereIs(self):
        host = self.start_host()
        code, _, error = run_kit("--admin", host.admin, "--component", "clack")
        self.assertEqual(code, 64, "expected an unknown component to be a wrong argument")
        self.assertRegex(error, "clack.*clock", "expected the names that there are")

    def test_DataPlaneAsAdminPlane_EndsWith69(self):
        host = self.start_host()
        code, _, error = run_kit("--admin", host.data)
        self.assertEqual(code, 69, "expected a plane without Lifecycle to be no host")
        self.assertIn("Lifecycle", error, "expected what was not found there")


class LedgerOfAMadeUpWatch(unittest.TestCase):
    """The checker of transitions finds what a host must not say."""

    def take(self, *messages):
        ledger = Ledger()
        ledger.take(snapshot(7, a=(RUNNING, 1), b=(STOPPED, 0)))
        for message in messages:
            ledger.take(message)
        return ledger

    def assert_violation(self, pattern, *messages):
        violations = self.take(*messages).violations
        self.assertEqual(len(violations), 1, f"expected one violation: {violations}")
        self.assertRegex(violations[0], pattern)

    def test_LegalStory_HasNoViolation(self):
        ledger = self.take(
            event(8, "a", 1, RUNNING, STOPPING), event(9, "b", 1, STOPPED, STARTING),
            event(10, "a", 1, STOPPING, STOPPED), event(11, "b", 1, STARTING, BACKOFF),
            event(12, "b", 2, BACKOFF, STARTING), event(13, "b", 2, STARTING, FAILED),
            event(14, "a", 2, STOPPED, STARTING), event(15, "a", 2, STARTING, RUNNING))
        self.assertEqual(ledger.violations, [])
        self.assertEqual(ledger.components, {"a": (RUNNING, 2), "b": (FAILED, 2)})
        self.assertEqual(ledger.sequence, 15)

    def test_Gap_IsFound(self):
        self.assert_violation("event 9 of a after event 7: expected 8",
                              event(9, "a", 1, RUNNING, STOPPING))

    def test_EventAgain_IsFound(self):
        self.assert_violation("after event 8: expected 9", event(8, "a", 1, RUNNING, STOPPING),
                              event(8, "b", 1, STOPPED, STARTING))

    def test_IllegalChange_IsFound(self):
        self.assert_violation("STOPPED->RUNNING is no legal change",
                              event(8, "b", 0, STOPPED, RUNNING))

    def test_PauseAndDrain_ChangeNoState(self):
        paused = event(8, "a", 1, RUNNING, RUNNING)
        paused.event.kind = lifecycle.Event.PAUSE
        self.assertEqual(self.take(paused).violations, [])
        drained = event(8, "a", 1, RUNNING, STOPPING)
        drained.event.kind = lifecycle.Event.DRAIN
        self.assert_violation("DRAIN comes with RUNNING->STOPPING", drained)

    def test_WrongFrom_IsFound(self):
        self.assert_violation("FAILED->STARTING, but it was RUNNING",
                              event(8, "a", 2, FAILED, STARTING))

    def test_GenerationThatDoesNotRise_IsFound(self):
        self.assert_violation("in generation 0, expected 1", event(8, "b", 0, STOPPED, STARTING))

    def test_GenerationThatFalls_IsFound(self):
        self.assert_violation("in generation 0, expected 1", event(8, "a", 0, RUNNING, STOPPING))

    def test_UnknownComponent_IsFound(self):
        self.assert_violation("no snapshot told of", event(8, "c", 1, STOPPED, STARTING))

    def test_SnapshotInBetween_IsFound(self):
        self.assert_violation("a snapshot at 7", snapshot(7, a=(RUNNING, 1), b=(STOPPED, 0)))

    def test_SnapshotInParts_IsPutTogether(self):
        ledger = Ledger()
        for message in (part(3, "a"), part(3, "b", more=False), event(4, "a", 1, STOPPED, STARTING),
                        event(5, "b", 1, STOPPED, STARTING)):
            ledger.take(message)
        self.assertEqual(ledger.violations, [])

    def test_EventInBetweenParts_IsFound(self):
        ledger = Ledger()
        ledger.take(part(3, "a"))
        ledger.take(event(4, "a", 1, STOPPED, STARTING))
        self.assertRegex(ledger.violations[0], "in between its parts")

    def test_PartsOfTwoSnapshots_AreFound(self):
        ledger = Ledger()
        ledger.take(part(3, "a"))
        ledger.take(part(4, "b", more=False))
        self.assertEqual(len(ledger.violations), 1, f"expected one: {ledger.violations}")

    def test_LostHistory_IsFound_AndASnapshotMayFollow(self):
        lost = lifecycle.WatchComponentsResponse(history_lost=lifecycle.HistoryLost())
        self.assert_violation("history lost", lost, snapshot(20, a=(STOPPED, 9)),
                              event(21, "a", 10, STOPPED, STARTING))

    def test_ResumedStream_GoesOnWithoutASnapshot(self):
        ledger = self.take(event(8, "a", 1, RUNNING, STOPPING))
        ledger.begin_stream()
        ledger.take(event(9, "a", 1, STOPPING, STOPPED))
        self.assertEqual(ledger.violations, [])

    def test_NewStream_BeginsWithASnapshot(self):
        ledger = Ledger()
        ledger.begin_stream()
        ledger.take(event(1, "a", 1, STOPPED, STARTING))
        self.assertRegex(ledger.violations[0], "before a snapshot")


class ReportOfMadeUpChecks(unittest.TestCase):
    class Subject:
        name = "it"

        def bring_up(self):
            pass

    def run_check(self, function):
        out = io.StringIO()
        report = Report(out)
        report.run(self.Subject(), expectation.Check("trial", "this", function))
        report.print_summary()
        return report.exit_code, out.getvalue()

    def test_CheckThatReturns_Passes(self):
        self.assertEqual(self.run_check(lambda _: "that"), (
            0, "PASS it/trial: expected this; came that\n1 passed, 0 failed, 0 skipped\n"))

    def test_CheckThatFindsSomethingElse_Fails(self):
        def check(_):
            expectation.expect(False, "that", "more exactly this")
        self.assertEqual(self.run_check(check), (
            1, "FAIL it/trial: expected more exactly this; came that\n"
               "0 passed, 1 failed, 0 skipped\n"))

    def test_CheckThatBreaks_Fails(self):
        code, text = self.run_check(lambda _: [][0])
        self.assertEqual(code, 1, "expected a check that breaks to fail")
        self.assertTrue(re.match("FAIL it/trial: .*IndexError", text), text)

    def test_CheckThatCannotBeMade_IsSkipped_AndIsNoFailure(self):
        def check(_):
            raise expectation.Skip("there is none")
        self.assertEqual(self.run_check(check), (
            0, "SKIP it/trial: there is none\n0 passed, 0 failed, 1 skipped\n"))


def snapshot(sequence, **components):
    return lifecycle.WatchComponentsResponse(snapshot=lifecycle.Snapshot(
        incarnation="made up", sequence=sequence,
        components=[lifecycle.Component(name=name, state=state, generation=generation)
                    for name, (state, generation) in components.items()]))


def part(sequence, name, more=True):
    message = snapshot(sequence, **{name: (STOPPED, 0)})
    message.snapshot.more = more
    return message


def event(sequence, component, generation, origin, to):
    return lifecycle.WatchComponentsResponse(event=lifecycle.Event(
        sequence=sequence, component=component, generation=generation, to=to, **{"from": origin}))


if __name__ == "__main__":
    unittest.main(verbosity=2)
