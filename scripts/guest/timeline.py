#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What came of the demo: a picture over time, a table, and whether all went as it should.

  timeline.py DIRECTORY OUT

DIRECTORY holds what the demo recorded: phases and samples (see sampler.py), ping-a and ping-b (of "ping -D"), and for
the table show-a, show-b, records-a, records-b (JSON of qlinkctl) and wire.json. Writes OUT/timeline.svg and
OUT/result.json and prints the table; fails if something was lost, seen in clear, or never became what it should.
"""

from __future__ import annotations

import bisect
import dataclasses
import json
import pathlib
import re
import sys
from typing import Any

import picture

WAYS = (("a", "b"), ("b", "a"))
EXPECTED = ["hybrid", "pqc", "hybrid"]
# Counters of a link that do not count dropped frames.
NO_DROPS = {"tx_keepalive", "rx_keepalive", "tx_fpu_wait", "rx_fpu_wait", "key_refused"}
# Pings that may be on their way when ping is stopped.
ON_THEIR_WAY = 10
ANSWER = re.compile(r"^\[(\d+\.\d+)\] \d+ bytes from .* icmp_seq=(\d+) .*time=([\d.]+) ms")
SENT = re.compile(r"^(\d+) packets transmitted")


@dataclasses.dataclass
class Pings:
    """What the ping of one site sent and got; times are of the VM's clock, in order."""

    sent_at: list[float] = dataclasses.field(default_factory=list)
    lost_at: list[float] = dataclasses.field(default_factory=list)
    answers: list[float] = dataclasses.field(default_factory=list)

    def n_lost(self, begin: float, end: float) -> int:
        """Of those sent in that time."""
        return bisect.bisect_left(self.lost_at, end) - bisect.bisect_left(self.lost_at, begin)

    def n_sent(self, begin: float, end: float) -> int:
        """In that time."""
        return bisect.bisect_left(self.sent_at, end) - bisect.bisect_left(self.sent_at, begin)

    def gap_ms(self, begin: float, end: float) -> int:
        """The longest time without an answer that ended in that time."""
        pairs = zip(self.answers, self.answers[1:])
        return round(max((after - before for before, after in pairs if begin <= after < end), default=0) * 1000)


def read_pings(path: pathlib.Path) -> Pings:
    """Takes ping's own words; when a lost one was sent follows from the one before it."""
    pings, n_sent = Pings(), 0
    seen: dict[int, float] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if answer := ANSWER.match(line):
            at, number, ms = float(answer[1]), int(answer[2]), float(answer[3])
            seen.setdefault(number, at - ms / 1000)
            pings.answers.append(at)
        elif sent := SENT.match(line):
            n_sent = int(sent[1])
    last, at = max(seen, default=0), min(seen.values(), default=0.0)
    if n_sent - last > ON_THEIR_WAY:
        last = n_sent
    for number in range(1, last + 1):
        if number in seen:
            at = seen[number]
        else:
            pings.lost_at.append(at)
        pings.sent_at.append(at)
    for times in (pings.sent_at, pings.lost_at, pings.answers):
        times.sort()
    return pings


@dataclasses.dataclass
class Phase:
    """A part of the demo."""

    name: str
    begin: float
    end: float


@dataclasses.dataclass
class Run:
    """All that was recorded, from the beginning of the first phase on."""

    phases: list[Phase]
    samples: list[dict[str, Any]]
    pings: dict[str, Pings]

    def sources(self, sender: str, receiver: str) -> list[tuple[float, str]]:
        """Which source the key in use was of, and from when on, by whoever of the two agents was there to say."""
        changes: list[tuple[float, str]] = []
        for sample in self.samples:
            if sample.get(sender):
                source = sample[sender]["tx"]["source"]
            elif sample.get(receiver):
                source = sample[receiver]["rx"]["source"]
            else:
                continue
            if source and (not changes or changes[-1][1] != source):
                changes.append((sample["at"], source))
        return changes


def read_lines(path: pathlib.Path) -> list[Any]:
    """JSON, one a line; the last one may not be whole."""
    values = []
    for line in path.read_text(encoding="ascii").splitlines():
        try:
            values.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return values


def read_run(room: pathlib.Path) -> Run:
    """Reads what is there."""
    marks, samples = read_lines(room / "phases"), read_lines(room / "samples")
    begin, end = marks[0]["at"], samples[-1]["at"]
    ends = [mark["at"] for mark in marks[1:]] + [end]
    phases = [Phase(mark["name"], mark["at"], until) for mark, until in zip(marks, ends)]
    pings = {site: read_pings(room / f"ping-{site}") for site in "ab"}
    return Run(phases, [sample for sample in samples if sample["at"] >= begin], pings)


def read_json(path: pathlib.Path) -> Any:
    """One value."""
    return json.loads(path.read_text(encoding="ascii"))


# ---- the result ----


def phase_result(run: Run, phase: Phase) -> dict[str, Any]:
    """Of one phase."""
    span = phase.begin, phase.end
    used = []
    for way in WAYS:
        for (at, source), (until, _) in zip(run.sources(*way), [*run.sources(*way)[1:], (phase.end, "")]):
            if at < phase.end and until > phase.begin and source not in used:
                used.append(source)
    return {
        "name": phase.name,
        "begin_s": round(phase.begin - run.phases[0].begin, 1),
        "seconds": round(phase.end - phase.begin, 1),
        "sources": used,
        "pings_sent": sum(pings.n_sent(*span) for pings in run.pings.values()),
        "pings_lost": sum(pings.n_lost(*span) for pings in run.pings.values()),
        "longest_gap_ms": max(pings.gap_ms(*span) for pings in run.pings.values()),
    }


def drops(shown: dict[str, Any], direction: str) -> int:
    """Frames that one end dropped."""
    counters = {**shown["stats"], **{f"port {name}": n for name, n in shown.get("port", {}).items()}}
    return sum(n for name, n in counters.items()
               if name not in NO_DROPS and name.removeprefix("port ").startswith(direction))


def way_result(run: Run, room: pathlib.Path, sender: str, receiver: str) -> dict[str, Any]:
    """Of one direction, by what the kernel counted and recorded."""
    shown = {site: read_json(room / f"show-{site}")[0] for site in (sender, receiver)}
    ring, pings = shown[sender]["link"]["tx"], run.pings[sender]
    keys = {source: 0 for source in ("hybrid", "pqc")}
    used = [record["source"] for record in read_json(room / f"records-{sender}") if record["direction"] == "tx"]
    for source in [*used, ring["current_source"]]:
        keys[source] = keys.get(source, 0) + 1
    return {
        "rekeys": ring["rekeys"],
        "keys_used": keys,
        "frames": {source: usage["frames"] for source, usage in ring["usage"].items()},
        "sources": [source for _, source in run.sources(sender, receiver)],
        "frames_dropped": drops(shown[sender], "tx_") + drops(shown[receiver], "rx_"),
        "pings_sent": len(pings.sent_at),
        "pings_lost": len(pings.lost_at),
        "longest_gap_ms": pings.gap_ms(0, float("inf")),
    }


def result_of(run: Run, room: pathlib.Path) -> dict[str, Any]:
    """All of it."""
    return {
        "phases": [phase_result(run, phase) for phase in run.phases],
        "ways": {f"{sender} to {receiver}": way_result(run, room, sender, receiver) for sender, receiver in WAYS},
        "wire": read_json(room / "wire.json"),
    }


def problems(result: dict[str, Any]) -> list[str]:
    """What is not as it should be."""
    found, wire = [], result["wire"]
    for phase in result["phases"]:
        if phase["pings_lost"]:
            found.append(f"{phase['pings_lost']} pings were lost in phase \"{phase['name']}\", must be none")
    for name, way in result["ways"].items():
        if way["sources"] != EXPECTED:
            found.append(f"keys from {name} were {', '.join(way['sources'])}; must be {', '.join(EXPECTED)}")
        if way["pings_sent"] < 1000:
            found.append(f"{way['pings_sent']} pings were sent from {name}, must be 1000 or more")
    if wire["clear"]:
        found.append(f"{wire['clear']} frames were in clear on the wire, must be none")
    if wire["needle"]:
        found.append("the payload was seen on the wire, must not be")
    if wire["missed"] or not wire["sealed"]:
        found.append(f"the capture of the wire has {wire['sealed']} frames and missed {wire['missed']}, must have all")
    return found


# ---- the table ----


def phase_lines(result: dict[str, Any]) -> list[str]:
    """One line a phase."""
    lines = [f"{'phase':<14} {'from':>6} {'for':>6}   {'keys in use':<13} {'pings':>7} {'lost':>5} {'longest gap':>12}"]
    for phase in result["phases"]:
        lines.append(f"{phase['name']:<14} {phase['begin_s']:>4.0f} s {phase['seconds']:>4.0f} s   "
                     f"{', '.join(phase['sources']):<13} {phase['pings_sent']:>7} {phase['pings_lost']:>5} "
                     f"{phase['longest_gap_ms']:>9} ms")
    return lines


def way_lines(result: dict[str, Any]) -> list[str]:
    """One line a figure, one column a direction."""
    ways = list(result["ways"].values())
    rows = [("rekeys", [way["rekeys"] for way in ways])]
    for source in sorted({source for way in ways for source in way["keys_used"]}):
        rows.append((f"keys used, {source}", [way["keys_used"].get(source, 0) for way in ways]))
        rows.append((f"frames under {source} keys", [way["frames"].get(source, 0) for way in ways]))
    for name, label in (("frames_dropped", "frames lost by qlink"), ("pings_lost", "pings lost"),
                        ("longest_gap_ms", "longest gap, ms")):
        rows.append((label, [way[name] for way in ways]))
    lines = [f"{'':<28}" + "".join(f"{name:>12}" for name in result["ways"])]
    return lines + [f"{label:<28}" + "".join(f"{figure:>12,}" for figure in figures) for label, figures in rows]


def table(result: dict[str, Any]) -> str:
    """As text."""
    wire = result["wire"]
    lines = [*phase_lines(result), "", *way_lines(result), "",
             f"{'frames on the wire, sealed':<28}{wire['sealed']:>12,}",
             f"{'frames on the wire, in clear':<28}{wire['clear']:>12,}"]
    return "\n".join(f"   {line}".rstrip() for line in lines)


def main() -> int:
    """Reads, draws, judges."""
    room, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    run = read_run(room)
    (out / "timeline.svg").write_text(picture.draw(run), encoding="utf-8")
    if not (room / "wire.json").exists():
        return 1
    result = result_of(run, room)
    result["problems"] = problems(result)
    (out / "result.json").write_text(json.dumps(result, indent=1) + "\n", encoding="ascii")
    print(table(result), flush=True)
    for problem in result["problems"]:
        print(f"demo: {problem}", file=sys.stderr)
    return 1 if result["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
