"""The shape of the tree: what stands where, how it is called, how long it is, and a few things
that no file says."""

import pathlib
import re
from typing import Iterator

from source_tree import CPP_SUFFIXES, Violation, code_of, files, line_of, relative, text_of

TOP = {
    "protos", "server", "components", "clients", "tests", "deploy",
    "CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE", "SECURITY.md",
    "CONTRIBUTING.md", "CHANGELOG.md",
}  # fmt: skip

LONGEST = 500
LONGEST_HEADER = 250
LONGEST_EXAMPLE = 59

# A client of the examples; beside it lie stubs, once it is built.
_EXAMPLE = re.compile(r"clients/examples/\w+/(?:src/(?:main/java/)?)?(?:client|Client|main)\.[a-z]+")

# Folders of tests whose subject is no single file.
WHOLE_SUBJECT = (
    "blackbox", "bench", "cookbook", "example", "fuzz", "house", "integration", "protos", "shop", "testing"
)
# Single tests of that kind, by path.
WHOLE_SUBJECT_FILES: set[str] = set()

_FORBIDDEN = {"manager", "managers", "util", "utils", "common", "singleton", "singletons"}

_DEFINITION = re.compile(
    r"\b(?:class|struct|union|enum(?:[ \t]+class)?|concept|(?<!using )namespace|message|service|def"
    r"|using(?=[ \t]+\w+[ \t]*=))[ \t]+(?:\[\[[^\]]*\]\][ \t]*)?([A-Za-z_][\w:]*)"
)
_SLEEP = re.compile(
    r"\b(?:sleep_for|SleepFor)\b|\b(?:usleep|nanosleep)\s*\("
    r"|\btime\.sleep\s*\(|\bfrom\s+time\s+import\b[^\n]*\bsleep\b"
)
# Spelled in two, or this file would break its own rule.
_LEFT_OVER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b")


def words(name: str) -> set[str]:
    """The words that an identifier or a file name consists of, in lower case."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return set(re.split(r"[^a-z0-9]+", split.lower()))


def is_source(path: pathlib.Path) -> bool:
    return path.suffix in CPP_SUFFIXES | {".py", ".proto", ".cmake", ".sh"} or (
        path.name == "CMakeLists.txt" or path.name in ("run", "setup", "install")
    )


def check_top(root: pathlib.Path) -> Iterator[Violation]:
    for entry in sorted(root.iterdir()):
        if not entry.name.startswith(".") and entry.name not in TOP:
            remedy = "move it into the folder where it belongs: protos, components, server, clients, tests or deploy"
            yield Violation(entry.name, 1, "stands at the top of the tree", remedy)


def check_length(root: pathlib.Path) -> Iterator[Violation]:
    for file in filter(is_source, files(root)):
        lines = text_of(file).count("\n")
        longest = LONGEST_HEADER if file.suffix == ".h" else LONGEST
        if lines > longest:
            remedy = "split it: one concept a file pair"
            what = f"{lines} lines, more than {longest}"
            yield Violation(relative(root, file), longest + 1, what, remedy)


def check_examples(root: pathlib.Path) -> Iterator[Violation]:
    """One client a language, short enough to be read at a glance."""
    sources: dict[str, int] = {}
    for file in files(root / "clients/examples"):
        folder, *inner = relative(root / "clients/examples", file).split("/")
        if inner:
            sources.setdefault(folder, 0)
        if not _EXAMPLE.fullmatch(relative(root, file)):
            continue
        sources[folder] += 1
        lines = text_of(file).count("\n")
        if lines > LONGEST_EXAMPLE:
            what = f"{lines} lines, more than {LONGEST_EXAMPLE}"
            yield Violation(relative(root, file), LONGEST_EXAMPLE + 1, what, "say it more simply")
    for folder, count in sources.items():
        if count != 1:
            what = f"{count} sources of a client, not one"
            yield Violation(f"clients/examples/{folder}", 1, what, "name it client or main, as the others are")


def check_mirror(root: pathlib.Path) -> Iterator[Violation]:
    """tests/x/y_test.cc tests x/y.h or x/y.cc, and C++ tests stand nowhere else.

    Where they are too many for one file, tests/x/y_theme_test.cc has those of one theme.
    """
    for file in files(root):
        path = relative(root, file)
        if path.endswith((".cpp", ".cxx", ".hpp", ".hh", ".c++", ".tpp", ".inl")):
            yield Violation(path, 1, "an ending that the house does not use", "name it .h or .cc")
        if file.suffix in CPP_SUFFIXES and not re.fullmatch(r"[a-z0-9_.]+", file.name):
            yield Violation(path, 1, "the name is not in snake_case", "rename it")
        if not path.endswith("_test.cc"):
            continue
        folder = path.split("/")
        if folder[0] != "tests":
            yield Violation(path, 1, "a test outside tests/", f"move it to tests/{path}")
            continue
        if folder[1] in WHOLE_SUBJECT or path in WHOLE_SUBJECT_FILES:
            continue
        subject = path[len("tests/") : -len("_test.cc")]
        parts = subject.split("_")
        subjects = ["_".join(parts[:count]) for count in range(len(parts), 0, -1)]
        if not any((root / (name + ending)).is_file()
                   for name in subjects for ending in (".h", ".cc")):
            what = f"tests {subject}.h or {subject}.cc, and there is neither"
            remedy = "name it after its subject; a test of several belongs to tests/integration or tests/blackbox"
            yield Violation(path, 1, what, remedy)


def check_words(root: pathlib.Path) -> Iterator[Violation]:
    remedy = "say what it does; the words of the house name a thing by its part in it"
    for file in files(root):
        path = relative(root, file)
        for word in sorted(words(path) & _FORBIDDEN):
            yield Violation(path, 1, f'"{word}" in the name of the file', remedy)
        if file.suffix not in CPP_SUFFIXES | {".py", ".proto"}:
            continue
        code = code_of(file)
        for match in _DEFINITION.finditer(code):
            for word in sorted(words(match[1]) & _FORBIDDEN):
                line = line_of(code, match.start())
                yield Violation(path, line, f'"{word}" in the name {match[1]}', remedy)


def check_sleeps(root: pathlib.Path) -> Iterator[Violation]:
    """Nothing of ours sleeps. What a user is to copy does before it tries again: there is nothing to wait for."""
    for file in files(root):
        path = relative(root, file)
        if file.suffix not in CPP_SUFFIXES | {".py"}:
            continue
        if path.split("/")[0] not in ("tests", "server", "components", "clients", "protos"):
            continue
        if path.startswith("clients/examples/"):
            continue
        code = code_of(file)
        for match in _SLEEP.finditer(code):
            what = f"sleeps ({match[0].strip()})"
            remedy = "wait for the condition itself: a predicate with a deadline, a notification, a fake clock"
            yield Violation(path, line_of(code, match.start()), what, remedy)


def check_left_over(root: pathlib.Path) -> Iterator[Violation]:
    for file in filter(is_source, files(root)):
        text = text_of(file)
        for match in _LEFT_OVER.finditer(text):
            remedy = "do it, or write it where work is planned"
            yield Violation(relative(root, file), line_of(text, match.start()), match[0], remedy)
