# SPDX-License-Identifier: GPL-2.0
"""Sealed frames on every underlay: what stands around them in a capture, and captures of them."""

from __future__ import annotations

import ipaddress
import pathlib
import struct
from collections.abc import Callable, Iterable

from wire import ETHERTYPE, ones_sum

PORT, SOURCE_PORT, AGENT_PORT = 7000, 49152, 7511
MACS = (bytes.fromhex("020000000001"), bytes.fromhex("020000000002"))
SENDER = "02:00:00:00:00:01"
ADDRESSES = ("192.0.2.1", "192.0.2.2")
ADDRESSES6 = ("2001:db8::1", "2001:db8::2")
SENDERS = {"mac": SENDER, "ip4": ADDRESSES[0], "ip6": ADDRESSES6[0]}

Wrap = Callable[[bytes], bytes]


def ethernet(payload: bytes, ethertype: int, tags: Iterable[tuple[int, int]] = (), back: bool = False) -> bytes:
    """An Ethernet frame from the first end to the second, or back; each tag has its EtherType and its VLAN."""
    head = MACS[0] + MACS[1] if back else MACS[1] + MACS[0]
    return head + b"".join(struct.pack(">HH", *tag) for tag in tags) + ethertype.to_bytes(2, "big") + payload


def ipv4(payload: bytes, protocol: int, flags: int = 0x4000, back: bool = False) -> bytes:
    """An IPv4 packet."""
    source, target = (ipaddress.IPv4Address(address).packed for address in ADDRESSES[:: -1 if back else 1])
    head = bytearray(struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 7, flags, 64, protocol, 0) + source + target)
    head[10:12] = (~ones_sum(bytes(head)) & 0xFFFF).to_bytes(2, "big")
    return bytes(head) + payload


def ipv6(payload: bytes, protocol: int) -> bytes:
    """An IPv6 packet."""
    source, target = (ipaddress.IPv6Address(address).packed for address in ADDRESSES6)
    return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + source + target + payload


def udp(payload: bytes, port: int = PORT) -> bytes:
    """A datagram without a checksum."""
    return struct.pack(">HHHH", SOURCE_PORT, port, 8 + len(payload), 0) + payload


def udp6(payload: bytes) -> bytes:
    """A datagram with the checksum that IPv6 has."""
    datagram = bytearray(udp(payload))
    addresses = b"".join(ipaddress.IPv6Address(address).packed for address in ADDRESSES6)
    checksum = ~ones_sum(addresses + struct.pack(">II", len(datagram), 17) + bytes(datagram)) & 0xFFFF or 0xFFFF
    datagram[6:8] = checksum.to_bytes(2, "big")
    return bytes(datagram)


def over_eth(sealed: bytes) -> bytes:
    """Over the eth underlay."""
    return ethernet(sealed, ETHERTYPE)


def over_vlan(sealed: bytes) -> bytes:
    """Over a VLAN of the underlay."""
    return ethernet(sealed, ETHERTYPE, [(0x8100, 5)])


def over_two_vlans(sealed: bytes) -> bytes:
    """Over a VLAN in a provider's VLAN."""
    return ethernet(sealed, ETHERTYPE, [(0x88A8, 9), (0x8100, 5)])


def over_udp(sealed: bytes) -> bytes:
    """Over the udp underlay, IPv4."""
    return ethernet(ipv4(udp(sealed), 17), 0x0800)


def over_udp_in_vlan(sealed: bytes) -> bytes:
    """The same in a VLAN."""
    return ethernet(ipv4(udp(sealed), 17), 0x0800, [(0x8100, 5)])


def over_udp6(sealed: bytes) -> bytes:
    """Over the udp underlay, IPv6."""
    return ethernet(ipv6(udp6(sealed), 17), 0x86DD)


UNDERLAYS: dict[str, tuple[Wrap, str]] = {
    "eth": (over_eth, "mac"),
    "eth in a VLAN": (over_vlan, "mac"),
    "eth in two VLANs": (over_two_vlans, "mac"),
    "udp": (over_udp, "ip4"),
    "udp in a VLAN": (over_udp_in_vlan, "ip4"),
    "udp6": (over_udp6, "ip6"),
}


def fragments(sealed: bytes) -> list[bytes]:
    """A datagram in two fragments of IPv4."""
    datagram = udp(sealed)
    cut = len(datagram) // 16 * 8
    parts = (ipv4(datagram[:cut], 17, 0x2000), ipv4(datagram[cut:], 17, cut // 8))
    return [ethernet(part, 0x0800) for part in parts]


def fragments6(sealed: bytes) -> list[bytes]:
    """A datagram in two fragments of IPv6."""
    datagram = udp6(sealed)
    cut = len(datagram) // 16 * 8
    heads = (struct.pack(">BBHI", 17, 0, 1, 7), struct.pack(">BBHI", 17, 0, cut, 7))
    return [ethernet(ipv6(head + part, 44), 0x86DD) for head, part in zip(heads, (datagram[:cut], datagram[cut:]), strict=True)]


class Stream:
    """What one end says to the other over TCP, in segments."""

    def __init__(self, port: int) -> None:
        self._port, self._sequence = port, 1

    def say(self, data: bytes, most: int = 1400) -> list[bytes]:
        """The segments of some bytes."""
        packets = []
        for at in range(0, len(data), most):
            part = data[at : at + most]
            segment = struct.pack(">HHIIBBHHH", 40000, self._port, self._sequence, 1, 0x50, 0x18, 8192, 0, 0) + part
            self._sequence += len(part)
            packets.append(ethernet(ipv4(segment, 6), 0x0800))
        return packets


def cooked(payload: bytes, ethertype: int) -> bytes:
    """A packet as "tcpdump -i any" writes it (LINKTYPE_LINUX_SLL2)."""
    return struct.pack(">HHIHBB8s", ethertype, 0, 2, 1, 0, 6, MACS[0]) + payload


ETHERNET, LINUX_SLL2 = 1, 276


def write(path: pathlib.Path, packets: list[bytes], captured: int = 1 << 18, seconds: list[float] | None = None,
          kind: int = ETHERNET) -> pathlib.Path:
    """A capture that has up to so many bytes of each packet."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, kind)]
    for number, packet in enumerate(packets):
        at = seconds[number] if seconds else 0.0
        part = packet[:captured]
        out.append(struct.pack("<IIII", int(at), round(at % 1 * 1e6), len(part), len(packet)) + part)
    path.write_bytes(b"".join(out))
    return path
