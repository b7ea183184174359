# SPDX-License-Identifier: GPL-2.0
"""Forged frames: each kind of fault that a receiver must detect, and good frames beside them."""

from __future__ import annotations

import os
import random
import struct
import time
from collections.abc import Iterator

from judge import Judge
from vectorfile import LINK_ID, keepalive, partial_udp, plain_frame
from wire import (
    KEEPALIVE_BYTES,
    KIND_CSUM,
    KIND_FRAME,
    KIND_KEEPALIVE,
    MAX48,
    TYPE_CSUM,
    TYPE_FRAME,
    TYPE_KEEPALIVE,
    TYPE_PARCEL,
    WINDOW,
    Header,
    Key,
    parcel,
    parcels,
    record,
    seal,
)


class Forger:
    """The kinds of forged frames. Each kind uses lanes of its own, so that one process can send several kinds."""

    def __init__(self, judge: Judge, key: Key, epoch: int) -> None:
        self.judge = judge
        self.key = key
        self.epoch = epoch

    def seal(self, lane: int, sequence: int, frame_type: int = TYPE_FRAME, inner: bytes | None = None) -> bytes:
        """A valid frame."""
        plaintext = plain_frame(60) if inner is None else inner
        return seal(self.key, Header(frame_type, lane, LINK_ID, self.epoch, sequence), plaintext)

    def samples(self, lane: int, sequence: int) -> Iterator[tuple[str, bytes]]:
        """Short frames of every type, in lanes of their own."""
        plaintexts = [
            ("type 0, smallest", TYPE_FRAME, plain_frame(14)),
            ("type 0, 60 bytes", TYPE_FRAME, plain_frame(60)),
            ("type 1", TYPE_KEEPALIVE, keepalive()),
            ("type 2, smallest", TYPE_CSUM, partial_udp(4 + 14 + 28)),
            ("type 3, padded", TYPE_PARCEL, parcel(0, record(KIND_FRAME, plain_frame(60)), 80)),
        ]
        for n, (name, frame_type, plaintext) in enumerate(plaintexts):
            yield name, self.seal(lane + n, sequence, frame_type, plaintext)

    def good(self) -> None:
        """A few frames with nothing wrong."""
        for sequence in range(1, 9):
            self.judge.inject(self.seal(10, sequence), f"good frame {sequence}")

    def flip(self) -> None:
        """One flipped bit at every byte; in the smallest frame, every bit."""
        for n, (name, frame) in enumerate(self.samples(20, 4999)):
            self.judge.inject(self.seal(20 + n, 5000), f"{name}: moves the window")
            bits = range(len(frame) * 8) if n == 0 else [8 * byte + byte % 8 for byte in range(len(frame))]
            for bit in bits:
                altered = bytearray(frame)
                altered[bit // 8] ^= 0x80 >> bit % 8
                self.judge.inject(bytes(altered), f"{name}: bit {bit % 8} of byte {bit // 8} flipped")
            self.judge.inject(frame, f"{name}: intact")
            self.judge.inject(self.seal(20 + n, 5000 - WINDOW + 1), f"{name}: no forged frame moved the window")

    def truncate(self) -> None:
        """Every shorter length, and up to 16 bytes missing in front."""
        for name, frame in self.samples(30, 1):
            for length in range(len(frame)):
                self.judge.inject(frame[:length], f"{name}: cut to {length} bytes")
            for length in range(1, 17):
                self.judge.inject(frame[length:], f"{name}: {length} bytes missing in front")
            self.judge.inject(frame, f"{name}: intact")

    def pad(self) -> None:
        """Extra bytes after the tag."""
        for name, frame in self.samples(40, 1):
            for length in range(1, 65):
                self.judge.inject(frame + bytes(length), f"{name}: {length} zero bytes after the tag")
            self.judge.inject(frame + frame[-16:], f"{name}: the tag twice")
            self.judge.inject(frame + frame, f"{name}: the frame twice")
            self.judge.inject(frame, f"{name}: intact")

    def header(self) -> None:
        """Headers that no sender makes, each sealed with the key, so that only the header is wrong."""
        plaintexts = {TYPE_KEEPALIVE: keepalive(), TYPE_PARCEL: parcel(0, record(KIND_FRAME, plain_frame(60)))}
        for version in range(16):
            for frame_type in range(16):
                plaintext = plaintexts.get(frame_type, partial_udp(60))
                header = Header(frame_type, 50, LINK_ID, self.epoch, 1 + frame_type, version)
                self.judge.inject(seal(self.key, header, plaintext), f"version {version} type {frame_type}")
        for link_id in (0, 1, LINK_ID - 1, LINK_ID + 1, LINK_ID << 8, 0xFFFF):
            header = Header(TYPE_FRAME, 51, link_id, self.epoch, 1)
            self.judge.inject(seal(self.key, header, plain_frame(60)), f"link id {link_id}")
        for epoch in (0, self.epoch - 1, self.epoch + 1, self.epoch + 2**32, self.epoch ^ 1 << 47, MAX48):
            header = Header(TYPE_FRAME, 52, LINK_ID, epoch, 1)
            self.judge.inject(seal(self.key, header, plain_frame(60)), f"epoch {epoch}")
        header = Header(TYPE_FRAME, 53, LINK_ID, 0, 0)
        self.judge.inject(seal(self.key, header, plain_frame(60)), "epoch 0 and sequence 0")
        header = Header(TYPE_FRAME, 53, LINK_ID, self.epoch, 0)
        self.judge.inject(seal(self.key, header, plain_frame(60)), "sequence 0")
        self.judge.inject(self.seal(53, 1), "sequence 1")

    def lane(self) -> None:
        """A frame is valid only in the lane that it was sealed for."""
        frame = bytearray(self.seal(60, 1))
        for lane in range(256):
            frame[1] = lane
            self.judge.inject(bytes(frame), f"sealed for lane 60, sent as lane {lane}")

    def short(self) -> None:
        """Authentic frames whose plaintext is too short, or whose checksum state is invalid."""
        sequence = 0
        for length in (0, 1, 13, 14, 15):
            sequence += 1
            self.judge.inject(self.seal(70, sequence, TYPE_FRAME, bytes(length)), f"type 0 of {length} bytes")
        for length in (0, KEEPALIVE_BYTES - 1, KEEPALIVE_BYTES, KEEPALIVE_BYTES + 1):
            sequence += 1
            self.judge.inject(self.seal(70, sequence, TYPE_KEEPALIVE, bytes(length)), f"type 1 of {length} bytes")
        for length in (0, 3, 4, 17, 18):
            sequence += 1
            self.judge.inject(self.seal(70, sequence, TYPE_CSUM, bytes(length)), f"type 2 of {length} bytes")
        for start in (0, 13, 14, 34, 57, 58, 59, 60, 61, 0x7FFF, 0x8000, 0xFFFF):
            for offset in (0, 1, 6, 16, 24, 25, 44, 45, 0x7FFF, 0xFFFE, 0xFFFF):
                sequence += 1
                plaintext = struct.pack(">HH", start, offset) + plain_frame(60)
                what = f"csum_start {start} csum_offset {offset}"
                self.judge.inject(self.seal(70, sequence, TYPE_CSUM, plaintext), what)

    def parcels(self) -> None:
        """Authentic parcels at random: of every size, with bad ones, lost ones, and some out of order."""
        self.parcel_too_late()
        dice = random.Random(7)
        for lane in range(100, 112):
            plaintexts = parcels([self.any_record(dice) for _ in range(40)], dice.choice((60, 333, 1000, 1400)))
            order = [n for n in range(len(plaintexts)) if dice.random() > 0.05]
            for n in range(len(order) - 1):
                if dice.random() < 0.05:
                    order[n], order[n + 1] = order[n + 1], order[n]
            for n in order:
                plaintext = bytearray(plaintexts[n])
                if dice.random() < 0.05:
                    plaintext[dice.randrange(min(len(plaintext), 8))] ^= 1 << dice.randrange(8)
                self.judge.inject(self.seal(lane, n + 1, TYPE_PARCEL, bytes(plaintext)), f"lane {lane} parcel {n + 1}")

    def parcel_too_late(self) -> None:
        """A rest that comes more than a second after its begin; the model has no clock."""
        begin, rest = parcels([record(KIND_FRAME, plain_frame(100))], 60)
        self.judge.inject(self.seal(113, 1, TYPE_PARCEL, begin), "a begin")
        end = time.monotonic() + 1.2
        sequence = 0
        while time.monotonic() < end:
            sequence += 1
            self.judge.inject(self.seal(114, sequence), "another lane, meanwhile")
        frame = self.seal(113, 2, TYPE_PARCEL, rest)
        self.judge.expect_all(frame, ["rx_parcels", "rx_cut_lost", "rx_cut_late"], [], "a rest after 1.2 s")

    @staticmethod
    def any_record(dice: random.Random) -> bytes:
        """A record, most probably a good one."""
        match dice.randrange(12):
            case 0:
                return record(KIND_KEEPALIVE, keepalive())
            case 1:
                return record(dice.randrange(4), bytes(dice.randrange(40)))
            case 2 | 3 | 4:
                return record(KIND_CSUM, partial_udp(dice.randrange(60, 1500)))
            case _:
                return record(KIND_FRAME, plain_frame(dice.randrange(14, 1515)))

    def replay(self) -> None:
        """Sequences inside, at the edge of, and outside the window, in several lanes."""
        table = [
            (80, 1, "the first"),
            (80, 1, "again"),
            (80, 3, "skips one"),
            (80, 2, "the skipped one"),
            (80, 2, "again"),
            (81, 1, "another lane has a window of its own"),
            (81, 1, "again"),
            (80, WINDOW, "1 is the last one inside"),
            (80, 1, "inside, received"),
            (80, 4, "inside, not received"),
            (80, WINDOW + 1, "pushes 1 out"),
            (80, 1, "just outside"),
            (80, 2, "inside, received, the last"),
            (80, 5 * WINDOW, "far ahead"),
            (80, 4 * WINDOW, "just outside"),
            (80, 4 * WINDOW + 1, "the last one inside"),
            (80, 4 * WINDOW + 1, "again"),
            (80, WINDOW + 1, "the old top, outside"),
            (81, 2, "the other lane did not move"),
            (82, 2**32, "a lane may start anywhere"),
            (82, 2**32 - WINDOW, "just outside, below 2^32"),
            (82, 2**32 - WINDOW + 1, "the last one inside, below 2^32"),
            (82, 2**32 + 1, "above 2^32"),
            (82, 1, "not confused by the low 32 bits"),
            (82, 2**32, "again"),
            (83, MAX48, "the last sequence there is"),
            (83, MAX48, "again"),
            (83, MAX48 - WINDOW, "just outside"),
            (83, MAX48 - WINDOW + 1, "the last one inside"),
            (83, 1, "far outside"),
            (255, 1, "the last lane"),
            (255, 1, "again"),
            (0, 2**40, "lane 0, which the peer may use as well"),
            (0, 2**40, "again"),
        ]
        for lane, sequence, why in table:
            self.judge.inject(self.seal(lane, sequence), f"lane {lane} sequence {sequence}, {why}")
        for lane in (80, 81, 82):
            frame = bytearray(self.seal(lane, 2**46))
            frame[-1] ^= 1
            self.judge.inject(bytes(frame), f"lane {lane}: forged, far ahead")
        self.judge.inject(self.seal(80, 4 * WINDOW + 2), "no forged frame moved the window")
        for frame_type, plaintext in ((TYPE_KEEPALIVE, keepalive()), (TYPE_CSUM, partial_udp(60))):
            self.judge.inject(self.seal(80, 5 * WINDOW, frame_type, plaintext), "types share the sequences")

    def run(self, lane: int, first: int, count: int, bytes_inside: int = 60) -> list[bytes]:
        """Good frames of one size with consecutive sequences."""
        return [self.seal(lane, first + n, TYPE_FRAME, plain_frame(bytes_inside)) for n in range(count)]

    def bundle(self) -> None:
        """Many in one UDP packet: good ones, and every kind of fault in the first, a middle and the last one."""
        self.judge.inject_bundle(self.run(90, 1, 2), "the first bundle")
        for count in (2, 3, 17, 63, 64, 65, 100):
            frames = self.run(91, 1000 * count, count)
            self.judge.inject_bundle(frames, "good ones")
            self.judge.inject_bundle(frames, "all of them again")
        self.judge.inject_bundle(self.run(91, 200000, 40, 1400), "large ones")
        for smaller in (14, 30, 59):
            frames = self.run(92, 1000 * smaller, 5) + self.run(92, 1000 * smaller + 5, 1, smaller)
            self.judge.inject_bundle(frames, "good ones, the last is smaller")
        for length in (*range(1, 49), 91):
            frames = self.run(93, 1000 * length, 4)
            self.judge.inject_bundle([*frames[:3], frames[3][:length]], "the last one is cut")
        twice = self.run(94, 1, 3)
        self.judge.inject_bundle([twice[0], twice[1], twice[0], twice[2], twice[1]], "some of them twice")
        for at in range(5):
            for bit in range(0, 8 * len(twice[0]), 41):
                frames = self.run(95, 10000 * at + 10 * bit + 1, 5)
                altered = bytearray(frames[at])
                altered[bit // 8] ^= 0x80 >> bit % 8
                self.judge.inject_bundle([*frames[:at], bytes(altered), *frames[at + 1 :]], f"bit {bit} of frame {at}")
            frames = self.run(96, 10 * at + 1, 5)
            frames[at] = seal(self.key, Header(TYPE_FRAME, 96, LINK_ID + 1, self.epoch, 7), plain_frame(60))
            self.judge.inject_bundle(frames, f"frame {at} is of another link")
        for size in (1, 2, 15, 16, 17, 31, 32, 33, 45, 46, 47, 1400):
            for count in (2, 60, 100):
                if size * count < 65000:
                    self.judge.inject_bundle([os.urandom(size) for _ in range(count)], "noise")
                    frames = [(self.run(97, n + 1, 1, 1400)[0])[:size] for n in range(count)]
                    self.judge.inject_bundle(frames, "beginnings")

    def parcel_bundle(self) -> None:
        """Parcels in one UDP packet."""
        cut = parcels([record(KIND_FRAME, plain_frame(1514))] * 20, 700)
        frames = [self.seal(115, n + 1, TYPE_PARCEL, plaintext) for n, plaintext in enumerate(cut)]
        self.judge.inject_bundle(frames[:30], "parcels")
        self.judge.inject_bundle([*frames[31:40], frames[30]], "parcels, one of them late")

    def whole(self) -> None:
        """Twenty in one UDP packet."""
        self.judge.inject_bundle(self.run(98, 1, 20), "good ones")

    def spliced(self) -> None:
        """Twenty in one UDP packet, in pages that the sender can still write to."""
        self.judge.inject_bundle(self.run(99, 1, 20), "good ones", is_spliced=True)

    KINDS = ("good", "flip", "truncate", "pad", "header", "lane", "short", "parcels", "parcel_bundle", "replay", "bundle",
             "whole", "spliced")
