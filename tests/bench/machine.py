"""Facts that figures are worthless without."""
import json
import os
import platform
import re
import subprocess


def facts(binaries):
    """Name -> value, in the order to print them."""
    built = json.loads(subprocess.run([binaries["load_client"], "--facts"], check=True,
                                      capture_output=True, text=True).stdout)
    usable = len(os.sched_getaffinity(0))
    return {
        "cpu": _cpu_model(),
        "cores": usable if usable == os.cpu_count() else f"{usable} of {os.cpu_count()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load": f"{os.getloadavg()[0]:.2f} before the run, one minute",
        **built,
    }


def _cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        match = re.search(r"^model name\s*:\s*(.+)$", file.read(), re.MULTILINE)
    return match.group(1) if match else platform.machine()
