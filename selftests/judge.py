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
        counter, inner = self.receiver.outcome(frame)
        if self.override:
            counter, inner = self.override, None
        self.expect(frame, counter, inner, what)

    def expect(self, frame: bytes, counter: str | None, inner: bytes | None, what: str) -> None:
        """One frame with a known outcome: one counter, or these bytes on the device."""
        self._judge(lambda: self.injector.send(frame), [(counter, inner)], what)

    def inject_bundle(self, frames: list[bytes], what: str, is_spliced: bool = False) -> None:
        """Frames in one packet, all of one size, except that the last may be smaller; each judged by the model."""
        outcomes = [self.receiver.outcome(frame) for frame in frames]
        send = self.injector.splice_bundle if is_spliced else self.injector.send_bundle
        self._judge(lambda: send(frames), outcomes, f"{what}, {len(frames)} of {len(frames[0])}")

    def _judge(self, send: Callable[[], object], outcomes: list[tuple[str | None, bytes | None]], what: str) -> None:
        """Sends, and expects these outcomes and no others."""
        before = self.counters.read()
        self.n_frames += len(outcomes)
        send()
        want_moved = dict(collections.Counter(counter for counter, _ in outcomes if counter))
        want_seen = [inner for _, inner in outcomes if inner is not None]
        got_moved, seen = self._wait(before, len(outcomes))
        self.n_delivered += len(seen)
        if got_moved != want_moved:
            self._problem(f"{what}: moved {got_moved}, want {want_moved}")
        if seen != want_seen:
            self._problem(f"{what}: delivered {[f.hex()[:80] for f in seen]}, want {[f.hex()[:80] for f in want_seen]}")

    def _wait(self, before: dict[str, int], n_frames: int) -> tuple[dict[str, int], list[bytes]]:
        """Waits until each frame has moved a counter or was delivered."""
        end = time.monotonic() + DEADLINE_S
        seen: list[bytes] = []
        while True:
            got = moved(before, self.counters.read())
            seen += self.tap.read()
            if sum(got.values()) + len(seen) >= n_frames or time.monotonic() > end:
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
                    "dropped": sum(total.values()),
                }
            )
        )
        return 1 if self.problems else 0
