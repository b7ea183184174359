# SPDX-License-Identifier: GPL-2.0
"""Ethernet frames, read and sent at a device by AF_PACKET."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator

from netdev import in_namespace, mac_of


class Tap:
    """Reads and writes Ethernet frames at a device."""

    SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING, VLAN_VALID, VLAN_TPID_VALID = 263, 8, 4, 0x10, 0x40

    def __init__(self, namespace: str, device: str, protocol: int = 3) -> None:
        self.sock = in_namespace(namespace, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.setsockopt(self.SOL_PACKET, self.PACKET_AUXDATA, 1)
        self.sock.bind((device, protocol))
        self.mac = mac_of(self.sock, device)

    def send(self, frame: bytes) -> None:
        """Sends a whole frame."""
        self.sock.send(frame)

    def read(self) -> Iterator[bytes]:
        """The frames that have arrived, with the VLAN tags that the kernel removed."""
        while True:
            try:
                frame, ancillary, _, address = self.sock.recvmsg(65536, 64, socket.MSG_DONTWAIT)
            except OSError as problem:
                if problem.errno not in (errno.EAGAIN, errno.ENETDOWN):
                    raise
                return
            if address[2] == self.PACKET_OUTGOING:
                continue
            for _, kind, data in ancillary:
                if kind == self.PACKET_AUXDATA:
                    status, *_, tci, tpid = struct.unpack("=IIIHHHH", data[:20])
                    if status & self.VLAN_VALID:
                        tag = struct.pack(">HH", tpid if status & self.VLAN_TPID_VALID else 0x8100, tci)
                        frame = frame[:12] + tag + frame[12:]
            yield frame
