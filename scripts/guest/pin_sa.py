#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Binds SAs that seal, of the network namespace in which it runs, to CPUs (RFC 9611), which ip of Debian 13 cannot.

usage: pin_sa.py SPI:CPU...

An SA gets its CPU when it is made, so each of them is deleted and made again with the same key. Only SAs of AEAD ciphers.
The kernel wants to know the direction of such an SA, and takes no replay window for one that seals.
"""

from __future__ import annotations

import os
import socket
import struct
import sys

NETLINK_XFRM, NEWSA, DELSA, GETSA = 6, 16, 17, 18
REQUEST, ACK, DUMP = 0x1, 0x4, 0x300
ERROR, DONE = 2, 3
AEAD, SA_DIR, SA_PCPU = 18, 33, 35
SEALS = 2
# struct xfrm_usersa_info: its size, and where the destination, the SPI, the protocol and the family are.
SA_BYTES, DESTINATION, SPI, PROTOCOL, FAMILY = 224, 56, 72, 76, 212


def exchange(sock: socket.socket, kind: int, flags: int, body: bytes) -> list[bytes]:
    """What answers a request, without the headers; OSError if it is refused."""
    sock.send(struct.pack("=IHHII", 16 + len(body), kind, REQUEST | flags, 1, 0) + body)
    replies: list[bytes] = []
    while True:
        data = sock.recv(1 << 20)
        while data:
            length, answer = struct.unpack_from("=IH", data)
            if answer == ERROR and (code := -struct.unpack_from("=i", data, 16)[0]):
                raise OSError(code, os.strerror(code))
            if answer in (ERROR, DONE):
                return replies
            replies.append(data[16:length])
            data = data[length + 3 & ~3 :]


def attributes(sa: bytes) -> dict[int, bytes]:
    """As they are sent, by number."""
    out, at = {}, SA_BYTES
    while at + 4 <= len(sa):
        length, kind = struct.unpack_from("=HH", sa, at)
        out[kind] = sa[at : at + length] + bytes(-length % 4)
        at += length + 3 & ~3
    return out


def all_sas(sock: socket.socket) -> dict[int, bytes]:
    """By SPI."""
    return {struct.unpack_from("!I", sa, SPI)[0]: sa for sa in exchange(sock, GETSA, DUMP, b"")}


def pin(sock: socket.socket, sa: bytes, cpu: int) -> None:
    """Makes an SA again, of its key, for one CPU."""
    name = sa[DESTINATION : DESTINATION + 16] + sa[SPI : SPI + 4] + sa[FAMILY : FAMILY + 2] + sa[PROTOCOL : PROTOCOL + 1] + b"\0"
    exchange(sock, DELSA, ACK, name)
    extra = struct.pack("=HHBxxxHHI", 5, SA_DIR, SEALS, 8, SA_PCPU, cpu)
    exchange(sock, NEWSA, ACK, sa[:SA_BYTES] + attributes(sa)[AEAD] + extra)


def main() -> int:
    """Fails if there is no SA of that SPI, or if the kernel does not say afterwards that it is of this CPU."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM)
    sock.bind((0, 0))
    pins = dict((int(number) for number in word.split(":")) for word in sys.argv[1:])
    found = all_sas(sock)
    if absent := pins.keys() - found.keys():
        print(f"pin_sa.py: {min(absent)}: no SA has this SPI", file=sys.stderr)
        return 1
    for spi, cpu in pins.items():
        try:
            pin(sock, found[spi], cpu)
        except OSError as error:
            print(f"pin_sa.py: {spi}: {error.strerror}", file=sys.stderr)
            return 1
    # A kernel before 6.13 passes over an attribute that it does not know.
    pinned = {spi for spi, sa in all_sas(sock).items() if SA_PCPU in attributes(sa)}
    if pins.keys() - pinned:
        print("pin_sa.py: this kernel has no SAs of one CPU", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
