#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""When sealed frames leave, and how large they are: what a wire-tapper can tell from that.

  rhythm.py show PCAP MAC
  rhythm.py compare PCAP PCAP MAC [--what phases|times|epochs] [--late SHARE:US]
  rhythm.py down FROM DEVICE NS LINK
  rhythm.py load --to ADDRESS --seed N --until FILE [--bytes N] [--burst N] [--every US]

The captures are of an Ethernet underlay or of UDP over IPv4. show prints, of the frames from MAC, the sizes and the times
between them in nanoseconds. compare takes of two captures when the frames left after the ticks of one clock of 1 ms (phases),
the times between them (times), both in steps of 10 microseconds, or how many frames each epoch has. It prints the largest
distance between their distribution functions, and the critical value of Kolmogorov and Smirnov's test of two samples for a
significance of 0.001, and fails if the distance is larger. --late lets a share of the second capture's frames have left so much
later: a test of the test. down sends a broadcast from DEVICE of FROM and takes LINK of NS down at once. load sends bursts of UDP datagrams at random times, until FILE is there.
"""

from __future__ import annotations

import argparse
import collections
import fcntl
import json
import math
import pathlib
import random
import socket
import struct
import sys
import time

from capture import timed_records
from netdev import in_namespace
from tap import Tap
from wire import Header

# sqrt(-ln(0.000001 / 2) / 2): a run makes dozens of comparisons, and one run in a hundred must not fail by chance. What it
# still tells apart is tested (expect_told_apart).
BY_CHANCE = 2.694

# Less than that shows of every interrupt of a CPU, also of those that have nothing to do with the link.
STEP_NS = 10_000
SIOCSIFFLAGS = 0x8914
INTERVAL_NS = 1_000_000


def frames_of(path: str, mac: str) -> list[tuple[int, int, bytes]]:
    """Times in ns, lengths and first bytes of the frames of a sender."""
    source = bytes.fromhex(mac.replace(":", ""))
    records = timed_records(pathlib.Path(path).read_bytes())
    return [record for record in records if record[2][6:12] == source]


def times_of(path: str, mac: str) -> list[int]:
    """When the frames of a sender left, in ns."""
    return [at for at, _, _ in frames_of(path, mac)]


def gaps_of(times: list[int]) -> list[int]:
    """The times between frames."""
    return [b - a for a, b in zip(times, times[1:])]


def epochs(path: str, mac: str) -> list[int]:
    """How many frames the epochs of a sender have, without the first and the last one, which the capture cuts."""
    offset = {b"\x88\xb5": 14, b"\x08\x00": 42}
    count = collections.Counter(
        Header.parse(frame[offset[frame[12:14]] :]).epoch for _, _, frame in frames_of(path, mac)
    )
    return [count[epoch] for epoch in sorted(count)[1:-1]]


def sample(args: argparse.Namespace, path: str, late: tuple[float, int], tick: int) -> list[int]:
    """What is compared of a capture; @tick is a time in ns at which the clock ticks, less half an interval."""
    if args.what == "epochs":
        return epochs(path, args.mac)
    dice = random.Random(1)
    times = [at + (late[1] if dice.random() < late[0] else 0) for at in times_of(path, args.mac)]
    if args.what == "times":
        return [round(gap / STEP_NS) for gap in gaps_of(times)]
    return [round((at - tick) % INTERVAL_NS / STEP_NS) for at in times]


def tick_of(times: list[int]) -> int:
    """A tick of the clock: half of all frames leave before this phase, and half of them after it."""
    phases = sorted((at - times[len(times) // 2]) % INTERVAL_NS for at in times)
    # The phases of most are near 0 or near the interval, which is the same.
    near = sorted(phase - INTERVAL_NS if phase > INTERVAL_NS // 2 else phase for phase in phases)
    return times[len(times) // 2] + near[len(near) // 2] - INTERVAL_NS // 2


def distance(one: list[int], other: list[int]) -> float:
    """The largest difference of two empirical distribution functions."""
    one, other = sorted(one), sorted(other)
    i = j = 0
    most = 0.0
    while i < len(one) and j < len(other):
        at = min(one[i], other[j])
        while i < len(one) and one[i] == at:
            i += 1
        while j < len(other) and other[j] == at:
            j += 1
        most = max(most, abs(i / len(one) - j / len(other)))
    return most


def show(args: argparse.Namespace) -> int:
    """Sizes, and quantiles of times."""
    gaps = sorted(gaps_of(times_of(args.pcap, args.mac)))
    shares = {"least": 0.0, "1 %": 0.01, "10 %": 0.1, "half": 0.5, "90 %": 0.9, "99 %": 0.99, "most": 1.0}
    verdict: dict[str, object] = {name: gaps[int(share * (len(gaps) - 1))] for name, share in shares.items()}
    verdict |= {"n": len(gaps), "sizes": sorted({length for _, length, _ in frames_of(args.pcap, args.mac)})}
    print(json.dumps(verdict))
    return 0


def compare(args: argparse.Namespace) -> int:
    """Two captures."""
    tick = tick_of(times_of(args.pcap, args.mac))
    one = sample(args, args.pcap, (0, 0), tick)
    other = sample(args, args.other, args.late, tick)
    far = distance(one, other)
    chance = BY_CHANCE * math.sqrt((len(one) + len(other)) / (len(one) * len(other)))
    print(json.dumps({"n": [len(one), len(other)], "distance": round(far, 4), "by chance": round(chance, 4)}))
    return 0 if far <= chance else 1


def share_and_ns(text: str) -> tuple[float, int]:
    """Of SHARE:US."""
    share, late_us = text.split(":")
    return float(share), round(float(late_us) * 1000)


def down(args: argparse.Namespace) -> int:
    """A frame, and the device that forwards it down before it has waited long enough."""
    source = Tap(args.sender, args.device, protocol=0)
    control = in_namespace(args.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    request = struct.pack("16sH22x", args.link.encode(), 0)
    source.send(b"\xff" * 6 + source.mac + b"\x88\xb6" + bytes(50))
    fcntl.ioctl(control, SIOCSIFFLAGS, request)
    return 0


def load(args: argparse.Namespace) -> int:
    """Bursts of datagrams."""
    dice = random.Random(args.seed)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    n = 0
    while not pathlib.Path(args.until).exists():
        for _ in range(args.burst):
            sock.sendto(bytes(args.bytes), (args.to, 9))
            n += 1
        time.sleep(dice.expovariate(1e6 / args.every))
    print(json.dumps({"sent": n}))
    return 0


def main() -> int:
    """Runs a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    sub = commands.add_parser("show")
    sub.set_defaults(run=show)
    sub.add_argument("pcap")
    sub.add_argument("mac")
    sub = commands.add_parser("compare")
    sub.set_defaults(run=compare)
    sub.add_argument("pcap")
    sub.add_argument("other")
    sub.add_argument("mac")
    sub.add_argument("--what", choices=("phases", "times", "epochs"), default="phases")
    sub.add_argument("--late", type=share_and_ns, default=(0, 0))
    sub = commands.add_parser("down")
    sub.set_defaults(run=down)
    for name in ("sender", "device", "namespace", "link"):
        sub.add_argument(name)
    sub = commands.add_parser("load")
    sub.set_defaults(run=load)
    sub.add_argument("--to", required=True)
    sub.add_argument("--seed", type=int, required=True)
    sub.add_argument("--until", required=True)
    sub.add_argument("--bytes", type=int, default=1000)
    sub.add_argument("--burst", type=int, default=1)
    sub.add_argument("--every", type=float, default=1000, help="microseconds from burst to burst, on average")
    args = parser.parse_args()
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
