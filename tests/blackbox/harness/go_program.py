"""Programs of others, written in Go, that tests/run builds into .cache/bin."""

import os
import shutil
import sys
import unittest

from harness import places


def require(name):
    """The program's path. Skips the test loudly where there is none; under CI=true that is an error."""
    built = places.REPOSITORY / ".cache" / "bin" / name
    path = str(built) if built.exists() else shutil.which(name)
    if path:
        return path
    message = f"expected {name} in .cache/bin or PATH; tests/run builds it where there is Go"
    if os.environ.get("CI") == "true":
        raise AssertionError(message)
    print(f"*** SKIPPED, nothing was tested: {message}", file=sys.stderr)
    raise unittest.SkipTest(message)
