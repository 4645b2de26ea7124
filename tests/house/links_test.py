"""The targets of the tree keep to the floors, and the check finds those that do not."""

import os
import pathlib
import unittest

import links
from planted import PlantedTreeTest, report

BUILT = {
    "mainspring_model": ("components/mainspring", "absl::base"),
    "clock_component": ("protos", "clock_proto;mainspring_model"),
    "clock_proto": ("protos", "protobuf::libprotobuf;$<LINK_ONLY:mainspring_sanitize>"),
    "clock_grpc": ("protos", "clock_proto;gRPC::grpc++"),
    "clock_binding": ("protos", "clock_component;mainspring_rpc"),
    "mainspring_rpc": ("server/rpc", "mainspring_model;gRPC::grpc++"),
    "mainspringd": ("server", "clock_binding;probe"),
    "protoc-gen-mainspring": ("protos/plugin", "protobuf::libprotoc"),
    "mailbox_test": ("tests/components/mainspring", "mainspring_model;GTest::gtest_main"),
    "host_test": ("tests/server", "mainspring_rpc;GTest::gtest_main"),
    "call": ("clients/call", "clock_grpc"),
    "probe": ("clients/probe", "clock_grpc"),
}


class Tree(unittest.TestCase):
    def test_targets_keep_to_their_floors(self):
        table = os.environ.get("MAINSPRING_LINKS")
        if not table:
            self.skipTest("run by ctest, which names the table that CMake wrote")
        targets = links.read(pathlib.Path(table))
        self.assertIn("mainspring_model", targets, f"{table} is not of this tree")
        found = list(links.check(targets))
        self.assertFalse(found, report(found))


class Planted(PlantedTreeTest):
    def found(self, **changed):
        """What the check says about the targets of BUILT, with these changed."""
        lines = []
        for name, (folder, names) in {**BUILT, **changed}.items():
            lines.append(f"{name}\tSTATIC_LIBRARY\t{folder}\t{names}\n")
        self.plant("links.tsv", "".join(lines))
        return [str(violation) for violation in links.check(links.read(self.root / "links.tsv"))]

    def assert_refused(self, remedy, **changed):
        found = self.found(**changed)
        self.assertTrue([text for text in found if remedy in text], (changed, found))

    def test_targets_as_designed_are_allowed(self):
        self.assertEqual([], self.found())

    def test_component_that_links_grpc_through_another_is_refused_with_the_way(self):
        found = self.found(clock_component=("protos", "clock_proto;$<LINK_ONLY:clock_grpc>"))
        self.assertEqual(
            [
                "protos/CMakeLists.txt:1: target clock_component -> clock_grpc -> gRPC::grpc++: "
                "components and their tests link no gRPC"
            ],
            found,
        )

    def test_link_that_a_floor_must_not_have_is_refused(self):
        folder = "components/mainspring"
        self.assert_refused("link no gRPC", mainspring_model=(folder, "-lgrpc++"))
        self.assert_refused("never see the host", mainspring_model=(folder, "mainspringd"))
        self.assert_refused(
            "link no gRPC", mailbox_test=("tests/components/mainspring", "mainspring_rpc")
        )
        self.assert_refused("outside tests/", mainspringd=("server", "mailbox_test"))
        self.assert_refused("does not know its clients", mainspringd=("server", "call"))
        self.assert_refused("does not know its clients", mainspring_rpc=("server/rpc", "probe"))
        self.assert_refused("know only protos", call=("clients/call", "clock_component"))
        plugin = {"protoc-gen-mainspring": ("protos/plugin", "mainspring_model")}
        self.assert_refused("never links the runtime", **plugin)


if __name__ == "__main__":
    unittest.main()
