"""The package archive that apt uses here, and roots of Debian that mmdebstrap makes of it."""

import os
import re
import subprocess

from harness import places

CACHE = places.REPOSITORY / ".cache"
_THE_WAY_THERE = re.compile(r"Acquire::(http|https|Check-|Retries|ForceIPv)")


def run(*command, **options):
    """The standard output of a command that must succeed."""
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def sources(suite="bookworm"):
    """Lines of a sources.list for that Debian: what apt has of it here, or else the main part of it
    from where apt has Debian 12; empty where it has neither."""
    form = "$(CREATED_BY) $(SITE) $(RELEASE) $(CODENAME) $(COMPONENT)"
    targets = [line.split() for line in run("apt-get", "indextargets", "--format", form).splitlines()]
    packages = [target[1:] for target in targets if len(target) == 5 and target[0] == "Packages"]
    lines = [f"deb {site} {release} {component}" for site, release, codename, component in packages
             if codename == suite or codename.startswith(f"{suite}-")]
    return lines or [f"deb {site} {suite} main" for site, _, codename, component in packages
                     if (codename, component) == ("bookworm", "main")]


def bare_root(suite="bookworm", include=("ca-certificates",)):
    """The least that is a Debian, and what it includes, as a tar file; made once.

    In it, apt asks the archive that apt here asks, and goes the same way there.
    """
    made = CACHE / "debian" / f"{'-'.join([suite, *include])}.tar"
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        options = [f"--aptopt={line}" for line in run("apt-config", "dump").splitlines()
                   if _THE_WAY_THERE.match(line)]
        unfinished = made.with_suffix(f".{os.getpid()}.tar")
        run("mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(include)}",
            *options, suite, unfinished, *sources(suite))
        unfinished.rename(made)
    return made
