"""A host's services and messages, as its reflection tells of them: the protocol by hand, over one
stream."""

import collections
import pathlib
import queue
import subprocess
import tempfile

from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message_factory

_ROOT = pathlib.Path(__file__).resolve().parents[3] / "protos"
_PROTO = "grpc/reflection/v1/reflection.proto"
_PATH = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"

Rpc = collections.namedtuple(
    "Rpc", "name path input_type output_type client_streaming server_streaming")


class Mismatch(Exception):
    """What came is not what is expected."""


class _Classes:
    """Message classes of a pool of our own, which knows no proto of this process."""

    def __init__(self):
        self._pool = descriptor_pool.DescriptorPool()
        self._factory = message_factory.MessageFactory(self._pool)

    def add(self, file):
        self._pool.AddSerializedFile(file.SerializeToString())

    def of(self, full_name):
        descriptor = self._pool.FindMessageTypeByName(full_name)
        if hasattr(message_factory, "GetMessageClass"):  # protobuf 4.22 and newer
            return message_factory.GetMessageClass(descriptor)
        return self._factory.GetPrototype(descriptor)


def _reflection_classes():
    with tempfile.NamedTemporaryFile(suffix=".pb") as out:
        subprocess.run(["protoc", f"--proto_path={_ROOT}", f"--descriptor_set_out={out.name}",
                        _PROTO], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read()).file
    classes = _Classes()
    for file in files:
        classes.add(file)
    return classes


class ReflectionClient:
    """Asks one question after another, and keeps the files that it is told."""

    def __init__(self, channel, patience):
        package = _reflection_classes()
        self._request_class = package.of("grpc.reflection.v1.ServerReflectionRequest")
        answer_class = package.of("grpc.reflection.v1.ServerReflectionResponse")
        self._questions = queue.Queue()
        # The whole run is one stream: its deadline is a bound for hanging.
        self._answers = channel.stream_stream(
            _PATH, request_serializer=self._request_class.SerializeToString,
            response_deserializer=answer_class.FromString)(
                iter(self._questions.get, None), timeout=20 * patience)
        self._files = {}  # all that was told, by name
        self._defined_in = {}  # the file of each service
        self._services = {}
        self._classes = _Classes()
        self._added = set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._questions.put(None)
        self._answers.cancel()

    def list_services(self):
        answer = self._ask(list_services="*")
        return [service.name for service in answer.list_services_response.service]

    def learn(self, service):
        """Fetches the file of a service, what it imports, and the extensions of its messages."""
        first = self._fetch(file_containing_symbol=service)
        self._defined_in[service] = first
        self._fetch_imports(first)
        self._add(first)
        if service not in self._services:
            raise Mismatch(f"{first} was sent for {service}, which is not in it")
        for message in self._files[first].message_type:
            if message.extension_range:
                self._learn_extensions(f"{self._files[first].package}.{message.name}")

    def file_of(self, service):
        return self._defined_in[service]

    def rpcs(self, service):
        return [Rpc(rpc.name, f"/{service}/{rpc.name}", rpc.input_type[1:], rpc.output_type[1:],
                    rpc.client_streaming, rpc.server_streaming)
                for rpc in self._services[service].method]

    def message_class(self, full_name):
        return self._classes.of(full_name)

    def check_symbol(self, symbol, file):
        """Whether a symbol is found, and where it is."""
        found = self._fetch(file_containing_symbol=symbol)
        if found != file:
            raise Mismatch(f"reflection has {symbol} in {found}, expected {file}")

    def _learn_extensions(self, message):
        answer = self._ask(all_extension_numbers_of_type=message)
        for number in answer.all_extension_numbers_response.extension_number:
            file = self._fetch(file_containing_extension={"containing_type": message,
                                                          "extension_number": number})
            self._fetch_imports(file)
            self._add(file)

    def _ask(self, **question):
        request = self._request_class(**question)
        self._questions.put(request)
        try:
            answer = next(self._answers)
        except StopIteration:
            raise Mismatch("the reflection stream ended") from None
        if answer.original_request != request:
            raise Mismatch(f"reflection answers {answer.original_request}, asked was {request}")
        if answer.HasField("error_response"):
            raise Mismatch(f"reflection of {question}: {answer.error_response.error_message}")
        return answer

    def _fetch(self, **question):
        """The name of the file that was asked for, which comes first."""
        sent = [descriptor_pb2.FileDescriptorProto.FromString(each) for each in
                self._ask(**question).file_descriptor_response.file_descriptor_proto]
        if not sent:
            raise Mismatch(f"reflection of {question}: no file")
        for file in sent:
            if self._files.setdefault(file.name, file) != file:
                raise Mismatch(f"reflection has two files {file.name}")
        return sent[0].name

    def _fetch_imports(self, name):
        """A server may send them along, or wait to be asked."""
        missing = [name]
        seen = set()
        while missing:
            each = missing.pop()
            if each in seen:
                continue
            seen.add(each)
            if each not in self._files and self._fetch(file_by_filename=each) != each:
                raise Mismatch(f"reflection sent another file than {each}")
            missing.extend(self._files[each].dependency)

    def _add(self, name):
        """To the pool, after what it imports."""
        if name in self._added:
            return
        self._added.add(name)
        file = self._files[name]
        for imported in file.dependency:
            self._add(imported)
        self._classes.add(file)
        for service in file.service:
            self._services[f"{file.package}.{service.name}"] = service
