"""The plugin takes every proto of the corpus as it is, without an option: four files for each."""

import os
import pathlib
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOTS = [HERE / "protos", HERE / "vendor"]
ENDINGS = (".component.pb.h", ".component.pb.cc", ".binding.pb.h", ".binding.pb.cc")


class Corpus(unittest.TestCase):
    def test_EveryProto_IsTakenAsItIs(self):
        protos = sorted(str(path.relative_to(root)) for root in ROOTS
                        for path in root.rglob("*.proto"))
        self.assertGreater(len(protos), 90)
        with tempfile.TemporaryDirectory() as output:
            done = subprocess.run(
                [os.environ["MAINSPRING_PROTOC"], *(f"-I{root}" for root in ROOTS),
                 f"--mainspring_out={output}",
                 "--plugin=protoc-gen-mainspring=" + os.environ["MAINSPRING_PLUGIN"], *protos],
                capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            for proto in protos:
                for ending in ENDINGS:
                    path = pathlib.Path(output, proto.removesuffix(".proto") + ending)
                    self.assertTrue(path.exists(), path)


if __name__ == "__main__":
    unittest.main()
