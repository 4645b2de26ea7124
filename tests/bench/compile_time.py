"""What it takes to compile what is generated for one service, beside what protoc and gRPC generate."""
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Of Clock, which has three rpcs: the messages stand on both sides.
OURS = ("pb", "component.pb", "binding.pb")
THEIRS = ("pb", "grpc.pb")


def measure(build_dir, rounds):
    """Processor seconds of each round, and their ratio."""
    ours, theirs = [], []
    for _ in range(rounds):
        seconds = {part: _compile(build_dir, part) for part in (*OURS, "grpc.pb")}
        ours.append(sum(seconds[part] for part in OURS))
        theirs.append(sum(seconds[part] for part in THEIRS))
    return {"ours": ours, "theirs": theirs, "ratios": [a / b for a, b in zip(ours, theirs)]}


def _compile(build_dir, part):
    generated = build_dir / "protos/generated"
    cache = (build_dir / "CMakeCache.txt").read_text(encoding="utf-8")
    compiler = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.MULTILINE)[1]
    before = os.times()
    subprocess.run(
        [compiler, "-std=c++20", "-O2", "-g", f"-I{generated}", f"-I{ROOT}/components",
         f"-I{build_dir}/include", "-c", "-o", os.devnull,
         generated / f"mainspring/clock/v1/clock.{part}.cc"], check=True)
    after = os.times()
    return (after.children_user - before.children_user
            + after.children_system - before.children_system)
