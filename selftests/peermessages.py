# SPDX-License-Identifier: GPL-2.0
"""The messages of userspace/PROTOCOL.md, section 2: from bytes and to bytes, and what must be refused."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from peerkem import SUITES

VERSION = 2
HEADER_BYTES, MOST_BYTES = 24, 16384
MOST_RUNS, MOST_EPOCHS, MOST_KEYS, MOST_KMES, MOST_MIXED = 16, 64, 128, 8, 4
LAST_EPOCH = 2**48 - 1
KEY_ID = re.compile(rb"[0-9A-Za-z-]{8,64}")
KME_ID = re.compile(rb"[\x20-\x7e]{1,64}")

POLICIES = {"hybrid-required": 1, "qkd-required": 2, "prefer-hybrid": 3, "pqc-only": 4}
REASONS = (
    "none source epoch chain key-id kme kem kernel timeout confirm policy limit command memory".split()
)


class Malformed(Exception):
    """A message that cannot be parsed: it ends the connection."""


def need(is_right: bool, what: str) -> None:
    """Refuses a message unless something holds."""
    if not is_right:
        raise Malformed(what)


class Reader:
    """Takes a message apart."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        """So many bytes."""
        need(self._at + count <= len(self._data), f"message of {len(self._data)} bytes: ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, count: int, least: int = 0, most: int | None = None, what: str = "number") -> int:
        """A number of so many bytes, within bounds."""
        value = int.from_bytes(self.take(count), "big")
        need(least <= value and (most is None or value <= most), f"{what} {value}: must be {least} to {most}")
        return value

    def boxed(self, lengths: tuple[int, ...] | range, what: str) -> bytes:
        """What the document writes as [x], of one of these lengths."""
        size = self.number(2)
        need(size in lengths, f"{what} of {size} bytes: must be one of {lengths}")
        return self.take(size)

    def end(self) -> None:
        """Nothing may follow."""
        need(self._at == len(self._data), f"message of {len(self._data)} bytes: goes on after its end at {self._at}")


def u64(value: int) -> bytes:
    """8 bytes."""
    return value.to_bytes(8, "big")


def boxed(data: bytes) -> bytes:
    """What the document writes as [x]."""
    return len(data).to_bytes(2, "big") + data


@dataclass(frozen=True)
class Header:
    """The start of a message."""

    version: int
    kind: int
    link_id: int
    speaker: int
    other: int


@dataclass(frozen=True)
class Hello:
    """1 HELLO."""

    kind: ClassVar[int] = 1
    lowest: int
    highest: int

    def body(self) -> bytes:
        """To bytes."""
        return bytes([self.lowest, self.highest])

    @classmethod
    def parse(cls, reader: Reader) -> Hello:
        """From bytes."""
        lowest = reader.number(1)
        return cls(lowest, reader.number(1, lowest, 255, "highest version"))


@dataclass(frozen=True)
class Ring:
    """A key ring, as STATE says it: its epochs as first and last of each run."""

    ring_id: bytes
    newest: int
    runs: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, ring_id: bytes, newest: int, epochs: Iterable[int]) -> Ring:
        """With these epochs."""
        runs: list[tuple[int, int]] = []
        for epoch in sorted(epochs):
            if runs and runs[-1][1] == epoch - 1:
                runs[-1] = (runs[-1][0], epoch)
            else:
                runs.append((epoch, epoch))
        return cls(ring_id, newest, tuple(runs))

    def holds(self, epoch: int) -> bool:
        """Whether the other end has said that it holds this epoch."""
        return any(first <= epoch <= last for first, last in self.runs)

    def body(self) -> bytes:
        """To bytes."""
        runs = b"".join(u64(first) + u64(last) for first, last in self.runs)
        return self.ring_id + u64(self.newest) + bytes([len(self.runs)]) + runs

    @classmethod
    def parse(cls, reader: Reader) -> Ring:
        """From bytes."""
        ring_id, newest = reader.take(16), reader.number(8, 0, LAST_EPOCH, "newest epoch")
        last, runs = 0, []
        for _ in range(reader.number(1, 0, MOST_RUNS, "number of runs")):
            first = reader.number(8, last + 1, newest, "first epoch of a run")
            last = reader.number(8, first, newest, "last epoch of a run")
            runs.append((first, last))
        return cls(ring_id, newest, tuple(runs))


@dataclass(frozen=True)
class State:
    """2 STATE."""

    kind: ClassVar[int] = 2
    lowest: int
    highest: int
    policy: int
    suite: int
    suite_least: int
    kmes_least: int
    kmes_most: int
    demands: int
    sender_chain: bytes
    current_chain: bytes
    previous_chain: bytes
    psk_check: bytes
    kmes: tuple[bytes, ...]
    transmit: Ring
    receive: Ring

    def body(self) -> bytes:
        """To bytes."""
        demanded = (self.suite, self.suite_least, self.kmes_least, self.kmes_most, self.demands)
        return (
            bytes((self.lowest, self.highest, self.policy, *demanded))
            + self.sender_chain
            + self.current_chain
            + self.previous_chain
            + boxed(self.psk_check)
            + bytes([len(self.kmes)])
            + b"".join(boxed(kme) for kme in self.kmes)
            + self.transmit.body()
            + self.receive.body()
        )

    @classmethod
    def parse(cls, reader: Reader) -> State:
        """From bytes."""
        lowest = reader.number(1)
        numbers = (
            reader.number(1, lowest, 255, "highest version"),
            reader.number(1, 1, 4, "policy"),
            reader.number(1, 1, 2, "suite"),
            reader.number(1, 1, 2, "suite-least"),
            reader.number(1, 1, MOST_MIXED, "kmes-least"),
            reader.number(1, 0, MOST_MIXED, "kmes-most"),
            reader.number(1, 0, 1, "demands"),
        )
        chains = (reader.take(16), reader.take(16), reader.take(16))
        check = reader.boxed((0, 32), "psk check")
        kmes = []
        for _ in range(reader.number(1, 0, MOST_KMES, "number of KMEs")):
            kmes.append(reader.boxed(range(1, 65), "KME ID"))
            need(KME_ID.fullmatch(kmes[-1]) is not None, f"KME ID {kmes[-1]!r}: must be printable ASCII")
        need(len(kmes) >= numbers[5], f"kmes-most {numbers[5]}: STATE has {len(kmes)} KMEs")
        return cls(lowest, *numbers, *chains, check, tuple(kmes), Ring.parse(reader), Ring.parse(reader))


@dataclass(frozen=True)
class Invite:
    """3 INVITE."""

    kind: ClassVar[int] = 3
    number: int
    up: int
    session: bytes
    nonce: bytes
    public_key: bytes

    def body(self) -> bytes:
        """To bytes."""
        return u64(self.number) + bytes([self.up]) + self.session + self.nonce + boxed(self.public_key)

    @classmethod
    def parse(cls, reader: Reader) -> Invite:
        """From bytes."""
        sizes = tuple(suite.public_bytes for suite in SUITES.values())
        return cls(
            reader.number(8),
            reader.number(1),
            reader.take(48),
            reader.take(32),
            reader.boxed(sizes, "KEM public key"),
        )


@dataclass(frozen=True)
class Offer:
    """4 OFFER."""

    kind: ClassVar[int] = 4
    number: int
    invitation: int
    first: int
    count: int
    source: int
    session: bytes
    chain_tag: bytes
    nonce: bytes
    ciphertext: bytes
    places: bytes
    key_ids: tuple[tuple[bytes, ...], ...]

    @property
    def last(self) -> int:
        """Its last epoch."""
        return self.first + self.count - 1

    def body(self) -> bytes:
        """To bytes."""
        return (
            u64(self.number)
            + u64(self.invitation)
            + u64(self.first)
            + bytes([self.count, self.source])
            + self.session
            + self.chain_tag
            + self.nonce
            + boxed(self.ciphertext)
            + bytes([len(self.places)])
            + self.places
            + b"".join(boxed(key_id) for epoch in self.key_ids for key_id in epoch)
        )

    @classmethod
    def parse(cls, reader: Reader) -> Offer:
        """From bytes."""
        number, invitation = reader.number(8), reader.number(8)
        first, count = reader.number(8, 1, LAST_EPOCH, "first epoch"), reader.number(1, 1, MOST_EPOCHS, "epochs")
        source, session, chain, nonce = reader.number(1, 0, 2, "source"), *map(reader.take, (48, 16, 32))
        sizes = tuple(suite.ciphertext_bytes for suite in SUITES.values())
        ciphertext = reader.boxed((0,) if source == 0 else sizes, "ciphertext")
        m = reader.number(1, *((0, 0) if source == 2 else (1, MOST_MIXED)), "KMEs of an offer")
        need(count * m <= MOST_KEYS, f"{count} epochs with {m} keys each: must be {MOST_KEYS} at most")
        need(first + count - 1 <= LAST_EPOCH, f"last epoch {first + count - 1}: must be {LAST_EPOCH} at most")
        places = reader.take(m)
        ascend = all(a < b for a, b in zip(b"\0" + places, places, strict=False))
        is_right = ascend and max(places, default=0) <= MOST_KMES
        need(is_right, f"places {list(places)}: must ascend from 1 to {MOST_KMES}")
        ids = tuple(
            tuple(reader.boxed(range(8, 65), "KME key ID") for _ in range(m)) for _ in range(count)
        )
        for key_id in (key_id for epoch in ids for key_id in epoch):
            need(KEY_ID.fullmatch(key_id) is not None, f"KME key ID {key_id!r}: must be of 0-9A-Za-z-")
        for column in zip(*ids, strict=True):
            need(len(set(column)) == len(column), "KME key IDs of one KME: must differ")
        return cls(number, invitation, first, count, source, session, chain, nonce, ciphertext, places, ids)


@dataclass(frozen=True)
class Confirm:
    """5 CONFIRM."""

    kind: ClassVar[int] = 5
    offer: int
    confirmation: bytes

    def body(self) -> bytes:
        """To bytes."""
        return u64(self.offer) + self.confirmation

    @classmethod
    def parse(cls, reader: Reader) -> Confirm:
        """From bytes."""
        return cls(reader.number(8), reader.take(32))


@dataclass(frozen=True)
class Refuse:
    """6 REFUSE."""

    kind: ClassVar[int] = 6
    offer: int
    reason: int
    place: int

    def body(self) -> bytes:
        """To bytes."""
        return u64(self.offer) + bytes([self.reason, self.place])

    @classmethod
    def parse(cls, reader: Reader) -> Refuse:
        """From bytes."""
        return cls(
            reader.number(8),
            reader.number(1, 0, len(REASONS) - 1, "reason"),
            reader.number(1, 0, MOST_KMES, "place"),
        )


@dataclass(frozen=True)
class Withdraw:
    """7 WITHDRAW."""

    kind: ClassVar[int] = 7
    number: int
    direction: int
    reason: int
    first: int
    last: int

    def body(self) -> bytes:
        """To bytes."""
        return u64(self.number) + bytes([self.direction, self.reason]) + u64(self.first) + u64(self.last)

    @classmethod
    def parse(cls, reader: Reader) -> Withdraw:
        """From bytes."""
        number, direction = reader.number(8), reader.number(1, 0, 1, "direction")
        reason, first = reader.number(1, 0, len(REASONS) - 1, "reason"), reader.number(8, 1, LAST_EPOCH, "first epoch")
        return cls(number, direction, reason, first, reader.number(8, first, LAST_EPOCH, "last epoch"))


@dataclass(frozen=True)
class Withdrawn(Withdraw):
    """8 WITHDRAWN."""

    kind: ClassVar[int] = 8


@dataclass(frozen=True)
class Leave:
    """9 LEAVE."""

    kind: ClassVar[int] = 9

    def body(self) -> bytes:
        """To bytes."""
        return b""

    @classmethod
    def parse(cls, _reader: Reader) -> Leave:
        """From bytes."""
        return cls()


Body = Hello | State | Invite | Offer | Confirm | Refuse | Withdraw | Withdrawn | Leave
KINDS = {cls.kind: cls for cls in (Hello, State, Invite, Offer, Confirm, Refuse, Withdraw, Withdrawn, Leave)}


def encode(body: Body, link_id: int, speaker: int, other: int) -> bytes:
    """A whole message."""
    data = bytes([VERSION, body.kind]) + link_id.to_bytes(2, "big") + u64(speaker) + u64(other) + body.body()
    return (len(data) + 4).to_bytes(4, "big") + data


def split(stream: bytes) -> tuple[bytes | None, bytes]:
    """The first whole message of a stream, if there is one, and the rest."""
    if len(stream) < 4:
        return None, stream
    size = int.from_bytes(stream[:4], "big")
    need(HEADER_BYTES <= size <= MOST_BYTES, f"length {size}: must be {HEADER_BYTES} to {MOST_BYTES}")
    return (stream[:size], stream[size:]) if len(stream) >= size else (None, stream)


def decode(message: bytes) -> tuple[Header, Body]:
    """A message in parts."""
    reader = Reader(message[4:])
    version, kind = reader.number(1, VERSION, VERSION, "version"), reader.number(1, 1, 9, "type")
    header = Header(version, kind, reader.number(2, 1, None, "link id"), reader.number(8, 1), reader.number(8))
    body = KINDS[kind].parse(reader)
    reader.end()
    return header, body


def session_of(client_hello: bytes, client_state: bytes, server_hello: bytes, server_state: bytes) -> bytes:
    """The digest of a session; each argument is a whole message."""
    digests = (hashlib.sha384(message).digest() for message in (client_hello, client_state, server_hello, server_state))
    return hashlib.sha384(b"qlink 2 session" + b"".join(digests)).digest()
