"""The README's code is the code that is compiled and called: tests/example."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# A comment that names the file, then the block that shows it.
BLOCK = re.compile(r"<!-- (tests/example/\S+) -->\n```\w+\n(.*?)```", re.DOTALL)


def blocks(readme: str) -> dict[str, str]:
    return dict(BLOCK.findall(readme))


class Readme(unittest.TestCase):
    def test_EachBlock_IsItsFile(self):
        shown = blocks((ROOT / "README.md").read_text())
        files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests/example").rglob("*")
                       if path.is_file())
        self.assertEqual(sorted(shown), files, "expected the README to show every file of the example")
        for name, text in shown.items():
            self.assertEqual(text, (ROOT / name).read_text(),
                             f"README.md shows {name} as it is not; copy the file into the block")

    def test_Example_IsShort(self):
        shown = blocks((ROOT / "README.md").read_text())
        lines = [line for name, text in shown.items() if "_test." not in name
                 for line in text.splitlines() if line.strip()]
        self.assertLess(len(lines), 45, "expected a component of one's own in under 45 lines")

    def test_Blocks_FindsWhatIsMarked(self):
        self.assertEqual(blocks("x\n<!-- tests/example/a.cc -->\n```cpp\nint a;\n```\n"),
                         {"tests/example/a.cc": "int a;\n"})


if __name__ == "__main__":
    unittest.main()
