#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The qlink wire a second time, written from kmod/PROTOCOL.md alone, and the tools that need no kernel.

  qlinkwire.py selftest
  qlinkwire.py vectors [--check] [FILE]
  qlinkwire.py decode PCAP --keys FILE (--ethertype 0x88b5 | --udp-port P)
                      [--needle FILE]... [--needle-hex HEX]...

A keys file has a line per key: link id, epoch, sender (its MAC or IP address, or "any"),
and the 44 bytes of key and salt in hex.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import hashlib
import ipaddress
import json
import pathlib
import struct
import sys
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = 1
TYPE_FRAME, TYPE_KEEPALIVE, TYPE_CSUM = 0, 1, 2
HEADER_BYTES, TAG_BYTES, KEY_BYTES, SALT_BYTES = 16, 16, 32, 12
ETH_HEADER_BYTES, CSUM_STATE_BYTES, KEEPALIVE_BYTES = 14, 4, 24
WINDOW = 4096
MAX48 = 2**48 - 1
MINIMUM = {
    TYPE_FRAME: HEADER_BYTES + ETH_HEADER_BYTES + TAG_BYTES,
    TYPE_CSUM: HEADER_BYTES + CSUM_STATE_BYTES + ETH_HEADER_BYTES + TAG_BYTES,
}
KEEPALIVE_FRAME_BYTES = HEADER_BYTES + KEEPALIVE_BYTES + TAG_BYTES

ETHERTYPE = 0x88B5
VLAN_TYPES = (0x8100, 0x88A8)
VECTORS = pathlib.Path(__file__).resolve().parent / "vectors" / "frames.json"


class Refused(Exception):
    """A frame that breaks a rule of section 3; the argument is the counter that moves."""


# ---- section 1: the header ----


@dataclasses.dataclass(frozen=True)
class Header:
    """The 16 bytes in front of the ciphertext."""

    type: int
    lane: int
    link_id: int
    epoch: int
    sequence: int
    version: int = VERSION

    def pack(self) -> bytes:
        """The header as sent."""
        first = self.version << 4 | self.type
        return (
            struct.pack(">BBH", first, self.lane, self.link_id)
            + self.epoch.to_bytes(6, "big")
            + self.sequence.to_bytes(6, "big")
        )

    @classmethod
    def parse(cls, frame: bytes) -> Header:
        """The header of a frame of at least 16 bytes."""
        first, lane, link_id = struct.unpack_from(">BBH", frame)
        return cls(
            type=first & 15,
            lane=lane,
            link_id=link_id,
            epoch=int.from_bytes(frame[4:10], "big"),
            sequence=int.from_bytes(frame[10:16], "big"),
            version=first >> 4,
        )


@dataclasses.dataclass(frozen=True)
class Key:
    """A key and its salt."""

    key: bytes
    salt: bytes

    @classmethod
    def of(cls, raw: bytes) -> Key:
        """The key of a 44-byte key file."""
        if len(raw) != KEY_BYTES + SALT_BYTES:
            raise ValueError(f"a key file holds 44 bytes, not {len(raw)}")
        return cls(raw[:KEY_BYTES], raw[KEY_BYTES:])


# ---- section 2: sealing ----


def nonce(salt: bytes, lane: int, sequence: int) -> bytes:
    """salt XOR (40 zero bits || lane || sequence)."""
    counter = bytes(5) + bytes([lane]) + sequence.to_bytes(6, "big")
    return bytes(a ^ b for a, b in zip(salt, counter, strict=True))


def seal(key: Key, header: Header, plaintext: bytes) -> bytes:
    """The sealed frame; any plaintext, so that bad ones can be forged too."""
    aad = header.pack()
    return aad + AESGCM(key.key).encrypt(nonce(key.salt, header.lane, header.sequence), plaintext, aad)


def unseal(key: Key, frame: bytes) -> bytes:
    """The plaintext of a sealed frame, or Refused."""
    header = Header.parse(frame)
    try:
        return AESGCM(key.key).decrypt(
            nonce(key.salt, header.lane, header.sequence), frame[HEADER_BYTES:], frame[:HEADER_BYTES]
        )
    except InvalidTag:
        raise Refused("rx_auth_error") from None


def blocks(plaintext: bytes) -> int:
    """What a frame takes of its key's limit."""
    return -(-len(plaintext) // 16) + 2


# ---- section 1: the plaintext of each type ----


def csum_plaintext(csum_start: int, csum_offset: int, inner: bytes) -> bytes:
    """The plaintext of a type 2 frame."""
    return struct.pack(">HH", csum_start, csum_offset) + inner


def csum_split(plaintext: bytes) -> tuple[int, int, bytes]:
    """csum_start, csum_offset and the inner frame of a type 2 plaintext, or Refused."""
    start, offset = struct.unpack_from(">HH", plaintext)
    inner = plaintext[CSUM_STATE_BYTES:]
    if start < ETH_HEADER_BYTES or start + offset + 2 > len(inner):
        raise Refused("rx_bad_inner")
    return start, offset, inner


def ones_sum(data: bytes) -> int:
    """The folded ones' complement sum of 16-bit words, an odd last byte padded with 0."""
    value = int.from_bytes(data + bytes(len(data) % 2), "big")
    return value % 0xFFFF or (0xFFFF if value else 0)


def csum_finish(plaintext: bytes) -> bytes:
    """The inner frame of a type 2 plaintext with its checksum finished."""
    start, offset, inner = csum_split(plaintext)
    done = bytearray(inner)
    # An all-zero result goes out as 0xffff, its other form: 0 would mean "none" in UDP.
    value = ~ones_sum(inner[start:]) & 0xFFFF or 0xFFFF
    done[start + offset : start + offset + 2] = value.to_bytes(2, "big")
    return bytes(done)


def inner_of(frame_type: int, plaintext: bytes) -> bytes | None:
    """The inner frame, finished; None for a keepalive."""
    if frame_type == TYPE_KEEPALIVE:
        return None
    return csum_finish(plaintext) if frame_type == TYPE_CSUM else plaintext


# ---- section 3: opening ----


class Window:
    """The replay window of one lane, as a plain set."""

    def __init__(self) -> None:
        self.top = 0
        self.seen: set[int] = set()

    def check(self, sequence: int) -> None:
        """Refused when the sequence is old or was received before."""
        if sequence + WINDOW <= self.top:
            raise Refused("rx_old")
        if sequence in self.seen:
            raise Refused("rx_replay")

    def commit(self, sequence: int) -> None:
        """Asks again and marks the sequence."""
        self.check(sequence)
        self.seen.add(sequence)
        if sequence > self.top:
            self.top = sequence
            self.seen = {s for s in self.seen if s + WINDOW > sequence}


class Receiver:
    """One end of a link: what it does with each frame, in the order of section 3."""

    def __init__(self, link_id: int, keys: dict[int, Key]) -> None:
        self.link_id = link_id
        self.keys = keys
        self.windows: dict[tuple[int, int], Window] = {}

    def open(self, frame: bytes) -> tuple[Header, bytes]:
        """Header and plaintext of a frame that passes, or Refused with the counter."""
        header = self._check_header(frame)
        key = self.keys.get(header.epoch)
        if key is None:
            raise Refused("rx_no_key")
        lane = (header.epoch, header.lane)
        if lane in self.windows:
            self.windows[lane].check(header.sequence)
        plaintext = unseal(key, frame)
        self.windows.setdefault(lane, Window()).commit(header.sequence)
        if header.type == TYPE_CSUM:
            csum_split(plaintext)
        return header, plaintext

    def _check_header(self, frame: bytes) -> Header:
        if len(frame) < HEADER_BYTES:
            raise Refused("port_rx_short")
        header = Header.parse(frame)
        if header.version != VERSION:
            raise Refused("port_rx_bad_version")
        if header.link_id != self.link_id:
            raise Refused("port_rx_no_link")
        if header.type not in (TYPE_FRAME, TYPE_KEEPALIVE, TYPE_CSUM):
            raise Refused("rx_bad_type")
        if header.type == TYPE_KEEPALIVE:
            if len(frame) != KEEPALIVE_FRAME_BYTES:
                raise Refused("rx_short")
        elif len(frame) < MINIMUM[header.type]:
            raise Refused("rx_short")
        if header.epoch == 0 or header.sequence == 0:
            raise Refused("rx_bad_header")
        return header

    def outcome(self, frame: bytes) -> tuple[str | None, bytes | None]:
        """The counter that the frame moves (None: delivered) and the inner frame as on the wire."""
        try:
            header, plaintext = self.open(frame)
        except Refused as refusal:
            return refusal.args[0], None
        if header.type == TYPE_KEEPALIVE:
            return "rx_keepalive", None
        if header.type == TYPE_CSUM:
            return None, plaintext[CSUM_STATE_BYTES:]
        return None, plaintext


# ---- inner frames: are their checksums right ----


def l3_of(frame: bytes) -> tuple[int, int]:
    """EtherType and offset of what lies under the VLAN tags of an Ethernet frame."""
    offset = 12
    ethertype = int.from_bytes(frame[offset : offset + 2], "big")
    while ethertype in VLAN_TYPES and len(frame) >= offset + 6:
        offset += 4
        ethertype = int.from_bytes(frame[offset : offset + 2], "big")
    return ethertype, offset + 2


CHECKSUM_OFFSETS = {6: 16, 17: 6, 58: 2}


def l4_checksum_ok(frame: bytes) -> bool | None:
    """Whether the TCP, UDP or ICMPv6 checksum of a frame holds; None if it has none to look at."""
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
    """A capture file that cannot be read whole."""


def read_pcap(data: bytes) -> Iterator[bytes]:
    """The packets of a pcap file: both byte orders, micro- and nanoseconds, Ethernet only."""
    orders = {
        b"\xd4\xc3\xb2\xa1": "<",
        b"\x4d\x3c\xb2\xa1": "<",
        b"\xa1\xb2\xc3\xd4": ">",
        b"\xa1\xb2\x3c\x4d": ">",
    }
    order = orders.get(data[:4])
    if order is None or len(data) < 24:
        raise BadCapture("not a pcap file")
    linktype = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    if linktype != 1:
        raise BadCapture(f"link type {linktype} is not Ethernet")
    at, number = 24, 0
    while at < len(data):
        number += 1
        if at + 16 > len(data):
            raise BadCapture(f"frame {number}: the record is cut off")
        captured, length = struct.unpack_from(order + "II", data, at + 8)
        at += 16
        if captured != length:
            raise BadCapture(f"frame {number}: {captured} of {length} bytes captured")
        if at + captured > len(data):
            raise BadCapture(f"frame {number}: the packet is cut off")
        yield data[at : at + captured]
        at += captured


def write_pcap(packets: list[bytes], order: str = "<", nanoseconds: bool = False) -> bytes:
    """A pcap file of Ethernet packets, for the self-test."""
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)]
    for packet in packets:
        out.append(struct.pack(order + "IIII", 0, 0, len(packet), len(packet)) + packet)
    return b"".join(out)


def mac_text(raw: bytes) -> str:
    """02:00:… for six bytes."""
    return ":".join(f"{byte:02x}" for byte in raw)


@dataclasses.dataclass(frozen=True)
class Outer:
    """A frame of the underlay: who sent it, and the sealed frame in it, if it is one of ours."""

    kind: str
    sender: str = ""
    sealed: bytes | None = None
    problem: str = ""
    source_port: int = 0


def outer_eth(packet: bytes, wanted: int) -> Outer:
    """The eth underlay's view of a packet."""
    ethertype, offset = l3_of(packet)
    if ethertype != wanted:
        return Outer(f"0x{ethertype:04x}")
    return Outer("sealed", mac_text(packet[6:12]), packet[offset:])


def outer_udp(packet: bytes, port: int) -> Outer:
    """The udp underlay's view of a packet."""
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
    if checksum and ethertype == 0x0800:
        return Outer("sealed", problem=f"UDP checksum 0x{checksum:04x} over IPv4")
    if ethertype == 0x86DD and not udp6_checksum_ok(ip[8:40], datagram):
        return Outer("sealed", problem=f"UDP checksum 0x{checksum:04x} over IPv6")
    if source_port != port and not 49152 <= source_port < 49152 + 64:
        return Outer("sealed", problem=f"source port {source_port}")
    return Outer("sealed", sender, datagram[8:], source_port=source_port)


def udp6_checksum_ok(addresses: bytes, datagram: bytes) -> bool:
    """Whether a UDP checksum over IPv6 is right, or is for the sender's device to finish."""
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
    """Opens every sealed frame of a capture and notes what must not be."""

    def __init__(self, keys: dict[tuple[int, int], list[tuple[str, Key]]]) -> None:
        self.keys = keys
        self.count: collections.Counter[str] = collections.Counter()
        self.taken: dict[tuple[bytes, int, int], int] = {}
        self.violations: list[str] = []
        self.inner: list[bytes] = []

    def violation(self, number: int, why: str) -> None:
        """Notes a broken rule."""
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
        if name in self.taken:
            self.violation(
                number, f"lane {header.lane} sequence {header.sequence} was taken by frame {self.taken[name]}"
            )
        self.taken[name] = number
        self.count[f"type {header.type}"] += 1
        self.count[f"lane {header.lane}"] += 1
        self.count[f"from {sender} id {header.link_id} epoch {header.epoch}"] += 1
        self.count["blocks"] += blocks(plaintext)
        inner = inner_of(header.type, plaintext)
        if inner is not None:
            self.inner.append(inner)
            if l4_checksum_ok(inner) is False:
                self.violation(number, f"a type {header.type} frame with a wrong inner checksum")

    def _unseal(self, sender: str, header: Header, frame: bytes) -> tuple[Key, bytes]:
        """Tries the keys of the frame's link, epoch and sender by all rules but the window."""
        found = [k for who, k in self.keys.get((header.link_id, header.epoch), []) if who in ("any", sender)]
        for key in found:
            try:
                return key, Receiver(header.link_id, {header.epoch: key}).open(frame)[1]
            except Refused as refusal:
                if refusal.args[0] != "rx_auth_error":
                    raise
        raise Refused("rx_auth_error" if found else "rx_no_key")


def find_needles(data: bytes, packets: list[bytes], needles: list[bytes]) -> list[str]:
    """Where the needles lie in a capture, in its packets or anywhere else in the file."""
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
    decoder = Decoder(read_keys(pathlib.Path(args.keys).read_text(encoding="ascii")))
    packets: list[bytes] = []
    try:
        for packet in read_pcap(data):
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


# ---- vectors ----


def stream(name: str, length: int) -> bytes:
    """Bytes that look random and are the same in every run."""
    return hashlib.shake_256(f"qlink vectors, version 1: {name}".encode()).digest(length)


LINK_ID = 7
EPOCHS = ((1, 2), (MAX48,))
DST, SRC = bytes.fromhex("020000000a02"), bytes.fromhex("020000000a01")


def plain_frame(size: int, ethertype: int = 0x88B8, vlan: int = 0) -> bytes:
    """An Ethernet frame of any size, perhaps VLAN tagged."""
    tag = struct.pack(">HH", 0x8100, vlan) if vlan else b""
    head = DST + SRC + tag + ethertype.to_bytes(2, "big")
    return head + stream(f"inner {size} {ethertype} {vlan}", size - len(head))


def partial_udp(size: int, vlan: int = 0) -> bytes:
    """A type 2 plaintext: UDP in IPv4 in an Ethernet frame of this size."""
    tag = struct.pack(">HH", 0x8100, vlan) if vlan else b""
    head = DST + SRC + tag + b"\x08\x00"
    n_udp = size - len(head) - 20
    ip = bytearray(struct.pack(">BBHHHBBH", 0x45, 0, 20 + n_udp, 1, 0x4000, 64, 17, 0))
    ip += bytes([192, 0, 2, 1, 192, 0, 2, 2])
    ip[10:12] = (~ones_sum(bytes(ip)) & 0xFFFF).to_bytes(2, "big")
    pseudo = bytes(ip[12:20]) + struct.pack(">BBH", 0, 17, n_udp)
    udp = struct.pack(">HHHH", 40000, 9, n_udp, ones_sum(pseudo)) + stream(f"udp {size}", n_udp - 8)
    return csum_plaintext(len(head) + 20, 6, head + bytes(ip) + udp)


def keepalive() -> bytes:
    """A type 1 plaintext."""
    return struct.pack(">QQ", 0x1122334455667788, 0x99AABBCCDDEEFF00) + (1).to_bytes(6, "big") + b"\x03\xe8"


@dataclasses.dataclass(frozen=True)
class Row:
    """One vector: what is sealed, what is done to it after, and what a receiver makes of it."""

    name: str
    why: str
    plaintext: bytes
    type: int = TYPE_FRAME
    lane: int = 0
    epoch: int = 1
    sequence: int = 1
    link_id: int = LINK_ID
    version: int = VERSION
    counter: str | None = None
    flip: int | None = None
    cut: int = 0
    pad: int = 0
    new_lane: int | None = None

    def header(self) -> Header:
        """The header that is sealed."""
        return Header(self.type, self.lane, self.link_id, self.epoch, self.sequence, self.version)

    def frame(self, key: Key) -> bytes:
        """The frame as it goes on the wire."""
        sealed = bytearray(seal(key, self.header(), self.plaintext))
        if self.flip is not None:
            sealed[self.flip // 8] ^= 0x80 >> self.flip % 8
        if self.new_lane is not None:
            sealed[1] = self.new_lane
        return bytes(sealed[: len(sealed) - self.cut]) + bytes(self.pad)


def rows() -> list[list[Row]]:
    """The vectors, a group for each set of epochs; within a group in the order of receipt."""
    short, long = plain_frame(60), plain_frame(1514)
    bad_csum = csum_plaintext(34, 26, plain_frame(60))
    first = [
        Row("smallest", "the shortest inner frame, 46 bytes sealed", plain_frame(14)),
        Row("minimum", "an Ethernet minimum frame, the next sequence", short, sequence=2),
        Row("odd", "65 bytes: a last block of one byte and an odd length", plain_frame(65), sequence=3),
        Row("block", "64 bytes: whole blocks only", plain_frame(64), sequence=4),
        Row("full", "a full Ethernet frame", long, sequence=5),
        Row("jumbo", "a jumbo frame", plain_frame(9014), sequence=6),
        Row("vlan", "a full frame with its VLAN tag in line", plain_frame(1518, vlan=5), sequence=7),
        Row("lane-1", "lane 1 counts on its own", short, lane=1),
        Row("lane-128", "the lane's high bit enters the nonce", short, lane=0x80, sequence=2),
        Row("lane-255", "the last lane", short, lane=255),
        Row("sequence-32", "a sequence above 32 bits", short, lane=2, sequence=2**32),
        Row("sequence-last", "the last sequence there is", short, lane=2, sequence=MAX48),
        Row("keepalive", "type 1, 56 bytes sealed", keepalive(), type=TYPE_KEEPALIVE, lane=3, counter="rx_keepalive"),
        Row("csum", "type 2, UDP in IPv4", partial_udp(98), type=TYPE_CSUM, lane=3, sequence=2),
        Row("csum-odd", "type 2, an odd number of bytes summed", partial_udp(99), type=TYPE_CSUM, lane=3, sequence=3),
        Row("csum-full", "type 2, a full frame", partial_udp(1514), type=TYPE_CSUM, lane=3, sequence=4),
        Row("csum-vlan", "type 2, tagged", partial_udp(102, 5), type=TYPE_CSUM, lane=3, sequence=5),
        Row("epoch-2", "the next epoch, sequences start again", short, epoch=2),
        Row("window-top", "moves the window of its lane", short, lane=4, sequence=5000),
        Row("window-last", "4095 below the top: the last that is let in", short, lane=4, sequence=905),
        Row("replay", "received before", short, lane=4, sequence=905, counter="rx_replay"),
        Row("replay-top", "received before, the top itself", short, lane=4, sequence=5000, counter="rx_replay"),
        Row("old", "4096 below the top", short, lane=4, sequence=904, counter="rx_old"),
        Row("flip-tag", "the last bit of the tag", short, lane=5, flip=(16 + 60 + 16) * 8 - 1, counter="rx_auth_error"),
        Row("flip-text", "the first bit of the ciphertext", short, lane=5, flip=128, counter="rx_auth_error"),
        Row("flip-sequence", "sequence 1 read as 2^47 + 1", short, lane=5, flip=80, counter="rx_auth_error"),
        Row("after-forgery", "forged frames moved no window", short, lane=5),
        Row("flip-type", "type 0 read as type 2", short, lane=6, flip=6, counter="rx_auth_error"),
        Row("wrong-lane", "another lane than the one sealed", short, lane=6, new_lane=9, counter="rx_auth_error"),
        Row("cut-1", "the last byte of the tag is missing", short, lane=6, cut=1, counter="rx_auth_error"),
        Row("cut-to-45", "a byte below the shortest frame", short, lane=6, cut=47, counter="rx_short"),
        Row("cut-to-15", "no whole header", short, lane=6, cut=77, counter="port_rx_short"),
        Row("padded", "one byte after the tag", plain_frame(14), lane=6, pad=1, counter="rx_auth_error"),
        Row("keepalive-long", "a keepalive of 57 bytes", keepalive(), type=1, lane=6, pad=1, counter="rx_short"),
        Row("csum-49", "type 2 of 49 bytes", bytes(17), type=TYPE_CSUM, lane=6, counter="rx_short"),
        Row("type-3", "no such type", short, type=3, lane=6, counter="rx_bad_type"),
        Row("type-15", "no such type", short, type=15, lane=6, counter="rx_bad_type"),
        Row("version-0", "no such version", short, version=0, lane=6, counter="port_rx_bad_version"),
        Row("version-2", "not this version", short, version=2, lane=6, counter="port_rx_bad_version"),
        Row("link-8", "the id of no link", short, link_id=8, lane=6, counter="port_rx_no_link"),
        Row("epoch-0", "an epoch is never 0", short, epoch=0, lane=6, counter="rx_bad_header"),
        Row("sequence-0", "a sequence is never 0", short, sequence=0, lane=6, counter="rx_bad_header"),
        Row("epoch-3", "an epoch without a key", short, epoch=3, lane=6, counter="rx_no_key"),
        Row("csum-outside", "the field ends behind the frame", bad_csum[:2] + b"\x00\x19" + bad_csum[4:], type=TYPE_CSUM,
            lane=7, counter="rx_bad_inner"),
        Row("csum-in-header", "csum_start in the Ethernet header", csum_plaintext(13, 6, short), type=TYPE_CSUM,
            lane=7, sequence=2, counter="rx_bad_inner"),
        Row("csum-far", "csum_start + csum_offset beyond 16 bits", csum_plaintext(65535, 65535, short), type=TYPE_CSUM,
            lane=7, sequence=3, counter="rx_bad_inner"),
        Row("csum-last", "the field is the last two bytes: let in", csum_plaintext(34, 24, short), type=TYPE_CSUM,
            lane=7, sequence=4),
    ]
    last = [
        Row("epoch-last", "the last epoch there is", short, epoch=MAX48, lane=0x80),
        Row("epoch-last-full", "the last epoch and the last sequence", long, epoch=MAX48, lane=255, sequence=MAX48),
    ]
    return [first, last]


def key_of(epoch: int) -> Key:
    """The key of an epoch of the vectors."""
    return Key.of(stream(f"key {epoch}", KEY_BYTES + SALT_BYTES))


def vector_of(row: Row, receiver: Receiver) -> dict[str, object]:
    """A row as it stands in the file; the receiver must agree with the row."""
    key = key_of(row.epoch)
    frame = row.frame(key)
    counter, _ = receiver.outcome(frame)
    if counter != row.counter:
        raise AssertionError(f"{row.name}: moves {counter}, not {row.counter}")
    vector: dict[str, object] = {
        "name": row.name,
        "why": row.why,
        "counter": row.counter,
        "version": row.version,
        "type": row.type,
        "lane": row.lane,
        "link_id": row.link_id,
        "epoch": row.epoch,
        "sequence": row.sequence,
        "key": key.key.hex(),
        "salt": key.salt.hex(),
        "nonce": nonce(key.salt, row.lane, row.sequence).hex(),
        "plaintext": row.plaintext.hex(),
        "frame": frame.hex(),
    }
    if row.type == TYPE_CSUM and counter is None:
        vector["finished"] = csum_finish(row.plaintext).hex()
    return vector


ABOUT = (
    "Whole sealed frames, made by selftests/qlinkwire.py from kmod/PROTOCOL.md. Each group is for a fresh receiver of "
    "the link that holds the group's epochs, and its frames are received in order. counter is what moves, null when "
    "the frame is delivered. The fields say what was sealed; frame is what goes on the wire, which is the same unless "
    "the frame was spoilt after. finished is the inner frame of a type 2 with its checksum done."
)


def vectors_text() -> str:
    """The vectors file."""
    groups = []
    for epochs, group in zip(EPOCHS, rows(), strict=True):
        receiver = Receiver(LINK_ID, {epoch: key_of(epoch) for epoch in epochs})
        groups.append({"epochs": epochs, "frames": [vector_of(row, receiver) for row in group]})
    return json.dumps({"about": ABOUT, "link_id": LINK_ID, "groups": groups}, indent=1) + "\n"


def vectors(args: argparse.Namespace) -> int:
    """The vectors subcommand."""
    path, text = pathlib.Path(args.file), vectors_text()
    if not args.check:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="ascii")
        return 0
    if path.read_text(encoding="ascii") != text:
        print(f"{path}: not what this program makes", file=sys.stderr)
        return 1
    return 0


# ---- self-test ----


def test_worked_example() -> None:
    """The nonce of PROTOCOL.md, section 2."""
    want = bytes.fromhex("000102030485060708090a09")
    assert nonce(bytes(range(12)), 0x80, 2) == want


def test_gcm_is_sp800_38d() -> None:
    """Test case 16 of the GCM specification: AES-256 with associated data."""
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    text = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    aad = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    out = AESGCM(key).encrypt(bytes.fromhex("cafebabefacedbaddecaf888"), text, aad)
    assert out[-16:].hex() == "76fc6ece0f4e1768cddf8853bb2d551b"


def test_header_layout() -> None:
    """Every field of the header lies where section 1 says."""
    header = Header(2, 0xAB, 0x1234, 0x0102030405, 0xFFEEDDCCBBAA)
    assert header.pack().hex() == "12ab1234000102030405ffeeddccbbaa"
    assert Header.parse(header.pack()) == header


def test_window() -> None:
    """The edges of the window."""
    table = [
        (1, None, "the first"),
        (1, "rx_replay", "again"),
        (4096, None, "1 is now the last one inside"),
        (1, "rx_replay", "inside, marked"),
        (2, None, "inside, not marked"),
        (4097, None, "pushes 1 out"),
        (1, "rx_old", "just outside"),
        (2**47, None, "far ahead"),
        (4098, "rx_old", "left behind by the jump"),
        (2**47 - 4096, "rx_old", "just outside"),
        (2**47 - 4095, None, "the last one inside"),
        (2**47 - 4095, "rx_replay", "marked now"),
    ]
    window = Window()
    for sequence, want, why in table:
        try:
            window.commit(sequence)
            got = None
        except Refused as refusal:
            got = refusal.args[0]
        assert got == want, f"{sequence}, {why}: {got}, not {want}"


def test_csum_finish() -> None:
    """A finished checksum is one that verifies, whatever lies around it."""
    for size in (98, 99, 1514):
        for vlan in (0, 5):
            assert l4_checksum_ok(csum_finish(partial_udp(size, vlan))) is True
            assert l4_checksum_ok(partial_udp(size, vlan)[CSUM_STATE_BYTES:]) is False


def test_every_bit_counts() -> None:
    """No frame with one flipped bit is delivered."""
    key, inner = key_of(1), plain_frame(14)
    frame = seal(key, Header(0, 3, LINK_ID, 1, 9), inner)
    assert Receiver(LINK_ID, {1: key}).outcome(frame) == (None, inner)
    for bit in range(len(frame) * 8):
        spoilt = bytearray(frame)
        spoilt[bit // 8] ^= 1 << bit % 8
        counter, _ = Receiver(LINK_ID, {1: key}).outcome(bytes(spoilt))
        assert counter, f"bit {bit}"


def test_pcap_reader() -> None:
    """Both byte orders and resolutions; a cut file is refused."""
    packets = [plain_frame(60), plain_frame(1514)]
    for order in "<>":
        for nanoseconds in (False, True):
            data = write_pcap(packets, order, nanoseconds)
            assert list(read_pcap(data)) == packets
            try:
                list(read_pcap(data[:-1]))
            except BadCapture:
                continue
            raise AssertionError("a cut capture was read")


def outer_ipv4(payload: bytes, port: int, flags: int = 0x4000, tos: int = 0, source_port: int = 49152) -> bytes:
    """A UDP datagram in IPv4 in an Ethernet frame."""
    udp = struct.pack(">HHHH", source_port, port, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH", 0x45, tos, 20 + len(udp), 0, flags, 64, 17, 0) + bytes([10, 0, 0, 1, 10, 0, 0, 2])
    return DST + SRC + b"\x08\x00" + ip + udp


def outer_ipv6(payload: bytes, port: int, checksum: int | None = None, label: int = 0) -> bytes:
    """A UDP datagram in IPv6 in an Ethernet frame, with the right checksum or another."""
    udp = struct.pack(">HHHH", 49152, port, 8 + len(payload), 0) + payload
    addresses = ipaddress.ip_address("2001:db8::1").packed + ipaddress.ip_address("2001:db8::2").packed
    if checksum is None:
        checksum = ~ones_sum(addresses + struct.pack(">II", len(udp), 17) + udp) & 0xFFFF or 0xFFFF
    udp = udp[:6] + checksum.to_bytes(2, "big") + udp[8:]
    return DST + SRC + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28 | label, len(udp), 17, 64) + addresses + udp


def test_decoder() -> None:
    """What the decoder must let pass and what it must not."""
    key = key_of(1)
    frame = seal(key, Header(0, 0, LINK_ID, 1, 1), plain_frame(60))
    outer = DST + SRC + b"\x88\xb5"

    def violations(packets: list[bytes], sender: str = "any", port: int = 0) -> list[str]:
        decoder = Decoder({(LINK_ID, 1): [(sender, key)]})
        for number, packet in enumerate(packets, 1):
            decoder.take(number, outer_udp(packet, port) if port else outer_eth(packet, ETHERTYPE))
        return decoder.violations

    assert violations([outer + frame]) == []
    assert violations([outer + frame], mac_text(SRC)) == []
    assert violations([outer_ipv4(frame, 4000)], "10.0.0.1", 4000) == []
    assert violations([plain_frame(60)]) == []
    assert "rx_no_key" in violations([outer + frame], mac_text(DST))[0]
    assert "frame 2" in violations([outer + frame, outer + frame])[0]
    assert "rx_auth_error" in violations([outer + frame + b"\0"])[0]
    assert "rx_short" in violations([outer + frame[:15]])[0]
    assert "fragment" in violations([outer_ipv4(frame, 4000, 0x2000)], port=4000)[0]
    assert "TOS" in violations([outer_ipv4(frame, 4000, tos=4)], port=4000)[0]
    assert "source port" in violations([outer_ipv4(frame, 4000, source_port=49216)], port=4000)[0]
    assert violations([outer_ipv4(frame, 4000, source_port=4000)], port=4000) == []
    assert "DF" in violations([outer_ipv4(frame, 4000, 0)], port=4000)[0]
    assert violations([outer_ipv6(frame, 4000)], "2001:db8::1", 4000) == []
    assert "UDP checksum" in violations([outer_ipv6(frame, 4000, 0)], port=4000)[0]
    assert "UDP checksum" in violations([outer_ipv6(frame, 4000, 1)], port=4000)[0]
    assert "flow label" in violations([outer_ipv6(frame, 4000, label=1)], port=4000)[0]
    data = write_pcap([outer + frame, plain_frame(1514)])
    found = find_needles(data, list(read_pcap(data)), [plain_frame(1514)[500:532], plain_frame(60)])
    assert len(found) == 1 and found[0].startswith("frame 2:")


def test_vectors() -> None:
    """The vectors file is what this program makes, and is made twice the same."""
    text = vectors_text()
    assert text == vectors_text()
    n_frames = sum(len(group["frames"]) for group in json.loads(text)["groups"])
    assert n_frames >= 20
    assert VECTORS.read_text(encoding="ascii") == text, f"{VECTORS} is out of date"


def selftest(_: argparse.Namespace) -> int:
    """The selftest subcommand: every test_ function, in KTAP."""
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    print("KTAP version 1", f"1..{len(tests)}", sep="\n")
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} {name[5:]}")
        except (AssertionError, OSError) as problem:
            failed += 1
            print(f"# {problem}\nnot ok {number} {name[5:]}")
    return 1 if failed else 0


def main() -> int:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("selftest")
    command.set_defaults(run=selftest)
    command = commands.add_parser("vectors")
    command.add_argument("--check", action="store_true")
    command.add_argument("file", nargs="?", default=VECTORS)
    command.set_defaults(run=vectors)
    command = commands.add_parser("decode")
    command.add_argument("pcap")
    command.add_argument("--keys", required=True)
    underlay = command.add_mutually_exclusive_group(required=True)
    underlay.add_argument("--ethertype", type=lambda text: int(text, 0))
    underlay.add_argument("--udp-port", type=int)
    command.add_argument("--needle", action="append", default=[])
    command.add_argument("--needle-hex", action="append", default=[])
    command.set_defaults(run=decode)
    args = parser.parse_args()
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
