"""Every name that the generated code stands on, as the name of an rpc, a message, a service and a
package: the plugin finds another name for it in C++, or refuses it, and what it writes compiles.
Nothing has to be added here when a
class gets a new member: the names are all the words of the headers and of the generated code."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["MAINSPRING_SOURCE"])
MODEL = SOURCE / "components/mainspring"
# What generated classes derive from or hold, and what the plugin writes.
HEADERS = [MODEL / name for name in ("component.h", "handler.h", "ref.h")]
GENERATED = sorted((SOURCE / "tests/protos/plugin/golden").glob("kinds.*.pb.*"))

COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|^\s*#[^\n]*|"(?:\\.|[^"\\])*"', re.S | re.M)


def code_of(path):
    return COMMENT_OR_TEXT.sub(" ", path.read_text())


def words_of(path):
    return set(re.findall(r"\b[A-Za-z_]\w*", code_of(path)))


def names_for_authors(path, class_name):
    """The functions that a class declares public or protected, and its own name."""
    body = re.search(r"class " + class_name + r"\b[^;{]*\{(.*?)\n\};", code_of(path), re.S).group(1)
    while "{" in body:
        body = re.sub(r"\{[^{}]*\}", ";", body)
    body = re.sub(r"\) : [^;]*;", ");", body)  # what a constructor initialises
    names, hidden = {class_name}, True
    for line in body.splitlines():
        section = re.fullmatch(r"\s*(public|protected|private):\s*", line)
        if section:
            hidden = section.group(1) == "private"
        elif not hidden:
            names.update(re.findall(r"(?<!~)\b([A-Za-z_]\w*)\s*\(", line))
    return names


# How many rpcs a service has: with all of them in one, std::variant costs the compiler minutes.
SERVICE = 12
NAMES = sorted(set().union(*(words_of(path) for path in HEADERS + GENERATED)))

AUTHOR = """
class Author{i} final : public ::names::v1::S{i}Component {{
 public:
  using S{i}Component::S{i}Component;
  ::absl::Status Start() override {{ return ::absl::OkStatus(); }}
  void Stop() override {{ (void)context().name(); }}
  void Draining() override {{}}
  void DependencyChanged(::std::string, bool) override {{}}
{methods}}};
inline void Ask{i}(::mainspring::Context& context) {{
  const auto found = context.Find<::names::v1::S{i}Ref>("other");
  (void)found->component();
{calls}}}
"""
METHOD = """  void {name}(::shared::v1::A, ::mainspring::Reply<::shared::v1::B> reply) override {{
    reply.Send(::shared::v1::B());
  }}
"""
CALL = "  (void)found->{name}(::shared::v1::A(), {{.deadline = ::mainspring::kNever}});\n"


def names_in_cpp(header):
    """What each rpc of each service is called in C++, by its path."""
    return {path: name for name, path in re.findall(
        r'struct (\w+) \{\n    static constexpr char kMethod\[\] = "/names\.v1\.(\w+/\w+)";',
        header)}


def author(service, names):
    """A component and a caller, as somebody would write them for these methods."""
    return AUTHOR.format(i=service, methods="".join(METHOD.format(name=name) for name in names),
                         calls="".join(CALL.format(name=name) for name in names))


class Protos:
    """A folder of protos, and what protoc, the plugin and the compiler make of them."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)

    def write(self, path, text):
        (self.directory / path).write_text('syntax = "proto3"; ' + text)

    def run(self, *arguments):
        return subprocess.run(arguments, cwd=self.directory, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)

    def generate(self, protos):
        for out in ("protoc", "plugin"):
            (self.directory / out).mkdir(exist_ok=True)
        done = self.run(os.environ["MAINSPRING_PROTOC"], "-I.",
                        "--mainspring_out=plugin",
                        "--plugin=protoc-gen-mainspring=" + os.environ["MAINSPRING_PLUGIN"],
                        *protos)
        return done.returncode, done.stdout

    def compile(self, protos, authors=""):
        done = self.run(os.environ["MAINSPRING_PROTOC"], "-I.", "--cpp_out=protoc", *protos)
        if done.returncode != 0:
            return done.stdout
        stems = [proto.removesuffix(".proto") for proto in protos]
        server = self.directory / "include/mainspring/server"
        server.parent.mkdir(parents=True, exist_ok=True)
        if not server.exists():
            server.symlink_to(f"{SOURCE}/server")
        (self.directory / "all.cc").write_text(
            "".join(f'#include "{stem}.component.pb.cc"\n#include "{stem}.binding.pb.cc"\n'
                    for stem in stems) + authors)
        return self.run(os.environ["MAINSPRING_COMPILER"], "-std=c++20", "-fsyntax-only", "-Wall",
                        "-Wextra", "-Woverloaded-virtual", "-Werror", "-Iinclude", "-Iplugin",
                        "-isystem", "protoc", f"-I{SOURCE}", f"-I{SOURCE}/components",
                        "all.cc").stdout[:4000]


class NamesTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="mainspring-names-")
        self.addCleanup(directory.cleanup)
        self.protos = Protos(directory.name)
        self.protos.write("shared.proto", "package shared.v1; message A {} message B {}")

    def check_in_one_proto(self, names, text):
        """a.proto has what `text` makes of the names; it must compile."""
        self.protos.write("a.proto", 'package names.v1; import "shared.proto";' + text(names))
        code, output = self.protos.generate(["shared.proto", "a.proto"])
        self.assertEqual(code, 0, output)
        self.assertEqual(self.protos.compile(["shared.proto", "a.proto"]), "")

    def test_words_are_found(self):
        for name in ("EndWith", "Push", "NewPipe", "mailbox_", "context_", "DependencyChanged",
                     "AnyHandler", "kService", "kMethod", "requests", "replies", "options",
                     "Class"):
            self.assertIn(name, NAMES)

    def test_rpc(self):
        groups = [NAMES[i:i + SERVICE] for i in range(0, len(NAMES), SERVICE)]
        self.protos.write("a.proto", 'package names.v1; import "shared.proto";' + "".join(
            f"service S{i} {{" + "".join(f"\nrpc {name}(.shared.v1.A) returns (.shared.v1.B);"
                                        for name in group) + "}"
            for i, group in enumerate(groups)))
        code, output = self.protos.generate(["shared.proto", "a.proto"])
        self.assertEqual(code, 0, output)
        in_cpp = names_in_cpp((self.protos.directory / "plugin/a.component.pb.h").read_text())
        called = {name: in_cpp[f"S{i}/{name}"] for i, group in enumerate(groups) for name in group}
        self.assertEqual(self.protos.compile(["shared.proto", "a.proto"], "".join(
            author(i, [called[name] for name in group]) for i, group in enumerate(groups))), "")
        for_authors = (names_for_authors(MODEL / "component.h", "Component") |
                       names_for_authors(MODEL / "handler.h", "AnyHandler") |
                       names_for_authors(MODEL / "handler.h", "Handler"))
        self.assertGreaterEqual(for_authors, {"Start", "Stop", "Draining", "DependencyChanged", "context",
                                              "Handle", "Handler", "AnyHandler", "Component"})
        # It might compile, but no author could override or call what it hides.
        self.assertEqual({name for name in for_authors if called[name] == name}, set())
        self.assertEqual(called["EndWith"], "EndWith")

    def test_message(self):
        def text(names):
            # As requests: responses are named in the same way, and cost the compiler a reply each.
            rpcs = [f"\nrpc Go{i}(.names.v1.{name}) returns (.shared.v1.B);"
                    for i, name in enumerate(names)]
            services = (rpcs[i:i + SERVICE] for i in range(0, len(rpcs), SERVICE))
            return "".join(f"service S{i} {{{''.join(each)}}}" for i, each in enumerate(services)
                           ) + "".join(f"message {name} {{}}" for name in names)

        self.check_in_one_proto(NAMES, text)

    def test_service(self):
        self.check_in_one_proto(NAMES, lambda names: "".join(
            f"\nservice {name} {{ rpc Go(.shared.v1.A) returns (.shared.v1.B); }}"
            for name in names))

    def test_package(self):
        for before in ("", "company.", "mainspring."):
            with self.subTest(before=before):
                self.check_packages(before)

    def check_packages(self, before):
        protos = {}
        for i, name in enumerate(NAMES):
            protos[name] = f"p{len(before)}_{i}.proto"
            self.protos.write(protos[name], 'import "shared.proto";\n'
                                f"package {before}{name}.v1;\n"
                                "service S { rpc Go(.shared.v1.A) returns (.shared.v1.B); }")
        _, output = self.protos.generate(protos.values())
        refused = {line.split(":")[0] for line in output.splitlines()
                   if re.match(r"p\d+_\d+\.proto:2:1: package .+\. .+\.$", line)}
        kept = [proto for proto in protos.values() if proto not in refused]
        self.assertIn(protos["EndWith"], kept if before != "mainspring." else refused)
        code, output = self.protos.generate(["shared.proto", *kept])
        self.assertEqual(code, 0, output)
        self.assertEqual(self.protos.compile(["shared.proto", *kept]), "")


if __name__ == "__main__":
    unittest.main()
