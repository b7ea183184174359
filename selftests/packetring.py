#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sends frames from the transmit ring of a packet socket, whose pages stay the sender's.

  packetring.py DEVICE COUNT BYTES	sends COUNT frames of BYTES bytes, and prints how many the kernel gave back
"""

from __future__ import annotations

import mmap
import socket
import struct
import sys

SOL_PACKET, PACKET_TX_RING, PACKET_VERSION, TPACKET_V2 = 263, 13, 10, 1
AVAILABLE, SEND_REQUEST = 0, 1
SLOT = 2048
# struct tpacket2_hdr, aligned, less the sockaddr_ll that only received frames have
DATA = 32


def main() -> None:
    """Fills the ring, sends it and waits until each slot is free again."""
    device, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
        blocks = -(-count * SLOT // mmap.PAGESIZE)
        slots = blocks * mmap.PAGESIZE // SLOT
        sock.setsockopt(SOL_PACKET, PACKET_TX_RING, struct.pack("IIII", mmap.PAGESIZE, blocks, SLOT, slots))
        sock.bind((device, 0))
        with mmap.mmap(sock.fileno(), blocks * mmap.PAGESIZE) as ring:
            for slot in range(count):
                at = slot * SLOT
                head = b"\x02\x00\x00\x00\x01\x02" + b"\x02\x00\x00\x00\x01\x01" + b"\x88\xb8"
                ring[at + DATA : at + DATA + size] = (head + b"ring" * size)[:size]
                ring[at : at + 8] = struct.pack("II", SEND_REQUEST, size)
            sock.send(b"")
            states = [struct.unpack_from("I", ring, slot * SLOT)[0] for slot in range(count)]
            print(states.count(AVAILABLE))


if __name__ == "__main__":
    main()
