#!/usr/bin/python3
"""Writes the C++ of a host that serves every service of a descriptor set.

    protoc --descriptor_set_out=corpus.pb --include_imports ...
    tests/protos/corpus/write_host.py corpus.pb OUT

OUT gets one .cc for each proto with services below package corpus, where the proto has its path, a
main.cc that lists them all, together.cc, which includes what is generated for all of them, and
services.txt, the services' names, one a line. With --list it prints the paths below OUT instead,
for a build that has to know them before.

What a component answers stands in answers.h.
"""

import sys

sys.dont_write_bytecode = True

import argparse
import pathlib

from google.protobuf import descriptor_pb2

from cpp_names import CppNames, namespace

PACKAGE = "corpus."
LONGEST_COMPONENT_NAME = 63

SOURCE = """\
// Written by write_host.py from {proto}.
#include <utility>
#include <vector>

#include "{stem}.binding.pb.h"
#include "tests/protos/corpus/answers.h"

namespace corpus_host {{
namespace {{
{classes}
}}  // namespace

void {add}(::std::vector<::mainspring::ComponentType>& types) {{
{adds}}}

}}  // namespace corpus_host
"""

CLASS = """
class {name} final : public {base} {{
 public:
  using {base}::{constructor};
{methods}}};
"""

METHOD = """
  void {name}({request} request, {reply} reply) override {{
    ::corpus_host::Answer("{path}", ::std::move(request), ::std::move(reply));
  }}
"""

MAIN = """\
// Written by write_host.py: a host of {count} components.
#include <utility>
#include <vector>

#include "mainspring/host.h"

namespace corpus_host {{
{declarations}}}  // namespace corpus_host

int main(int argc, char** argv) {{
  ::std::vector<::mainspring::ComponentType> types;
{calls}  return ::mainspring::HostMain(argc, argv, ::std::move(types));
}}
"""

TOGETHER = """\
// Written by write_host.py: what is generated for all protos, in one source, as in somebody's main.
#include <type_traits>

{includes}
{asserts}"""


def method_text(rpc, service, service_names, file, names):
    request, response = names.message(rpc.input_type), names.message(rpc.output_type)
    return METHOD.format(
        name=service_names.method(rpc), path=f"/{file.package}.{service.name}/{rpc.name}",
        request=f"::mainspring::RequestStream<{request}>" if rpc.client_streaming else request,
        reply=f"::mainspring::Reply{'Stream' if rpc.server_streaming else ''}<{response}>")


def class_text(class_name, service, service_names, file, names):
    base = service_names["Component"]
    return CLASS.format(
        name=class_name, base=f"{namespace(file)}::{base}", constructor=base,
        methods="".join(method_text(rpc, service, service_names, file, names)
                        for rpc in service.method))


class ComponentNames:
    """A name for each service's component: what a host takes for one, and each once."""

    def __init__(self):
        self._taken = set()

    def of(self, service, file):
        wished = f"{file.package}.{service.name}".removeprefix(PACKAGE).lower()
        name, number = wished[:LONGEST_COMPONENT_NAME], 1
        while name in self._taken:
            number += 1
            name = f"{wished[:LONGEST_COMPONENT_NAME - 4]}-{number}"
        self._taken.add(name)
        return name


class Host:
    """The text of every file of the host."""

    def __init__(self, files):
        self._names = CppNames(files)
        self.served = [file for file in files if is_served(file)]
        self.services = [f"{file.package}.{service.name}"
                         for file in self.served for service in file.service]

    def paths(self):
        return [path for path, _ in self.texts()]

    def texts(self):
        components = ComponentNames()
        for number, file in enumerate(self.served):
            yield source_path(file), self._source(number, file, components)
        yield "main.cc", self._main()
        yield "together.cc", self._together()
        yield "services.txt", "".join(f"{name}\n" for name in self.services)

    def _source(self, number, file, components):
        classes, adds = [], []
        for service, service_names in zip(file.service, self._names.services(file)):
            name = f"Corpus{number}Answerer{len(classes)}"
            classes.append(class_text(name, service, service_names, file, self._names))
            adds.append(f"  types.push_back({namespace(file)}::{service_names['Type']}"
                        f"<{name}>(\"{components.of(service, file)}\"));\n")
        return SOURCE.format(proto=file.name, stem=stem(file), classes="".join(classes),
                             adds="".join(adds), add=f"AddTypes{number}")

    def _together(self):
        components = [f"{namespace(file)}::{names['Component']}"
                      for file in self.served for names in self._names.services(file)]
        return TOGETHER.format(
            includes="".join(f'#include "{stem(file)}.binding.pb.h"\n' for file in self.served),
            asserts="".join(f"static_assert(::std::is_abstract_v<{each}>);\n"
                            for each in components))

    def _main(self):
        declarations = (f"void AddTypes{number}(::std::vector<::mainspring::ComponentType>& types);"
                        f"  // {file.name}\n" for number, file in enumerate(self.served))
        calls = (f"  ::corpus_host::AddTypes{number}(types);\n"
                 for number in range(len(self.served)))
        return MAIN.format(count=len(self.services), declarations="".join(declarations),
                           calls="".join(calls))


def is_served(file):
    return file.package.startswith(PACKAGE) and len(file.service) > 0


def stem(file):
    return file.name.removesuffix(".proto")


def source_path(file):
    return stem(file) + ".cc"


def write_if_changed(path, text):
    """What stays as it is need not be compiled again."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("descriptor_set", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--list", action="store_true", help="print the paths, and write nothing")
    arguments = parser.parse_args()
    host = Host(descriptor_pb2.FileDescriptorSet.FromString(
        arguments.descriptor_set.read_bytes()).file)
    if arguments.list:
        print("\n".join(host.paths()))
        return
    for path, text in host.texts():
        write_if_changed(arguments.out / path, text)


if __name__ == "__main__":
    main()
