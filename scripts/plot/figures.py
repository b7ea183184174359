#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tables, bench.json and bench.svg of what the rounds of a bench said.

usage: figures.py KERNEL LINES FOLDER PEER...

LINES has what scripts/guest/bench printed. Names each measure that failed: lost frames, or was not taken twice.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import pathlib
import sys
from collections.abc import Callable

import bars

MEASURES = ("tcp-gso", "tcp", "udp-64", "udp-1400", "burst-64", "burst-1400", "rtt")
MEASURES_OF = {"links": ("tcp-gso", "udp-64", "udp-1400", "rtt"), "rekey": ("tcp-gso", "udp-1400"),
               "fwd": ("fwd-64", "fwd-1400", "fwd-imix")}
# The mean bytes of a frame of each kind: an IMIX has 7 of 64, 4 of 570 and one of 1500.
BYTES = {"64": 64, "imix": (7 * 64 + 4 * 570 + 1500) / 12}
# Of a peer with rekeys, before any key changes: as many keys are staged, and somebody listens.
STILL = "-still"
# Those whose cipher is not that of the floor, or which have none: nothing of it is taken off for their own cost.
WITHOUT_GCM = ("veth", "vxlan", "wireguard", "fwd-lan", "fwd-veth", "fwd-vxlan-wireguard")
# A figure for 1,000 rekeys a second is for so many each way.
REKEYS_EACH_WAY = 1000
CPU = 1e9  # instructions a second


@dataclasses.dataclass
class Count:
    """A measure, once."""

    instructions: float
    lost: int
    rekeys: int  # a second, both ways together


@dataclasses.dataclass
class Figure:
    """A measure of a peer, from its counts; an object of bench.json."""

    name: str
    peer: str
    kernel: str
    instructions: int
    floor_ratio: float | None
    spread: float
    own: int | None = None  # less the bare veth and the cipher
    gateways: int | None = None  # less what the LANs take that they forward between
    base: int | None = None  # the same without rekeys
    rekeys: int | None = None  # a second, both ways together, as it came about while it was counted
    measured: int | None = None  # with these
    instructions_per_rekey: int | None = None


def mean(values: list[float]) -> float:
    """Of some."""
    return sum(values) / len(values)


def spread(values: list[float]) -> float:
    """How far apart the counts are."""
    return (max(values) - min(values)) / min(values)


def variant(peer: str) -> str:
    """Which measures it has: all, or those of "links", "rekey" or "fwd"."""
    return next((word for word in MEASURES_OF if f"-{word}-" in f"-{peer}"), "all")


def plain(peer: str) -> str:
    """The same with one link, and without rekeys."""
    return "-".join(peer.split("-")[:2]) if variant(peer) != "all" else peer


def measures(peer: str) -> tuple[str, ...]:
    """Of a peer."""
    return MEASURES_OF.get(variant(peer), MEASURES)


def counted(peer: str) -> tuple[str, ...]:
    """What has to be there for these."""
    names = measures(peer)
    return (*names, *(name + STILL for name in names)) if variant(peer) == "rekey" else names


class Bench:
    """What was counted, and what comes of it."""

    def __init__(self, kernel: str, lines: list[str]) -> None:
        self.kernel = kernel
        self.driver = ""
        self.counts: dict[tuple[str, str], list[Count]] = collections.defaultdict(list)
        self.floors: dict[str, list[list[int]]] = collections.defaultdict(list)
        self.installs: list[float] = []
        self.clocks: dict[str, list[float]] = collections.defaultdict(list)
        self.wire: dict[tuple[str, str], int] = {}
        for line in lines:
            self.read(line.split())

    def read(self, words: list[str]) -> None:
        """A line."""
        match words:
            case ["bench", peer, measure, instructions, lost, rekeys]:
                self.counts[peer, measure].append(Count(float(instructions), int(lost), int(rekeys)))
            case ["wire", peer, measure, size]:
                self.wire[peer, measure] = int(size)
            case ["floor", size, *parts]:
                self.floors[size].append([int(part) for part in parts])
            case ["install", instructions]:
                self.installs.append(float(instructions))
            case ["clock", under, instructions]:
                self.clocks[under].append(float(instructions))
            case ["driver", name]:
                self.driver = name

    def fault(self, peer: str, measure: str) -> str:
        """Why there is no figure, or nothing."""
        counts = self.counts[peer, measure]
        lost = sum(count.lost for count in counts)
        if len(counts) < 2:
            return f"{peer} {measure}: taken {len(counts)} times, must be 2"
        return f"{peer} {measure}: {lost} frames lost, must be 0" if lost else ""

    def floor(self, measure: str, parts: slice = slice(None)) -> list[float]:
        """What the cipher and a copy (or some parts of these) take for a frame, or one there and back; each round."""
        size = "64" if measure == "rtt" else measure.rpartition("-")[2]
        share = (BYTES.get(size, 1400) - 64) / (1400 - 64)
        return [(2 if measure == "rtt" else 1) * (sum(small[parts]) * (1 - share) + sum(large[parts]) * share)
                for small, large in zip(self.floors["64"], self.floors["1400"])]

    def level(self, peer: str, measure: str) -> float | None:
        """Of its counts, where they are good."""
        if self.fault(peer, measure):
            return None
        return mean([count.instructions for count in self.counts[peer, measure]])

    def own(self, peer: str, measure: str, instructions: float) -> int | None:
        """What is left without the wire and the cipher."""
        plain_peer = "fwd-veth" if variant(peer) == "fwd" else "veth"
        veth = self.level(plain_peer, measure)
        if veth is None or peer in ("veth", "fwd-veth", "fwd-lan"):
            return None
        gcm = 0.0 if peer in WITHOUT_GCM else mean(self.floor(measure, slice(2)))
        return round(instructions - veth - gcm)

    def figure(self, peer: str, measure: str) -> Figure | None:
        """Of a peer, or none."""
        if self.fault(peer, measure):
            return None
        figure = self.of_values(peer, measure, [count.instructions for count in self.counts[peer, measure]])
        base = self.level(peer, measure + STILL)
        if base is not None:
            self.at_its_rate(figure, base)
        figure.own = self.own(peer, measure, figure.instructions)
        lan = self.level("fwd-lan", measure)
        if lan is not None and peer != "fwd-lan":
            figure.gateways = round(figure.instructions - lan)
        return figure

    def of_values(self, peer: str, measure: str, values: list[float]) -> Figure:
        """As they are."""
        return Figure(measure, peer, self.kernel, round(mean(values)),
                      round(mean(values) / mean(self.floor(measure)), 3), round(spread(values), 4))

    def at_its_rate(self, figure: Figure, base: float) -> None:
        """More or less rekeys came about than the name says: from what one takes, linearly, what so many would."""
        counts = self.counts[figure.peer, figure.name]
        figure.measured = figure.instructions
        figure.base = round(base)
        figure.rekeys = round(mean([count.rekeys for count in counts]))
        if not figure.peer.endswith(f"-{REKEYS_EACH_WAY}"):
            return
        keys = [(count.instructions - base) / (count.rekeys * count.instructions / CPU) for count in counts]
        values = [base / (1 - key * 2 * REKEYS_EACH_WAY / CPU) for key in keys]
        scaled = self.of_values(figure.peer, figure.name, values)
        figure.instructions, figure.floor_ratio, figure.spread = scaled.instructions, scaled.floor_ratio, scaled.spread
        figure.instructions_per_rekey = round(mean(keys))

    def figures(self, peers: list[str]) -> list[Figure]:
        """All there are."""
        found = [self.of_values("floor", measure, self.floor(measure)) for measure in MEASURES if self.floor(measure)]
        found += [figure for peer in peers for measure in measures(peer) if (figure := self.figure(peer, measure))]
        if len(self.installs) > 1:
            found.append(Figure("key-install", "qlink", self.kernel, round(mean(self.installs)), None,
                                round(spread(self.installs), 4)))
        for under, clock in self.clocks.items():
            found.append(Figure("clock", f"qlink-{under}", self.kernel, round(mean(clock)), None, round(spread(clock), 4)))
        return found

    def faults(self, peers: list[str]) -> list[str]:
        """Named."""
        return [fault for peer in peers for measure in counted(peer) if (fault := self.fault(peer, measure))]


# ---- the tables ----


def print_table(head: list[str], rows: list[list[str]]) -> None:
    """Which reads well as it is, and in a page of Markdown; none without rows."""
    if not rows:
        return
    widths = [max(len(row[n]) for row in [head, *rows]) for n in range(len(head))]
    print()
    for row in [head, ["-" * widths[0], *["-" * (width - 1) + ":" for width in widths[1:]]], *rows]:
        print("| " + " | ".join(cell.ljust(width) if not n else cell.rjust(width)
                                for n, (cell, width) in enumerate(zip(row, widths))) + " |")


def print_peers(title: str, peers: list[str], cell: Callable[[str, str], str]) -> None:
    """What cell() says of each peer and measure."""
    print_table([title, *MEASURES], [[peer, *[cell(peer, name) for name in MEASURES]] for peer in peers])


def print_main(bench: Bench, found: dict[tuple[str, str], Figure], peers: list[str]) -> None:
    """Figures of each peer; how often the floor that is; and what of them is its own."""
    def own(peer: str, name: str) -> str:
        figure = found.get((peer, name))
        return f"{figure.own:,}" if figure and figure.own is not None else ""

    peers = [peer for peer in peers if variant(peer) == "all"]
    if not peers:
        return
    print_peers(f"instructions, kernel {bench.kernel}", ["floor", *peers],
                lambda peer, name: f"{found[peer, name].instructions:,}" if (peer, name) in found else "failed")
    print_peers("times the floor", [peer for peer in peers if peer not in WITHOUT_GCM],
                lambda peer, name: f"{found[peer, name].floor_ratio:.2f}" if (peer, name) in found else "")
    print_peers("its own: less veth, less the cipher", [peer for peer in peers if peer != "veth"], own)


def print_variants(found: dict[tuple[str, str], Figure], peers: list[str]) -> None:
    """How much more many links and rekeys take."""
    names, rows = MEASURES_OF["links"], []
    for peer in [peer for peer in peers if variant(peer) in ("links", "rekey")]:
        cells = []
        for name in names:
            figure, other = found.get((peer, name)), found.get((plain(peer), name))
            base = figure.base if figure and figure.base else other.instructions if other else None
            more = f"{(figure.instructions / base - 1) * 100:+.1f} %" if figure and base else ""
            cells.append(more if name in measures(peer) else "")
        rows.append([peer, *cells])
    print_table(["more than one link without rekeys", *names], rows)


def print_forward(bench: Bench, found: dict[tuple[str, str], Figure], peers: list[str]) -> None:
    """What two gateways take for a frame, of it their own, and what it takes on the wire."""
    names = MEASURES_OF["fwd"]
    peers = [peer for peer in peers if variant(peer) == "fwd"]

    def rows(cell: Callable[[str, str], int | None]) -> list[list[str]]:
        return [[peer.removeprefix("fwd-"), *["" if (n := cell(peer, name)) is None else f"{n:,}" for name in names]]
                for peer in peers]

    def of(peer: str, name: str, what: str) -> int | None:
        figure = found.get((peer, name))
        return getattr(figure, what) if figure else None

    print_table(["forwarded, with the LANs", *names], rows(lambda peer, name: of(peer, name, "instructions")))
    print_table(["both gateways", *names], rows(lambda peer, name: of(peer, name, "gateways")))
    print_table(["their own: less veth, less the cipher", *names], rows(lambda peer, name: of(peer, name, "own")))
    print_table(["bytes on the wire", *names], rows(lambda peer, name: bench.wire.get((peer, name))))


def print_notes(bench: Bench, figures: list[Figure]) -> None:
    """What is no table."""
    print()
    widest = max(figures, key=lambda figure: figure.spread)
    print(f"Two counts differ by {widest.spread * 100:.1f} % at most ({widest.peer} {widest.name}). "
          f"The cipher of the floor is {bench.driver}.")
    for figure in figures:
        if figure.instructions_per_rekey is not None:
            print(f"{figure.peer} {figure.name}: {figure.rekeys:,} rekeys a second came about, and {figure.measured:,} "
                  f"instructions: one rekey takes {figure.instructions_per_rekey:,}, both ends. 1,000 a second are "
                  f"{figure.instructions_per_rekey * 100000 / CPU:.2f} % of a CPU of 10^9 instructions a second, and 1,000 each way "
                  "what the table says.")
        if figure.name == "clock":
            print(f"{figure.peer}: a parcel by the clock with nothing in it takes {figure.instructions:,}, both ends; 1,000 a "
                  f"second {figure.instructions * 1000 / CPU * 100:.1f} % of a CPU of 10^9 instructions a second.")
        if figure.name == "key-install":
            print(f"Installing a key, 100 a message, takes {figure.instructions:,}; 10,000 a second "
                  f"{figure.instructions * 10000 / CPU * 100:.0f} % of a CPU of 10^9 instructions a second.")


def main() -> int:
    """Fails if a measure did."""
    kernel, lines, folder, peers = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), sys.argv[4:]
    bench = Bench(kernel, lines.read_text().splitlines())
    figures = bench.figures(peers)
    found = {(figure.peer, figure.name): figure for figure in figures}
    print_main(bench, found, peers)
    print_forward(bench, found, peers)
    print_variants(found, peers)
    if figures:
        print_notes(bench, figures)
    objects = [{key: value for key, value in dataclasses.asdict(figure).items()
                if value is not None or key == "floor_ratio"} for figure in figures]
    folder.with_suffix(".json").write_text("[\n" + ",\n".join(map(json.dumps, objects)) + "\n]\n")
    folder.with_suffix(".svg").write_text(bars.draw(kernel, found, [peer for peer in peers if variant(peer) == "all"],
                                                    MEASURES))
    for fault in bench.faults(peers):
        print(f"bench: {fault}", file=sys.stderr)
    return 1 if bench.faults(peers) or not bench.floors else 0


if __name__ == "__main__":
    sys.exit(main())
