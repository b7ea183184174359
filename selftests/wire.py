# SPDX-License-Identifier: GPL-2.0
"""The qlink wire a second time, written from kmod/PROTOCOL.md alone."""

from __future__ import annotations

import dataclasses
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = 1
TYPE_FRAME, TYPE_KEEPALIVE, TYPE_CSUM, TYPE_PARCEL = 0, 1, 2, 3
KIND_FRAME, KIND_CSUM, KIND_KEEPALIVE = 0, 1, 2
TYPE_OF_KIND = {KIND_FRAME: TYPE_FRAME, KIND_CSUM: TYPE_CSUM, KIND_KEEPALIVE: TYPE_KEEPALIVE}
HEADER_BYTES, TAG_BYTES, KEY_BYTES, SALT_BYTES = 16, 16, 32, 12
ETH_HEADER_BYTES, CSUM_STATE_BYTES, KEEPALIVE_BYTES = 14, 4, 24
WINDOW = 4096
BEGIN_SECONDS = 1.0  # a rest that comes later than this after the part before it is of no use
MAX48 = 2**48 - 1
MINIMUM = {
    TYPE_FRAME: HEADER_BYTES + ETH_HEADER_BYTES + TAG_BYTES,
    TYPE_CSUM: HEADER_BYTES + CSUM_STATE_BYTES + ETH_HEADER_BYTES + TAG_BYTES,
    TYPE_PARCEL: HEADER_BYTES + ETH_HEADER_BYTES + TAG_BYTES,
}
KEEPALIVE_FRAME_BYTES = HEADER_BYTES + KEEPALIVE_BYTES + TAG_BYTES

ETHERTYPE = 0x88B5
VLAN_TYPES = (0x8100, 0x88A8)


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

    def nonce(self, salt: bytes) -> bytes:
        """The nonce of the frame, under a key with this salt."""
        return nonce(salt, self.epoch, self.lane, self.sequence)


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


def nonce(salt: bytes, epoch: int, lane: int, sequence: int) -> bytes:
    """salt XOR (low 40 bits of the epoch || lane || sequence)."""
    counter = (epoch % 2**40).to_bytes(5, "big") + bytes([lane]) + sequence.to_bytes(6, "big")
    return bytes(a ^ b for a, b in zip(salt, counter, strict=True))


def seal(key: Key, header: Header, plaintext: bytes) -> bytes:
    """The sealed frame; any plaintext, so that bad ones can be forged too."""
    aad = header.pack()
    return aad + AESGCM(key.key).encrypt(header.nonce(key.salt), plaintext, aad)


def unseal(key: Key, frame: bytes) -> bytes:
    """The plaintext of a sealed frame, or Refused."""
    header = Header.parse(frame)
    try:
        return AESGCM(key.key).decrypt(header.nonce(key.salt), frame[HEADER_BYTES:], frame[:HEADER_BYTES])
    except InvalidTag:
        raise Refused("rx_auth_error") from None


def blocks(plaintext: bytes) -> int:
    """What a frame takes of its key's limit."""
    return -(-len(plaintext) // 16) + 2


# ---- section 1: the plaintext of each type ----


@dataclasses.dataclass(frozen=True)
class Keepalive:
    """The plaintext of a type 1 frame, as section 5 has it."""

    stamp: int
    echo: int
    epoch: int
    interval: int

    def pack(self) -> bytes:
        """The plaintext."""
        return struct.pack(">QQ", self.stamp, self.echo) + self.epoch.to_bytes(6, "big") + struct.pack(">H", self.interval)

    @classmethod
    def parse(cls, plaintext: bytes) -> Keepalive:
        """What 24 bytes say."""
        stamp, echo = struct.unpack_from(">QQ", plaintext)
        return cls(stamp, echo, int.from_bytes(plaintext[16:22], "big"), int.from_bytes(plaintext[22:24], "big"))


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


# ---- section 7: parcels ----


def record(kind: int, content: bytes) -> bytes:
    """A record with its head; any kind, so that bad ones can be forged too."""
    return struct.pack(">H", kind << 14 | len(content)) + content


def parcel(first: int, body: bytes, size: int = 0) -> bytes:
    """The plaintext of a parcel, padded to a size."""
    return (struct.pack(">H", first) + body).ljust(size, b"\0")


def parcels(records: list[bytes], size: int) -> list[bytes]:
    """The plaintexts of this size that carry records, cut where one ends."""
    made, body, first = [], b"", 0
    for content in records:
        if size - 2 - len(body) < 2:
            made.append(parcel(first, body, size))
            body, first = b"", 0
        body += content
        while len(body) > size - 2:
            made.append(parcel(first, body[: size - 2]))
            body = body[size - 2 :]
            first = min(len(body), size - 2)
    if body:
        made.append(parcel(first, body, size))
    return made


@dataclasses.dataclass
class Begin:
    """The begin of a record that a parcel's end has cut."""

    epoch: int
    sequence: int
    kind: int
    length: int
    content: bytes


class BadParcel(Exception):
    """A parcel that cannot be taken apart to its end."""


class Unpacker:
    """What a receiver holds for one lane, and how it takes parcels apart."""

    def __init__(self) -> None:
        self.begin: Begin | None = None
        self.seconds = 0.0  # when its last part came
        self.counters: list[str] = []
        self.records: list[tuple[int, bytes]] = []

    def take(
        self, header: Header, plaintext: bytes, seconds: float = 0.0
    ) -> tuple[list[str], list[tuple[int, bytes]]]:
        """The counters that a parcel moves, and the kind and content of each record that it makes whole."""
        place = (header.epoch, header.sequence)
        self.counters, self.records = ["rx_parcels"], []
        (first,), body = struct.unpack_from(">H", plaintext), plaintext[2:]
        held = (self.begin.epoch, self.begin.sequence) if self.begin else (0, 0)
        is_older = place < held
        try:
            is_late = seconds - self.seconds > BEGIN_SECONDS
            if self.begin and not is_older and (is_late or place != (held[0], held[1] + 1)):
                self._lose()
            self._continue(None if is_older else self.begin, header.sequence, first, body)
            self._split(header, body[first:], is_older)
        except BadParcel:
            self.counters.append("rx_parcel_bad")
        if self.begin and (self.begin.epoch, self.begin.sequence) == place:
            self.seconds = seconds
        return self.counters, self.records

    def _lose(self) -> None:
        self.begin = None
        self.counters.append("rx_cut_lost")

    def _continue(self, begin: Begin | None, sequence: int, first: int, body: bytes) -> None:
        """The rest of the record that was cut."""
        missing = begin.length - len(begin.content) if begin else 0
        is_bad = first > len(body) or (begin and first and (first > missing or first < min(missing, len(body))))
        if begin and (is_bad or not first):
            self._lose()
        if is_bad:
            raise BadParcel
        if not begin and first:
            self.counters.append("rx_cut_late")
        if begin and first:
            begin.content += body[:first]
            begin.sequence = sequence
            if first == missing:
                self.records.append((begin.kind, begin.content))
                self.begin = None

    def _split(self, header: Header, body: bytes, is_older: bool) -> None:
        """The records that begin here."""
        while len(body) > 1 and body[:2] != b"\0\0":
            head = int.from_bytes(body[:2], "big")
            kind, length, content = head >> 14, head & 0x3FFF, body[2 : 2 + (head & 0x3FFF)]
            if kind > KIND_KEEPALIVE or not length or (kind == KIND_KEEPALIVE and length != KEEPALIVE_BYTES):
                raise BadParcel
            body = body[2 + length :]
            if len(content) == length:
                self.records.append((kind, content))
            elif is_older:
                self.counters.append("rx_cut_lost")
            else:
                self.begin = Begin(header.epoch, header.sequence, kind, length, content)
        if any(body):
            raise BadParcel


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
        if len(self.seen) > 2 * WINDOW:
            self.seen = {s for s in self.seen if s + WINDOW > self.top}


class Receiver:
    """One end of a link: what it does with each frame, in the order of section 3."""

    def __init__(self, link_id: int, keys: dict[int, Key]) -> None:
        self.link_id = link_id
        self.keys = keys
        self.windows: dict[tuple[int, int], Window] = {}
        self.unpackers: dict[int, Unpacker] = {}

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
        if header.type not in (TYPE_FRAME, TYPE_KEEPALIVE, TYPE_CSUM, TYPE_PARCEL):
            raise Refused("rx_bad_type")
        if header.type == TYPE_KEEPALIVE:
            if len(frame) != KEEPALIVE_FRAME_BYTES:
                raise Refused("rx_short")
        elif len(frame) < MINIMUM[header.type]:
            raise Refused("rx_short")
        if header.epoch == 0 or header.sequence == 0:
            raise Refused("rx_bad_header")
        return header

    def outcome(self, frame: bytes) -> tuple[list[str], list[bytes]]:
        """The counters that the frame moves, and the inner frames that are delivered, as on the wire."""
        try:
            header, plaintext = self.open(frame)
        except Refused as refusal:
            return [refusal.args[0]], []
        counters: list[str] = []
        records = [(kind, plaintext) for kind, frame_type in TYPE_OF_KIND.items() if frame_type == header.type]
        if header.type == TYPE_PARCEL:
            unpacker = self.unpackers.setdefault(header.lane, Unpacker())
            counters, records = unpacker.take(header, plaintext)
        inners = []
        for kind, content in records:
            try:
                inners += content_of(kind, content)
            except Refused as refusal:
                counters.append(refusal.args[0])
        return counters, inners


def content_of(kind: int, content: bytes) -> list[bytes]:
    """The inner frame of a record, as on the wire, or Refused with the counter, as for a keepalive."""
    if kind == KIND_KEEPALIVE:
        raise Refused("rx_keepalive")
    if len(content) < ETH_HEADER_BYTES + (CSUM_STATE_BYTES if kind == KIND_CSUM else 0):
        raise Refused("rx_short")
    return [csum_split(content)[2] if kind == KIND_CSUM else content]
