"""Where things are for the scripts of this folder: the harness of the black-box tests, the attacks."""

import importlib
import pathlib
import sys
import threading

# Nothing sets it; waiting for it lets time pass.
never = threading.Event()

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "blackbox"))

# The order in which they are run and shown.
GROUPS = ("connections", "floods", "streams", "headers", "messages", "readers", "commands")


def load_attacks():
    """{group: [name]}, after the files that have them were imported."""
    from attack import ATTACKS
    groups = {}
    for group in GROUPS:
        before = set(ATTACKS)
        importlib.import_module(f"attacks.{group}")
        groups[group] = [name for name in ATTACKS if name not in before]
    return groups
