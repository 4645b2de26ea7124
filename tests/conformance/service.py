"""The component's own service, called without knowing it: reflection tells what to call."""

from typing import NamedTuple

import grpc
from google.protobuf import descriptor_pb2

from expectation import Mismatch, Skip
from host import AT_ONCE, Answer
from protos import reflection

# Ends of a call that tell that nobody answered it.
UNANSWERED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED,
              grpc.StatusCode.DEADLINE_EXCEEDED)


def first_unary_method(channel, service):
    """The path of the first unary method of a service; None where all of them stream."""
    request = reflection.ServerReflectionRequest(file_containing_symbol=service)
    stub = reflection.stub(channel, "ServerReflection")
    answer = next(stub.ServerReflectionInfo(iter([request]), timeout=AT_ONCE))
    for serialized in answer.file_descriptor_response.file_descriptor_proto:
        file = descriptor_pb2.FileDescriptorProto.FromString(serialized)
        for each in file.service:
            if f"{file.package}.{each.name}".lstrip(".") == service:
                unary = (method.name for method in each.method
                         if not method.client_streaming and not method.server_streaming)
                name = next(unary, None)
                return f"/{service}/{name}" if name else None
    raise Mismatch(answer.error_response.error_message or "no file that has it",
                   f"reflection of {service} on the data plane")


class Caller(NamedTuple):
    """Calls one component's first unary method with an empty request."""

    channel: grpc.Channel
    path: str
    component: str

    def start(self, timeout):
        """The future of one call."""
        method = self.channel.unary_unary(self.path)  # bytes in, bytes out
        return method.future(b"", timeout=timeout,
                             metadata=[("mainspring-component", self.component)])

    def call(self, timeout=AT_ONCE):
        """Waits for one call: an Answer."""
        return outcome(self.start(timeout))


def outcome(call):
    """Waits for a started call: an Answer."""
    call.exception()
    return Answer(call.code(), call.details() or "")


def caller(host, component):
    """A Caller of a component, or Skip where it cannot be called."""
    if host.data_channel is None:
        raise Skip("no --data address was given")
    path = first_unary_method(host.data_channel, component.service)
    if path is None:
        raise Skip(f"{component.service} has no unary method")
    return Caller(host.data_channel, path, component.name)


def is_answered(answer):
    """Whether a component, or what stands before it, has answered: with whatever status."""
    return answer.code not in UNANSWERED


def is_refusal(answer, name):
    """Whether it is UNAVAILABLE and names the component and a state."""
    states = ("STOPPED", "STARTING", "STOPPING", "BACKOFF", "FAILED")
    return (answer.code is grpc.StatusCode.UNAVAILABLE and name in answer.details
            and any(state in answer.details for state in states))
