#!/usr/bin/python3
"""Calls every rpc of every service below package corpus of a host, by what its reflection tells.

    tests/protos/corpus/call_all.py localhost:50051 @services.txt

Expects exactly the services that are named, or those of a file with one a line; without any, it
calls what is there. It has no proto of them: their descriptors come from the host alone.

Each call sends requests with every field set, to a depth, and wants OK and what answers.h gives:
one answer; two where the host streams; in a dialog one for each request. Each has to be of the
right type, from the right method, and tell the request's length. A line for each service, and
counts.

Exit code: 0 all passed; 1 something failed; 69 no host to be reached.
"""

import sys

sys.dont_write_bytecode = True

import argparse
import collections

import grpc

from reflection_client import Mismatch, ReflectionClient
from request_filler import RequestFiller

PREFIX = "corpus."
SOON = 30.0  # seconds; a bound for hanging, and not for speed
REQUESTS = 3  # in a stream of them
FAILED, UNREACHABLE = 1, 69

# As in answers.h.
PATH_FIELD, BYTES_FIELD = 400_000_001, 400_000_002

Kind = collections.namedtuple("Kind", "name stub")

# By whether the client streams, and whether the host does.
KINDS = {
    (False, False): Kind("unary", "unary_unary"),
    (False, True): Kind("server stream", "unary_stream"),
    (True, False): Kind("client stream", "stream_unary"),
    (True, True): Kind("dialog", "stream_stream"),
}


def kind_of(rpc):
    return KINDS[rpc.client_streaming, rpc.server_streaming]


class Caller:
    """Calls rpcs with requests that are made for them."""

    def __init__(self, channel, client, seed):
        self._channel = channel
        self._client = client
        self._seed = seed

    def call(self, rpc):
        """Returns nothing, and raises Mismatch or grpc.RpcError."""
        request_class = self._client.message_class(rpc.input_type)
        answer_class = self._client.message_class(rpc.output_type)
        filler = RequestFiller(f"{self._seed} {rpc.path}")
        requests = [filler.filled(request_class)
                    for _ in range(REQUESTS if rpc.client_streaming else 1)]
        call = getattr(self._channel, kind_of(rpc).stub)(
            rpc.path, request_serializer=request_class.SerializeToString,
            response_deserializer=answer_class.FromString)
        answers = call(iter(requests) if rpc.client_streaming else requests[0], timeout=SOON)
        answers = list(answers) if rpc.server_streaming else [answers]
        lengths = expected_lengths(rpc, [request.ByteSize() for request in requests])
        if len(answers) != len(lengths):
            raise Mismatch(f"{len(answers)} answers, expected {len(lengths)}")
        for answer, length in zip(answers, lengths):
            check_answer(answer, rpc, length)


def expected_lengths(rpc, lengths):
    """What the answers tell of the requests' lengths."""
    if not rpc.server_streaming:
        return [sum(lengths)]
    return lengths if rpc.client_streaming else 2 * lengths


def check_answer(answer, rpc, length):
    if not answer.IsInitialized():
        raise Mismatch(f"the answer lacks {', '.join(answer.FindInitializationErrors())}")
    if answer.DESCRIPTOR.full_name != rpc.output_type:
        raise Mismatch(f"the answer is a {answer.DESCRIPTOR.full_name}, "
                       f"expected a {rpc.output_type}")
    told = {field.field_number: field.data for field in answer.UnknownFields()}
    expected = {PATH_FIELD: rpc.path.encode(), BYTES_FIELD: length}
    if told != expected:
        raise Mismatch(f"the answer tells {told}, expected {expected}")


def text_of(error):
    if isinstance(error, grpc.RpcError):
        return f"{error.code().name}: {error.details()}"
    return str(error)


class Report:
    """A line for each service, then counts."""

    def __init__(self):
        self._services = 0
        self._kinds = collections.Counter()
        self._failures = 0

    def service(self, name, rpcs, failures):
        kinds = collections.Counter(kind_of(rpc).name for rpc in rpcs)
        self._services += 1
        self._kinds.update(kinds)
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        print(f"{'FAILED' if failures else 'ok':6} {name}: {counts}")
        self.failures(failures)

    def failures(self, failures):
        self._failures += len(failures)
        for failure in failures:
            print(f"       {failure}")

    def summary(self):
        kinds = ", ".join(f"{self._kinds[kind.name]} {kind.name}" for kind in KINDS.values())
        print(f"{self._services} services, {sum(self._kinds.values())} rpcs ({kinds}), "
              f"{self._failures} failures")
        return FAILED if self._failures else 0


def check_services(listed, expected):
    """What is wrong with the list of services."""
    repeated = [name for name, count in collections.Counter(listed).items() if count > 1]
    failures = [f"{name} is listed more than once" for name in repeated]
    if expected:
        failures += [f"{name} is not listed" for name in sorted(set(expected) - set(listed))]
        failures += [f"{name} is listed, and not expected"
                     for name in sorted(set(listed) - set(expected))]
    return failures


def check_service(name, client, caller):
    """The rpcs of a service, and what failed of them."""
    try:
        client.learn(name)
        rpcs = client.rpcs(name)
    except (Mismatch, grpc.RpcError) as error:
        return [], [f"reflection: {text_of(error)}"]
    failures = []
    for rpc in rpcs:
        try:
            client.check_symbol(f"{name}.{rpc.name}", client.file_of(name))
            caller.call(rpc)
        except (Mismatch, grpc.RpcError) as error:
            failures.append(f"{rpc.path}: {text_of(error)}")
    return rpcs, failures


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", metavar="ADDRESS", help="HOST:PORT or unix:/path")
    parser.add_argument("expected", metavar="SERVICE", nargs="*",
                        help="the full name of an expected service, or @FILE")
    parser.add_argument("--seed", type=int, default=1,
                        help="what the fields are set from; default: %(default)s")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    with grpc.insecure_channel(arguments.address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=SOON)
        except grpc.FutureTimeoutError:
            print(f"no host at {arguments.address}", file=sys.stderr)
            return UNREACHABLE
        with ReflectionClient(channel, SOON) as client:
            report = Report()
            listed = [name for name in client.list_services() if name.startswith(PREFIX)]
            report.failures(check_services(listed, arguments.expected))
            caller = Caller(channel, client, arguments.seed)
            for name in sorted(listed):
                report.service(name, *check_service(name, client, caller))
            return report.summary()


if __name__ == "__main__":
    sys.exit(main())
