#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tables of what a bench on this machine's own kernel measured.

usage: here.py LINES PEER...

LINES has what scripts/guest/here printed. Fails if a peer failed, or a measure of it is missing.
"""

from __future__ import annotations

import collections
import dataclasses
import pathlib
import statistics
import sys

from figures import MEASURES, measures, print_table, variant

TITLES = {"tcp-gso": "tcp-gso, per 1400 bytes", "tcp": "tcp, per 1400 bytes"}
HEAD = ["ns", "frames/s", "cycles", "instructions"]
ORDER = (*MEASURES, "fwd-64", "fwd-1400", "fwd-imix")
TWO = ("two-64", "two-1400")


@dataclasses.dataclass
class Taken:
    """A measure, once."""

    ns: float
    lost: int
    rate: float
    cycles: str
    instructions: str


def middle(taken: list[Taken], name: str) -> float | None:
    """The median of what was taken, or None where nothing was counted."""
    values = [getattr(one, name) for one in taken]
    return statistics.median(map(float, values)) if values and "-" not in values else None


def number(value: float | None) -> str:
    """Of a table."""
    return "-" if value is None else f"{value:,.0f}"


class Here:
    """What was measured."""

    def __init__(self, lines: list[str]) -> None:
        self.taken: dict[tuple[str, str], list[Taken]] = collections.defaultdict(list)
        self.shares: dict[tuple[str, str, str, str], list[Taken]] = collections.defaultdict(list)
        self.ways: dict[tuple[str, str], dict[str, int]] = collections.defaultdict(dict)
        self.without: dict[str, str] = {}
        self.failed: list[str] = []
        self.driver = self.counters = ""
        for line in lines:
            self.read(line.split())

    def read(self, words: list[str]) -> None:
        """A line."""
        match words:
            case ["bench", peer, measure, ns, lost, _, rate, cycles, instructions]:
                self.taken[peer, measure].append(Taken(float(ns), int(lost), float(rate), cycles, instructions))
            case ["share", peer, measure, beside, cpu, ns, lost, rate, cycles, instructions]:
                self.shares[peer, measure, beside, cpu].append(
                    Taken(float(ns), int(lost), float(rate), cycles, instructions))
            case ["spread", peer, cpu, way, frames]:
                self.ways[peer, cpu][way] = int(frames)
            case ["without", peer, *why]:
                self.without[peer] = " ".join(why)
            case ["failed", peer]:
                self.failed.append(peer)
            case ["driver", name]:
                self.driver = name
            case ["counters", *words]:
                self.counters = " ".join(words)

    def missing(self, peers: list[str]) -> list[str]:
        """Measures that are not there, of peers that did not say that they failed."""
        return [f"{peer} {measure}" for peer in peers if peer not in self.without and peer not in self.failed
                for measure in measures(peer) if (peer, measure) not in self.taken]

    def lost(self) -> list[str]:
        """Where frames were."""
        sums = {name: sum(one.lost for one in taken) for name, taken in [*self.taken.items(), *self.shares.items()]}
        return [f"{' '.join(name)}: {n:,} {'resent' if name[1].startswith('tcp') else 'lost'}"
                for name, n in sums.items() if n > 0]

    def spread(self) -> tuple[float, str]:
        """How far apart the times of a measure are, at most."""
        spreads = [(max(one.ns for one in taken) / min(one.ns for one in taken) - 1, " ".join(name))
                   for name, taken in self.taken.items() if min(one.ns for one in taken) > 0]
        return max(spreads, default=(0.0, "nothing"))


def print_measure(here: Here, peers: list[str], measure: str) -> None:
    """A table, with a row a peer."""
    rows = []
    for peer in peers:
        if taken := here.taken.get((peer, measure)):
            rows.append([peer, *[number(middle(taken, name)) for name in ("ns", "rate", "cycles", "instructions")]])
    print_table([TITLES.get(measure, measure), *HEAD], rows)


def cpus_of(here: Here) -> list[str]:
    """Those that were measured side by side, in the order of BENCH_CPU."""
    return list(dict.fromkeys(cpu for _, _, beside, cpu in here.shares if beside == "alone"))


def print_two(here: Here, peers: list[str], measure: str) -> None:
    """What each of two CPUs takes alone and beside the other, and how many frames a second both have together."""
    cpus, rows = cpus_of(here), []
    for peer in peers if cpus else []:
        alone = [here.shares.get((peer, measure, "alone", cpu)) for cpu in cpus]
        both = [here.shares.get((peer, measure, "both", cpu)) for cpu in cpus]
        if not all(alone) or not all(both):
            continue
        rates = [sum(middle(taken, "rate") or 0 for taken in group if taken) for group in (alone, both)]
        rows.append([peer, *[number(middle(taken, "ns")) for pair in zip(alone, both) for taken in pair if taken],
                     *[number(middle(taken, "cycles")) for taken in both if taken], number(rates[1]),
                     f"{2 * rates[1] / rates[0]:.2f}" if rates[0] else "-"])
    head = [words.format(cpu) for cpu in cpus for words in ("ns, CPU {} alone", "ns, CPU {} of both")]
    print_table([measure, *head, *[f"cycles, CPU {cpu} of both" for cpu in cpus], "frames/s, both", "both / one"], rows)


def print_ways(here: Here, peers: list[str]) -> None:
    """How the frames of each CPU spread over lanes or SAs."""
    cpus = cpus_of(here)
    rows = [[peer, *[", ".join(f"{way.replace('-', ' ')}: {frames:,}" for way, frames in here.ways[peer, cpu].items())
                     for cpu in cpus]] for peer in peers if any((peer, cpu) in here.ways for cpu in cpus)]
    print_table(["frames on the wire", *[f"from CPU {cpu}" for cpu in cpus]], rows)


def print_notes(here: Here) -> None:
    """What is no table."""
    print()
    print("ns: time of the CPU per frame, both ends and their system calls, without what it was idle. frames/s: by the clock.")
    if here.counters != "yes":
        print(f'cycles, instructions: "-", for perf_event_open() says: {here.counters}. A VM often has no such counters.')
    if ("wireguard", "udp-64") in here.taken:
        print("wireguard: of all CPUs, with all that they did meanwhile, because it gives each frame to another one.")
    print(f"The cipher is {here.driver or 'unknown'}. Times of one measure differ by {here.spread()[0] * 100:.0f} % at most "
          f"({here.spread()[1]}).")
    for name in here.lost():
        print(f"frames: {name}")
    for peer, why in here.without.items():
        print(f"left out: {peer}: {why}")


def main() -> int:
    """Fails if a measure did."""
    here, peers = Here(pathlib.Path(sys.argv[1]).read_text().splitlines()), sys.argv[2:]
    if not here.counters:
        print("bench: the round ended before its first peer", file=sys.stderr)
        return 1
    for measure in ORDER:
        print_measure(here, [peer for peer in peers if variant(peer) in ("all", "fwd")], measure)
    for measure in TWO:
        print_two(here, peers, measure)
    print_ways(here, peers)
    print_notes(here)
    faults = [f"{peer}: failed" for peer in here.failed] + [f"{name}: was not taken" for name in here.missing(peers)]
    for fault in faults:
        print(f"bench: {fault}", file=sys.stderr)
    return 1 if faults or not here.taken else 0


if __name__ == "__main__":
    sys.exit(main())
