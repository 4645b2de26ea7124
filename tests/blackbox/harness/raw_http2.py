"""Connections and calls by hand, for what no client library sends."""

import socket
import struct

from harness.client import SOON

_DATA, _HEADERS, _SETTINGS, _WINDOW_UPDATE = 0, 1, 4, 8
_INITIAL_WINDOW_SIZE = 4
_LARGEST_WINDOW = 2**31 - 1
_ACK = _END_STREAM = 1
_END_HEADERS = 4


def connect(address):
    """A TCP socket to a data plane."""
    host, port = address.removeprefix("ipv4:").rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=SOON)


def greet(connection):
    """Says what a client says first: the preface and an empty SETTINGS frame."""
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0, b""))


def ask(address, path, headers, message):
    """The messages that a unary call is answered with, as bytes; at once over loopback TCP."""
    with connect(address) as connection:
        greet(connection)
        connection.sendall(_call(address, path, headers, message))
        return _read_messages(connection.makefile("rb"), connection)


def ask_and_take_nothing(address, path, message):
    """A connection whose client has asked, says that there is room for all of the answer, and never reads:
    what is sent to it ends up in the system's buffers, until those are full."""
    host, port = address.removeprefix("ipv4:").rsplit(":", 1)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((host, int(port)))
    greet(connection)
    connection.sendall(
        _frame(_SETTINGS, 0, 0, struct.pack(">HI", _INITIAL_WINDOW_SIZE, _LARGEST_WINDOW))
        + _frame(_WINDOW_UPDATE, 0, 0, struct.pack(">I", _LARGEST_WINDOW - 65535))
        + _call(address, path, {}, message))
    return connection


def _call(address, path, headers, message):
    authority = address.removeprefix("ipv4:").rsplit(":", 1)[0]
    fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": authority,
              "te": "trailers", "content-type": "application/grpc", **headers}
    block = b"".join(b"\0" + _text(name) + _text(value) for name, value in fields.items())
    return (_frame(_HEADERS, _END_HEADERS, 1, block)
            + _frame(_DATA, _END_STREAM, 1, struct.pack(">BI", 0, len(message)) + message))


def _read_messages(stream, connection):
    data = b""
    while True:
        head = stream.read(9)
        if len(head) < 9:
            raise AssertionError(f"expected an answer, the connection ended after {data!r}")
        length, kind, flags, number = struct.unpack(">I", b"\0" + head[:3])[0], *struct.unpack(
            ">BBI", head[3:])
        payload = stream.read(length)
        if kind == _SETTINGS and not flags & _ACK:
            connection.sendall(_frame(_SETTINGS, _ACK, 0, b""))
        if kind == _DATA and number == 1:
            data += payload
        if number == 1 and flags & _END_STREAM:
            return _split(data)


def _split(data):
    messages = []
    while data:
        length = struct.unpack(">BI", data[:5])[1]
        messages.append(data[5:5 + length])
        data = data[5 + length:]
    return messages


def _text(text):
    # A string literal of HPACK, without Huffman; up to 126 bytes.
    return bytes([len(text)]) + text.encode("latin-1")


def _frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload
