"""What the host refuses at the door: messages, metadata and encodings beyond its limits."""

import unittest

import grpc

from harness import raw_http2
from harness.case import HostTestCase
from harness.client import SOON
from harness.protos import trial

MIB = 1024 * 1024


class Limits(HostTestCase):
    def setUp(self):
        self.host = self.start_trial_host()
        connection = self.connect(self.host.data, ("grpc.max_receive_message_length", -1),
                                  ("grpc.max_metadata_size", MIB))
        self.stub = trial.stub(connection, "Trial")

    def echo(self, text="hello", **options):
        return self.stub.Echo(trial.EchoRequest(text=text), timeout=SOON, **options).text

    def assert_serves_on(self):
        self.assertEqual(self.echo(), "hello", "expected the next call of this client to be served")

    def test_MessageOf4MiB_IsTheMost(self):
        text = "x" * (4 * MIB - 1024)
        self.assertEqual(self.echo(text), text, "expected a message just under 4 MiB to be served")
        self.assert_fails(grpc.StatusCode.RESOURCE_EXHAUSTED,
                          lambda: self.echo("x" * (4 * MIB + 1)), "a message over 4 MiB")
        self.assert_serves_on()

    def test_MetadataOf16KiB_IsTheMost(self):
        self.assertEqual(self.echo(metadata=[("x-padding", "x" * 8 * 1024)]), "hello",
                         "expected 8 KiB of metadata to be served")
        self.assert_fails(grpc.StatusCode.RESOURCE_EXHAUSTED,
                          lambda: self.echo(metadata=[("x-padding", "x" * 20 * 1024)]),
                          "metadata over 16 KiB")
        # gRPC gives up the connection over it, whatever server is behind: a new one is served.
        self.stub = trial.stub(self.connect(self.host.data), "Trial")
        self.assert_serves_on()

    def test_DeadlineFarBeyondAnyClock_IsServed(self):
        """grpc-timeout has up to eight digits; 99999999 hours end in the year 13434."""
        request = trial.EchoRequest(text="patient").SerializeToString()
        for timeout in ("10S", "2000000H", "2100000H", "99999999H"):
            answers = raw_http2.ask(self.host.data, "/mainspring.trial.v1.Trial/Echo",
                                    {"grpc-timeout": timeout}, request)
            self.assertEqual([trial.EchoResponse.FromString(each).text for each in answers],
                             ["patient"], f"expected a call with {timeout} to be served")

    def test_MetadataThatIsNoText_IsReadableInAnAnswer(self):
        request = trial.EchoRequest().SerializeToString()
        [answer] = raw_http2.ask(self.host.data, "/mainspring.trial.v1.Trial/Echo",
                                 {"traceparent": "caf\xe9"}, request)
        self.assertEqual(trial.EchoResponse.FromString(answer).traceparent, "caf\\xe9")

    def test_CompressedRequest_IsUnimplemented(self):
        for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
            self.assert_fails(grpc.StatusCode.UNIMPLEMENTED,
                              lambda: self.echo("x" * 10_000, compression=compression),
                              f"a request compressed by {compression.name}")
        self.assert_serves_on()

    def test_UnknownMethod_IsUnimplemented(self):
        connection = self.connect(self.host.data)
        admin = self.host.admin.removeprefix("ipv4:")
        for path, why in (
                ("/mainspring.trial.v1.Trial/NoSuch",
                 "service mainspring.trial.v1.Trial has no method NoSuch; list them by reflection"),
                ("/no.Such/Method", "no service no.Such here; list them by reflection"),
                ("/mainspring.lifecycle.v1.Lifecycle/ListComponents",
                 "no mainspring.lifecycle.v1.Lifecycle here; it is on the admin plane " + admin)):
            call = connection.unary_unary(path)
            error = self.assert_fails(grpc.StatusCode.UNIMPLEMENTED,
                                      lambda: call(b"", timeout=SOON), path)
            self.assertEqual(error.details(), why, f"expected {path} to be told the way out")

    def test_GarbledRequest_FailsAndTheComponentLives(self):
        call = self.connect(self.host.data).unary_unary("/mainspring.trial.v1.Trial/Echo")
        self.assert_fails(grpc.StatusCode.INTERNAL, lambda: call(b"\xff\xff\xff", timeout=SOON),
                          "bytes that are no EchoRequest")
        self.assert_serves_on()


if __name__ == "__main__":
    unittest.main(verbosity=2)
