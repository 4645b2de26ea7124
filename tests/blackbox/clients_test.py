"""protos/clients.md, as far as it goes with what tests/run installs: its Python client and its
grpcurl, word for word, ask a real host for the time."""

import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
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

    def test_PythonClient_TellsTheTimeInTokyo(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory)
            # Debian's generator, in place of that of grpcio-tools, writes the same files.
            subprocess.run(
                ["protoc", f"-I{places.REPOSITORY}/protos", f"--python_out={path}",
                 f"--grpc_out={path}", "--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin",
                 "mainspring/clock/v1/clock.proto"], check=True)
            (path / "client.py").write_text(self.at_host(section("Python")["python"]))
            done = subprocess.run([sys.executable, "client.py"], cwd=path, capture_output=True,
                                  text=True, timeout=60, check=False)
        self.assertRegex(done.stdout, rf"^{TOKYO}\n$", done.stderr)

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
