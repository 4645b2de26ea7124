"""The real grpcurl, as a user has it."""

import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from harness import places

Result = collections.namedtuple("Result", "exit output error")


def find():
    """The path of grpcurl, or None."""
    named = os.environ.get("MAINSPRING_GRPCURL")
    if named:
        return named
    built = places.REPOSITORY / ".cache" / "bin" / "grpcurl"
    return str(built) if built.exists() else shutil.which("grpcurl")


def require():
    """Skips the test loudly where there is no grpcurl; under CI=true that is an error."""
    path = find()
    if path and pathlib.Path(path).exists():
        return path
    message = ("expected grpcurl in $MAINSPRING_GRPCURL, .cache/bin or PATH; build it by "
               "GOBIN=$PWD/.cache/bin go install "
               "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3")
    if os.environ.get("CI") == "true":
        raise AssertionError(message)
    print(f"*** SKIPPED, nothing was tested: {message}", file=sys.stderr)
    raise unittest.SkipTest(message)


def run(address, *arguments, data=None, options=()):
    """Runs grpcurl against an address as HostProcess has it; `data` is a request as a dict."""
    where = address.removeprefix("ipv4:")  # unix:/path it takes as it is, without its flag -unix
    request = [] if data is None else ["-d", json.dumps(data)]
    command = [find(), "-plaintext", "-connect-timeout", "5", *options, *request, where, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def messages(output):
    """The JSON messages that a call printed, one after another."""
    decoder, found, rest = json.JSONDecoder(), [], output.strip()
    while rest:
        message, end = decoder.raw_decode(rest)
        found.append(message)
        rest = rest[end:].lstrip()
    return found
