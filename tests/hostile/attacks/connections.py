"""Attacks by connections that ask for little or nothing."""

import h2
from attack import Bounds, attack, hold

GET_TIME = h2.call_headers("/mainspring.clock.v1.Clock/GetTime")


def open_many(target, until, count, first=b""):
    """Connections that each sent `first`."""
    opened = []
    for _ in until.times(count):
        connection = h2.Connection(target.data, patience=0.5)
        if connection.alive and first:
            connection.send(until, first)
        opened.append(connection)
    return opened


@attack()
def silent_connections(target, until):
    """2,000 connections that send nothing"""
    opened = open_many(target, until, 2000)
    hold(until, opened)
    return {"connections": len(opened)}


@attack()
def half_preface(target, until):
    """2,000 connections that send half of the preface"""
    opened = open_many(target, until, 2000, h2.PREFACE[:12])
    hold(until, opened)
    return {"connections": len(opened)}


@attack()
def slow_preface(target, until):
    """500 connections that send a call byte by byte, five times a second"""
    words = h2.PREFACE + h2.settings() + h2.open_call(1, GET_TIME)
    opened = open_many(target, until, 500)
    sent = 0
    for number in until.times(len(words)):
        for each in opened:
            if each.alive:
                sent += each.send(until, words[number:number + 1])
        until.wait(0.2)
    return {"connections": len(opened), "bytes": sent}


@attack(bounds=Bounds(answered=0.3, probed=0.0), descriptors=256)
def descriptors_exhausted(target, until):
    """600 connections that idle, at a host with 256 descriptors"""
    opened = open_many(target, until, 600, h2.PREFACE + h2.settings())
    hold(until, opened)
    return {"connections": len(opened)}


@attack()
def reset_connections(target, until):
    """connections that are reset as soon as they are open, as a TCP health check does it"""
    count = 0
    for count in until.times(200_000):
        h2.Connection(target.data, patience=0.5).abort()
    return {"connections": count + 1}


@attack()
def half_open_calls(target, until):
    """a call whose message never comes on each of 3,000 connections"""
    call = h2.PREFACE + h2.settings() + h2.SETTINGS_ACK + h2.open_call(1, GET_TIME)
    opened = open_many(target, until, 3000, call)
    hold(until, opened)
    return {"connections": len(opened)}
