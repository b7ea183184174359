# SPDX-License-Identifier: GPL-2.0
"""What the independent implementation of the wire (selftests/wire.py) reads in sealed frames, by the dissector's names.

Each value is text as tshark prints it, so that both readings can be compared field by field.
"""

from __future__ import annotations

from wire import (
    CSUM_STATE_BYTES,
    ETH_HEADER_BYTES,
    HEADER_BYTES,
    KIND_KEEPALIVE,
    TAG_BYTES,
    TYPE_CSUM,
    TYPE_KEEPALIVE,
    TYPE_OF_KIND,
    TYPE_PARCEL,
    Header,
    Keepalive,
    Key,
    Receiver,
    Refused,
    Unpacker,
    content_of,
    csum_finish,
    csum_split,
    unseal,
)

# What a receiver counts of a frame that it does not know the link or the key of. The dissector cannot know
# which links there are.
UNKNOWN = ("port_rx_no_link", "rx_no_key")
# Rules that come before the length of a type is looked at, or that say that it is wrong.
UNREADABLE = ("port_rx_short", "port_rx_bad_version", "rx_bad_type", "rx_short", "rx_bad_header")
NAMES = [
    "qlink.version", "qlink.type", "qlink.lane", "qlink.link_id", "qlink.epoch", "qlink.sequence", "qlink.ciphertext", "qlink.tag",
    "qlink.plaintext_bytes", "qlink.tag.status", "qlink.nonce", "qlink.plaintext", "qlink.counter", "qlink.keepalive.stamp",
    "qlink.keepalive.echo", "qlink.keepalive.epoch", "qlink.keepalive.interval", "qlink.keepalive.beacon", "qlink.csum.start",
    "qlink.csum.offset", "qlink.csum.finished", "qlink.parcel.first", "qlink.parcel.kind", "qlink.parcel.length",
    "qlink.parcel.content", "qlink.parcel.padding",
]

Values = dict[str, list[str]]


def counter_name(counter: str) -> str:
    """A counter as the document calls it."""
    return f"{counter.removeprefix('port_')} of the port" if counter.startswith("port_") else counter


class Watched(Unpacker):
    """An unpacker that tells what it takes records from."""

    body = b""

    def take(self, header: Header, plaintext: bytes, seconds: float = 0.0) -> tuple[list[str], list[tuple[int, bytes]]]:
        """The same; where the parcel ends with the rest of a record, there is no body."""
        self.body = b""
        return super().take(header, plaintext, seconds)

    def _split(self, header: Header, body: bytes, is_older: bool) -> None:
        self.body = body
        super()._split(header, body, is_older)


class Reader:
    """Reads the frames of one sender of one link, in their order."""

    def __init__(self, link_id: int, keys: dict[int, Key]) -> None:
        self._receiver = Receiver(link_id, keys)
        self._keys = keys
        self._unpackers: dict[int, Watched] = {}
        self._values: Values = {}

    def read(self, frame: bytes, seconds: float = 0.0) -> Values:
        """The values of a frame."""
        self._values = {name: [] for name in NAMES}
        if len(frame) >= HEADER_BYTES:
            self._header(Header.parse(frame))
        try:
            header, plaintext = self._receiver.open(frame)
        except Refused as refusal:
            self._refused(frame, refusal.args[0])
            return self._values
        self._sealed(frame, 1)
        self._opened(header, plaintext)
        self._plaintext(header, plaintext, seconds)
        return self._values

    def _add(self, name: str, *values: object) -> None:
        self._values[f"qlink.{name}"] += [value.hex() if isinstance(value, bytes) else str(value) for value in values]

    def _header(self, header: Header) -> None:
        for name in ("version", "type", "lane", "link_id", "epoch", "sequence"):
            self._add(name, getattr(header, name))

    def _sealed(self, frame: bytes, status: int) -> None:
        self._add("ciphertext", frame[HEADER_BYTES:-TAG_BYTES])
        self._add("tag", frame[-TAG_BYTES:])
        self._add("plaintext_bytes", len(frame) - HEADER_BYTES - TAG_BYTES)
        self._add("tag.status", status)

    def _opened(self, header: Header, plaintext: bytes) -> None:
        self._add("nonce", header.nonce(self._keys[header.epoch].salt))
        self._add("plaintext", plaintext)

    def _refused(self, frame: bytes, counter: str) -> None:
        """A frame that a receiver drops: what can be read nevertheless."""
        if counter in UNREADABLE:
            self._add("counter", counter_name(counter))
        elif counter in UNKNOWN:
            self._sealed(frame, 0)
        elif counter == "rx_auth_error":
            self._sealed(frame, 2)
            self._add("counter", counter)
        else:
            self._dropped(frame, counter)

    def _dropped(self, frame: bytes, counter: str) -> None:
        """A frame that is old, received before, or authentic with a bad checksum state. Parcels are not taken apart then."""
        header = Header.parse(frame)
        plaintext = unseal(self._keys[header.epoch], frame)
        self._sealed(frame, 1)
        self._opened(header, plaintext)
        if counter != "rx_bad_inner":
            self._add("counter", counter)
        if header.type != TYPE_PARCEL:
            self._plaintext(header, plaintext, 0.0)

    def _plaintext(self, header: Header, plaintext: bytes, seconds: float) -> None:
        if header.type == TYPE_PARCEL:
            self._parcel(header, plaintext, seconds)
        else:
            kind = next(kind for kind, its_type in TYPE_OF_KIND.items() if its_type == header.type)
            self._content(kind, plaintext)

    def _parcel(self, header: Header, plaintext: bytes, seconds: float) -> None:
        unpacker = self._unpackers.setdefault(header.lane, Watched())
        counters, records = unpacker.take(header, plaintext, seconds)
        self._add("counter", *counters)
        self._add("parcel.first", int.from_bytes(plaintext[:2], "big"))
        for kind, content in records:
            self._add("parcel.content", content)
            self._content(kind, content)
        self._heads(unpacker.body)

    def _heads(self, body: bytes) -> None:
        """The records that begin in a parcel, and its padding."""
        while len(body) > 1 and body[:2] != b"\0\0":
            head = int.from_bytes(body[:2], "big")
            kind, length = head >> 14, head & 0x3FFF
            if kind > KIND_KEEPALIVE or not length or (kind == KIND_KEEPALIVE and length != 24):
                return
            self._add("parcel.kind", kind)
            self._add("parcel.length", length)
            body = body[2 + length :]
        if body:
            self._add("parcel.padding", len(body))

    def _content(self, kind: int, content: bytes) -> None:
        """A frame, checksum state and a frame, or a keepalive."""
        if TYPE_OF_KIND[kind] == TYPE_KEEPALIVE:
            self._keepalive(Keepalive.parse(content))
        elif TYPE_OF_KIND[kind] == TYPE_CSUM and len(content) >= CSUM_STATE_BYTES + ETH_HEADER_BYTES:
            self._checksum(content)
        try:
            content_of(kind, content)
        except Refused as refusal:
            self._add("counter", refusal.args[0])

    def _keepalive(self, keepalive: Keepalive) -> None:
        for name in ("stamp", "echo", "epoch", "interval"):
            self._add(f"keepalive.{name}", getattr(keepalive, name))
        self._add("keepalive.beacon", keepalive.interval == 0)

    def _checksum(self, content: bytes) -> None:
        start, offset = int.from_bytes(content[:2], "big"), int.from_bytes(content[2:4], "big")
        self._add("csum.start", start)
        self._add("csum.offset", offset)
        try:
            csum_split(content)
        except Refused:
            return
        finished = csum_finish(content)[start + offset :][:2]
        self._add("csum.finished", f"0x{finished.hex()}")
