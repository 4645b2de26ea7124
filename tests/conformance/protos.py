"""The messages of Lifecycle and Config, and the standard ones that the kit speaks.

The black-box harness makes message classes from protos at run time. It is told of these files
here, so that the kit has the same classes and stubs as the tests, and no generated file.
"""

import subprocess
import tempfile

from google.protobuf import descriptor_pb2

from harness import places
from harness import protos as harness_protos

_FILES = ("mainspring/lifecycle/v1/lifecycle.proto", "mainspring/config/v1/config.proto")


def _add_to_harness(*files):
    """Adds proto files, with what they import, to the pool that the harness makes classes from."""
    root = places.REPOSITORY / "protos"
    with tempfile.NamedTemporaryFile(suffix=".pb") as out:
        subprocess.run(["protoc", f"--proto_path={root}", "--include_imports",
                        f"--descriptor_set_out={out.name}", *files], check=True)
        described = descriptor_pb2.FileDescriptorSet.FromString(out.read())
    for proto in described.file:
        harness_protos._classes.pool.Add(proto)  # the same file twice is no error


_add_to_harness(*_FILES)

config = harness_protos.Package("mainspring.config.v1")
lifecycle = harness_protos.Package("mainspring.lifecycle.v1")
health = harness_protos.health
reflection = harness_protos.reflection_v1

STOPPED = lifecycle.Component.STOPPED
STARTING = lifecycle.Component.STARTING
RUNNING = lifecycle.Component.RUNNING
STOPPING = lifecycle.Component.STOPPING
BACKOFF = lifecycle.Component.BACKOFF
FAILED = lifecycle.Component.FAILED


def state_name(state):
    """The name of a Component.State; its number where the proto has none."""
    value = lifecycle.Component.State.DESCRIPTOR.values_by_number.get(state)
    return value.name if value else str(state)
