"""The code of the pages is the code that is compiled and called: README.md's is tests/example, and the
cookbook's stands beside it."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ("README.md", "tests/cookbook/README.md")
# A comment that names the file, then the block that shows it, or a part of it.
BLOCK = re.compile(r"<!-- (part of )?(tests/\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
# What is compiled; it is all to be marked.
CODE = re.compile(r"^```(?:cpp|cmake|proto)$", re.MULTILINE)


def page(name: str) -> str:
    return (ROOT / name).read_text()


def blocks(text: str) -> dict[str, str]:
    """What is shown as whole files, by name."""
    return {name: shown for part, name, shown in BLOCK.findall(text) if not part}


def parts(text: str) -> list[tuple[str, str]]:
    """What is shown of files, each with its name."""
    return [(name, shown) for part, name, shown in BLOCK.findall(text) if part]


def differences(text: str, root: pathlib.Path) -> list[str]:
    """The files that the page shows as they are not."""
    whole = [name for name, shown in blocks(text).items() if shown != (root / name).read_text()]
    return whole + [name for name, shown in parts(text)
                    if "\n" + shown not in "\n" + (root / name).read_text()]


class Pages(unittest.TestCase):
    def test_EachBlock_IsItsFile(self):
        for name in PAGES:
            self.assertEqual(differences(page(name), ROOT), [],
                             f"{name} shows these as they are not; copy the file into the block")

    def test_AllCode_IsMarkedWithItsFile(self):
        for name in PAGES:
            self.assertEqual(len(CODE.findall(page(name))), len(BLOCK.findall(page(name))),
                             f"expected every block of {name} that is compiled below its file's name")

    def test_Readme_ShowsEveryFileOfTheExample(self):
        files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests/example").rglob("*")
                       if path.is_file())
        self.assertEqual(sorted(blocks(page("README.md"))), files)

    def test_Cookbook_ShowsEveryRecipe(self):
        folder = ROOT / "tests/cookbook"
        recipes = {str(path.relative_to(ROOT)) for path in folder.rglob("*")
                   if path.suffix in (".h", ".proto")}
        self.assertGreaterEqual(blocks(page("tests/cookbook/README.md")).keys(), recipes)
        for recipe in folder.glob("*.h"):
            self.assertTrue(recipe.with_name(f"{recipe.stem}_test.cc").exists(), f"{recipe} has no test")

    def test_Example_IsShort(self):
        shown = blocks(page("README.md"))
        lines = [line for name, text in shown.items() if "_test." not in name
                 for line in text.splitlines() if line.strip()]
        self.assertLess(len(lines), 45, "expected a component of one's own in under 45 lines")

    def test_Blocks_FindsWhatIsMarked(self):
        self.assertEqual(blocks("x\n<!-- tests/example/a.cc -->\n```cpp\nint a;\n```\n"),
                         {"tests/example/a.cc": "int a;\n"})

    def test_Differences_FindsWhatIsNotInTheFile(self):
        name = str(pathlib.Path(__file__).relative_to(ROOT))
        for marked, shown, found in (("part of ", "import re\nimport unittest\n", []),
                                     ("part of ", "re\nimport unittest\n", [name]),
                                     ("", "import re\n", [name])):
            text = f"<!-- {marked}{name} -->\n```py\n{shown}```\n"
            self.assertEqual(differences(text, ROOT), found, text)


if __name__ == "__main__":
    unittest.main()
