#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Numbered traffic in both directions between two network namespaces, and its losses.

  flows.py NAMESPACE1 ADDRESS1 NAMESPACE2 ADDRESS2 RECORDS PER_SECOND

Each end sends RECORDS datagrams, and as many records of 200 bytes over TCP, PER_SECOND of each, from a CPU of its own.
Prints JSON: for each direction what arrived over UDP and TCP, and what TCP had to resend or reorder.
"""

from __future__ import annotations

import json
import os
import pathlib
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable

PORT, RECORD, PATIENCE = 48000, 200, 20.0


class End:
    """One of the two ends."""

    def __init__(self, namespace: str, address: str, cpu: int) -> None:
        self.namespace, self.address, self.cpu = namespace, address, cpu

    def enter(self) -> None:
        """From now on, this thread acts in that namespace."""
        with open(f"/run/netns/{self.namespace}", encoding="ascii") as file:
            os.setns(file.fileno(), os.CLONE_NEWNET)
        os.sched_setaffinity(0, {self.cpu})


class Flow:
    """One direction of one protocol."""

    def __init__(self, sender: End, receiver: End, records: int, rate: float) -> None:
        self.sender, self.receiver, self.records, self.rate = sender, receiver, records, rate
        self.ready, self.next, self.seen, self.wrong = threading.Event(), 0, 0, 0

    def paced(self, send: Callable[[bytes], object]) -> None:
        """Sends the records at their rate; when late, it catches up."""
        start = time.monotonic()
        for number in range(self.records):
            wait = start + number / self.rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            send(struct.pack(">Q", number) + bytes(RECORD - 8))

    def note(self, record: bytes) -> None:
        """A record arrived: the next one, one after a gap, or a late or repeated one."""
        number = struct.unpack_from(">Q", record)[0]
        if number < self.next:
            self.wrong += 1
        else:
            self.seen, self.next = self.seen + 1, number + 1

    def result(self) -> dict[str, int]:
        """The result."""
        return {"missing": self.records - self.seen - self.wrong, "not_in_turn": self.wrong}


class Datagrams(Flow):
    """Over UDP."""

    def send(self) -> None:
        """The sender's thread."""
        self.sender.enter()
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect((self.receiver.address, PORT))
        self.paced(sock.send)

    def receive(self) -> None:
        """The receiver's thread, until all have arrived or nothing more arrives."""
        self.receiver.enter()
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 23)  # SO_RCVBUFFORCE
        sock.bind((self.receiver.address, PORT))
        sock.settimeout(PATIENCE)
        self.ready.set()
        try:
            while self.seen + self.wrong < self.records:
                self.note(sock.recv(RECORD))
        except TimeoutError:
            pass


class Stream(Flow):
    """Over TCP."""

    def send(self) -> None:
        """The sender's thread."""
        self.sender.enter()
        with socket.create_connection((self.receiver.address, PORT), PATIENCE) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.paced(sock.sendall)

    def receive(self) -> None:
        """The receiver's thread, until the end of the stream."""
        self.receiver.enter()
        listener = socket.create_server((self.receiver.address, PORT))
        listener.settimeout(PATIENCE)
        self.ready.set()
        with listener.accept()[0] as sock, sock.makefile("rb") as stream:
            while len(record := stream.read(RECORD)) == RECORD:
                self.note(record)


def counters(end: End) -> dict[str, int]:
    """The TCP counters of an end."""
    found: dict[str, int] = {}

    def read() -> None:
        end.enter()
        for name in ("snmp", "netstat"):
            lines = pathlib.Path(f"/proc/thread-self/net/{name}").read_text(encoding="ascii").splitlines()
            for names, values in zip(lines[::2], lines[1::2]):
                found.update(zip(names.split()[1:], map(int, values.split()[1:])))

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    return {name: found[name] for name in ("RetransSegs", "TCPOFOQueue", "TCPDSACKRecv")}


def main() -> int:
    """Parses the command line."""
    names, records, rate = sys.argv[1:5], int(sys.argv[5]), float(sys.argv[6])
    last = (os.cpu_count() or 1) - 1
    ends = [End(names[0], names[1], 0), End(names[2], names[3], last)]
    before = [counters(end) for end in ends]
    flows = [kind(ends[i], ends[1 - i], records, rate) for kind in (Datagrams, Stream) for i in (0, 1)]
    threads = [threading.Thread(target=flow.receive) for flow in flows]
    for thread in threads:
        thread.start()
    for flow in flows:
        flow.ready.wait(PATIENCE)
    threads += [threading.Thread(target=flow.send) for flow in flows]
    for thread in threads[len(flows):]:
        thread.start()
    for thread in threads:
        thread.join()
    after = [counters(end) for end in ends]
    print(json.dumps({
        "udp": [flow.result() for flow in flows[:2]],
        "tcp": [flow.result() for flow in flows[2:]],
        "counted": [{name: now[name] - was[name] for name in now} for was, now in zip(before, after)],
    }))
    return 0


if __name__ == "__main__":
    sys.exit(main())
