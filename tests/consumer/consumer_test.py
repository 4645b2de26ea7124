"""A project of a user's own, which has Mainspring in each of three ways, is built and run: installed and
found by find_package, with the source tree out of sight; as a folder, by add_subdirectory; and from an
archive, by FetchContent."""

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "deploy"), str(TESTS / "blackbox"), str(TESTS / "house")]

from harness import grpcurl, places  # pylint: disable=wrong-import-position
from harness.case import HostTestCase  # pylint: disable=wrong-import-position
from image import run  # pylint: disable=wrong-import-position
import source_tree  # pylint: disable=wrong-import-position

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = ("CMakeLists.txt", "weather.cc", "weather/v1/weather.proto")


def hidden(*command):
    """The command in a mount namespace of its own, where source tree and build are empty."""
    trees = [str(places.BUILD), str(places.REPOSITORY)]
    words = " ".join(f"'{word}'" for word in map(str, command))
    mounts = " && ".join(f"mount -t tmpfs none '{tree}'" for tree in trees)
    return ["unshare", "--mount", "sh", "-c", f"{mounts} && exec {words}"]


class Consumer(HostTestCase):
    """The project, in a folder of its own, and what it answers."""

    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp(prefix="mainspring-consumer-"))
        cls.addClassCleanup(shutil.rmtree, cls.work, ignore_errors=True)
        for name in PROJECT:
            copy = cls.work / "weather" / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(HERE / name, copy)
        # A folder of their own that is called like one of ours.
        own = cls.work / "weather/server/host.h"
        own.parent.mkdir()
        own.write_text("#error included in place of Mainspring's\n")

    def assert_answers(self, binary):
        grpcurl.require()
        config = self.work / "host.yaml"
        config.write_text("components: [{name: weather, config: {most_days: 2}}]\n")
        host = self.start_host(f"--config={config}", binary=binary)
        for celsius, mean in ((10, 10), (20, 15)):
            self.assertEqual(self.call(host, "Record", {"celsius": celsius}), [{"mean": mean}])
        self.assertEqual(self.call(host, "Forecast", {"days": 7}),
                         [{"day": 1, "celsius": 15}, {"day": 2, "celsius": 15}])

    def call(self, host, method, data):
        result = grpcurl.run(host.data, f"weather.v1.Weather/{method}", data=data)
        self.assertEqual(result.exit, 0, result.error)
        return grpcurl.messages(result.output)


class Installed(Consumer):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.installed = cls.work / "installed"
        run("cmake", "--install", places.BUILD, "--prefix", cls.installed)

    def test_WhatIsInstalled_KnowsNothingOfWhereItWasBuilt(self):
        for path in self.installed.rglob("*"):
            if path.suffix not in (".cmake", ".h", ".proto"):
                continue
            text = path.read_text()
            for tree in (places.REPOSITORY, places.BUILD):
                self.assertNotIn(str(tree), text, f"expected no path of the build in {path}")

    def test_WhatIsInstalled_PutsNothingButItsOwnFolderOnTheIncludePath(self):
        self.assertEqual([path.name for path in (self.installed / "include").iterdir()],
                         ["mainspring"])
        documents = {path.name for path in (self.installed / "share/doc/mainspring").iterdir()}
        self.assertLessEqual({"README.md", "LICENSE", "CHANGELOG.md", "example"}, documents)

    def test_WhatIsInstalled_HasNoDebugInformation(self):
        for library in (self.installed / "lib").rglob("*.a"):
            sections = run("readelf", "--wide", "--sections", library)
            self.assertNotIn(".debug_info", sections, library.name)

    def test_EveryHeader_IsComplete(self):
        include = self.installed / "include"
        headers = sorted(path.relative_to(include) for path in include.rglob("*.h"))
        self.assertGreater(len(headers), 40)
        source = self.work / "all.cc"
        source.write_text("".join(f'#include "{header}"\n' for header in headers))
        run("c++", "-std=c++20", "-fsyntax-only", f"-I{include}", source)

    def test_AProgramOfOneService_IsSmall(self):
        stripped = self.work / "greeter"
        run("strip", "-o", stripped, places.BUILD / "tests/example/greeter")
        self.assertLess(stripped.stat().st_size, 2_000_000)

    def test_TheProject_IsShort(self):
        lines = sum(len((HERE / name).read_text().splitlines()) for name in PROJECT)
        self.assertLess(lines, 80)

    def test_TheProject_BuildsWithoutTheSourceTreeRunsAndAnswers(self):
        grpcurl.require()
        tried = subprocess.run(hidden("true"), capture_output=True, text=True, check=False, cwd="/")
        if tried.returncode != 0:
            self.skipTest(f"SKIPPED, nothing was tested: {tried.stderr}")
        build = self.work / "build"
        run(*hidden("cmake", "-S", self.work / "weather", "-B", build, "-G", "Ninja",
                    f"-DCMAKE_PREFIX_PATH={self.installed}",
                    f"-DCMAKE_CXX_FLAGS=-I{self.work}/weather"), cwd="/")
        run(*hidden("cmake", "--build", build), cwd="/")
        self.assert_answers(build / "weatherd")


class Subproject(Consumer):
    """Where Mainspring is a part of the project's own build."""

    def test_TheFolder_AddedToTheProject_IsBuiltWithItAndAnswers(self):
        self.assert_builds_and_answers(places.REPOSITORY)

    def test_TheArchive_FetchedByTheProject_IsBuiltWithItAndAnswers(self):
        archive = self.work / "mainspring.tar.gz"
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            for path in source_tree.files(places.REPOSITORY):
                tar.add(path, pathlib.Path("mainspring") / path.relative_to(places.REPOSITORY))
        self.assert_builds_and_answers(archive.as_uri())

    def assert_builds_and_answers(self, mainspring):
        build = self.work / "build"
        self.addCleanup(shutil.rmtree, build)
        # Unoptimised, several sources at a time: this is about how it is built, not what comes of it.
        configured = self.said("cmake", "-S", self.work / "weather", "-B", build, "-G", "Ninja",
                               f"-DMAINSPRING={mainspring}", "-DCMAKE_UNITY_BUILD=ON",
                               f"-DCMAKE_CXX_FLAGS=-I{self.work}/weather")
        self.assertNotIn("warning", configured.lower())
        built = self.said("cmake", "--build", build)
        self.assertNotIn("warning", built.lower())
        self.assertEqual(list(build.rglob("CTestTestfile.cmake")), [], "expected no tests of ours")
        self.assertEqual(list(build.rglob("mainspringd")), [],
                         "expected nothing to be built that the project does not link")
        self.assert_answers(build / "weatherd")

    def said(self, *command):
        """All that the command printed, which must succeed."""
        # The folder has another name each time; ccache is not to see it.
        environment = os.environ | {"CCACHE_BASEDIR": str(self.work)}
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=False,
                              stderr=subprocess.STDOUT, env=environment, cwd="/")
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout


if __name__ == "__main__":
    unittest.main(verbosity=2)
