# SPDX-License-Identifier: GPL-2.0
"""Ethernet frames to send through a link."""

from __future__ import annotations

import struct

from wire import ETHERTYPE, ones_sum


def inner_frame(
    marker: str, size: int, src: bytes, dst: bytes, ethertype: int, tags: tuple[tuple[int, int], ...] = ()
) -> bytes:
    """An Ethernet frame whose payload repeats the marker."""
    head = dst + src + b"".join(struct.pack(">HH", *tag) for tag in tags) + ethertype.to_bytes(2, "big")
    return (head + marker.encode() * size)[:size]


def udp_frame(src: bytes, dst: bytes, payload: bytes, ipv6: bool) -> bytes:
    """A UDP datagram with a correct checksum, to addresses that no host has."""
    udp = struct.pack(">HHHH", 50001, 9, 8 + len(payload), 0) + payload
    if ipv6:
        addresses = bytes.fromhex("20010db8000000000000000000000bad" * 2)
        ip = struct.pack(">IHBB", 6 << 28, len(udp), 17, 64) + addresses
    else:
        addresses = bytes([192, 0, 2, 200, 192, 0, 2, 201])
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0x4000, 64, 17, 0) + addresses
        ip = ip[:10] + (~ones_sum(ip) & 0xFFFF).to_bytes(2, "big") + ip[12:]
    total = ones_sum(addresses + struct.pack(">II", len(udp), 17) + udp)
    udp = udp[:6] + (~total & 0xFFFF or 0xFFFF).to_bytes(2, "big") + udp[8:]
    return dst + src + (b"\x86\xdd" if ipv6 else b"\x08\x00") + ip + udp


def inner_frames(src: bytes, dst: bytes, mtu: int, marker: str) -> list[tuple[str, bytes]]:
    """One frame of every kind that qlink must carry."""
    everyone, goose = b"\xff" * 6, bytes.fromhex("010ccd010001")

    def one(size: int, ethertype: int, to: bytes = dst, tags: tuple[tuple[int, int], ...] = ()) -> bytes:
        return inner_frame(marker, size, src, to, ethertype, tags)

    full = mtu + 14
    return [
        ("GOOSE, multicast", one(150, 0x88B8, goose)),
        ("GOOSE, VLAN 0 priority 4", one(154, 0x88B8, goose, ((0x8100, 0x8000),))),
        ("non-IP, unicast", one(60, 0x88B8)),
        ("no payload at all", one(14, 0x88B8)),
        ("one byte", one(15, 0x88B8)),
        ("below Ethernet's minimum", one(59, 0x88B8)),
        ("full size", one(full, 0x88B8)),
        ("one below full size", one(full - 1, 0x88B8)),
        ("VLAN 5", one(100, 0x0800, dst, ((0x8100, 5),))),
        ("VLAN 5, full size", one(full + 4, 0x88B8, dst, ((0x8100, 5),))),
        ("802.1ad", one(100, 0x0800, dst, ((0x88A8, 6),))),
        ("802.1ad over 802.1Q", one(100, 0x88B8, dst, ((0x88A8, 6), (0x8100, 5)))),
        ("broadcast", one(80, 0x88B8, everyone)),
        ("IPv4 multicast", one(80, 0x88B8, bytes.fromhex("01005e000123"))),
        ("IPv6 multicast", one(80, 0x88B8, bytes.fromhex("333300000123"))),
        ("MPLS", one(90, 0x8847)),
        ("802.3 with LLC", one(14 + 40, 40)),
        ("spanning tree", one(14 + 40, 40, bytes.fromhex("0180c2000000"))),
        ("LLDP", one(90, 0x88CC, bytes.fromhex("0180c200000e"))),
        ("to another host", one(90, 0x88B8, bytes.fromhex("020000000bad"))),
        ("qlink in qlink", one(90, ETHERTYPE)),
        ("UDP over IPv4", udp_frame(src, everyone, marker.encode() * 8, ipv6=False)),
        ("UDP over IPv6", udp_frame(src, everyone, marker.encode() * 8, ipv6=True)),
    ]
