"""The base of the tests that ask a host by grpcurl."""

from harness import grpcurl
from harness.case import HostTestCase

# What grpcurl exits with is 64 and the status code.
(INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED,
 UNIMPLEMENTED, UNAVAILABLE) = (64 + code for code in (3, 4, 5, 6, 9, 10, 12, 14))


class GrpcurlTestCase(HostTestCase):
    def setUp(self):
        grpcurl.require()
        self.host = self.start()

    def start(self):
        """The host that is asked."""
        return self.start_host()

    def ask(self, *arguments, address=None, expect=0, **options):
        """Runs grpcurl, which must exit with `expect`; its output, or its error text."""
        result = grpcurl.run(address or self.host.data, *arguments, **options)
        self.assertEqual(result.exit, expect, f"expected exit {expect} of grpcurl "
                         f"{' '.join(arguments)}, got:\n{result.output}{result.error}")
        return result.error if expect else result.output

    def ask_one(self, method, data, **options):
        """The one JSON answer of a call."""
        answers = grpcurl.messages(self.ask(method, data=data, **options))
        self.assertEqual(len(answers), 1, f"expected one answer of {method}, got {answers}")
        return answers[0]
