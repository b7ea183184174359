# SPDX-License-Identifier: GPL-2.0
"""Two senders on one CPU, of which one preempts the other in the middle of sending.

usage: preempt.py FRAMES ADDRESS...

A normal process sends without a pause. A process of real-time priority on the same CPU sends one datagram, sleeps
for some ten microseconds, and so on, FRAMES times to each ADDRESS in turn. On a kernel with PREEMPT_RT it interrupts
the other one wherever that is. Prints how many datagrams both have sent.
"""

from __future__ import annotations

import itertools
import os
import signal
import socket
import sys
import time

PORT = 9
PAYLOAD = bytes(1200)


def send_normally(sock: socket.socket, addresses: list[str]) -> int:
    """Sends until a signal arrives."""
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    for n in itertools.count(1):
        sock.sendto(PAYLOAD, (addresses[n % len(addresses)], PORT))
        if ended:
            return n
    return 0


def send_urgently(sock: socket.socket, addresses: list[str], frames: int) -> int:
    """Sends so many to each address."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    for n in range(frames):
        for address in addresses:
            sock.sendto(PAYLOAD, (address, PORT))
            # Another remainder each time, so that it wakes up everywhere in the other's way.
            time.sleep((37 + n * 7 % 101) * 1e-6)
    return frames * len(addresses)


def main() -> int:
    """Prints the sum."""
    frames, addresses = int(sys.argv[1]), sys.argv[2:]
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    os.sched_setaffinity(0, {0})
    read, write = os.pipe()
    normal = os.fork()
    if not normal:
        os.write(write, str(send_normally(sock, addresses)).encode())
        os._exit(0)
    n = send_urgently(sock, addresses, frames)
    os.kill(normal, signal.SIGTERM)
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    print(n + int(os.read(read, 32)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
