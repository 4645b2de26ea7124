"""Attacks by whoever reaches the admin plane: commands without end, and watchers."""

import threading

import grpc

from attack import Bounds, attack
from harness.client import channel
from harness.protos import lifecycle

THREADS = 4
IN_FLIGHT = 25  # of each thread
HASTY = 0.05  # a deadline that a command under way does not meet


def command_flood(target, until, method, request):
    """Commands from several threads, each given up after a moment; the codes that came."""
    codes = {}
    lock = threading.Lock()

    def command():
        with channel(f"{target.admin[0]}:{target.admin[1]}") as connection:
            call = getattr(lifecycle.stub(connection, "Lifecycle"), method)
            for number in until.times(10_000):
                under_way = [call.future(request(number * IN_FLIGHT + each), timeout=HASTY)
                             for each in range(IN_FLIGHT)]
                for each in under_way:
                    code = each.code().name  # waits for it
                    with lock:
                        codes[code] = codes.get(code, 0) + 1

    threads = [threading.Thread(target=command) for _ in range(THREADS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return codes


# The good clients' clock is restarted all the time: what they get meanwhile is not asked for.
RESTARTED = Bounds(answered=0.0)


@attack(bounds=RESTARTED, ours_alone=True)
def one_request_id(target, until):
    """RestartComponent with one request id and a deadline of 50 ms, again and again"""
    return command_flood(target, until, "RestartComponent", lambda number:
                         lifecycle.RestartComponentRequest(name="clock", request_id="once"))


@attack(bounds=RESTARTED, ours_alone=True)
def many_request_ids(target, until):
    """RestartComponent with a request id of its own each and a deadline of 50 ms"""
    return command_flood(target, until, "RestartComponent", lambda number:
                         lifecycle.RestartComponentRequest(
                             name="clock", request_id=f"{threading.get_ident()}-{number}"))


# A host that has a component beside the clock, whose start takes a minute.
SLOW = {"trial_host": True, "flags": ("--trials=slow-", "--trial-start=slow:take=60s",
                                      "--trial-start-timeout=90s")}


@attack(ours_alone=True, **SLOW)
def one_request_under_way(target, until):
    """StartComponent with one request id while the start is under way, each given up after 50 ms"""
    return command_flood(target, until, "StartComponent", lambda number:
                         lifecycle.StartComponentRequest(name="slow", request_id="once"))


@attack(ours_alone=True, **SLOW)
def many_requests_under_way(target, until):
    """RestartComponent with a request id of its own each while a start is under way"""
    return command_flood(target, until, "RestartComponent", lambda number:
                         lifecycle.RestartComponentRequest(
                             name="slow", request_id=f"{threading.get_ident()}-{number}"))


@attack(bounds=Bounds(growth_mib=600), ours_alone=True)
def long_component_names(target, until):
    """RestartComponent of a component whose name has 1 MiB"""
    return command_flood(target, until, "RestartComponent", lambda number:
                         lifecycle.RestartComponentRequest(name="x" * (1 << 20)))


@attack(ours_alone=True)
def lifecycle_watches(target, until):
    """WatchComponents 1,500 times, unread"""
    opened, codes = [], {}
    with channel(f"{target.admin[0]}:{target.admin[1]}") as connection:
        stub = lifecycle.stub(connection, "Lifecycle")
        for _ in until.times(1500):
            opened.append(stub.WatchComponents(lifecycle.WatchComponentsRequest(),
                                               timeout=until.left + 1))
        threading.Event().wait(until.left)
        for each in opened:
            code = each.code().name if each.done() else "OPEN"
            codes[code] = codes.get(code, 0) + 1
            each.cancel()
    return codes
