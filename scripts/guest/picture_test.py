#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Checks that no two texts of the demo's picture overlap, and that none leaves the picture.

  picture_test.py SVG…

Looks at these files, and at pictures of made-up runs whose phases are narrow.
"""

from __future__ import annotations

import itertools
import pathlib
import sys
from xml.etree import ElementTree

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "plot")]

import picture  # noqa: E402
import timeline  # noqa: E402

NAMES = ["start", "KMEs stopped", "KMEs back", "agent killed", "satellite"]
# Seconds that the phases last, and why.
RUNS = [
    ([20, 20, 20, 20, 20], "all fit"),
    ([8, 60, 10, 5, 16], "as the demo has them"),
    ([8, 60, 3, 3, 16], "two narrow ones side by side"),
    ([1, 1, 1, 1, 96], "all but the last are narrow"),
    ([96, 1, 1, 1, 1], "narrow at the right edge"),
    ([25, 1, 25, 1, 48], "narrow ones apart"),
    ([0, 0, 0, 0, 1], "a run that was broken off"),
]
# Share of the font size that an average character of DejaVu Sans takes.
SHARE = {"normal": 0.6, "bold": 0.69}


def boxes(svg: str) -> list[tuple[str, float, float, float, float]]:
    """Text, left, top, right and bottom of all texts."""
    found = []
    for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        size, words = float(element.get("font-size", 12)), element.text or ""
        width = len(words) * size * SHARE["bold" if element.get("font-weight") else "normal"]
        x, y = float(element.get("x", 0)), float(element.get("y", 0))
        left = x - width * {"middle": 0.5, "end": 1}.get(element.get("text-anchor", "start"), 0)
        found.append((words, left, y - size, left + width, y + size / 4))
    return found


def faults(svg: str) -> list[str]:
    """What is wrong with a picture."""
    texts, found = boxes(svg), []
    if len(texts) < len(NAMES):
        found.append(f"{len(texts)} texts, must be {len(NAMES)} or more")
    for text, left, top, right, _ in texts:
        if left < 0 or top < 0 or right > picture.WIDTH:
            found.append(f"\"{text}\" leaves the picture")
    for one, other in itertools.combinations(texts, 2):
        if one[1] < other[3] and other[1] < one[3] and one[2] < other[4] and other[2] < one[4]:
            found.append(f"\"{one[0]}\" and \"{other[0]}\" overlap")
    return found


def sample_run(seconds: list[int]) -> timeline.Run:
    """Phases of these lengths, with an agent that is away in the fourth."""
    ends = list(itertools.accumulate(seconds))
    phases = [timeline.Phase(name, end - length, end) for name, length, end in zip(NAMES, seconds, ends)]

    def site(at: float) -> dict | None:
        if phases[3].begin <= at < phases[3].end:
            return None
        ring = {"source": "pqc" if phases[1].begin <= at < phases[1].end else "hybrid", "staged": 10}
        return {"stock": 600, "period_ms": 100, "tx": ring, "rx": ring}

    samples = [{"at": at, "a": site(at), "b": site(-1)} for at in range(ends[-1] + 1)]
    return timeline.Run(phases, samples, {"a": timeline.Pings(), "b": timeline.Pings()})


def main() -> int:
    """Prints what is wrong."""
    pictures = {f"phases of {seconds}, {why}": picture.draw(sample_run(seconds)) for seconds, why in RUNS}
    pictures.update((path, pathlib.Path(path).read_text(encoding="utf-8")) for path in sys.argv[1:])
    n_faults = 0
    for name, svg in pictures.items():
        for fault in faults(svg):
            print(f"{name}: {fault}")
            n_faults += 1
    return 1 if n_faults else 0


if __name__ == "__main__":
    sys.exit(main())
