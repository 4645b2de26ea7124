"""HTTP/2 as an attacker writes it: frames byte by byte, over sockets of the standard library.

Nothing here keeps to the protocol by itself. A Connection sends what it is given, reads no more
than it must, and says so when the other side has gone.
"""

import select
import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = 0, 1, 2, 3, 4
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 1, 4, 5

MAX_FRAME = 16384  # what a peer takes without having said more

# Not the address of those who mean well: a host has bounds for each.
ELSEWHERE = "127.0.0.2"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(**values):
    """SETTINGS with those of HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, by name."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", globals()[name.upper()], value)
                                          for name, value in values.items()))


SETTINGS_ACK = frame(SETTINGS, ACK, 0)


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def reset(stream, code=8):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


# HPACK, without Huffman codes.

def _integer(value, prefix, first):
    """An integer whose first byte has `prefix` bits of it, under the bits of `first`."""
    most = (1 << prefix) - 1
    if value < most:
        return bytes([first | value])
    out, value = [first | most], value - most
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes([*out, value])


def _text(value):
    return _integer(len(value), 7, 0) + value


def literal(name, value, indexed=False):
    """A header with its name in full; `indexed`: the peer keeps it in its table."""
    return (b"\x40" if indexed else b"\x00") + _text(_bytes(name)) + _text(_bytes(value))


def index(number):
    """A header that the peer has in its table; 62 is the one that was put there last."""
    return _integer(number, 7, 0x80)


def table_size(size):
    return _integer(size, 5, 0x20)


def _bytes(value):
    return value if isinstance(value, bytes) else value.encode()


def call_headers(path, *more):
    """The header block of a gRPC call; `more` are (name, value)."""
    plain = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "host"),
             ("te", "trailers"), ("content-type", "application/grpc"), *more]
    return b"".join(literal(name, value) for name, value in plain)


def message(payload=b"", compressed=0, length=None):
    """A message as gRPC puts it into DATA; `length` is what its prefix claims."""
    return struct.pack(">BI", compressed, len(payload) if length is None else length) + payload


def open_call(stream, block, flags=END_HEADERS):
    return frame(HEADERS, flags, stream, block)


def whole_call(stream, block, body=None):
    """A call with its only message, and the end."""
    body = message() if body is None else body
    return open_call(stream, block) + frame(DATA, END_STREAM, stream, body)


class Connection:
    """One TCP connection. `alive` is false once the other side has closed it, or was never there."""

    def __init__(self, address, patience=1.0):
        self.alive = True
        # How much DATA the host takes on this connection, where count_window was called.
        self.window = None
        self._unparsed = bytearray()
        self.next_stream = 1
        self.received = 0
        try:
            self.socket = socket.create_connection(address, timeout=patience,
                                                   source_address=(ELSEWHERE, 0))
            self.socket.setblocking(False)
        except OSError:
            self.socket, self.alive = None, False

    def hello(self, until, acknowledge=True, **values):
        """Preface and SETTINGS, then the host's own, acknowledged or not. Returns itself."""
        if not self.alive:
            return self
        self.send(until, PREFACE + settings(**values))
        if self.alive and self.wait(until, 1.0) and acknowledge:
            self.send(until, SETTINGS_ACK)
        return self

    def count_window(self):
        """From here on `window` follows what the host allows. Before hello."""
        self.window = 65535
        return self

    def spend(self, until, amount):
        """Waits until the host takes so much more DATA; whether it does."""
        for _ in until.times(1_000_000):
            if not self.alive or self.window >= amount:
                break
            self.wait(until, 0.2)
        if not self.alive or self.window < amount:
            return False
        self.window -= amount
        return True

    def streams(self, count):
        """The numbers of the next streams."""
        first, self.next_stream = self.next_stream, self.next_stream + 2 * count
        return range(first, self.next_stream, 2)

    def send(self, until, data, reads=True, patience=2.0):
        """Sends it all, and reads what comes meanwhile. False: the peer has gone, or has taken nothing
        for `patience` seconds, or time is over."""
        left = memoryview(data)
        stuck = until.left - patience
        while left and self.alive and until.left > max(0, stuck):
            sent = self._send_some(left)
            if sent:
                left, stuck = left[sent:], until.left - patience
            if not self.alive or not (left or reads):
                continue
            # Where all is sent, a look without waiting.
            ready = self._poll(select.POLLIN * reads | select.POLLOUT * bool(left),
                               min(0.2, until.left) if left else 0)
            if ready & ~select.POLLOUT:
                self.read()
        return not left and self.alive

    def read(self):
        """Throws away what has come."""
        try:
            came = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            came = b""
        self.received += len(came)
        if not came:
            self.close()
        elif self.window is not None:
            self._parse(came)

    def _parse(self, came):
        """Adds up the WINDOW_UPDATEs of the connection."""
        self._unparsed += came
        begin = 0
        while len(self._unparsed) - begin >= 9:
            size = int.from_bytes(self._unparsed[begin:begin + 3], "big")
            if len(self._unparsed) - begin < 9 + size:
                break
            if self._unparsed[begin + 3] == WINDOW_UPDATE and not any(
                    self._unparsed[begin + 5:begin + 9]):
                self.window += int.from_bytes(self._unparsed[begin + 9:begin + 13], "big")
            begin += 9 + size
        del self._unparsed[:begin]

    def wait(self, until, seconds):
        """Until something comes, at most so long; whether it did. What came is thrown away."""
        ready = self._poll(select.POLLIN, min(seconds, until.left))
        if ready:
            self.read()
        return bool(ready)

    def close(self):
        self.alive = False
        if self.socket is not None:
            self.socket.close()

    def abort(self):
        """Closes with a RST."""
        if self.alive:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def _poll(self, events, seconds):
        """Which of these came to be, or an error, within so long."""
        poll = select.poll()
        poll.register(self.socket, events)
        return sum(event for _, event in poll.poll(seconds * 1000))

    def _send_some(self, data):
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self.close()
            return 0
