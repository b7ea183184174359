# SPDX-License-Identifier: GPL-2.0
"""Draws a bench as SVG: for each measure a panel, with a bar a peer and a line at the floor."""

from __future__ import annotations

import typing

from svg import FAINT, INK, SOFT, Svg, nice_step

if typing.TYPE_CHECKING:
    from figures import Figure

    Found = dict[tuple[str, str], Figure]

WIDTH, LEFT, GAP, LABEL = 1200, 28, 40, 84
PANELS_TOP, PANEL_HEAD, PANEL_FOOT = 84, 30, 40
BAR, ROW = 16, 22
OURS, OTHERS, BARE, FLOOR = "#2c8a67", "#1f62b0", "#a9b4c0", "#c4302b"
TITLES = {
    "tcp-gso": "bulk TCP, per 1400 bytes",
    "tcp": "bulk TCP without GSO and GRO, per 1400 bytes",
    "udp-64": "frames of 64 bytes, one by one",
    "udp-1400": "frames of 1400 bytes, one by one",
    "burst-64": "frames of 64 bytes, 32 at a time",
    "burst-1400": "frames of 1400 bytes, 32 at a time",
    "rtt": "64 bytes there and back",
}


def colour(peer: str) -> str:
    """Ours, those that encrypt, and those that do not."""
    if peer.startswith("qlink"):
        return OURS
    return BARE if peer in ("veth", "vxlan") else OTHERS


class Panel:
    """One measure: where it is, and its scale."""

    def __init__(self, picture: Svg, found: Found, peers: list[str], name: str) -> None:
        self.picture, self.found, self.peers, self.name = picture, found, peers, name
        self.width = (WIDTH - 2 * LEFT - GAP) / 2
        highest = sorted(found[peer, name].instructions for peer in peers if (peer, name) in found)[-2:] or [1]
        # One that is far out would leave no width for the others: its bar is cut.
        self.most = highest[-1] if highest[-1] < 1.5 * highest[0] else 1.2 * highest[0]
        self.left = self.top = 0.0

    @property
    def height(self) -> float:
        """With its title and scale."""
        return PANEL_HEAD + ROW * len(self.peers) + PANEL_FOOT

    def x(self, instructions: float) -> float:
        """Room for the figure is right of the longest bar."""
        return self.left + LABEL + min(instructions / self.most, 1) * (self.width - LABEL - 60)

    def draw(self, left: float, top: float) -> None:
        """All of it."""
        self.left, self.top = left, top
        self.picture.text(left, top + 14, TITLES[self.name], font_size=13, font_weight=600, fill=INK)
        self.draw_scale()
        for n, peer in enumerate(self.peers):
            self.draw_bar(peer, top + PANEL_HEAD + n * ROW)
        self.draw_floor()
        for n, peer in enumerate(self.peers):
            self.draw_figure(peer, top + PANEL_HEAD + n * ROW)

    def draw_scale(self) -> None:
        """Numbers below, and lines through the bars."""
        bottom = self.top + PANEL_HEAD + ROW * len(self.peers)
        step = nice_step(self.most, 5)
        for n in range(int(self.most / step) + 1):
            x = self.x(n * step)
            self.picture.line(x, self.top + PANEL_HEAD - 4, x, bottom)
            self.picture.text(x, bottom + 14, f"{n * step:,.0f}", text_anchor="middle", font_size=11, fill=FAINT)

    def draw_bar(self, peer: str, top: float) -> None:
        """Of a peer."""
        self.picture.text(self.left + LABEL - 8, top + 13, peer, text_anchor="end",
                          fill=INK if peer.startswith("qlink") else SOFT)
        figure = self.found.get((peer, self.name))
        if not figure:
            return
        end = self.x(figure.instructions)
        self.picture.add("rect", x=self.x(0), y=top + 1, width=end - self.x(0), height=BAR, fill=colour(peer))
        if figure.instructions > self.most:
            self.picture.line(end - 24, top + BAR + 3, end - 16, top - 1, stroke="#ffffff", stroke_width=4)

    def draw_figure(self, peer: str, top: float) -> None:
        """Right of its bar; one that failed says so."""
        figure = self.found.get((peer, self.name))
        self.picture.text(self.x(figure.instructions if figure else 0) + 5, top + 13,
                          f"{figure.instructions:,}" if figure else "failed", font_size=11,
                          stroke="#ffffff", stroke_width=3, paint_order="stroke")

    def draw_floor(self) -> None:
        """What the cipher and a copy take."""
        if ("floor", self.name) in self.found:
            x = self.x(self.found["floor", self.name].instructions)
            bottom = self.top + PANEL_HEAD + ROW * len(self.peers)
            self.picture.line(x, self.top + PANEL_HEAD - 4, x, bottom, stroke=FLOOR, stroke_dasharray="4 3")


def draw(kernel: str, found: Found, peers: list[str], names: tuple[str, ...]) -> str:
    """The whole picture."""
    picture = Svg(WIDTH)
    picture.text(LEFT, 34, f"What a frame costs on kernel {kernel}, in instructions of both ends with their system calls",
                 font_size=20, font_weight=600, fill=INK)
    picture.text(LEFT, 56, "red: the floor, AES-256-GCM there and back and one copy; grey: not encrypted; "
                 "WireGuard has another cipher; a cut bar is longer", font_size=13)
    panels = [Panel(picture, found, peers, name) for name in names]
    for n, panel in enumerate(panels):
        panel.draw(LEFT + n % 2 * (panel.width + GAP), PANELS_TOP + n // 2 * panel.height)
    return picture.svg(PANELS_TOP + (len(panels) + 1) // 2 * panels[0].height, f"qlink: the bench of kernel {kernel}")
