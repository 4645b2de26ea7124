import sys
import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mainspring.clock.v1 import clock_pb2, clock_pb2_grpc

DEADLINE = 5.0
FIRST_BACKOFF, LONGEST_BACKOFF = 0.1, 5.0
# A watch that comes in the last moment of a host is cancelled.
LOST = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def watch(clock, time_zone, left):
    """Prints ticks until `left` have come, across restarts of the host."""
    request = clock_pb2.WatchTimeRequest(time_zone=time_zone)
    backoff = FIRST_BACKOFF
    while True:
        lost = "ended"
        try:
            for tick in clock.WatchTime(request):
                print("tick", tick.rfc3339, flush=True)
                left -= 1
                if left <= 0:
                    return
                backoff = FIRST_BACKOFF
        except grpc.RpcError as error:
            if error.code() not in LOST:
                raise
            lost = error.details()
        print(f"lost: {lost}; again in {backoff * 1000:.0f} ms", flush=True)
        time.sleep(backoff)
        backoff = min(2 * backoff, LONGEST_BACKOFF)


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: client.py ADDRESS TIME_ZONE COUNT")
    _, address, time_zone, count = sys.argv
    with grpc.insecure_channel(address) as channel:
        clock = clock_pb2_grpc.ClockStub(channel)
        health = health_pb2_grpc.HealthStub(channel)
        try:
            request = clock_pb2.GetTimeRequest(time_zone=time_zone)
            print("time", clock.GetTime(request, timeout=DEADLINE).rfc3339, flush=True)
            state = health.Check(health_pb2.HealthCheckRequest(), timeout=DEADLINE)
            print("health", state.ServingStatus.Name(state.status), flush=True)
            watch(clock, time_zone, int(count))
        except grpc.RpcError as error:
            sys.exit(f"error: {error.details()}")


if __name__ == "__main__":
    main()
