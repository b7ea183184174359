# SPDX-License-Identifier: GPL-2.0
"""Draws a run of the demo as SVG: stock, source of the key in use, period and lost pings over one axis of time."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Callable, Iterable

from svg import FAINT, INK, SOFT, Svg, nice_step

if typing.TYPE_CHECKING:
    from timeline import Run

WIDTH, LEFT, RIGHT = 1200, 84, 28
PHASES_TOP, PHASES_HEIGHT = 74, 26
# A row of names above the phases, and the widest that a bold character and the gap between two names are.
ROW_HEIGHT, CHARACTER, GAP = 20, 8.8, 8
PANEL_GAP = 44
SITES = {"a": "#1f62b0", "b": "#b9541c"}
SOURCES = {"hybrid": "#2c8a67", "pqc": "#e2a52c", "qkd": "#6b5bb5", "static": "#9a9a9a"}
LOST = "#c4302b"

# Moments and values; None is a break.
Points = list[tuple[float, float] | None]


@dataclasses.dataclass
class Panel:
    """One of those that share the time."""

    title: str
    top: float
    height: float

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height


@dataclasses.dataclass
class Name:
    """Where the name of a phase goes: in the phase's box (row 0), or, if the box is too narrow, above it."""

    text: str
    left: float
    row: int = 0

    @property
    def width(self) -> float:
        """At most."""
        return CHARACTER * len(self.text)

    def y(self, top: float) -> float:
        """Of its base line, above or in boxes that begin at top."""
        return top - ROW_HEIGHT * (self.row - 1) - 7 if self.row else top + 17


def place_names(boxes: list[tuple[str, float, float]]) -> list[Name]:
    """For boxes of (name, left, right), in order, so that no two names overlap.

    A line leads from a box to a name above it. The name begins where its box does, or further left if the picture
    ends too soon. From right to left, each goes into the lowest row where it ends before all names and lines to
    its right.
    """
    names: list[Name] = []
    for text, left, right in reversed(boxes):
        name = Name(text, left)
        if name.width + GAP > right - left:
            name.left = min(left, WIDTH - RIGHT - name.width)
            name.row = 1
            while any(name.left + name.width + GAP > other.left for other in names if other.row >= name.row):
                name.row += 1
        else:
            name.left = (left + right - name.width) / 2
        names.append(name)
    return names[::-1]


class Picture(Svg):
    """Where a moment is in it."""

    def __init__(self, run: Run) -> None:
        super().__init__(WIDTH)
        self.run = run
        self.begin, self.end = run.phases[0].begin, run.phases[-1].end
        self.names = place_names([(phase.name, self.x(phase.begin), self.x(phase.end)) for phase in run.phases])

    @property
    def phases_top(self) -> float:
        """Of the boxes, below the names that did not fit into theirs."""
        return PHASES_TOP + ROW_HEIGHT * max(name.row for name in self.names)

    def x(self, at: float) -> float:
        """Of a moment."""
        at = min(max(at, self.begin), self.end)
        return LEFT + (at - self.begin) / max(self.end - self.begin, 1e-3) * (WIDTH - LEFT - RIGHT)

    def steps(self, points: Points, y: Callable[[float], float], **attributes: object) -> None:
        """A line that keeps each value until the next one; None breaks it."""
        path, last = "", None
        for point in points:
            if point is None:
                last = None
                continue
            x, height = self.x(point[0]), y(point[1])
            path += f"M{x:.1f},{height:.1f}" if last is None else "" if height == last else f"H{x:.1f}V{height:.1f}"
            # A line that ends level has to be drawn to its end, too.
            path += f"H{x:.1f}" if last == height else ""
            last = height
        self.add("path", d=path, **{"fill": "none", "stroke_width": 1.8, "stroke_linejoin": "round", **attributes})


# ---- what the panels share ----


def draw_head(picture: Picture) -> None:
    """What this is, and its sums."""
    pings = picture.run.pings.values()
    sent, lost = sum(len(ping.sent_at) for ping in pings), sum(len(ping.lost_at) for ping in pings)
    picture.text(LEFT, 34, "qlink: one link, five things that happen to it", font_size=20, font_weight=600, fill=INK)
    picture.text(LEFT, 56, f"{picture.end - picture.begin:.0f} s, {sent:,} pings between the two sites, "
                 f"{lost if lost else 'none'} lost", font_size=13)


def draw_phases(picture: Picture, panels: list[Panel]) -> None:
    """Named along the top, and a line through each panel where one begins."""
    top = picture.phases_top
    for n, (phase, name) in enumerate(zip(picture.run.phases, picture.names)):
        x, end = picture.x(phase.begin), picture.x(phase.end)
        shade = ("#eef1f5", "#dfe5ec")[n % 2]
        picture.add("rect", x=x, y=top, width=end - x, height=PHASES_HEIGHT, fill=shade)
        if name.row:
            picture.line(x + 0.5, name.y(top) + 4, x + 0.5, top, stroke=FAINT)
        for panel in panels if n else []:
            picture.line(x, panel.top, x, panel.bottom, stroke=SOFT, stroke_dasharray="3 3")
    for phase, name in zip(picture.run.phases, picture.names):
        words = {"font_weight": 600, "fill": INK}
        if name.row:
            # A line to a name further up stops at the edge of the letters.
            picture.text(name.left, name.y(top), name.text, stroke="#ffffff", stroke_width=4, paint_order="stroke",
                         **words)
        else:
            middle = (picture.x(phase.begin) + picture.x(phase.end)) / 2
            picture.text(middle, name.y(top), name.text, text_anchor="middle", **words)


def draw_time(picture: Picture, panels: list[Panel]) -> None:
    """Ticks below the last panel, and lines in all."""
    step = nice_step(picture.end - picture.begin, 12)
    bottom = panels[-1].bottom
    for n in range(int((picture.end - picture.begin) / step) + 1):
        x = picture.x(picture.begin + n * step)
        for panel in panels:
            picture.line(x, panel.top, x, panel.bottom)
        picture.text(x, bottom + 18, f"{n * step:g}", text_anchor="middle")
    picture.text(WIDTH - RIGHT, bottom + 36, "seconds since the first ping", text_anchor="end")


def draw_frame(picture: Picture, panel: Panel, legend: list[tuple[str, str, str]]) -> None:
    """Title and legend over a panel; a legend's entry is a name, a colour, and dashes or band."""
    picture.text(LEFT, panel.top - 10, panel.title, font_size=13, font_weight=600, fill=INK)
    x = float(WIDTH - RIGHT)
    for name, colour, kind in reversed(legend):
        x -= 7.2 * len(name)
        picture.text(x, panel.top - 10, name)
        if kind == "band":
            picture.add("rect", x=x - 20, y=panel.top - 20, width=14, height=12, fill=colour, rx=2)
        else:
            picture.line(x - 28, panel.top - 14, x - 6, panel.top - 14, stroke=colour, stroke_width=2,
                         stroke_dasharray=kind)
        x -= 44
    picture.line(LEFT, panel.bottom, WIDTH - RIGHT, panel.bottom, stroke=FAINT)


def draw_scale(picture: Picture, y: Callable[[float], float], values: Iterable[float]) -> None:
    """Numbers at the left and lines to the right."""
    for value in values:
        if value:
            picture.line(LEFT, y(value), WIDTH - RIGHT, y(value))
        picture.text(LEFT - 8, y(value) + 4, f"{value:,g}", text_anchor="end")


def draw_away(picture: Picture, panels: list[Panel]) -> None:
    """Grey while an agent was not there."""
    samples = picture.run.samples
    for site in SITES:
        since = None
        for sample in [*samples, {"at": picture.end, "a": True, "b": True}]:
            if sample.get(site, True) is None:
                since = since or sample["at"]
            elif sample.get(site) and since is not None:
                x, end = picture.x(since), picture.x(sample["at"])
                for panel in panels:
                    picture.add("rect", x=x, y=panel.top, width=end - x, height=panel.height, fill="#e6e6e6")
                picture.text((x + end) / 2, panels[0].top + 14, f"no agent at {site}", text_anchor="middle",
                             font_size=11)
                since = None


def series(run: Run, site: str, value: Callable[[dict], float | None]) -> Points:
    """Of one end; None where it did not say."""
    points: Points = []
    for sample in run.samples:
        if site in sample:
            figure = value(sample[site]) if sample[site] else None
            points.append(None if figure is None else (sample["at"], figure))
    return points


# ---- the panels ----


def draw_stock(picture: Picture, panel: Panel) -> None:
    """QKD keys held by each agent, and keys that wait in its kernel."""
    lines = {(site, dashes): series(picture.run, site, value) for site in SITES
             for dashes, value in (("none", lambda end: end["stock"]), ("2 3", lambda end: end["tx"]["staged"]))}
    most = max((point[1] for points in lines.values() for point in points if point), default=1)
    top = math.log10(1 + max(most, 9)) * 1.05

    # Some ten keys on the last stretch count as much as a thousand after a pass.
    def y(value: float) -> float:
        return panel.bottom - math.log10(1 + value) / top * panel.height

    ticks = [0.0] + [factor * 10.0 ** power for power in range(7) for factor in (1, 3)]
    draw_scale(picture, y, [tick for tick in ticks if tick <= max(most, 9)])
    for (site, dashes), points in lines.items():
        picture.steps(points, y, stroke=SITES[site], stroke_dasharray=dashes)
    draw_frame(picture, panel, [(f"{what} {site}", colour, dashes) for site, colour in SITES.items()
                                for what, dashes in (("stock of", "none"), ("staged at", "2 3"))])


def draw_source(picture: Picture, panel: Panel) -> None:
    """A band for each direction, in the colour of the source of the key in use."""
    lane = panel.height / 2
    for n, (sender, receiver) in enumerate((("a", "b"), ("b", "a"))):
        changes = picture.run.sources(sender, receiver)
        top = panel.top + n * lane + 2
        for (at, source), (until, _) in zip(changes, [*changes[1:], (picture.end, "")]):
            x, end = picture.x(at), picture.x(until)
            picture.add("rect", x=x, y=top, width=end - x, height=lane - 4, fill=SOURCES.get(source, FAINT))
            if end - x > 60:
                picture.text((x + end) / 2, top + lane / 2 + 2, source, text_anchor="middle", font_weight=600,
                             fill=INK if source == "pqc" else "#ffffff")
        picture.text(LEFT - 8, top + lane / 2 + 2, f"{sender} to {receiver}", text_anchor="end")
    draw_frame(picture, panel, [(name, SOURCES[name], "band") for name in ("hybrid", "pqc")])


def draw_period(picture: Picture, panel: Panel) -> None:
    """How long each agent has a key used, on a log scale."""
    lines = {site: series(picture.run, site, lambda end: end["period_ms"] or None) for site in SITES}
    values = [point[1] for points in lines.values() for point in points if point] or [1]
    low, high = math.log10(min(values)) - 0.12, math.log10(max(values)) + 0.12

    def y(value: float) -> float:
        return panel.bottom - (math.log10(value) - low) / (high - low) * panel.height

    ticks = [factor * 10.0 ** power for power in range(7) for factor in (1, 2, 5)]
    draw_scale(picture, y, [tick for tick in ticks if low <= math.log10(tick) <= high])
    for site, points in lines.items():
        picture.steps(points, y, stroke=SITES[site])
    draw_frame(picture, panel, [(f"sent by {site}", colour, "none") for site, colour in SITES.items()])


def draw_lost(picture: Picture, panel: Panel) -> None:
    """Pings lost in each second, of both ends."""
    n_seconds = math.ceil(picture.end - picture.begin)
    counts = [sum(pings.n_lost(picture.begin + n, picture.begin + n + 1) for pings in picture.run.pings.values())
              for n in range(n_seconds)]
    most = max(counts, default=0)
    step = max(nice_step(most or 1, 2), 1)
    top = math.ceil((most or 1) / step) * step

    def y(value: float) -> float:
        return panel.bottom - value / top * panel.height

    draw_scale(picture, y, [n * step for n in range(round(top / step) + 1)])
    for n, count in enumerate(counts):
        x, end = picture.x(picture.begin + n), picture.x(picture.begin + n + 1)
        if count:
            picture.add("rect", x=x, y=y(count), width=end - x - 1, height=panel.bottom - y(count), fill=LOST)
    if not most:
        picture.text((LEFT + WIDTH - RIGHT) / 2, (panel.top + panel.bottom) / 2 + 4, "none, in any second",
                     text_anchor="middle", font_size=13)
    draw_frame(picture, panel, [])


def draw(run: Run) -> str:
    """The whole picture."""
    picture, panels = Picture(run), []
    top = picture.phases_top + PHASES_HEIGHT + PANEL_GAP
    for title, height in (("keys in stock and staged (log scale)", 190), ("source of the key in use", 72),
                          ("period, ms a key (log scale)", 160),
                          ("pings lost per second", 80)):
        panels.append(Panel(title, top, height))
        top += height + PANEL_GAP
    draw_head(picture)
    draw_time(picture, panels)
    draw_away(picture, [panels[0], panels[2]])
    for panel, fill in zip(panels, (draw_stock, draw_source, draw_period, draw_lost)):
        fill(picture, panel)
    draw_phases(picture, panels)
    return picture.svg(panels[-1].bottom + 54, "qlink: a run of the demo over time")
