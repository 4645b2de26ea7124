"""Runs one attack in a process of its own: attacker.py NAME TARGET SECONDS BURSTS, TARGET as JSON.

It prints what it sent as JSON. Its memory and its descriptors are limited, so that it is the host
which an attack hurts, and not the machine.
"""

import json
import resource
import sys

import loading
from attack import ATTACKS, Target, Until


def main():
    name, target, seconds = sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3])
    bursts = int(sys.argv[4])
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 30, int(seconds) + 30))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    loading.load_attacks()
    addresses = {key: tuple(value) for key, value in target.items()}
    print(json.dumps(ATTACKS[name].run(Target(**addresses), Until(seconds, bursts))))


if __name__ == "__main__":
    main()
