"""Clients: channels that share nothing, and a reader for a stream that a test does not wait on."""

import threading
import time

import grpc

# The deadline of a call that is expected to be answered at once.
SOON = 10.0


def channel(address, *options):
    """A channel with connections of its own: no subchannel shared, no proxy, no retry policy.

    gRPC's own transparent retries stay on, as they are in every client: they send a call again that
    never reached a server because the connection said goodbye while the call was put on it.
    """
    return grpc.insecure_channel(address, options=[
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_http_proxy", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 1000),
        ("grpc.max_reconnect_backoff_ms", 200),
        *options,
    ])


class StreamReader:
    """Reads a stream on a thread of its own and remembers each message, the end, and when."""

    def __init__(self, call):
        self._call = call
        self._changed = threading.Condition()
        self._messages = []
        self._end = None
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def messages(self):
        with self._changed:
            return [message for message, _ in self._messages]

    def wait_for_message(self, matches, what, timeout=SOON):
        """When the first message that matches came; time.monotonic()."""
        def first():
            return next((when for message, when in self._messages if matches(message)), None)

        with self._changed:
            self._changed.wait_for(lambda: first() is not None or self._end, timeout)
            if first() is None:
                got = [str(message).strip() for message, _ in self._messages]
                raise AssertionError(f"expected {what} on the stream, got {got}, end {self._end}")
            return first()

    def wait_for_end(self, timeout=SOON):
        """(code, details, when) of the end of the stream."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._end is not None, timeout):
                raise AssertionError(f"expected the stream to end within {timeout} s")
            return self._end

    def cancel(self):
        self._call.cancel()

    def _read(self):
        try:
            for message in self._call:
                with self._changed:
                    self._messages.append((message, time.monotonic()))
                    self._changed.notify_all()
        except grpc.RpcError:
            pass
        with self._changed:
            self._end = (self._call.code(), self._call.details(), time.monotonic())
            self._changed.notify_all()
