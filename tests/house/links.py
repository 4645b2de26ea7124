"""Who may link whom: the floors once more, over the targets as CMake knows them.

Reads the table that dump_links.cmake writes, one target a line: name, type, source folder
relative to the root of the tree, and the names that it links, separated by semicolons.
"""

import pathlib
import re
from typing import Iterator, NamedTuple, Optional

from source_tree import Violation


class Target(NamedTuple):
    name: str
    folder: str
    links: tuple[str, ...]

    @property
    def floor(self) -> str:
        return self.folder.split("/")[0]


def read(table: pathlib.Path) -> dict[str, Target]:
    targets = {}
    for line in table.read_text(encoding="utf-8").splitlines():
        name, _, folder, links = line.split("\t")
        # $<LINK_ONLY:x>, $<BUILD_INTERFACE:x> and their like name x.
        plain = re.sub(r"\$<[A-Z_]+:|>", "", links)
        targets[name] = Target(name, folder, tuple(filter(None, plain.split(";"))))
    return targets


def way_to(start: str, targets: dict[str, Target], wrong) -> Optional[list[str]]:
    """A shortest chain of links from `start` to a name for which wrong(name) is true."""
    seen = {start}
    chains = [[start]]
    for chain in chains:
        target = targets.get(chain[-1])
        for name in target.links if target else ():
            if wrong(name):
                return chain + [name]
            if name not in seen:
                seen.add(name)
                chains.append(chain + [name])
    return None


def is_grpc(name: str) -> bool:
    return re.match(r"(-l|lib)?(gRPC::|grpc)", name) is not None


def check(targets: dict[str, Target]) -> Iterator[Violation]:
    """Every target that links, itself or through others, what its floor must not know."""

    def lives_in(*floors: str, but: Optional[str] = None):
        return lambda name: (
            name in targets and targets[name].floor in floors and targets[name].folder != but
        )

    for target in targets.values():
        rules = []
        bound = target.folder.startswith(("components", "tests/components"))
        if target.floor != "tests":
            rules.append((lives_in("tests"), "nothing outside tests/ links tests"))
        if bound or target.name.endswith(("_proto", "_component")):
            rules.append((is_grpc, "components and their tests link no gRPC"))
            rules.append((lives_in("server"), "components never see the host"))
        if target.folder.startswith("protos/plugin"):
            rules.append((is_grpc, "the plugin links libprotoc alone"))
            rules.append((lives_in("components", "server"), "the plugin never links the runtime"))
        if target.floor == "server":
            # The main of a host has the probe in it.
            allowed = "clients/probe" if target.folder == "server" else None
            rules.append((lives_in("clients", but=allowed), "the host does not know its clients"))
        if target.floor == "clients":
            rules.append((lives_in("components", "server"), "clients know only protos"))
        for wrong, remedy in rules:
            way = way_to(target.name, targets, wrong)
            if way:
                yield Violation(
                    f"{target.folder}/CMakeLists.txt", 1, "target " + " -> ".join(way), remedy
                )
