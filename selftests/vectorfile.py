# SPDX-License-Identifier: GPL-2.0
"""The vectors of vectors/frames.json: complete sealed frames, and what a receiver does with each."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import pathlib
import struct
import sys

from wire import (
    KEY_BYTES,
    KIND_CSUM,
    KIND_FRAME,
    KIND_KEEPALIVE,
    MAX48,
    SALT_BYTES,
    TYPE_CSUM,
    TYPE_FRAME,
    TYPE_KEEPALIVE,
    TYPE_PARCEL,
    VERSION,
    Header,
    Keepalive,
    Key,
    Receiver,
    csum_finish,
    csum_plaintext,
    ones_sum,
    parcel,
    parcels,
    record,
    seal,
)

VECTORS = pathlib.Path(__file__).resolve().parent / "vectors" / "frames.json"


def stream(name: str, length: int) -> bytes:
    """Bytes that look random and are the same in every run."""
    return hashlib.shake_256(f"qlink vectors, version 1: {name}".encode()).digest(length)


LINK_ID = 7
MIDDLE_EPOCH = 0x01020304
EPOCHS = ((1, 2, MIDDLE_EPOCH), (MAX48,))
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
    return Keepalive(stamp=0x1122334455667788, echo=0x99AABBCCDDEEFF00, epoch=1, interval=1000).pack()


@dataclasses.dataclass(frozen=True)
class Row:
    """One vector: what is sealed, how it is changed afterwards, and what a receiver does with it."""

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
    # Of a parcel: what moves beside rx_parcels, and how many frames are delivered.
    also: tuple[str, ...] = ()
    delivered: int = 0
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


SHORT, LONG = plain_frame(60), plain_frame(1514)


def good_rows() -> list[Row]:
    """Frames with nothing wrong: sizes, lanes, sequences and types."""
    return [
        Row("smallest", "the shortest inner frame, 46 bytes sealed", plain_frame(14)),
        Row("minimum", "an Ethernet minimum frame, the next sequence", SHORT, sequence=2),
        Row("odd", "65 bytes: a last block of one byte and an odd length", plain_frame(65), sequence=3),
        Row("block", "64 bytes: whole blocks only", plain_frame(64), sequence=4),
        Row("full", "a full Ethernet frame", LONG, sequence=5),
        Row("jumbo", "a jumbo frame", plain_frame(9014), sequence=6),
        Row("vlan", "a full frame with its VLAN tag in line", plain_frame(1518, vlan=5), sequence=7),
        Row("lane-1", "lane 1 counts on its own", SHORT, lane=1),
        Row("lane-128", "the lane's high bit enters the nonce", SHORT, lane=0x80, sequence=2),
        Row("lane-255", "the last lane", SHORT, lane=255),
        Row("sequence-32", "a sequence above 32 bits", SHORT, lane=2, sequence=2**32),
        Row("sequence-last", "the last sequence there is", SHORT, lane=2, sequence=MAX48),
        Row("keepalive", "type 1, 56 bytes sealed", keepalive(), type=TYPE_KEEPALIVE, lane=3, counter="rx_keepalive"),
        Row("csum", "type 2, UDP in IPv4", partial_udp(98), type=TYPE_CSUM, lane=3, sequence=2),
        Row("csum-odd", "type 2, an odd number of bytes summed", partial_udp(99), type=TYPE_CSUM, lane=3, sequence=3),
        Row("csum-full", "type 2, a full frame", partial_udp(1514), type=TYPE_CSUM, lane=3, sequence=4),
        Row("csum-vlan", "type 2, tagged", partial_udp(102, 5), type=TYPE_CSUM, lane=3, sequence=5),
        Row("epoch-2", "the next epoch, sequences start again", SHORT, epoch=2),
        Row("epoch-middle", "an epoch whose bytes differ, at most 2^32 above the first", SHORT,
            epoch=MIDDLE_EPOCH, lane=1, sequence=2),
    ]


def window_rows() -> list[Row]:
    """Sequences at the edges of the window."""
    return [
        Row("window-top", "moves the window of its lane", SHORT, lane=4, sequence=5000),
        Row("window-last", "4095 below the top: the last that is let in", SHORT, lane=4, sequence=905),
        Row("replay", "received before", SHORT, lane=4, sequence=905, counter="rx_replay"),
        Row("replay-top", "received before, the top itself", SHORT, lane=4, sequence=5000, counter="rx_replay"),
        Row("old", "4096 below the top", SHORT, lane=4, sequence=904, counter="rx_old"),
    ]


def forged_rows() -> list[Row]:
    """Frames that were changed after they were sealed."""
    return [
        Row("flip-tag", "the last bit of the tag", SHORT, lane=5, flip=(16 + 60 + 16) * 8 - 1, counter="rx_auth_error"),
        Row("flip-text", "the first bit of the ciphertext", SHORT, lane=5, flip=128, counter="rx_auth_error"),
        Row("flip-sequence", "sequence 1 read as 2^47 + 1", SHORT, lane=5, flip=80, counter="rx_auth_error"),
        Row("after-forgery", "forged frames moved no window", SHORT, lane=5),
        Row("flip-type", "type 0 read as type 2", SHORT, lane=6, flip=6, counter="rx_auth_error"),
        Row("wrong-lane", "another lane than the one sealed", SHORT, lane=6, new_lane=9, counter="rx_auth_error"),
        Row("cut-1", "the last byte of the tag is missing", SHORT, lane=6, cut=1, counter="rx_auth_error"),
        Row("cut-to-45", "a byte below the shortest frame", SHORT, lane=6, cut=47, counter="rx_short"),
        Row("cut-to-15", "no whole header", SHORT, lane=6, cut=77, counter="port_rx_short"),
        Row("padded", "one byte after the tag", plain_frame(14), lane=6, pad=1, counter="rx_auth_error"),
    ]


def header_rows() -> list[Row]:
    """Frames whose type, header or length is wrong, sealed under the right key."""
    return [
        Row("keepalive-long", "a keepalive of 57 bytes", keepalive(), type=1, lane=6, pad=1, counter="rx_short"),
        Row("csum-49", "type 2 of 49 bytes", bytes(17), type=TYPE_CSUM, lane=6, counter="rx_short"),
        Row("type-4", "no such type", SHORT, type=4, lane=6, counter="rx_bad_type"),
        Row("parcel-45", "a parcel a byte below the shortest frame", bytes(13), type=3, lane=6, counter="rx_short"),
        Row("type-15", "no such type", SHORT, type=15, lane=6, counter="rx_bad_type"),
        Row("version-0", "no such version", SHORT, version=0, lane=6, counter="port_rx_bad_version"),
        Row("version-2", "not this version", SHORT, version=2, lane=6, counter="port_rx_bad_version"),
        Row("link-8", "the id of no link", SHORT, link_id=8, lane=6, counter="port_rx_no_link"),
        Row("epoch-0", "an epoch is never 0", SHORT, epoch=0, lane=6, counter="rx_bad_header"),
        Row("sequence-0", "a sequence is never 0", SHORT, sequence=0, lane=6, counter="rx_bad_header"),
        Row("epoch-3", "an epoch without a key", SHORT, epoch=3, lane=6, counter="rx_no_key"),
    ]


def checksum_rows() -> list[Row]:
    """Frames of type 2 with a checksum field at and beyond the limits."""
    bad_csum = csum_plaintext(34, 26, plain_frame(60))
    return [
        Row("csum-outside", "the field ends behind the frame", bad_csum[:2] + b"\x00\x19" + bad_csum[4:], type=TYPE_CSUM,
            lane=7, counter="rx_bad_inner"),
        Row("csum-in-header", "csum_start in the Ethernet header", csum_plaintext(13, 6, SHORT), type=TYPE_CSUM,
            lane=7, sequence=2, counter="rx_bad_inner"),
        Row("csum-far", "csum_start + csum_offset beyond 16 bits", csum_plaintext(65535, 65535, SHORT), type=TYPE_CSUM,
            lane=7, sequence=3, counter="rx_bad_inner"),
        Row("csum-last", "the field is the last two bytes: let in", csum_plaintext(34, 24, SHORT), type=TYPE_CSUM,
            lane=7, sequence=4),
    ]


def parcel_row(name: str, why: str, plaintext: bytes, sequence: int, *also: str, lane: int = 8, epoch: int = 1,
               delivered: int = 0) -> Row:
    """A parcel."""
    return Row(name, why, plaintext, TYPE_PARCEL, lane, epoch, sequence, also=also, delivered=delivered)


def parcel_rows() -> list[Row]:
    """Parcels of whole records."""
    frame, csum = record(KIND_FRAME, SHORT), record(KIND_CSUM, partial_udp(98))
    alive, one = record(KIND_KEEPALIVE, keepalive()), record(KIND_FRAME, plain_frame(14))
    return [
        parcel_row("parcel-one", "one frame, to the end", parcel(0, frame), 1, delivered=1),
        parcel_row("parcel-kinds", "one record of each kind", parcel(0, frame + csum + alive + one), 2, "rx_keepalive", delivered=3),
        parcel_row("parcel-padded", "two frames and zeros", parcel(0, frame + csum, 600), 3, delivered=2),
        parcel_row("parcel-byte", "one byte of padding", parcel(0, frame + b"\0"), 4, delivered=1),
        parcel_row("parcel-cover", "nothing but padding", parcel(0, b"", 600), 5),
        parcel_row("parcel-pad-byte", "one byte of padding that is not zero", parcel(0, frame + b"\1"), 6, "rx_parcel_bad", delivered=1),
        parcel_row("parcel-pad-bad", "padding that is not zero", parcel(0, frame + bytes(9) + b"\1"), 7, "rx_parcel_bad", delivered=1),
        parcel_row("parcel-kind-3", "no such kind", parcel(0, frame + record(3, SHORT)), 8, "rx_parcel_bad", delivered=1),
        parcel_row("parcel-empty", "a record of a kind, but without content", parcel(0, record(KIND_CSUM, b"") + frame), 9, "rx_parcel_bad"),
        parcel_row("parcel-alive-25", "a keepalive of 25 bytes", parcel(0, record(KIND_KEEPALIVE, bytes(25))), 10, "rx_parcel_bad"),
        parcel_row("parcel-first-far", "first goes a byte beyond the end", parcel(len(frame) + 1, frame), 11, "rx_parcel_bad"),
        parcel_row("parcel-short", "13 bytes are no frame, what follows is", parcel(0, record(KIND_FRAME, bytes(13)) + frame), 12,
                   "rx_short", delivered=1),
        parcel_row("parcel-csum-17", "17 bytes are no frame with checksum state", parcel(0, record(KIND_CSUM, bytes(17)) + frame), 13,
                   "rx_short", delivered=1),
        parcel_row("parcel-csum-out", "a checksum field behind its frame",
                   parcel(0, record(KIND_CSUM, csum_plaintext(34, 25, SHORT)) + frame), 14, "rx_bad_inner", delivered=1),
    ]


def cut_rows() -> list[Row]:
    """Parcels whose end cuts a record."""
    frame, large, short = record(KIND_FRAME, SHORT), record(KIND_FRAME, LONG), record(KIND_FRAME, bytes(13))
    two, jumbo = parcels([frame, large, frame], 800), parcels([record(KIND_FRAME, plain_frame(9014))], 1400)
    head = parcels([record(KIND_FRAME, plain_frame(94)), large], 100)
    lost, bad = "rx_cut_lost", "rx_parcel_bad"
    rows = [
        parcel_row("cut-begin", "a frame, and the begin of the next one", two[0], 1, lane=9, delivered=1),
        parcel_row("cut-rest", "the rest, and the next begin", two[1], 2, lane=9, delivered=1),
        parcel_row("cut-rest-2", "the rest of a record that goes on to its last byte", two[2], 3, lane=9, delivered=1),
    ]
    rows += [parcel_row(f"cut-jumbo-{n}", "one frame over seven parcels", text, 10 + n, lane=9, delivered=int(n == 6))
             for n, text in enumerate(jumbo)]
    rows += [parcel_row(f"cut-head-{n}", "two bytes are left for a head", text, 20 + n, lane=9,
                        delivered=int(n in (0, len(head) - 1))) for n, text in enumerate(head)]
    n = 40
    return rows + [
        parcel_row("cut-lost-1", "a begin whose rest is lost", two[0], n, lane=9, delivered=1),
        parcel_row("cut-lost-2", "a later parcel with another rest", parcel(100, bytes(100) + frame), n + 2, lost, "rx_cut_late",
                   lane=9, delivered=1),
        parcel_row("cut-older-1", "a begin", two[0], n + 5, lane=9, delivered=1),
        parcel_row("cut-older-2", "an older parcel has a rest, a frame and a begin", parcel(9, bytes(9) + frame + large[:50]), n + 4,
                   "rx_cut_late", lost, lane=9, delivered=1),
        parcel_row("cut-older-3", "the rest comes in time all the same", two[1], n + 6, lane=9, delivered=1),
        parcel_row("cut-epoch-1", "a begin under another epoch: the one that is held has no rest", two[0], 3, lost, lane=9, epoch=2,
                   delivered=1),
        parcel_row("cut-epoch-2", "older, though its sequence is higher: its begin is not held", parcel(0, frame + large[:50]), n + 20,
                   lost, lane=9, delivered=1),
        parcel_row("cut-epoch-3", "the rest under the newer epoch", two[1][:2] + two[1][2:782], 4, lane=9, epoch=2, delivered=1),
        parcel_row("cut-again", "a begin", two[0], n + 21, lane=9, delivered=1),
        parcel_row("cut-none", "no rest where one must be", parcel(0, frame), n + 22, lost, lane=9, delivered=1),
        parcel_row("cut-long-1", "a begin", two[0], n + 23, lane=9, delivered=1),
        parcel_row("cut-long-2", "a rest that is a byte too long", parcel(len(large) - 800 + 65, bytes(1600)), n + 24, lost, bad, lane=9),
        parcel_row("cut-gap-1", "a begin", two[0], n + 25, lane=9, delivered=1),
        parcel_row("cut-gap-2", "a rest that is too short, and a record", parcel(99, bytes(99) + frame), n + 26, lost, bad, lane=9),
        parcel_row("cut-far-1", "a begin", two[0], n + 27, lane=9, delivered=1),
        parcel_row("cut-far-2", "first goes beyond the end", parcel(99, bytes(20)), n + 28, lost, bad, lane=9),
        parcel_row("cut-late", "the rest of a record that is dropped", parcel(9, bytes(9) + frame), n + 29, "rx_cut_late", lane=9,
                   delivered=1),
        parcel_row("cut-short-1", "13 bytes are no frame: ten of them", parcel(0, short[:12]), n + 30, lane=9),
        parcel_row("cut-short-2", "the others, and a frame", parcel(3, short[12:] + frame), n + 31, "rx_short", lane=9, delivered=1),
    ]


def last_epoch_rows() -> list[Row]:
    """Frames of the last epoch there is."""
    return [
        Row("epoch-last", "the last epoch there is", SHORT, epoch=MAX48, lane=0x80),
        Row("epoch-last-full", "the last epoch and the last sequence", LONG, epoch=MAX48, lane=255, sequence=MAX48),
    ]


def rows() -> list[list[Row]]:
    """The vectors, one group per set of epochs; within a group in the order of receipt."""
    first = good_rows() + window_rows() + forged_rows() + header_rows() + checksum_rows() + parcel_rows() + cut_rows()
    return [first, last_epoch_rows()]


def key_of(epoch: int) -> Key:
    """The key of an epoch of the vectors."""
    return Key.of(stream(f"key {epoch}", KEY_BYTES + SALT_BYTES))


def vector_of(row: Row, receiver: Receiver) -> dict[str, object]:
    """A row in the file's format; the receiver must agree with the row."""
    key = key_of(row.epoch)
    frame = row.frame(key)
    counters, inners = receiver.outcome(frame)
    is_parcel = row.type == TYPE_PARCEL and not row.counter
    wanted = ["rx_parcels", *row.also] if is_parcel else [row.counter] if row.counter else []
    if counters != wanted or (is_parcel and len(inners) != row.delivered):
        raise AssertionError(f"{row.name}: moves {counters}, not {wanted}, and delivers {len(inners)}")
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
        "nonce": row.header().nonce(key.salt).hex(),
        "plaintext": row.plaintext.hex(),
        "frame": frame.hex(),
    }
    if is_parcel:
        vector["counters"] = counters
        vector["delivered"] = [inner.hex() for inner in inners]
    if row.type == TYPE_CSUM and not counters:
        vector["finished"] = csum_finish(row.plaintext).hex()
    return vector


ABOUT = (
    "Whole sealed frames, made by selftests/qlinkwire.py from kmod/PROTOCOL.md. Each group is for a fresh receiver of "
    "the link that holds the group's epochs, and its frames are received in order. counter is what moves, null when "
    "the frame is delivered. The fields say what was sealed; frame is what goes on the wire, which is the same unless "
    "the frame was spoilt after. A parcel moves all of counters and delivers the frames in delivered. finished is the "
    "inner frame of a type 2 with its checksum done."
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
        print(f"{path}: differs from what this program makes", file=sys.stderr)
        return 1
    return 0
