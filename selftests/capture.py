# SPDX-License-Identifier: GPL-2.0
"""Captures of the underlay: opens every sealed frame in one and records violations of the rules."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import ipaddress
import json
import pathlib
import struct
from collections.abc import Iterator

from wire import (
    HEADER_BYTES,
    TYPE_OF_KIND,
    TYPE_PARCEL,
    VLAN_TYPES,
    Header,
    Key,
    Receiver,
    Refused,
    Unpacker,
    Window,
    blocks,
    inner_of,
    ones_sum,
)

# ---- checksums of inner frames ----


def l3_of(frame: bytes) -> tuple[int, int]:
    """EtherType and offset of the data after the VLAN tags of an Ethernet frame."""
    offset = 12
    ethertype = int.from_bytes(frame[offset : offset + 2], "big")
    while ethertype in VLAN_TYPES and len(frame) >= offset + 6:
        offset += 4
        ethertype = int.from_bytes(frame[offset : offset + 2], "big")
    return ethertype, offset + 2


CHECKSUM_OFFSETS = {6: 16, 17: 6, 58: 2}


def l4_checksum_ok(frame: bytes) -> bool | None:
    """Whether the TCP, UDP or ICMPv6 checksum of a frame is correct; None if it has none."""
    ethertype, offset = l3_of(frame)
    packet = frame[offset:]
    if ethertype == 0x0800 and len(packet) >= 20:
        header, total, fragment = (packet[0] & 15) * 4, int.from_bytes(packet[2:4], "big"), packet[6:8]
        protocol, addresses = packet[9], packet[12:20]
        if int.from_bytes(fragment, "big") & 0x3FFF:
            return None
    elif ethertype == 0x86DD and len(packet) >= 40:
        header, total = 40, 40 + int.from_bytes(packet[4:6], "big")
        protocol, addresses = packet[6], packet[8:40]
    else:
        return None
    payload = packet[header:total]
    if protocol not in CHECKSUM_OFFSETS or len(payload) < 8:
        return None
    if protocol == 17 and payload[6:8] == b"\0\0":
        return None
    pseudo = addresses + struct.pack(">II", len(payload), protocol)
    return ones_sum(pseudo + payload) == 0xFFFF


# ---- captures ----


class BadCapture(Exception):
    """A capture file that is damaged or incomplete."""


def timed_records(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Times in nanoseconds, lengths and packets of a pcap file: both byte orders, micro- and nanoseconds, Ethernet only."""
    orders = {
        b"\xd4\xc3\xb2\xa1": ("<", 1000),
        b"\x4d\x3c\xb2\xa1": ("<", 1),
        b"\xa1\xb2\xc3\xd4": (">", 1000),
        b"\xa1\xb2\x3c\x4d": (">", 1),
    }
    if data[:4] not in orders or len(data) < 24:
        raise BadCapture("not a pcap file")
    order, unit = orders[data[:4]]
    linktype = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    if linktype != 1:
        raise BadCapture(f"link type {linktype} is not Ethernet")
    at, number = 24, 0
    while at < len(data):
        number += 1
        if at + 16 > len(data):
            raise BadCapture(f"frame {number}: the record is cut off")
        seconds, fraction, captured, length = struct.unpack_from(order + "IIII", data, at)
        at += 16
        if at + captured > len(data):
            raise BadCapture(f"frame {number}: the packet is cut off")
        yield seconds * 10**9 + fraction * unit, length, data[at : at + captured]
        at += captured


def read_records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Lengths and packets of a pcap file."""
    for _, length, packet in timed_records(data):
        yield length, packet


def timed_packets(data: bytes) -> Iterator[tuple[float, bytes]]:
    """The times in seconds and the packets of a pcap file, none of them shortened."""
    for number, (ns, length, packet) in enumerate(timed_records(data), 1):
        if len(packet) != length:
            raise BadCapture(f"frame {number}: {len(packet)} of {length} bytes captured")
        yield ns / 1e9, packet


def read_pcap(data: bytes) -> Iterator[bytes]:
    """The packets of a pcap file, none of them shortened."""
    for _, packet in timed_packets(data):
        yield packet


def write_pcap(packets: list[bytes], order: str = "<", nanoseconds: bool = False) -> bytes:
    """A pcap file of Ethernet packets."""
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)]
    for packet in packets:
        out.append(struct.pack(order + "IIII", 0, 0, len(packet), len(packet)) + packet)
    return b"".join(out)


def mac_text(raw: bytes) -> str:
    """Six bytes as 02:00:…."""
    return ":".join(f"{byte:02x}" for byte in raw)


@dataclasses.dataclass(frozen=True)
class Outer:
    """A frame of the underlay: its sender, and the sealed frame in it, if it is one of ours."""

    kind: str
    sender: str = ""
    sealed: bytes | None = None
    problem: str = ""
    source_port: int = 0


def outer_eth(packet: bytes, wanted: int) -> Outer:
    """A packet, parsed for the eth underlay."""
    ethertype, offset = l3_of(packet)
    if ethertype != wanted:
        return Outer(f"0x{ethertype:04x}")
    return Outer("sealed", mac_text(packet[6:12]), packet[offset:])


def outer_udp(packet: bytes, port: int) -> Outer:
    """A packet, parsed for the udp underlay."""
    ethertype, offset = l3_of(packet)
    ip = packet[offset:]
    if ethertype == 0x0800 and len(ip) >= 20 and ip[9] == 17:
        header, total = (ip[0] & 15) * 4, int.from_bytes(ip[2:4], "big")
        sender, flags, tos = str(ipaddress.ip_address(ip[12:16])), int.from_bytes(ip[6:8], "big"), ip[1]
    elif ethertype == 0x86DD and len(ip) >= 40 and ip[6] == 17:
        header, total = 40, 40 + int.from_bytes(ip[4:6], "big")
        sender, flags, tos = str(ipaddress.ip_address(ip[8:24])), 0x4000, (ip[0] & 15) << 4 | ip[1] >> 4
    elif ethertype == 0x86DD and len(ip) >= 40 and ip[6] == 44:
        return Outer("udp", problem="a fragment")
    else:
        return Outer(f"0x{ethertype:04x}")
    if flags & 0x3FFF:
        return Outer("udp", problem="a fragment")
    datagram = ip[header:total]
    if len(datagram) < 8 or int.from_bytes(datagram[2:4], "big") != port:
        return Outer("udp")
    if not flags & 0x4000:
        return Outer("sealed", problem="DF is not set")
    if tos:
        return Outer("sealed", problem=f"TOS {tos}")
    if ethertype == 0x86DD and int.from_bytes(ip[1:4], "big") & 0xFFFFF:
        return Outer("sealed", problem="a flow label")
    source_port, _, length, checksum = struct.unpack_from(">HHHH", datagram)
    if length != len(datagram):
        return Outer("sealed", problem=f"UDP length {length} in a packet of {len(datagram)}")
    if ethertype == 0x0800 and checksum and not udp_checksum_ok(ip[12:20], datagram):
        return Outer("sealed", problem=f"UDP checksum 0x{checksum:04x} over IPv4")
    if ethertype == 0x86DD and not udp_checksum_ok(ip[8:40], datagram):
        return Outer("sealed", problem=f"UDP checksum 0x{checksum:04x} over IPv6")
    if source_port != port and not 49152 <= source_port < 49152 + 64:
        return Outer("sealed", problem=f"source port {source_port}")
    return Outer("sealed", sender, datagram[8:], source_port=source_port)


def udp_checksum_ok(addresses: bytes, datagram: bytes) -> bool:
    """Whether a UDP checksum is present and correct, or is left to the sender's device."""
    checksum = int.from_bytes(datagram[6:8], "big")
    pseudo = ones_sum(addresses + struct.pack(">II", len(datagram), 17))
    return checksum != 0 and (checksum == pseudo or ones_sum(pseudo.to_bytes(2, "big") + datagram) == 0xFFFF)


def read_keys(text: str) -> dict[tuple[int, int], list[tuple[str, Key]]]:
    """A keys file, by link id and epoch."""
    keys: dict[tuple[int, int], list[tuple[str, Key]]] = {}
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        link_id, epoch, sender, raw = words
        keys.setdefault((int(link_id), int(epoch)), []).append((sender.lower(), Key.of(bytes.fromhex(raw))))
    return keys


class Decoder:
    """Opens every sealed frame of a capture and records violations.

    On a bad line, a frame that comes twice or late and a parcel that is missing are no violations: they are counted as a
    receiver counts them.
    """

    def __init__(self, keys: dict[tuple[int, int], list[tuple[str, Key]]], bad_line: bool = False) -> None:
        self.keys = keys
        self.bad_line = bad_line
        self.seconds = 0.0
        self.windows: dict[tuple[str, int, int, int], Window] = collections.defaultdict(Window)
        self.count: collections.Counter[str] = collections.Counter()
        self.taken: dict[tuple[bytes, int, int], int] = {}
        self.unpackers: dict[tuple[str, int, int], Unpacker] = collections.defaultdict(Unpacker)
        self.violations: list[str] = []
        self.inner: list[bytes] = []

    def violation(self, number: int, why: str) -> None:
        """Records a violation."""
        self.violations.append(f"frame {number}: {why}")

    def take(self, number: int, outer: Outer) -> None:
        """One frame of the capture."""
        self.count[f"outer {outer.kind}"] += 1
        if outer.source_port:
            self.count[f"source port {outer.source_port}"] += 1
        if outer.problem:
            self.violation(number, outer.problem)
        elif outer.sealed is not None:
            try:
                self._open(number, outer.sender, outer.sealed)
            except Refused as refusal:
                self.violation(number, f"does not open: {refusal.args[0]}")

    def _open(self, number: int, sender: str, frame: bytes) -> None:
        if len(frame) < HEADER_BYTES:
            raise Refused("port_rx_short")
        header = Header.parse(frame)
        key, plaintext = self._unseal(sender, header, frame)
        name = (key.key, header.lane, header.sequence)
        if self.bad_line and self._is_late(sender, header):
            return
        if name in self.taken:
            self.violation(
                number, f"lane {header.lane} sequence {header.sequence} was used by frame {self.taken[name]}"
            )
        self.taken[name] = number
        self.count[f"type {header.type}"] += 1
        self.count[f"lane {header.lane}"] += 1
        self.count[f"from {sender} id {header.link_id} epoch {header.epoch}"] += 1
        self.count["blocks"] += blocks(plaintext)
        for inner in self._inner(sender, header, plaintext):
            self.count[f"inner from {sender}"] += 1
            self.inner.append(inner)
            if l4_checksum_ok(inner) is False:
                self.violation(number, f"a type {header.type} frame with a wrong inner checksum")

    def _is_late(self, sender: str, header: Header) -> bool:
        """Whether the window of its lane refuses a frame, which is counted."""
        window = self.windows[sender, header.link_id, header.epoch, header.lane]
        try:
            window.check(header.sequence)
        except Refused as refusal:
            self.count[f"{refusal.args[0]} from {sender}"] += 1
            return True
        window.commit(header.sequence)
        return False

    def _inner(self, sender: str, header: Header, plaintext: bytes) -> list[bytes]:
        """The inner frames that a sealed frame makes whole, their checksums finished."""
        if header.type != TYPE_PARCEL:
            inner = inner_of(header.type, plaintext)
            return [] if inner is None else [inner]
        unpacker = self.unpackers[sender, header.link_id, header.lane]
        counters, records = unpacker.take(header, plaintext, self.seconds)
        self.count.update(f"{name} from {sender}" for name in counters)
        return [inner for kind, content in records if (inner := inner_of(TYPE_OF_KIND[kind], content)) is not None]

    def _unseal(self, sender: str, header: Header, frame: bytes) -> tuple[Key, bytes]:
        """Tries the keys of the frame's link, epoch and sender with all rules except the window."""
        found = [k for who, k in self.keys.get((header.link_id, header.epoch), []) if who in ("any", sender)]
        for key in found:
            try:
                return key, Receiver(header.link_id, {header.epoch: key}).open(frame)[1]
            except Refused as refusal:
                if refusal.args[0] != "rx_auth_error":
                    raise
        raise Refused("rx_auth_error" if found else "rx_no_key")


def find_needles(data: bytes, packets: list[bytes], needles: list[bytes]) -> list[str]:
    """The places of the needles in a capture, in its packets or elsewhere in the file."""
    found = []
    for needle in needles:
        if needle not in data:
            continue
        where = [number for number, packet in enumerate(packets, 1) if needle in packet]
        found.append(f"frame {where[0] if where else '?'}: holds the needle {needle[:16].hex()}")
    return found


def decode(args: argparse.Namespace) -> int:
    """The decode subcommand."""
    data = pathlib.Path(args.pcap).read_bytes()
    decoder = Decoder(read_keys(pathlib.Path(args.keys).read_text(encoding="ascii")), args.bad_line)
    packets: list[bytes] = []
    try:
        for decoder.seconds, packet in timed_packets(data):
            packets.append(packet)
            if args.udp_port:
                decoder.take(len(packets), outer_udp(packet, args.udp_port))
            else:
                decoder.take(len(packets), outer_eth(packet, args.ethertype))
    except BadCapture as problem:
        decoder.violations.append(str(problem))
    needles = [pathlib.Path(name).read_bytes() for name in args.needle]
    needles += [bytes.fromhex(text) for text in args.needle_hex]
    if any(len(needle) < 6 for needle in needles):
        decoder.violations.append("a needle of less than 6 bytes proves nothing")
    decoder.violations += find_needles(data, packets, needles)
    if args.inner:
        pathlib.Path(args.inner).write_bytes(write_pcap(decoder.inner))
    count = decoder.count
    print(
        json.dumps(
            {
                "frames": len(packets),
                "sealed": count["outer sealed"],
                "needles": len(needles),
                "in_inner": [sum(needle in inner for inner in decoder.inner) for needle in needles],
                "count": dict(sorted(count.items())),
                "violations": decoder.violations[:20],
                "n_violations": len(decoder.violations),
            },
            indent=1,
        )
    )
    return 1 if decoder.violations else 0


class Sealed:
    """The frames that one sender sealed."""

    def __init__(self) -> None:
        self.sealed = self.again = self.back = self.newest = 0
        self.lanes: dict[int, int] = {}
        self.sizes: dict[int, int] = {}
        self.types: dict[int, int] = {}

    def add(self, header: Header, size: int, is_again: bool, before: tuple[int, int]) -> None:
        """Adds a frame; before is the epoch and sequence of the frame before it in its lane."""
        self.sizes[size] = self.sizes.get(size, 0) + 1
        self.types[header.type] = self.types.get(header.type, 0) + 1
        self.again += is_again
        self.sealed += not is_again
        self.back += (header.epoch, header.sequence) <= before
        self.newest = max(self.newest, header.epoch)
        self.lanes[header.lane] = self.lanes.get(header.lane, 0) + 1


def nonces(args: argparse.Namespace) -> int:
    """The nonces subcommand: by sender frames, lanes, sizes, types, repeated nonces and frames out of order in a lane.

    It reads only headers, so that a capture of half a million frames does not take an hour.
    """
    taken: set[tuple[str, int, int, int, int]] = set()
    last: dict[tuple[str, int], tuple[int, int]] = {}
    senders: dict[str, Sealed] = {}
    problems: list[str] = []
    try:
        for packet in read_pcap(pathlib.Path(args.pcap).read_bytes()):
            outer = outer_udp(packet, args.udp_port) if args.udp_port else outer_eth(packet, args.ethertype)
            if outer.sealed is None:
                continue
            header = Header.parse(outer.sealed)
            name = (outer.sender, header.link_id, header.epoch, header.lane, header.sequence)
            sender = senders.setdefault(outer.sender, Sealed())
            sender.add(header, len(outer.sealed), name in taken, last.get((outer.sender, header.lane), (0, 0)))
            last[outer.sender, header.lane] = (header.epoch, header.sequence)
            taken.add(name)
    except BadCapture as problem:
        problems.append(str(problem))
    print(json.dumps({"senders": {name: vars(sender) for name, sender in senders.items()}, "problems": problems}))
    return 1 if problems else 0
