"""The tree has its shape, and each check finds what breaks it."""

import pathlib
import unittest

import tree
from planted import PlantedTreeTest, report

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Tree(unittest.TestCase):
    def assert_clean(self, check):
        found = list(check(ROOT))
        self.assertFalse(found, report(found))

    def test_nothing_else_stands_at_the_top(self):
        self.assert_clean(tree.check_top)

    def test_no_source_is_too_long(self):
        self.assert_clean(tree.check_length)

    def test_example_clients_are_short(self):
        self.assert_clean(tree.check_examples)

    def test_tests_mirror_the_tree(self):
        self.assert_clean(tree.check_mirror)

    def test_no_name_says_nothing(self):
        self.assert_clean(tree.check_words)

    def test_nothing_sleeps(self):
        self.assert_clean(tree.check_sleeps)

    def test_nothing_is_left_over(self):
        self.assert_clean(tree.check_left_over)


class Planted(PlantedTreeTest):
    def assert_found(self, check, *places):
        """The check finds exactly these, each (path, line)."""
        found = list(check(self.root))
        self.assertEqual(sorted(places), sorted(violation[:2] for violation in found), report(found))
        for violation in found:
            self.assertRegex(str(violation), r"^[^:]+:\d+: [^:].*: .+")

    def test_top_with_another_entry(self):
        for path in ("README.md", "server/host.h", ".github/x", "src/a.cc", "notes.txt"):
            self.plant(path)
        self.assert_found(tree.check_top, ("src", 1), ("notes.txt", 1))

    def test_source_of_one_line_too_many(self):
        for path in ("server/a.cc", "tests/run", "protos/x.proto", "tests/x.py", "server/CMakeLists.txt"):
            self.plant(path, "x\n" * (tree.LONGEST + 1))
        self.plant("server/b.cc", "x\n" * tree.LONGEST)
        self.plant("README.md", "x\n" * 1000)
        self.assert_found(
            tree.check_length,
            *((path, 501) for path in (
                "server/a.cc", "tests/run", "protos/x.proto", "tests/x.py", "server/CMakeLists.txt",
            )),
        )  # fmt: skip

    def test_header_of_one_line_too_many(self):
        self.plant("server/a.h", "x\n" * (tree.LONGEST_HEADER + 1))
        self.plant("server/b.h", "x\n" * tree.LONGEST_HEADER)
        self.assert_found(tree.check_length, ("server/a.h", 251))

    def test_example_of_one_line_too_many(self):
        for path in ("cpp/client.cc", "go/main.go", "java/src/main/java/Client.java", "rust/src/main.rs"):
            self.plant(f"clients/examples/{path}", "x\n" * (tree.LONGEST_EXAMPLE + 1))
        self.plant("clients/examples/python/client.py", "x\n" * tree.LONGEST_EXAMPLE)
        for path in ("README.md", "go/clockv1/clock.pb.go", "python/mainspring/clock_pb2.py"):
            self.plant(f"clients/examples/{path}", "x\n" * 1000)
        self.plant("clients/examples/zig/clock.zig")
        self.assert_found(
            tree.check_examples,
            *((f"clients/examples/{path}", 60) for path in (
                "cpp/client.cc", "go/main.go", "java/src/main/java/Client.java", "rust/src/main.rs",
            )),
            ("clients/examples/zig", 1),
        )  # fmt: skip

    def test_test_without_a_subject(self):
        self.plant("components/mainspring/mailbox.h")
        self.plant("server/supervisor/table.cc")
        for path in (
            "tests/components/mainspring/mailbox_test.cc",
            "tests/server/supervisor/table_test.cc",
            "tests/server/supervisor/table_theme_test.cc",
            "tests/bench/any_test.cc",
            "tests/protos/plugin/any_test.cc",
            "tests/components/mainspring/letterbox_test.cc",
            "tests/mailbox_test.cc",
            "components/mainspring/mailbox_test.cc",
        ):
            self.plant(path)
        self.assert_found(
            tree.check_mirror,
            ("tests/components/mainspring/letterbox_test.cc", 1),
            ("tests/mailbox_test.cc", 1),
            ("components/mainspring/mailbox_test.cc", 1),
        )

    def test_file_name_that_is_not_of_the_house(self):
        for path in ("server/host.cpp", "server/Host.h", "server/clock.pb.h"):
            self.plant(path)
        self.assert_found(tree.check_mirror, ("server/host.cpp", 1), ("server/Host.h", 1))

    def test_word_that_says_nothing_in_a_path(self):
        for path in ("server/util/a.h", "server/call_manager.h", "server/uncommon.h"):
            self.plant(path)
        self.assert_found(
            tree.check_words, ("server/util/a.h", 1), ("server/call_manager.h", 1)
        )

    def test_word_that_says_nothing_in_a_definition(self):
        self.plant(
            "server/a.h",
            "#include <utility>\n"
            "class CallManager;\n"
            "namespace mainspring::util {\n"
            "struct HTTPCommon {};\n"
            "enum class Singleton_Kind { kA };\n"
            "std::common_type_t<int, long> x;  // a class CallManager of old\n"
            'const char* kText = "class CallManager";\n'
            "class Commonwealth {};\n"
            "using namespace google::protobuf::util;\n"
            "using google::protobuf::util::JsonStringToMessage;\n"
            "using Util = int;\n"
            "}\n",
        )
        self.plant("protos/a.proto", 'syntax = "proto3";\nmessage CommonReply {}\n')
        self.plant("tests/a.py", "x = '''\nclass AManager:\n'''\nclass BManager:\n  pass\n")
        self.assert_found(
            tree.check_words,
            *(("server/a.h", line) for line in (2, 3, 4, 5, 11)),
            ("protos/a.proto", 2),
            ("tests/a.py", 4),
        )

    def test_sleep(self):
        self.plant(
            "tests/server/a_test.cc",
            "// no sleep_for here\n"
            "std::this_thread::sleep_for(1s);\n"
            "absl::SleepFor(absl::Seconds(1));\n"
            "usleep (1);\n",
        )
        self.plant("tests/blackbox/a.py", "import time\n# time.sleep(1)\ntime.sleep(1)\n")
        self.plant("server/b.py", "from time import monotonic, sleep\n")
        self.plant("server/c.cc", "bool asleep; Sleepers sleepers;\n")
        self.plant("clients/examples/python/client.py", "time.sleep(backoff)\n")
        self.assert_found(
            tree.check_sleeps,
            *(("tests/server/a_test.cc", line) for line in (2, 3, 4)),
            ("tests/blackbox/a.py", 3),
            ("server/b.py", 1),
        )

    def test_what_builds_leave_is_not_ours(self):
        for path in ("clients/examples/cpp/build/a.cpp", "clients/examples/typescript/node_modules/util.h",
                     "clients/examples/java/target/a.hpp"):
            self.plant(path)
        self.assert_found(tree.check_mirror)
        self.assert_found(tree.check_words)

    def test_left_over_work(self):
        self.plant("server/a.cc", "int x;\n// TO" "DO(me): later\n")
        self.plant("tests/run", "# FIX" "ME\n")
        self.plant("server/b.cc", "int kToDo, TO" "DOS;\n")
        self.assert_found(tree.check_left_over, ("server/a.cc", 2), ("tests/run", 1))


if __name__ == "__main__":
    unittest.main()
