"""Clients that mean well: good_clients.py TARGET, TARGET as JSON, until standard input ends.

Four ask for the time, one probes liveness as a kubelet does, on a connection of its own each time,
and one lists components. Each call has a second. Prints [client, kind, when it began, seconds, code],
a line each.
"""

import json
import sys
import threading
import time

import grpc

import loading  # noqa: F401, for the path of the harness
from harness.client import channel
from harness.protos import clock, health, lifecycle

DEADLINE = 1.0
MOST_CALLS = 100_000


class GoodClients:
    def __init__(self, target):
        self._address = {key: f"{value[0]}:{value[1]}" for key, value in target.items() if value}
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def run(self):
        workers = [self.tell_time] * 4 + [self.probe]
        if "admin" in self._address:
            workers.append(self.list_components)
        threads = [threading.Thread(target=each, name=f"client {number}")
                   for number, each in enumerate(workers)]
        for each in threads:
            each.start()
        sys.stdin.read()
        self._stopped.set()
        for each in threads:
            each.join()

    def tell_time(self):
        with channel(self._address["data"]) as connection:
            stub = clock.stub(connection, "Clock")
            self.repeat("time", 0.05, lambda: stub.GetTime(clock.GetTimeRequest(), timeout=DEADLINE,
                                                           wait_for_ready=True))

    def probe(self):
        def once():
            with channel(self._address["health"]) as connection:
                health.stub(connection, "Health").Check(
                    health.HealthCheckRequest(), timeout=DEADLINE, wait_for_ready=True)
        self.repeat("probe", 0.2, once)

    def list_components(self):
        with channel(self._address["admin"]) as connection:
            stub = lifecycle.stub(connection, "Lifecycle")
            self.repeat("admin", 0.2, lambda: stub.ListComponents(
                lifecycle.ListComponentsRequest(), timeout=DEADLINE, wait_for_ready=True))

    def repeat(self, kind, pause, call):
        for _ in range(MOST_CALLS):
            if self._stopped.wait(pause):
                return
            began = time.monotonic()
            try:
                call()
                code = "OK"
            except grpc.RpcError as error:
                code = error.code().name
            with self._lock:
                print(json.dumps((threading.current_thread().name, kind, began, time.monotonic() - began,
                                  code)), flush=True)


def main():
    GoodClients(json.loads(sys.argv[1])).run()


if __name__ == "__main__":
    main()
