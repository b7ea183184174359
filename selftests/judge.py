# SPDX-License-Identifier: GPL-2.0
"""Injects frames into a link and compares what the kernel does with what is expected."""

from __future__ import annotations

import argparse
import collections
import json
import select
import time
from collections.abc import Callable

from ethtool import Counters, moved
from tap import Tap
from underlay import Injector
from wire import Receiver

DEADLINE_S = 10.0


class Judge:
    """Injects frames one at a time and compares what the kernel did with what the model says."""

    def __init__(self, args: argparse.Namespace, receiver: Receiver | None = None) -> None:
        self.injector = Injector(args)
        self.counters = Counters(args.to, args.device)
        self.tap = Tap(args.to, args.device)
        self.receiver = receiver
        self.override = getattr(args, "expect", None)
        self.first = self.counters.read()
        self.n_frames = 0
        self.n_delivered = 0
        self.problems: list[str] = []

    def inject(self, frame: bytes, what: str) -> None:
        """One frame, judged by the model."""
        counters, inners = self.receiver.outcome(frame)
        if self.override:
            counters, inners = [self.override], []
        self.expect_all(frame, counters, inners, what)

    def expect(self, frame: bytes, counter: str | None, inner: bytes | None, what: str) -> None:
        """One frame with a known outcome: one counter, or these bytes on the device."""
        self.expect_all(frame, [counter] if counter else [], [] if inner is None else [inner], what)

    def expect_all(self, frame: bytes, counters: list[str], inners: list[bytes], what: str) -> None:
        """One frame with a known outcome: these counters, and these frames on the device."""
        self._judge(lambda: self.injector.send(frame), [(counters, inners)], what)

    def inject_bundle(self, frames: list[bytes], what: str, is_spliced: bool = False) -> None:
        """Frames in one packet, all of one size, except that the last may be smaller; each judged by the model."""
        outcomes = [self.receiver.outcome(frame) for frame in frames]
        send = self.injector.splice_bundle if is_spliced else self.injector.send_bundle
        self._judge(lambda: send(frames), outcomes, f"{what}, {len(frames)} of {len(frames[0])}")

    def _judge(self, send: Callable[[], object], outcomes: list[tuple[list[str], list[bytes]]], what: str) -> None:
        """Sends, and expects these outcomes and no others."""
        before = self.counters.read()
        self.n_frames += len(outcomes)
        send()
        want_moved = dict(collections.Counter(counter for counters, _ in outcomes for counter in counters))
        want_seen = [inner for _, inners in outcomes for inner in inners]
        got_moved, seen = self._wait(before, sum(want_moved.values()) + len(want_seen))
        self.n_delivered += len(seen)
        if got_moved != want_moved:
            self._problem(f"{what}: moved {got_moved}, want {want_moved}")
        if seen != want_seen:
            self._problem(f"{what}: delivered {[f.hex()[:80] for f in seen]}, want {[f.hex()[:80] for f in want_seen]}")

    def _wait(self, before: dict[str, int], n: int) -> tuple[dict[str, int], list[bytes]]:
        """Waits until counters have moved and frames were delivered, so often together."""
        end = time.monotonic() + DEADLINE_S
        seen: list[bytes] = []
        while True:
            got = moved(before, self.counters.read())
            seen += self.tap.read()
            if sum(got.values()) + len(seen) >= n or time.monotonic() > end:
                return got, seen
            select.select([self.tap.sock], [], [], 0.001)

    def _problem(self, text: str) -> None:
        self.problems.append(text)

    def report(self) -> int:
        """Prints the verdict."""
        late = list(self.tap.read())
        if late:
            self._problem(f"{len(late)} frames delivered late")
        for problem in self.problems[:10]:
            print(f"# {problem}")
        total = moved(self.first, self.counters.read())
        print(
            json.dumps(
                {
                    "frames": self.n_frames,
                    "delivered": self.n_delivered,
                    "problems": len(self.problems),
                    "moved": total,
                    "dropped": sum(total.values()) - total.get("rx_parcels", 0),
                }
            )
        )
        return 1 if self.problems else 0
