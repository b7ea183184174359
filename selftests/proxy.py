#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Stands between two agents and does what a line, or somebody on it, may do to what they say.

usage: proxy.py OWN-ADDRESS PORT ADDRESS PORT <PLAN

Who dials OWN-ADDRESS gets what ADDRESS says, unharmed until SIGUSR1, which also ends what connection there is. From then
on a line of PLAN,

  out|in N DEED     to the Nth TLS record, from 0, from or to the one who dialled: handshake, agreement and all

is for one connection; one that ends before its deed is done leaves it to the next, and one that is none the worse for it
is cut eight records later. A DEED:

  lose       the record does not arrive
  alter      its last bit is another
  twice      it arrives twice
  swap       it arrives after the record behind it
  late       it, and what is behind it, arrives two seconds later; then the connection is cut
  cut        half of it arrives, and then the end

Says "listening", "N: LINE" for each that is done, "all done" after the last, and lets everything through from then on.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import NamedTuple

HEADER = 5
LATE_S = 2
# A connection that takes so many records after a deed has survived it.
ENOUGH = 8


class Cut(Exception):
    """The connection ends here."""


async def read_record(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(HEADER)
    return head + await reader.readexactly(int.from_bytes(head[3:], "big"))


def alter(record: bytes) -> bytes:
    return record[:-1] + bytes([record[-1] ^ 1])


class Deed(NamedTuple):
    """One line of the plan."""

    number: int
    way: str
    nth: int
    what: str


class Plan:
    """What is to be done, from the first on."""

    def __init__(self, lines: list[str]) -> None:
        self.deeds = [Deed(number, *self.parse(line)) for number, line in enumerate(lines)]
        self.done, self.has_begun = 0, asyncio.Event()

    @staticmethod
    def parse(line: str) -> tuple[str, int, str]:
        way, nth, what = line.split()
        if way not in ("out", "in") or what not in ("lose", "alter", "twice", "swap", "late", "cut"):
            sys.exit(f"{line.strip()}: no deed; see the head of {sys.argv[0]}")
        return way, int(nth), what

    def next(self) -> Deed | None:
        return self.deeds[self.done] if self.has_begun.is_set() and self.done < len(self.deeds) else None

    def tick(self, deed: Deed) -> None:
        """@deed is done; it may have been on a connection before this one."""
        if deed.number != self.done:
            return
        print(f"{deed.number}: {deed.way} {deed.nth} {deed.what}", flush=True)
        self.done += 1
        if self.done == len(self.deeds):
            print("all done", flush=True)


async def do(what: str, record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Do this to @record; Cut where nothing comes after it."""
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


async def carry(
    way: str, plan: Plan, deed: Deed | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One way of a connection, record by record."""
    nth = 0
    while not deed or deed.way != way or nth <= deed.nth + ENOUGH:
        record = await read_record(reader)
        if deed and (deed.way, deed.nth) == (way, nth):
            try:
                await do(deed.what, record, reader, writer)
            finally:
                plan.tick(deed)
        else:
            writer.write(record)
        await writer.drain()
        nth += 1


async def serve(plan: Plan, there: tuple[str, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, until either end has enough of it."""
    writers = [writer]
    try:
        far_reader, far_writer = await asyncio.open_connection(*there)
        writers.append(far_writer)
        deed = plan.next()
        ways = [
            asyncio.create_task(carry("out", plan, deed, reader, far_writer)),
            asyncio.create_task(carry("in", plan, deed, far_reader, writer)),
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

    async def on_dialled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(plan, there, reader, writer)

    server = await asyncio.start_server(on_dialled, *own)
    print("listening", flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
