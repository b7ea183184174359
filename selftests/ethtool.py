# SPDX-License-Identifier: GPL-2.0
"""Counters and features of a device, by the ioctl of ethtool: no process for each read."""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct
from typing import Self

from netdev import in_namespace


class Ethtool:
    """A device, and ethtool's ioctl on it."""

    SIOCETHTOOL, GSTRINGS, GSTATS, GSSET_INFO, SFEATURES = 0x8946, 0x1B, 0x1D, 0x37, 0x3B
    STATS_SET, FEATURES_SET = 1, 4

    def __init__(self, namespace: str, device: str) -> None:
        self.device = device
        self.sock = in_namespace(namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def _ask(self, request: bytes) -> bytes:
        buffer = ctypes.create_string_buffer(request, len(request))
        fcntl.ioctl(
            self.sock, self.SIOCETHTOOL, struct.pack("16sQ16x", self.device.encode(), ctypes.addressof(buffer))
        )
        return buffer.raw

    def _names(self, which: int) -> list[str]:
        reply = self._ask(struct.pack("=IIQI", self.GSSET_INFO, 0, 1 << which, 0))
        n_names = struct.unpack_from("=I", reply, 16)[0]
        reply = self._ask(struct.pack("=III", self.GSTRINGS, which, n_names) + bytes(32 * n_names))
        return [reply[12 + 32 * i : 44 + 32 * i].split(b"\0")[0].decode() for i in range(n_names)]

    def switch_off(self, feature: str) -> None:
        """Like ethtool -K DEVICE FEATURE off."""
        names = self._names(self.FEATURES_SET)
        at, blocks = names.index(feature), (len(names) + 31) // 32
        wanted = [(1 << at % 32 if block == at // 32 else 0, 0) for block in range(blocks)]
        self._ask(struct.pack(f"=II{2 * blocks}I", self.SFEATURES, blocks, *(word for pair in wanted for word in pair)))


class Counters(Ethtool):
    """ethtool -S."""

    def __init__(self, namespace: str, device: str) -> None:
        super().__init__(namespace, device)
        self.names = self._names(self.STATS_SET)
        self.n_stats = len(self.names)

    def read_all(self) -> dict[str, int]:
        """All counters."""
        reply = self._ask(struct.pack("=II", self.GSTATS, self.n_stats) + bytes(8 * self.n_stats))
        values = struct.unpack_from(f"={self.n_stats}Q", reply, 8)
        return dict(zip(self.names, values, strict=True))

    def read(self) -> dict[str, int]:
        """All counters, except FPU waits and keepalives sent, which depend on what else the CPU does and on time."""
        return {
            name: value
            for name, value in self.read_all().items()
            if not name.endswith("_fpu_wait") and name != "tx_keepalive"
        }


def moved(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """The counters that differ, and by how much."""
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}
