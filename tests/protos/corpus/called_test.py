"""The corpus, generated, compiled and linked into one host by a build of somebody's own, and every rpc of it
called by a client that knows nothing but reflection."""

import pathlib
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parents[1]
sys.path[:0] = [str(TESTS / "deploy"), str(TESTS / "blackbox"), str(HERE)]

from harness import places  # pylint: disable=wrong-import-position
from harness.case import HostTestCase  # pylint: disable=wrong-import-position
from image import run  # pylint: disable=wrong-import-position


class Corpus(HostTestCase):
    def test_EveryRpc_IsCompiledAndCalled(self):
        # It stays, so that what has not changed is not compiled again.
        work = places.BUILD / "tests/protos/corpus"
        installed, build = work / "installed", work / "host"
        shutil.rmtree(installed, ignore_errors=True)
        run("cmake", "--install", places.BUILD, "--prefix", installed)
        # Not optimised: it is a question of what compiles, and of what answers.
        run("cmake", "-S", HERE / "host", "-B", build, "-G", "Ninja",
            f"-DCMAKE_PREFIX_PATH={installed}", "-DCMAKE_CXX_FLAGS=-O0",
            f"-DPYTHON={sys.executable}")
        run("cmake", "--build", build)
        services = (build / "host/services.txt").read_text().split()
        self.assertGreater(len(services), 90)
        host = self.start_host(binary=build / "corpus_host")
        called = subprocess.run([sys.executable, "-B", HERE / "call_all.py", host.data, *services],
                                capture_output=True, text=True, check=False)
        self.assertEqual(called.returncode, 0, called.stdout[-4000:] + called.stderr)


if __name__ == "__main__":
    unittest.main()
