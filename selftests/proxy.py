#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Relays TLS between two agents, and damages single records as a bad line or an attacker could.

usage: proxy.py OWN-ADDRESS PORT ADDRESS PORT <PLAN

Connections to OWN-ADDRESS are relayed to ADDRESS, unchanged until SIGUSR1, which also closes the connection that
exists. From then on each line of PLAN,

  out|in N FAULT    on the Nth TLS record, from 0, sent (out) or received (in) by the client, handshake included

applies to one connection. If the connection ends before its fault happens, the next connection gets the same fault.
A connection that survives its fault is closed eight records later. A FAULT:

  lose       the record does not arrive
  alter      its last bit is flipped
  twice      it arrives twice
  swap       it arrives after the next record
  late       it and the next record arrive two seconds later; then the connection is closed
  cut        half of it arrives; then the connection is closed

Prints "listening", "N: LINE" for each fault that happened, and "all done" after the last; from then on all
connections are relayed unchanged.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import NamedTuple

HEADER = 5
LATE_S = 2
# A connection that relays this many records after a fault has survived it.
ENOUGH = 8


class Cut(Exception):
    """The connection ends here."""


async def read_record(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(HEADER)
    return head + await reader.readexactly(int.from_bytes(head[3:], "big"))


def alter(record: bytes) -> bytes:
    return record[:-1] + bytes([record[-1] ^ 1])


class Fault(NamedTuple):
    """One line of the plan."""

    number: int
    way: str
    nth: int
    what: str


class Plan:
    """The faults, in order."""

    def __init__(self, lines: list[str]) -> None:
        self.faults = [Fault(number, *self.parse(line)) for number, line in enumerate(lines)]
        self.done, self.has_begun = 0, asyncio.Event()

    @staticmethod
    def parse(line: str) -> tuple[str, int, str]:
        way, nth, what = line.split()
        if way not in ("out", "in") or what not in ("lose", "alter", "twice", "swap", "late", "cut"):
            sys.exit(f"{line.strip()}: no fault; see the head of {sys.argv[0]}")
        return way, int(nth), what

    def next(self) -> Fault | None:
        return self.faults[self.done] if self.has_begun.is_set() and self.done < len(self.faults) else None

    def report(self, fault: Fault) -> None:
        """The fault has happened; it may have been on an earlier connection."""
        if fault.number != self.done:
            return
        print(f"{fault.number}: {fault.way} {fault.nth} {fault.what}", flush=True)
        self.done += 1
        if self.done == len(self.faults):
            print("all done", flush=True)


async def apply(what: str, record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Applies the fault to the record; raises Cut if nothing may follow it."""
    if what == "lose":
        return
    if what == "alter":
        writer.write(alter(record))
    elif what == "twice":
        writer.write(record + record)
    elif what == "swap":
        writer.write(await read_record(reader) + record)
    elif what == "late":
        await asyncio.sleep(LATE_S)
        writer.write(record)
        await writer.drain()
        writer.write(await read_record(reader))
        raise Cut
    elif what == "cut":
        writer.write(record[: len(record) // 2])
        await writer.drain()
        raise Cut


async def relay(
    way: str, plan: Plan, fault: Fault | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One direction of a connection, record by record."""
    nth = 0
    while not fault or fault.way != way or nth <= fault.nth + ENOUGH:
        record = await read_record(reader)
        if fault and (fault.way, fault.nth) == (way, nth):
            try:
                await apply(fault.what, record, reader, writer)
            finally:
                plan.report(fault)
        else:
            writer.write(record)
        await writer.drain()
        nth += 1


async def serve(plan: Plan, there: tuple[str, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, until either end closes it."""
    writers = [writer]
    try:
        far_reader, far_writer = await asyncio.open_connection(*there)
        writers.append(far_writer)
        fault = plan.next()
        ways = [
            asyncio.create_task(relay("out", plan, fault, reader, far_writer)),
            asyncio.create_task(relay("in", plan, fault, far_reader, writer)),
        ]
        if not plan.has_begun.is_set():
            ways.append(asyncio.create_task(plan.has_begun.wait()))
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
    except OSError:
        pass
    for end in writers:
        end.close()


async def main() -> None:
    own, there = (sys.argv[1], int(sys.argv[2])), (sys.argv[3], int(sys.argv[4]))
    plan = Plan(sys.stdin.readlines())
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, plan.has_begun.set)

    async def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(plan, there, reader, writer)

    server = await asyncio.start_server(on_connect, *own)
    print("listening", flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
