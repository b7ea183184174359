#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Bursts of numbered frames of a LAN, which a gateway forwards all in one softirq.

  bursts.py --from NS --device DEV --to NS [--bursts N] [--frames N] [--sizes LIST] [--between COMMAND] [--one-by-one]

The frames wait in the device's qdisc, a plug, and leave it at once, as from a network card. Their destination is qlink0 of
--to, where they must come out as they are and in their order. COMMAND runs in a shell while each second burst is held, so
that what it changes applies to the middle of the traffic. With --one-by-one nothing is held, and each frame comes in a
softirq of its own, unless the CPU is too busy. Prints JSON: what was sent, came, came in another order, and
came with other bytes.
"""

from __future__ import annotations

import argparse
import json
import random
import select
import socket
import struct
import subprocess
import sys
import time

from innerframes import udp_frame
from tap import Tap

PATIENCE_S = 5.0
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33  # a whole burst is held, and comes at once


def plug(args: argparse.Namespace, *words: str) -> None:
    """Changes the plug."""
    tc = ["tc", "-n", args.sender, "qdisc", *words]
    subprocess.run(tc, check=True)


def burst(args: argparse.Namespace, source: Tap, to: bytes, dice: random.Random, first: int) -> list[bytes]:
    """Frames of random sizes with their numbers inside."""
    sizes = [dice.choice(args.sizes) for _ in range(args.frames)]
    return [
        udp_frame(source.mac, to, struct.pack(">I", first + n) + dice.randbytes(size - 46), ipv6=False)
        for n, size in enumerate(sizes)
    ]


def number_of(frame: bytes) -> int | None:
    """The number in a frame of ours."""
    if frame[12:14] != b"\x08\x00" or frame[23:24] != b"\x11" or frame[36:38] != b"\x00\x09":
        return None
    return struct.unpack_from(">I", frame, 42)[0]


def main() -> int:
    """Fails unless everything came in order and unchanged."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="sender", required=True)
    parser.add_argument("--device", default="veth1")
    parser.add_argument("--to", required=True)
    parser.add_argument("--bursts", type=int, default=10)
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--sizes", type=lambda text: [int(word) for word in text.split(",")], default=[64])
    parser.add_argument("--between")
    parser.add_argument("--one-by-one", action="store_true")
    args = parser.parse_args()
    source, tap = Tap(args.sender, args.device, protocol=0), Tap(args.to, "qlink0")
    source.sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 16 << 20)
    tap.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    dice = random.Random(7)
    sent: list[bytes] = []
    came: list[bytes] = []
    plug(args, "replace", "dev", args.device, "root", "handle", "1:", "plug", "limit", "10000000")
    plug(args, "change", "dev", args.device, "root", "handle", "1:", "plug", "release_indefinite")
    for n in range(args.bursts):
        if not args.one_by_one:
            plug(args, "change", "dev", args.device, "root", "handle", "1:", "plug", "block")
        frames = burst(args, source, tap.mac, dice, len(sent))
        for frame in frames:
            source.send(frame)
        sent += frames
        if args.between and n % 2:
            subprocess.run(args.between, shell=True, check=True)
        plug(args, "change", "dev", args.device, "root", "handle", "1:", "plug", "release_indefinite")
        end = time.monotonic() + PATIENCE_S
        while len(came) < len(sent) and time.monotonic() < end:
            select.select([tap.sock], [], [], 0.1)
            came += [frame for frame in tap.read() if number_of(frame) is not None]
    numbers = [number_of(frame) for frame in came]
    verdict = {
        "sent": len(sent),
        "came": len(came),
        "disordered": sum(a >= b for a, b in zip(numbers, numbers[1:])),
        "changed": sum(frame != sent[number] for frame, number in zip(came, numbers)),
    }
    print(json.dumps(verdict))
    return 0 if verdict == {"sent": len(sent), "came": len(sent), "disordered": 0, "changed": 0} else 1


if __name__ == "__main__":
    sys.exit(main())
