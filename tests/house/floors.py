"""Who may include whom: a folder includes its own floor or one below.

    clients     know only what protos generate
    server      may include components and what protos generate
    components  never see the server, nor gRPC
    protos      the plugin includes nothing of ours

gRPC is included by server/rpc/, but for what generated bindings include of it, and by clients and
tests, which call through it. Nothing but tests includes tests, and nothing but the main of a host
includes clients, for --probe.

Inside of server/ each folder has a floor of its own, and includes those below: so there is no circle.
"""

import pathlib
import posixpath
import re
from typing import Iterator, NamedTuple, Optional

from source_tree import CPP_SUFFIXES, Violation, code_of, files, line_of, relative

FLOORS = ("protos", "components", "server", "clients", "tests", "deploy")

# The folders of server/, from the lowest up; what stands in server/ itself is above them all.
SERVER_FLOORS = (
    "observe", "world", "rpc", "config", "supervisor", "health", "reflection", "lifecycle",
    "reconfigure", "drain",
    "signals", "systemd", "planes", "", "public",
)  # fmt: skip

# A client that the main of a host has in it.
_MAIN_WITH_CLIENT = ("server/host_main.cc", "clients/probe/")

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]*)"|<([^>\n]*)>)', re.MULTILINE)

# The kinds of generated header, by ending; the first that matches counts.
_GENERATED = (
    (".component.pb.h", "component"),
    (".binding.pb.h", "binding"),
    (".grpc.pb.h", "stub"),
    (".pb.h", "message"),
)


class Include(NamedTuple):
    """What an #include names."""

    path: str  # as written, or from the root of the tree where it was written relative
    kind: str  # a floor, a kind of generated header, "model", "grpc", "sibling" or "other"


def classify(included: str, including: str, root: pathlib.Path) -> Include:
    """`included` is the text of the #include in the file `including`, both with slashes."""
    if included.startswith("google/"):
        return Include(included, "other")  # protobuf's own, some of it generated
    for ending, kind in _GENERATED:
        if included.endswith(ending):
            return Include(included, kind)
    if included.split("/")[0] in ("grpc", "grpcpp", "grpc++"):
        return Include(included, "grpc")
    if included.startswith("mainspring/server/"):
        return Include(included.removeprefix("mainspring/"), "server")
    if included.startswith("mainspring/"):
        return Include(included, "model")
    if included.startswith("server/"):
        return Include(included, "misspelt")
    if included.split("/")[0] in FLOORS:
        return Include(included, included.split("/")[0])
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(including), included))
    if beside.split("/")[0] in FLOORS and (root / beside).is_file():
        return Include(beside, "sibling")
    return Include(included, "other")


# What of server/rpc/ generated bindings include.
OF_BINDINGS = tuple(
    f"server/rpc/{name}.h" for name in ("before", "binding", "component_type", "service", "typed_call")
)


def server_folder(path: str) -> str:
    """The folder of server/ in which the file at `path` is; empty: it stands in server/ itself."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 else ""


def refusal_in_server(path: str, included: str) -> Optional[tuple[str, str]]:
    """As refusal, of an include from server/ in server/."""
    own, other = server_folder(path), server_folder(included)
    for folder in (own, other):
        if folder not in SERVER_FLOORS:
            return f'"server/{folder}/" has no floor', "give it one in SERVER_FLOORS"
    if SERVER_FLOORS.index(other) <= SERVER_FLOORS.index(own):
        return None
    return (
        f'includes "{included}", which is on a floor above',
        "have it handed in, or told, by what stands above both",
    )


def is_generated(path: str) -> bool:
    return path.endswith((".pb.h", ".pb.cc"))


def refusal(path: str, include: Include) -> Optional[tuple[str, str]]:
    """Why the file at `path` must not include that, as (what, what to do); None if it may."""
    kind = include.kind
    floor = path.split("/")[0]
    # Component tests are bound like components: they compile without the host and without gRPC.
    judged = "components" if path.startswith("tests/components/") else floor
    quoted = f'includes "{include.path}"'

    if kind == "misspelt":
        return quoted, f'write "mainspring/{include.path}", as who has it installed does'
    # These are projects of somebody else's, as their authors would write them.
    if kind == "sibling" and not path.startswith(("tests/example/", "tests/shop/")):
        return quoted, "write its path from the root of the tree, or mainspring/... for the model"
    if kind == "tests" and floor != "tests":
        return quoted, "nothing outside tests/ includes tests/; move what both need to the floor of its users"
    if is_generated(path):
        return None
    if path == _MAIN_WITH_CLIENT[0] and include.path.startswith(_MAIN_WITH_CLIENT[1]):
        return None
    if kind in ("clients", "deploy") and floor not in (kind, "tests"):
        return quoted, f"nothing includes {kind}/ but itself; move what both need to the floor below"

    if judged == "protos":
        if path.startswith("protos/plugin/"):
            own = kind == "protos" and include.path.startswith("protos/plugin/")
            if not own and kind != "other":
                return quoted, "the plugin links libprotoc alone; it includes nothing of ours but protos/plugin/, and no gRPC"
        elif kind not in ("protos", "message", "other"):
            return quoted, "protos/ is the ground floor; it includes none above"
    elif judged == "components":
        if kind in ("server", "binding"):
            return quoted, "a component never sees the host; take what it needs from mainspring::Context"
        if kind in ("grpc", "stub"):
            return quoted, "components and their tests compile without gRPC; answer with absl::Status through Reply"
        if path.startswith("components/mainspring/"):
            if kind == "components" and not include.path.startswith("components/mainspring/"):
                return quoted, "the model knows no component; turn the dependency round"
    elif judged == "server":
        if kind in ("grpc", "stub") and not path.startswith("server/rpc/"):
            return quoted, "only server/rpc/ includes gRPC; use what server/rpc/ offers"
        if path in OF_BINDINGS and (kind in ("grpc", "stub") or (kind == "server" and include.path not in OF_BINDINGS)):
            return quoted, "generated bindings include it, and are compiled without gRPC; put it into a .cc"
        shipped = kind == "components" and not include.path.startswith("components/mainspring/")
        if shipped and path != "server/main.cc":
            return quoted, "only server/main.cc names component types; pass it in as a ComponentType"
        if kind == "server":
            return refusal_in_server(path, include.path)
    elif judged == "clients":
        if kind in ("server", "components", "model", "component", "binding", "protos"):
            return quoted, "clients know only what protos generate: x.pb.h and x.grpc.pb.h"
    return None


def check(root: pathlib.Path) -> Iterator[Violation]:
    """Every include of the tree that the floors do not allow."""
    for file in files(root):
        path = relative(root, file)
        if file.suffix not in CPP_SUFFIXES or path.split("/")[0] not in FLOORS:
            continue
        code = code_of(file)
        for match in _INCLUDE.finditer(code):
            include = classify(match[1] or match[2] or "", path, root)
            refused = refusal(path, include)
            if refused:
                yield Violation(path, line_of(code, match.start()), *refused)
