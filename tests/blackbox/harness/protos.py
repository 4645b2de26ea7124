"""The protos of this repository as Python messages and stubs, without generated files.

protoc writes one descriptor set; the classes are made from a descriptor pool of our own. So
`grpc/health/v1/health.proto` neither shadows the package `grpc` of grpcio nor clashes with another
copy of the same proto.

    stub = clock.stub(channel, "Clock")
    stub.GetTime(clock.GetTimeRequest(time_zone="Asia/Tokyo"), timeout=5).rfc3339
"""

import subprocess
import tempfile

import grpc
from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message_factory

from harness import places

_ROOTS = (places.REPOSITORY / "protos", places.REPOSITORY / "tests" / "testing" / "protos",
          places.REPOSITORY / "tests" / "shop")
_FILES = (
    "mainspring/clock/v1/clock.proto",
    "mainspring/clock/v1/clock_config.proto",
    "mainspring/config/v1/config.proto",
    "mainspring/host/v1/host.proto",
    "mainspring/lifecycle/v1/lifecycle.proto",
    "mainspring/trial/v1/trial.proto",
    "grpc/health/v1/health.proto",
    "grpc/reflection/v1/reflection.proto",
    "grpc/reflection/v1alpha/reflection.proto",
    "shop/v1/payments.proto",
    "shop/v1/shop.proto",
)


def _descriptor_set():
    with tempfile.NamedTemporaryFile(suffix=".pb") as out:
        roots = [f"--proto_path={root}" for root in _ROOTS]
        command = ["protoc", *roots, "--include_imports", f"--descriptor_set_out={out.name}"]
        subprocess.run([*command, *_FILES], check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(out.read())


class _Classes:
    """Message classes of one pool, made when first asked for."""

    def __init__(self):
        self.pool = descriptor_pool.DescriptorPool()
        for file in _descriptor_set().file:
            self.pool.Add(file)
        if hasattr(message_factory, "GetMessageClass"):  # protobuf 4.22 and newer
            self._make = message_factory.GetMessageClass
        else:
            self._make = message_factory.MessageFactory(self.pool).GetPrototype

    def of(self, descriptor):
        return self._make(descriptor)


_classes = _Classes()


class Stub:
    """One callable a method, as a generated stub has them."""

    def __init__(self, channel, service):
        for method in service.methods:
            kind = f"{_arity(method, 'client')}_{_arity(method, 'server')}"
            make = getattr(channel, kind)
            path = f"/{service.full_name}/{method.name}"
            parse = _classes.of(method.output_type).FromString
            setattr(self, method.name,
                    make(path, request_serializer=_serialize, response_deserializer=parse))


def _serialize(message):
    return message.SerializeToString()


def _arity(method, side):
    streaming = getattr(method, f"{side}_streaming", None)
    if streaming is None:  # the descriptor of protobuf 3.21 shows it only in its proto
        proto = descriptor_pb2.MethodDescriptorProto()
        method.CopyToProto(proto)
        streaming = getattr(proto, f"{side}_streaming")
    return "stream" if streaming else "unary"


class Package:
    """The messages of one proto package as attributes, and its services as stubs."""

    def __init__(self, name):
        self.name = name

    def __getattr__(self, message):
        return _classes.of(_classes.pool.FindMessageTypeByName(f"{self.name}.{message}"))

    def stub(self, channel, service):
        return Stub(channel, _classes.pool.FindServiceByName(f"{self.name}.{service}"))


clock = Package("mainspring.clock.v1")
config = Package("mainspring.config.v1")
host = Package("mainspring.host.v1")
lifecycle = Package("mainspring.lifecycle.v1")
trial = Package("mainspring.trial.v1")
shop = Package("shop.v1")
health = Package("grpc.health.v1")
reflection_v1 = Package("grpc.reflection.v1")
reflection_v1alpha = Package("grpc.reflection.v1alpha")


def seconds(amount):
    """A google.protobuf.Duration."""
    nanos = round(amount * 1_000_000_000)
    duration = Package("google.protobuf").Duration()
    duration.FromNanoseconds(nanos)
    return duration
