# SPDX-License-Identifier: GPL-2.0
"""What the project's pictures share: SVG as it grows, and its colours."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape

FONT = "'DejaVu Sans', 'Helvetica Neue', Helvetica, Arial, sans-serif"
INK, SOFT, FAINT, GRID = "#1d2733", "#5b6775", "#8a94a0", "#e3e7ec"


class Svg:
    """A picture."""

    def __init__(self, width: float) -> None:
        self.width = width
        self.parts: list[str] = []

    def add(self, name: str, text: str = "", **attributes: object) -> None:
        """An element; _ in a name stands for -."""
        words = ""
        for key, value in attributes.items():
            shown = f"{value:.1f}" if isinstance(value, float) else value
            words += f' {key.replace("_", "-")}="{shown}"'
        self.parts.append(f"<{name}{words}>{escape(text)}</{name}>" if text else f"<{name}{words}/>")

    def text(self, x: float, y: float, text: str, **attributes: object) -> None:
        """Words; small and soft unless said."""
        self.add("text", text, x=x, y=y, **{"font_size": 12, "fill": SOFT, **attributes})

    def line(self, x1: float, y1: float, x2: float, y2: float, **attributes: object) -> None:
        """A straight one."""
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, **{"stroke": GRID, "stroke_width": 1, **attributes})

    def svg(self, height: float, title: str) -> str:
        """The whole."""
        head = ('<!-- SPDX-License-Identifier: GPL-2.0 -->\n'
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {height:.0f}" '
                f'width="{self.width}" height="{height:.0f}" font-family="{FONT}" role="img">\n'
                f"<title>{escape(title)}</title>\n"
                f'<rect width="{self.width}" height="{height:.0f}" fill="#ffffff"/>\n')
        return head + "\n".join(self.parts) + "\n</svg>\n"


def nice_step(span: float, n: int) -> float:
    """1, 2 or 5 times a power of ten, so that some n of them fill the span."""
    raw = max(span, 1e-9) / n
    power = 10 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
