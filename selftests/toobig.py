# SPDX-License-Identifier: GPL-2.0
"""ICMP and ICMPv6 errors that claim a small path MTU."""

from __future__ import annotations

import argparse
import struct
from collections.abc import Iterator

from underlay import PORT
from wire import ones_sum


def ipv4_packet(protocol: int, source: bytes, destination: bytes, data: bytes) -> bytes:
    """An IPv4 packet with a correct checksum."""
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), 1, 0x4000, 64, protocol, 0) + source + destination
    return head[:10] + (~ones_sum(head) & 0xFFFF).to_bytes(2, "big") + head[12:] + data


def ipv6_packet(protocol: int, source: bytes, destination: bytes, data: bytes) -> bytes:
    """An IPv6 packet."""
    return struct.pack(">IHBB", 6 << 28, len(data), protocol, 64) + source + destination + data


def too_big_errors(args: argparse.Namespace, us: bytes, them: bytes) -> Iterator[bytes]:
    """ICMP errors from them to us, about packets that we could have sent."""
    packet, icmp, reply = (ipv6_packet, 58, 129) if args.under == "udp6" else (ipv4_packet, 1, 0)
    sources = (PORT, 49152) if args.about == "udp" else (0,)
    for source in sources:
        if source:
            quoted = packet(17, us, them, struct.pack(">HHHH", source, PORT, 1408, 0) + bytes(64))
        else:
            quoted = packet(icmp, us, them, struct.pack(">BBHHH", reply, 0, 0, 1, 1) + bytes(64))
        if args.under == "udp6":
            error = struct.pack(">BBHI", 2, 0, 0, args.mtu) + quoted
            total = ones_sum(them + us + struct.pack(">II", len(error), icmp) + error)
        else:
            error = struct.pack(">BBHHH", 3, 4, 0, 0, args.mtu) + quoted
            total = ones_sum(error)
        yield packet(icmp, them, us, error[:2] + (~total & 0xFFFF).to_bytes(2, "big") + error[4:])
