"""A tree in a temporary folder, with what a test plants in it."""

import pathlib
import tempfile
import unittest


class PlantedTreeTest(unittest.TestCase):
    """Gives each test a fresh `self.root`, gone after it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def plant(self, path: str, text: str = "") -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def report(violations) -> str:
    """What a failing check of the real tree prints."""
    return "\n" + "\n".join(map(str, violations))
