"""Operations: what became of a command can be asked for by its request id."""

import grpc

from expectation import Check, expect, expect_code, expect_ok
from host import steps_text
from protos import lifecycle
from subject import new_request_id

Operation = lifecycle.Operation


def finished_operation(subject):
    request_id = new_request_id()
    response = subject.must_restart(request_id=request_id)
    operation = _operation(subject, request_id)
    _expect_succeeded(operation, Operation.RESTART, subject, response)
    return _text(operation)


def every_command(subject):
    """Stop and start, with ids that the host chooses."""
    for command, kind in ((subject.stop, Operation.STOP), (subject.start, Operation.START)):
        answer = command()
        response = expect_ok(answer, command.__name__)
        expect(response.request_id, answer, "a request id, chosen by the host")
        operation = _operation(subject, response.request_id)
        _expect_succeeded(operation, kind, subject, response)
    return _text(operation)


def unknown_operation(subject):
    answer = subject.host.ask("GetOperation", request_id=new_request_id())
    return expect_code(answer, grpc.StatusCode.NOT_FOUND, "GetOperation of an unknown id")


def _operation(subject, request_id):
    answer = subject.host.ask("GetOperation", request_id=request_id)
    return expect_ok(answer, f"GetOperation {request_id}").operation


def _expect_succeeded(operation, command, subject, response):
    came = _text(operation)
    expect(operation.request_id == response.request_id, came, response.request_id)
    expect((operation.command, operation.component) == (command, subject.name), came,
           f"{Operation.Command.Name(command)} {subject.name}")
    expect(operation.phase == Operation.SUCCEEDED, came, "SUCCEEDED")
    expect(operation.steps and all(step.done for step in operation.steps), came,
           "steps, all of them done")
    expect(list(operation.steps) == list(response.steps), came,
           f"the {steps_text(response.steps)} of the answer")
    expect(operation.generation == response.component.generation, came,
           f"generation {response.component.generation}")
    expect(operation.HasField("start_time") and operation.HasField("end_time"), came,
           "a start time and an end time")
    expect(operation.start_time.ToNanoseconds() <= operation.end_time.ToNanoseconds(), came,
           "an end after the start")
    expect(not operation.error, came, "no error")


def _text(operation):
    done = sum(step.done for step in operation.steps)
    times = [name for name in ("start_time", "end_time") if operation.HasField(name)]
    return (f"{Operation.Command.Name(operation.command)} {operation.component} "
            f"{Operation.Phase.Name(operation.phase)}, {steps_text(operation.steps)}, {done} done, "
            f"generation {operation.generation}, with {' and '.join(times) or 'no times'}"
            + (f', error "{operation.error}"' if operation.error else ""))


CHECKS = (
    Check("operation", "SUCCEEDED, an end time, every step done", finished_operation),
    Check("operation-of-every-command", "SUCCEEDED under the id that the host chose",
          every_command),
    Check("operation-unknown", "NOT_FOUND", unknown_operation),
)
