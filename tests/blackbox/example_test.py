"""The README's component, as its author sees it: served, described, drained."""

import signal
import unittest

from harness import grpcurl, places
from harness.case import HostTestCase

GREETER = places.BUILD / "tests" / "example" / "greeter"


class Example(HostTestCase):
    def test_SayHello_IsAnsweredByTheComponent(self):
        grpcurl.require()
        host = self.start_host(binary=GREETER)
        for greeted in ("1", "2"):
            result = grpcurl.run(host.data, "hello.v1.Greeter/SayHello", data={"name": "Ada"})
            self.assertEqual(result.exit, 0, result.error)
            self.assertEqual(grpcurl.messages(result.output),
                             [{"text": "Hello, Ada!", "greeted": greeted}],
                             "expected the README's answer")
        host.signal(signal.SIGTERM)
        self.assertEqual(host.wait(), 0, "expected a clean drain")


if __name__ == "__main__":
    unittest.main()
