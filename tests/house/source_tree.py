"""What the checks of the tree share: which files there are, and what of them is code."""

import io
import pathlib
import re
import tokenize
from typing import Iterator, NamedTuple

CPP_SUFFIXES = {".h", ".cc"}


# Folders that builds leave, of the clients' examples too.
_BUILT = {"__pycache__", "build", "node_modules", "target"}


class Violation(NamedTuple):
    """One place that breaks a rule; reads as `file:line: what: what to do`."""

    path: str  # relative to the root of the tree, with slashes
    line: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}: {self.remedy}"


def files(root: pathlib.Path) -> Iterator[pathlib.Path]:
    """Every file of the tree, sorted; not those of dot folders and what builds leave."""
    for entry in sorted(root.iterdir()):
        if entry.name.startswith(".") or entry.name in _BUILT:
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from files(entry)
        elif entry.is_file():
            yield entry


def relative(root: pathlib.Path, path: pathlib.Path) -> str:
    return path.relative_to(root).as_posix()


def text_of(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


# Leftmost first, so an #include inside a raw string or a comment is not one.
_CPP_TOKEN = re.compile(
    r"""(?P<include>^[ \t]*\#[ \t]*include[ \t]*(?:"[^"\n]*"|<[^>\n]*>))
      | //[^\n]*
      | /\*.*?\*/
      | R"(?P<fence>[^\s()\\]{0,16})\(.*?\)(?P=fence)"
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def cpp_code(text: str) -> str:
    """C++ text with comments and strings blanked, offsets and #include lines kept. Serves protos
    too, whose comments and strings look the same."""
    return _CPP_TOKEN.sub(
        lambda token: token[0] if token["include"] else _blank(token[0]), text
    )


def python_code(text: str) -> str:
    """Python text with comments and strings blanked, offsets kept."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    code = list(text)
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in (tokenize.STRING, tokenize.COMMENT):
                begin = starts[token.start[0] - 1] + token.start[1]
                end = starts[token.end[0] - 1] + token.end[1]
                code[begin:end] = _blank(text[begin:end])
    except (tokenize.TokenError, SyntaxError):
        return text  # Not Python that we can read: judged as it stands.
    return "".join(code)


def code_of(path: pathlib.Path) -> str:
    """The text of a source file without what the compiler does not see."""
    text = text_of(path)
    if path.suffix in CPP_SUFFIXES or path.suffix == ".proto":
        return cpp_code(text)
    if path.suffix == ".py":
        return python_code(text)
    return text
