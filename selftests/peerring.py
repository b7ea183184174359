# SPDX-License-Identifier: GPL-2.0
"""Where the keys of an agreement go: into a qlink device by qlinkctl(8), or into memory for a test without a kernel."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from peermessages import Ring
from peerschedule import EpochKey

SOURCES = ("qkd", "hybrid", "pqc")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
KEEP = 64


class RingError(Exception):
    """The kernel has refused a request."""


@dataclass
class RingView:
    """One ring as it is now."""

    ring_id: bytes
    newest: int = 0
    current: int = 0
    epochs: set[int] = field(default_factory=set)
    staged: int = 0

    def stated(self) -> Ring:
        """As STATE says it."""
        return Ring.of(self.ring_id, self.newest, self.epochs)


class Rings(Protocol):
    """Both rings of a link; a direction is tx or rx."""

    def read(self) -> dict[str, RingView]:
        """Both rings as they are now."""

    def install(self, direction: str, source: int, keys: list[EpochKey], key_ids: list[tuple[bytes, ...]]) -> None:
        """New keys, all or none; key_ids has the KME key IDs of each."""

    def delete(self, direction: str, epochs: set[int]) -> None:
        """Keys that are held."""


class DeviceRings:
    """The rings of a device."""

    def __init__(self, device: str) -> None:
        self.device = device

    def _ctl(self, *words: str, text: str = "") -> str:
        """The output of qlinkctl."""
        done = subprocess.run(["qlinkctl", *words], input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RingError(f"qlinkctl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def read(self) -> dict[str, RingView]:
        """Both rings as they are now."""
        link = json.loads(self._ctl("-j", "show", self.device))[0]["link"]
        rings = {
            name: RingView(
                bytes.fromhex(link[name]["id"]),
                link[name]["newest_epoch"],
                link[name]["current_epoch"],
                staged=link[name]["staged"],
            )
            for name in ("tx", "rx")
        }
        for key in json.loads(self._ctl("-j", "key", "show", self.device)):
            rings[key["direction"]].epochs.add(key["epoch"])
        return rings

    def install(self, direction: str, source: int, keys: list[EpochKey], key_ids: list[tuple[bytes, ...]]) -> None:
        """New keys, all or none."""
        with tempfile.TemporaryDirectory() as folder:
            lines = []
            for key, ids in zip(keys, key_ids, strict=True):
                path = f"{folder}/{key.epoch}"
                with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(key.key + key.salt)
                words = [direction, "epoch", str(key.epoch), "source", SOURCES[source]]
                words += ["kmes", str(len(ids))] if ids else []
                # The device has room for one, and names the first KME's.
                words += ["id", ids[0].decode()] if ids and UUID.fullmatch(ids[0].decode()) else []
                lines.append(" ".join([*words, "file", path]))
            self._ctl("key", "add", self.device, "batch", "-", text="\n".join(lines) + "\n")

    def delete(self, direction: str, epochs: set[int]) -> None:
        """Keys that are held. The kernel may have let one go meanwhile, after its last frame."""
        for epoch in sorted(epochs):
            try:
                self._ctl("key", "del", self.device, direction, "epoch", str(epoch))
            except RingError:
                if epoch in self.read()[direction].epochs:
                    raise


class MemoryRings:
    """Rings that a test compares: each key that is installed is reported, by its digest."""

    def __init__(self, report: Callable[..., None]) -> None:
        self._report = report
        self._rings = {name: RingView(os.urandom(16)) for name in ("tx", "rx")}

    def read(self) -> dict[str, RingView]:
        """Both rings; each call uses up a transmit key, as if frames had been sent meanwhile."""
        tx = self._rings["tx"]
        staged = sorted(epoch for epoch in tx.epochs if epoch > tx.current)
        if staged:
            tx.epochs.discard(tx.current)
            tx.current = staged.pop(0)
        tx.staged = len(staged)
        return {name: dataclasses.replace(ring, epochs=set(ring.epochs)) for name, ring in self._rings.items()}

    def install(self, direction: str, source: int, keys: list[EpochKey], key_ids: list[tuple[bytes, ...]]) -> None:
        """New keys."""
        ring = self._rings[direction]
        for key in keys:
            if key.epoch <= ring.newest:
                raise RingError(f"epoch {key.epoch} is not above {ring.newest}")
            ring.newest = key.epoch
            ring.epochs.add(key.epoch)
            digest = hashlib.sha384(key.key + key.salt).hexdigest()[:16]
            self._report("key", direction=direction, epoch=key.epoch, source=SOURCES[source], digest=digest)
        ring.epochs = set(sorted(ring.epochs)[-KEEP:])

    def delete(self, direction: str, epochs: set[int]) -> None:
        """Keys that are held."""
        ring = self._rings[direction]
        ring.epochs -= epochs
        if ring.current in epochs:
            ring.current = 0
