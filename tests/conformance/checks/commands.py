"""Commands: done twice they are done once, and a command that is refused changes nothing."""

import re

import grpc

from expectation import Check, Skip, expect, expect_code, expect_ok
from host import component_text, steps_text
from protos import RUNNING, STOPPED, lifecycle
from subject import new_request_id

OK = grpc.StatusCode.OK


def start_on_running(subject):
    before = subject.get()
    answer = subject.start()
    response = expect_ok(answer, "StartComponent")
    expect(not response.steps, answer)
    expect(component_text(response.component) == component_text(before), answer,
           component_text(before))
    return answer


def stop_twice(subject):
    before = subject.get()
    for expected_steps in (True, False):
        answer = subject.stop()
        response = expect_ok(answer, "StopComponent")
        expect(bool(response.steps) == expected_steps, answer,
               f"{'steps' if expected_steps else 'no steps'} from StopComponent")
        expect(response.component.state == STOPPED, answer, "STOPPED")
        expect(response.component.generation == before.generation, answer,
               f"generation {before.generation}, as a stop makes no instance")
    return answer


def start_after_stop(subject):
    before = subject.get()
    subject.must_stop()
    answer = subject.start()
    component = expect_ok(answer, "StartComponent").component
    expect(component.state == RUNNING, answer, "RUNNING")
    expect(component.generation == before.generation + 1, answer,
           f"generation {before.generation + 1}")
    return answer


def restart_of_stopped(subject):
    before = subject.get()
    subject.must_stop()
    answer = subject.restart()
    component = expect_ok(answer, "RestartComponent").component
    expect(component.state == RUNNING and component.generation == before.generation + 1, answer,
           f"RUNNING, generation {before.generation + 1}")
    return answer


def same_request_id(subject):
    before = subject.get()
    request_id = new_request_id()
    first, again = (subject.restart(request_id=request_id) for _ in range(2))
    expect_ok(first, "RestartComponent")
    expect_ok(again, "the same RestartComponent again")
    expect(_essence(first) == _essence(again), again, f"the first answer again, {first}")
    expect(subject.get().generation == before.generation + 1, component_text(subject.get()),
           f"generation {before.generation + 1}, one restart")
    return again


def same_request_id_at_once(subject):
    before = subject.get()
    answers = subject.host.ask_at_once("RestartComponent", 4, name=subject.name, cascade=True,
                                       request_id=new_request_id())
    for answer in answers:
        expect_ok(answer, "each of 4 RestartComponent")
        expect(_essence(answer) == _essence(answers[0]), answer, f"4 times {answers[0]}")
    expect(subject.get().generation == before.generation + 1, component_text(subject.get()),
           f"generation {before.generation + 1}, one restart")
    return f"4 times {answers[0]}"


def _essence(answer):
    """What must be the same each time; the rest is of the moment, such as how old a call is."""
    response = answer.response
    component = response.component
    return (response.request_id, list(response.steps), component.name, component.state,
            component.generation)


def another_command_of_the_same_id(subject):
    request_id = new_request_id()
    subject.must_restart(request_id=request_id)
    before, mark = subject.get(), subject.mark()
    answer = subject.stop(request_id=request_id)
    expect_code(answer, grpc.StatusCode.ALREADY_EXISTS, "StopComponent with a restart's id")
    others = [name for name in subject.host.components() if name != subject.name]
    if others:
        other = subject.host.ask("RestartComponent", name=others[0], cascade=True,
                                 request_id=request_id)
        expect_code(other, grpc.StatusCode.ALREADY_EXISTS,
                    f"RestartComponent of {others[0]} with the id of {subject.name}'s")
    subject.expect_unchanged(before, mark, "a request id that belongs to another command")
    return answer


def wrong_generation(subject):
    before, mark = subject.get(), subject.mark()
    commands = (subject.start, subject.stop, subject.restart, subject.pause, subject.resume,
                subject.drain, subject.undrain)
    for wrong in (before.generation + 1, 0):  # 0 is given, not left out
        for command in commands:
            answer = command(expected_generation=wrong)
            expect_code(answer, grpc.StatusCode.ABORTED,
                        f"{command.__name__} expecting generation {wrong} of {before.generation}")
            subject.expect_unchanged(before, mark, f"{command.__name__} of a wrong generation")
    return answer


def right_generation(subject):
    before = subject.get()
    answer = subject.restart(expected_generation=before.generation)
    expect_ok(answer, f"RestartComponent expecting generation {before.generation}")
    return answer


def unknown_name(subject):
    names = list(subject.host.components())
    unknown = f"{subject.name}x"
    while unknown in names:
        unknown += "x"
    for command in ("Get", "Start", "Stop", "Restart", "Pause", "Resume", "Drain", "Undrain"):
        rpc = f"{command}Component"
        answer = subject.host.ask(rpc, name=unknown)
        expect_code(answer, grpc.StatusCode.NOT_FOUND, f"{rpc} {unknown}")
        listed = _names_in(answer.details, unknown, names)
        expect(listed[:1] == [subject.name], answer, f"{subject.name} first, as the nearest")
        # The text of a status is cut where it becomes too long.
        expect(len(answer.details) > 500 or set(listed) == set(names), answer,
               f"all names: {', '.join(names)}")
    return answer


def _names_in(text, unknown, names):
    """Which components a text lists, in its order; it may quote the unknown name before."""
    words = re.findall(r"\w(?:[\w.-]*\w)?", text.rpartition(unknown)[2])
    return [word for word in words if word in names]


def dry_run(subject):
    before, mark = subject.get(), subject.mark()
    told = []
    for command, actions in ((subject.stop, ["STOP"]), (subject.restart, ["STOP", "START"])):
        answer = command(dry_run=True)
        steps = expect_ok(answer, f"dry run of {command.__name__}").steps
        own = [lifecycle.Step.Action.Name(step.action) for step in steps
               if step.component == subject.name]
        expect(own == actions, answer, f"{' '.join(actions)} of {subject.name} among the steps")
        expect(not any(step.done for step in steps), answer, "no step that is done")
        subject.expect_unchanged(before, mark, f"a dry run of {command.__name__}")
        told.append(f"{command.__name__}: {steps_text(steps)}")
    return "; ".join(told)


def dry_run_of_start(subject):
    subject.must_stop()
    before, mark = subject.get(), subject.mark()
    answer = subject.start(dry_run=True)
    steps = expect_ok(answer, "dry run of start").steps
    expect((lifecycle.Step.START, subject.name) in [(step.action, step.component)
                                                    for step in steps], answer)
    subject.expect_unchanged(before, mark, "a dry run of start")
    return answer


def stop_without_cascade(subject):
    dependents = subject.hard_dependents()
    if not dependents:
        raise Skip("it has no hard dependents that are up")
    before, mark = subject.get(), subject.mark()
    for command in (subject.stop, subject.restart):
        answer = command(cascade=False)
        expect_code(answer, grpc.StatusCode.FAILED_PRECONDITION, f"{command.__name__} alone")
        expect(all(name in answer.details for name in dependents), answer,
               f"a text that names {', '.join(dependents)}")
        subject.expect_unchanged(before, mark, f"a {command.__name__} that was refused")
    return answer


def dependents_come_back(subject):
    dependents = subject.hard_dependents()
    if not dependents:
        raise Skip("it has no hard dependents that are up")
    answer = subject.stop()
    expect_ok(answer, "StopComponent with cascade")
    stopped = [step.component for step in answer.response.steps]
    expect(stopped[-1:] == [subject.name] and set(dependents) <= set(stopped), answer,
           f"{', '.join(dependents)} stopped, and {subject.name} last")
    components = subject.host.components()
    for name in dependents:
        expect(components[name].state == STOPPED, component_text(components[name]),
               f"{name} STOPPED")
    subject.must_start()
    subject.wait_for(dependents, RUNNING)
    return f"{', '.join(dependents)} stopped and RUNNING again"


def start_without_cascade(subject):
    needed = [each.component for each in subject.get().depends_on if each.hard]
    if not needed:
        raise Skip("it has no hard dependencies")
    expect_ok(subject.host.ask("StopComponent", name=needed[0], cascade=True),
              f"StopComponent {needed[0]}")
    refused = subject.start(cascade=False)
    expect_code(refused, grpc.StatusCode.FAILED_PRECONDITION,
                f"StartComponent without {needed[0]}")
    started = subject.start(cascade=True)
    expect_ok(started, "StartComponent with cascade")
    subject.wait_for([needed[0], subject.name], RUNNING)
    return f"{refused}, with cascade {started}"


CHECKS = (
    Check("start-on-running", "OK, no steps, nothing new", start_on_running),
    Check("stop-twice", "OK and STOPPED both times, the second time no steps", stop_twice),
    Check("start-after-stop", "RUNNING, one generation more", start_after_stop),
    Check("restart-of-stopped", "RUNNING, one generation more", restart_of_stopped),
    Check("same-request-id", "the same answer twice, one restart", same_request_id),
    Check("same-request-id-at-once", "the same answer 4 times, one restart",
          same_request_id_at_once),
    Check("request-id-of-another-command", "ALREADY_EXISTS, nothing changed",
          another_command_of_the_same_id),
    Check("wrong-generation", "ABORTED by every command, nothing changed", wrong_generation),
    Check("right-generation", "OK", right_generation),
    Check("unknown-name", "NOT_FOUND with the names listed, the nearest first", unknown_name),
    Check("dry-run", "the steps, no event", dry_run),
    Check("dry-run-of-start", "the step, no event", dry_run_of_start),
    Check("stop-without-cascade", "FAILED_PRECONDITION naming hard dependents",
          stop_without_cascade),
    Check("dependents-come-back", "hard dependents stop with it and come back with it",
          dependents_come_back),
    Check("start-without-cascade", "FAILED_PRECONDITION, and OK with cascade",
          start_without_cascade),
)
