#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sends packets of 64 forged frames of a link over UDP.

  bundleflood.py FROM TO PORT LINK_ID EPOCH PACKETS
"""

from __future__ import annotations

import os
import socket
import sys

UDP_SEGMENT = 103
SO_SNDBUFFORCE = 32  # beyond the limit for other users
FRAMES, BYTES = 64, 60


def main() -> None:
    """Each frame has a right header, and a tag that is not valid."""
    source, target, port, link_id, epoch, packets = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
    head = b"\x10\x00" + link_id.to_bytes(2, "big") + epoch.to_bytes(6, "big")
    frames = b"".join(
        head + (sequence + 1).to_bytes(6, "big") + os.urandom(BYTES - 16) for sequence in range(FRAMES)
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, BYTES)
        sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 26)
        sock.bind((source, 0))
        sock.connect((target, port))
        for _ in range(packets):
            sock.send(frames)


if __name__ == "__main__":
    main()
