"""The includes of the tree keep to the floors, and the check finds those that do not."""

import pathlib
import unittest

import floors
from planted import PlantedTreeTest, report

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Tree(unittest.TestCase):
    def test_includes_keep_to_their_floors(self):
        found = list(floors.check(ROOT))
        self.assertFalse(found, report(found))


class Planted(PlantedTreeTest):
    def found(self, path, *includes):
        """What the check says about a file with these includes."""
        self.plant(path, "".join(f"#include {name}\n" for name in includes))
        return [violation for violation in floors.check(self.root) if violation.path == path]

    def assert_refused(self, path, include):
        found = self.found(path, "<string>", include)
        self.assertEqual([2], [violation.line for violation in found], (path, include))

    def assert_allowed(self, path, *includes):
        found = self.found(path, *includes)
        self.assertFalse(found, report(found))

    def test_violation_says_file_line_what_and_what_to_do(self):
        (violation,) = self.found("components/clock/clock.h", "<string>", '"mainspring/server/host.h"')
        self.assertRegex(
            str(violation),
            r'^components/clock/clock\.h:2: includes "server/host\.h": a component never sees .+',
        )

    def test_component_that_includes_what_it_must_not_is_refused(self):
        for include in (
            '"mainspring/server/host.h"',
            "<server/rpc/ingress.h>",
            "<grpcpp/grpcpp.h>",
            '"grpcpp/grpcpp.h"',
            "<grpc/grpc.h>",
            "<grpc++/grpc++.h>",
            '"mainspring/clock/v1/clock.grpc.pb.h"',
            '"mainspring/clock/v1/clock.binding.pb.h"',
            '"tests/testing/fake_clock.h"',
            '"clients/call.h"',
        ):
            self.assert_refused("components/clock/clock.cc", include)

    def test_component_that_includes_model_and_messages_is_allowed(self):
        self.assert_allowed(
            "components/clock/clock.h",
            '"mainspring/component.h"',
            '"components/clock/zone.h"',
            '"mainspring/clock/v1/clock.component.pb.h"',
            '"grpc/health/v1/health.pb.h"',
            '"absl/time/time.h"',
            "<vector>",
        )

    def test_model_that_includes_a_component_is_refused(self):
        self.assert_refused("components/mainspring/context.h", '"components/clock/clock.h"')

    def test_component_test_is_bound_like_a_component(self):
        path = "tests/components/mainspring/mailbox_test.cc"
        self.assert_refused(path, "<grpcpp/grpcpp.h>")
        self.assert_refused(path, '"mainspring/server/host.h"')
        self.assert_allowed(path, '"tests/testing/fake_clock.h"', "<gtest/gtest.h>")

    def test_grpc_in_the_server_only_below_rpc(self):
        for include in ("<grpcpp/server.h>", "<grpc/grpc.h>", '"grpc/health/v1/health.grpc.pb.h"'):
            self.assert_refused("server/health/health.cc", include)
        self.assert_allowed("server/rpc/ingress.h", "<grpcpp/server.h>", "<grpc/grpc.h>")

    def test_component_types_are_named_by_main_alone(self):
        self.assert_refused("server/host.cc", '"components/clock/clock.h"')
        self.assert_refused("server/main.cc", '"tests/testing/world.h"')
        self.assert_allowed("server/main.cc", '"components/clock/clock.h"', '"mainspring/server/host.h"')

    def test_folder_of_the_server_that_includes_one_above_is_refused(self):
        self.assert_refused("server/supervisor/engine.cc", '"mainspring/server/lifecycle/operations.h"')
        self.assert_refused("server/rpc/plane.cc", '"mainspring/server/planes/planes.h"')
        self.assert_refused("server/planes/planes.cc", '"mainspring/server/host.h"')
        self.assert_allowed("server/planes/planes.cc", '"mainspring/server/rpc/plane.h"', '"mainspring/server/planes/x.h"')
        self.assert_allowed("server/host.cc", '"mainspring/server/planes/planes.h"', '"mainspring/server/host.h"')

    def test_header_of_the_server_is_spelt_as_it_is_installed(self):
        self.assert_refused("server/host.cc", '"server/host.h"')
        self.assert_refused("tests/server/host_test.cc", '"server/host.h"')

    def test_folder_of_the_server_without_a_floor_is_refused(self):
        self.assert_refused("server/attic/box.cc", '"mainspring/server/rpc/plane.h"')
        self.assert_refused("server/rpc/plane.cc", '"mainspring/server/attic/box.h"')

    def test_client_is_included_by_the_main_of_a_host_alone(self):
        self.assert_allowed("server/host_main.cc", '"clients/probe/health_probe.h"')
        self.assert_refused("server/host_main.cc", '"clients/call/call.h"')
        self.assert_refused("server/host.cc", '"clients/probe/health_probe.h"')

    def test_plugin_that_includes_the_runtime_is_refused(self):
        path = "protos/plugin/component_emitter.cc"
        for include in (
            '"mainspring/component.h"',
            '"components/mainspring/call.h"',
            '"mainspring/server/host.h"',
            "<grpcpp/grpcpp.h>",
            '"mainspring/clock/v1/clock.pb.h"',
        ):
            self.assert_refused(path, include)
        self.assert_allowed(path, '"protos/plugin/service.h"', '"google/protobuf/descriptor.pb.h"')

    def test_client_that_includes_more_than_protos_is_refused(self):
        path = "clients/call/call.cc"
        for include in (
            '"mainspring/component.h"',
            '"components/clock/clock.h"',
            '"mainspring/server/host.h"',
            '"mainspring/clock/v1/clock.component.pb.h"',
        ):
            self.assert_refused(path, include)
        self.assert_allowed(path, '"mainspring/clock/v1/clock.grpc.pb.h"', "<grpcpp/channel.h>")

    def test_what_generated_bindings_include_is_free_of_grpc(self):
        path = "server/rpc/binding.h"
        self.assert_refused(path, "<grpcpp/grpcpp.h>")
        self.assert_refused(path, '"mainspring/server/rpc/stream_call.h"')
        self.assert_allowed(path, '"mainspring/server/rpc/typed_call.h"', '"mainspring/mailbox.h"')

    def test_relative_include_is_refused_and_seen_for_what_it_is(self):
        self.plant("server/host.h")
        self.assert_refused("components/clock/clock.cc", '"../../server/host.h"')
        self.assert_refused("server/host.cc", '"host.h"')

    def test_include_that_the_compiler_does_not_see_is_none(self):
        self.plant(
            "protos/plugin/emitter.cc",
            '// x\n/*\n#include "mainspring/server/a.h"\n*/\n'
            'const char* kText = R"(\n#include "mainspring/component.h"\n)";\n'
            'const char kEnd = \'"\'; int n = 1\'000;\n#include "mainspring/server/host.h"\n',
        )
        self.assertEqual([9], [violation.line for violation in floors.check(self.root)])


if __name__ == "__main__":
    unittest.main()
