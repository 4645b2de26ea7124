"""The grpcurl of protos/clients.md, word for word, asks a real host for the time. The clients of the
page are tested in tests/clients/examples."""

import re
import shlex
import subprocess
import unittest

from harness import grpcurl, places
from harness.case import HostTestCase

TOKYO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\+09:00"


def section(title):
    """The blocks of code below a heading, by language."""
    page = (places.REPOSITORY / "protos/clients.md").read_text()
    text = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page, re.S | re.M).group(1)
    return dict(re.findall(r"^```(\w+)\n(.*?)^```", text, re.S | re.M))


class Clients(HostTestCase):
    def setUp(self):
        self.address = self.start_host().data.removeprefix("ipv4:")

    def at_host(self, text):
        self.assertIn("localhost:50051", text, "expected the address of the page")
        return text.replace("localhost:50051", self.address)

    def test_Grpcurl_TellsTheTimeInTokyo(self):
        program = grpcurl.require()
        commands = section("Without files: grpcurl")["sh"].replace("\\\n", "").splitlines()
        asked = [shlex.split(self.at_host(each)) for each in commands if each.startswith("grpcurl ")]
        outputs = [subprocess.run([program, *each[1:]], capture_output=True, text=True, timeout=60,
                                  check=True).stdout for each in asked]
        self.assertIn("mainspring.clock.v1.Clock\n", outputs[0])
        self.assertIn("rpc GetTime", outputs[1])
        self.assertRegex(outputs[2], rf'"rfc3339": "{TOKYO}"')


if __name__ == "__main__":
    unittest.main()
