#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Forges, captures and resends frames on a link that lib.sh's setup_pair made, and judges what the kernel does.

  frames.py forge KIND... --under eth|udp|udp6 --from NS --to NS --key FILE [--epoch N]
  frames.py vectors GROUP --under eth|udp|udp6 --from NS --to NS
  frames.py resend        --under eth|udp|udp6 --from NS --to NS
  frames.py replay PCAP   --under eth|udp|udp6 --from NS --to NS [--expect COUNTER]
  frames.py answer ECHO   --under eth|udp|udp6 --from NS --to NS --key FILE --peer-key FILE --sequence N
  frames.py exchange      --from NS --to NS [--marker HEX]
  frames.py oversize      --to NS [--device DEV] --count N
  frames.py too-big       --under udp|udp6 --from NS --to NS --about udp|ping --mtu N
  frames.py listen        --to NS [--device DEV] --count N
  frames.py payload FILE BYTES --marker HEX

Every forged frame is injected as the peer at --from, and what qlinkwire's receiver makes of it must be what
qlink0 at --to does: the one counter that it says and no other, or the same bytes on the device. Prints what
went wrong as TAP diagnostics, and a line of JSON with the counters that moved.

answer waits for four keepalives of --to, whose key is --peer-key, and sends it one that --from might have sent,
whose key is --key. It brings back, by ECHO: last, the last stamp; old, the first of the four; unsent, one that
--to has not sent; none, 0. It prints the last keepalive that came.
"""

from __future__ import annotations

import argparse
import collections
import ctypes
import errno
import fcntl
import json
import os
import pathlib
import select
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from typing import Self, TypeVar

from capture import read_pcap
from vectorfile import LINK_ID, VECTORS, keepalive, partial_udp, plain_frame
from wire import (
    ETHERTYPE,
    KEEPALIVE_BYTES,
    MAX48,
    TYPE_CSUM,
    TYPE_FRAME,
    TYPE_KEEPALIVE,
    WINDOW,
    Header,
    Keepalive,
    Key,
    Receiver,
    ones_sum,
    seal,
    unseal,
)
from segments import UDP_CORK, UDP_SEGMENT

# As setup_pair of lib.sh has them, for the sender and the receiver by the names of their namespaces' ends.
LOWER = "veth0"
PORT = 47000
DEADLINE_S = 10.0

T = TypeVar("T")


def in_namespace(name: str, make: Callable[[], T]) -> T:
    """What make() returns when it runs in a network namespace ("" is where we are); its sockets stay there."""
    if not name:
        return make()
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        os.setns(there, os.CLONE_NEWNET)
        return make()
    finally:
        os.setns(here, os.CLONE_NEWNET)
        os.close(here)
        os.close(there)


def mac_of(sock: socket.socket, device: str) -> bytes:
    """The MAC address of a device in the socket's namespace."""
    return fcntl.ioctl(sock, 0x8927, struct.pack("16s24x", device.encode()))[18:24]


def address_of(sock: socket.socket, device: str) -> str:
    """The IPv4 address of a device in the socket's namespace."""
    return socket.inet_ntoa(fcntl.ioctl(sock, 0x8915, struct.pack("16s24x", device.encode()))[20:24])


def address6_of(device: str) -> str:
    """The IPv6 address of a device in the thread's namespace."""
    lines = pathlib.Path("/proc/thread-self/net/if_inet6").read_text(encoding="ascii").splitlines()
    first = next(line.split()[0] for line in lines if line.split()[5] == device)
    return socket.inet_ntop(socket.AF_INET6, bytes.fromhex(first))


class Ethtool:
    """A device and ethtool's ioctl, without a process for every look."""

    SIOCETHTOOL, GSTRINGS, GSTATS, GSSET_INFO, SFEATURES = 0x8946, 0x1B, 0x1D, 0x37, 0x3B
    STATS_SET, FEATURES_SET = 1, 4

    def __init__(self, namespace: str, device: str) -> None:
        self.device = device
        self.sock = in_namespace(namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def _ask(self, request: bytes) -> bytes:
        buffer = ctypes.create_string_buffer(request, len(request))
        fcntl.ioctl(
            self.sock, self.SIOCETHTOOL, struct.pack("16sQ16x", self.device.encode(), ctypes.addressof(buffer))
        )
        return buffer.raw

    def _names(self, which: int) -> list[str]:
        reply = self._ask(struct.pack("=IIQI", self.GSSET_INFO, 0, 1 << which, 0))
        n_names = struct.unpack_from("=I", reply, 16)[0]
        reply = self._ask(struct.pack("=III", self.GSTRINGS, which, n_names) + bytes(32 * n_names))
        return [reply[12 + 32 * i : 44 + 32 * i].split(b"\0")[0].decode() for i in range(n_names)]

    def switch_off(self, feature: str) -> None:
        """As ethtool -K."""
        names = self._names(self.FEATURES_SET)
        at, blocks = names.index(feature), (len(names) + 31) // 32
        wanted = [(1 << at % 32 if block == at // 32 else 0, 0) for block in range(blocks)]
        self._ask(struct.pack(f"=II{2 * blocks}I", self.SFEATURES, blocks, *(word for pair in wanted for word in pair)))


class Counters(Ethtool):
    """ethtool -S."""

    def __init__(self, namespace: str, device: str) -> None:
        super().__init__(namespace, device)
        self.names = self._names(self.STATS_SET)
        self.n_stats = len(self.names)

    def read_all(self) -> dict[str, int]:
        """All counters."""
        reply = self._ask(struct.pack("=II", self.GSTATS, self.n_stats) + bytes(8 * self.n_stats))
        values = struct.unpack_from(f"={self.n_stats}Q", reply, 8)
        return dict(zip(self.names, values, strict=True))

    def read(self) -> dict[str, int]:
        """All counters, but those of waits for the FPU and of keepalives sent, which depend on what else the CPU
        does and on the time."""
        return {
            name: value
            for name, value in self.read_all().items()
            if not name.endswith("_fpu_wait") and name != "tx_keepalive"
        }


def moved(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """The counters that differ, and by how much."""
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


class Tap:
    """Reads and writes Ethernet frames at a device."""

    SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING, VLAN_VALID, VLAN_TPID_VALID = 263, 8, 4, 0x10, 0x40

    def __init__(self, namespace: str, device: str, protocol: int = 3) -> None:
        self.sock = in_namespace(namespace, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.setsockopt(self.SOL_PACKET, self.PACKET_AUXDATA, 1)
        self.sock.bind((device, protocol))
        self.mac = mac_of(self.sock, device)

    def send(self, frame: bytes) -> None:
        """Sends a whole frame."""
        self.sock.send(frame)

    def read(self) -> Iterator[bytes]:
        """The frames that have arrived; VLAN tags that the kernel took off are put back."""
        while True:
            try:
                frame, ancillary, _, address = self.sock.recvmsg(65536, 64, socket.MSG_DONTWAIT)
            except OSError as problem:
                if problem.errno not in (errno.EAGAIN, errno.ENETDOWN):
                    raise
                return
            if address[2] == self.PACKET_OUTGOING:
                continue
            for _, kind, data in ancillary:
                if kind == self.PACKET_AUXDATA:
                    status, *_, tci, tpid = struct.unpack("=IIIHHHH", data[:20])
                    if status & self.VLAN_VALID:
                        tag = struct.pack(">HH", tpid if status & self.VLAN_TPID_VALID else 0x8100, tci)
                        frame = frame[:12] + tag + frame[12:]
            yield frame


class Injector:
    """Puts sealed frames on the underlay as the peer would."""

    def __init__(self, args: argparse.Namespace) -> None:
        probe = in_namespace(args.to, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        if args.under == "eth":
            tap = Tap(args.sender, LOWER, protocol=0)
            head = mac_of(probe, LOWER) + tap.mac + ETHERTYPE.to_bytes(2, "big")
            self.send = lambda frame: tap.send(head + frame)
            return
        if args.under == "udp6":
            peer = in_namespace(args.to, lambda: address6_of(LOWER))
            sock = in_namespace(args.sender, lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
            sock.bind((in_namespace(args.sender, lambda: address6_of(LOWER)), 0))
        else:
            peer = address_of(probe, LOWER)
            sock = in_namespace(args.sender, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.bind((address_of(sock, LOWER), 0))
        self.send = lambda frame: sock.sendto(frame, (peer, PORT))
        self.send_bundle = lambda frames: sock.sendmsg(
            frames, [(socket.SOL_UDP, UDP_SEGMENT, struct.pack("=H", len(frames[0])))], 0, (peer, PORT)
        )
        self.splice_bundle = lambda frames: splice_bundle(sock, (peer, PORT), frames)


def splice_bundle(sock: socket.socket, peer: tuple[str, int], frames: list[bytes]) -> None:
    """Sends a bundle of pages that this process can still write to."""
    out, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, 65536)
    rest = os.write(into, b"".join(frames))
    sock.connect(peer)
    sock.setsockopt(socket.SOL_UDP, UDP_SEGMENT, len(frames[0]))
    sock.setsockopt(socket.SOL_UDP, UDP_CORK, 1)
    while rest:
        rest -= os.splice(out, sock.fileno(), rest)
    sock.setsockopt(socket.SOL_UDP, UDP_CORK, 0)
    os.close(out)
    os.close(into)


class Judge:
    """Injects frames one at a time and holds what the kernel did against what the model says."""

    def __init__(self, args: argparse.Namespace, receiver: Receiver | None = None) -> None:
        self.injector = Injector(args)
        self.counters = Counters(args.to, args.device)
        self.tap = Tap(args.to, args.device)
        self.receiver = receiver
        self.override = getattr(args, "expect", None)
        self.first = self.counters.read()
        self.n_frames = 0
        self.n_delivered = 0
        self.problems: list[str] = []

    def inject(self, frame: bytes, what: str) -> None:
        """One frame, judged by the model."""
        counter, inner = self.receiver.outcome(frame)
        if self.override:
            counter, inner = self.override, None
        self.expect(frame, counter, inner, what)

    def expect(self, frame: bytes, counter: str | None, inner: bytes | None, what: str) -> None:
        """One frame, of which the outcome is known: one counter, or these bytes on the device."""
        self._judge(lambda: self.injector.send(frame), [(counter, inner)], what)

    def inject_bundle(self, frames: list[bytes], what: str, is_spliced: bool = False) -> None:
        """Frames in one packet, all of a size but for the last, which may be smaller; each judged by the model."""
        outcomes = [self.receiver.outcome(frame) for frame in frames]
        send = self.injector.splice_bundle if is_spliced else self.injector.send_bundle
        self._judge(lambda: send(frames), outcomes, f"{what}, {len(frames)} of {len(frames[0])}")

    def _judge(self, send: Callable[[], object], outcomes: list[tuple[str | None, bytes | None]], what: str) -> None:
        """What is sent has these outcomes, and no other."""
        before = self.counters.read()
        self.n_frames += len(outcomes)
        send()
        want_moved = dict(collections.Counter(counter for counter, _ in outcomes if counter))
        want_seen = [inner for _, inner in outcomes if inner is not None]
        got_moved, seen = self._wait(before, len(outcomes))
        self.n_delivered += len(seen)
        if got_moved != want_moved:
            self._problem(f"{what}: moved {got_moved}, want {want_moved}")
        if seen != want_seen:
            self._problem(f"{what}: delivered {[f.hex()[:80] for f in seen]}, want {[f.hex()[:80] for f in want_seen]}")

    def _wait(self, before: dict[str, int], n_frames: int) -> tuple[dict[str, int], list[bytes]]:
        """Looks until something came of all frames."""
        end = time.monotonic() + DEADLINE_S
        seen: list[bytes] = []
        while True:
            got = moved(before, self.counters.read())
            seen += self.tap.read()
            if sum(got.values()) + len(seen) >= n_frames or time.monotonic() > end:
                return got, seen
            select.select([self.tap.sock], [], [], 0.001)

    def _problem(self, text: str) -> None:
        self.problems.append(text)

    def report(self) -> int:
        """Prints the verdict."""
        late = list(self.tap.read())
        if late:
            self._problem(f"{len(late)} frames delivered late")
        for problem in self.problems[:10]:
            print(f"# {problem}")
        total = moved(self.first, self.counters.read())
        print(
            json.dumps(
                {
                    "frames": self.n_frames,
                    "delivered": self.n_delivered,
                    "problems": len(self.problems),
                    "moved": total,
                    "dropped": sum(total.values()),
                }
            )
        )
        return 1 if self.problems else 0


# ---- forged frames ----


class Forger:
    """The kinds of forged frames. Each kind has a lane of its own, so that kinds can share a process."""

    def __init__(self, judge: Judge, key: Key, epoch: int) -> None:
        self.judge = judge
        self.key = key
        self.epoch = epoch

    def seal(self, lane: int, sequence: int, frame_type: int = TYPE_FRAME, inner: bytes | None = None) -> bytes:
        """A frame that is good unless something is done to it."""
        plaintext = plain_frame(60) if inner is None else inner
        return seal(self.key, Header(frame_type, lane, LINK_ID, self.epoch, sequence), plaintext)

    def samples(self, lane: int, sequence: int) -> Iterator[tuple[str, bytes]]:
        """Short frames of every type, in lanes of their own."""
        plaintexts = [
            ("type 0, smallest", TYPE_FRAME, plain_frame(14)),
            ("type 0, 60 bytes", TYPE_FRAME, plain_frame(60)),
            ("type 1", TYPE_KEEPALIVE, keepalive()),
            ("type 2, smallest", TYPE_CSUM, partial_udp(4 + 14 + 28)),
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
            self.judge.inject(self.seal(20 + n, 5000), f"{name}: makes the window")
            bits = range(len(frame) * 8) if n == 0 else [8 * byte + byte % 8 for byte in range(len(frame))]
            for bit in bits:
                spoilt = bytearray(frame)
                spoilt[bit // 8] ^= 0x80 >> bit % 8
                self.judge.inject(bytes(spoilt), f"{name}: bit {bit % 8} of byte {bit // 8} flipped")
            self.judge.inject(frame, f"{name}: unspoilt after all")
            self.judge.inject(self.seal(20 + n, 5000 - WINDOW + 1), f"{name}: no forged frame moved the window")

    def truncate(self) -> None:
        """Every length below the whole, and from both ends."""
        for name, frame in self.samples(30, 1):
            for length in range(len(frame)):
                self.judge.inject(frame[:length], f"{name}: cut to {length} bytes")
            for length in range(1, 17):
                self.judge.inject(frame[length:], f"{name}: {length} bytes missing in front")
            self.judge.inject(frame, f"{name}: whole after all")

    def pad(self) -> None:
        """Something behind the tag."""
        for name, frame in self.samples(40, 1):
            for length in range(1, 65):
                self.judge.inject(frame + bytes(length), f"{name}: {length} zero bytes behind the tag")
            self.judge.inject(frame + frame[-16:], f"{name}: the tag twice")
            self.judge.inject(frame + frame, f"{name}: the frame twice")
            self.judge.inject(frame, f"{name}: unpadded after all")

    def header(self) -> None:
        """Headers that no sender makes, each sealed under the key, so that the header alone is at fault."""
        for version in range(16):
            for frame_type in range(16):
                plaintext = keepalive() if frame_type == TYPE_KEEPALIVE else partial_udp(60)
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
        """A frame is good in the lane that it was sealed for alone."""
        frame = bytearray(self.seal(60, 1))
        for lane in range(256):
            frame[1] = lane
            self.judge.inject(bytes(frame), f"sealed for lane 60, sent as lane {lane}")

    def short(self) -> None:
        """Authentic frames whose inside is too short, or whose checksum state makes no sense."""
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

    def replay(self) -> None:
        """Sequences in, at the edge of, and out of the window, in several lanes."""
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
            (80, WINDOW + 1, "the old top, gone"),
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
            (83, 1, "long gone"),
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
        """Good frames of one size, the next to each other."""
        return [self.seal(lane, first + n, TYPE_FRAME, plain_frame(bytes_inside)) for n in range(count)]

    def bundle(self) -> None:
        """Many in one UDP packet: good ones, and every kind of fault in the first, in the middle and in the last."""
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
                spoilt = bytearray(frames[at])
                spoilt[bit // 8] ^= 0x80 >> bit % 8
                self.judge.inject_bundle([*frames[:at], bytes(spoilt), *frames[at + 1 :]], f"bit {bit} of frame {at}")
            frames = self.run(96, 10 * at + 1, 5)
            frames[at] = seal(self.key, Header(TYPE_FRAME, 96, LINK_ID + 1, self.epoch, 7), plain_frame(60))
            self.judge.inject_bundle(frames, f"frame {at} is of another link")
        for size in (1, 2, 15, 16, 17, 31, 32, 33, 45, 46, 47, 1400):
            for count in (2, 60, 100):
                if size * count < 65000:
                    self.judge.inject_bundle([os.urandom(size) for _ in range(count)], "noise")
                    frames = [(self.run(97, n + 1, 1, 1400)[0])[:size] for n in range(count)]
                    self.judge.inject_bundle(frames, "beginnings")

    def whole(self) -> None:
        """Twenty in one UDP packet."""
        self.judge.inject_bundle(self.run(98, 1, 20), "good ones")

    def spliced(self) -> None:
        """Twenty in one UDP packet, in pages that the sender can still write to."""
        self.judge.inject_bundle(self.run(99, 1, 20), "good ones", is_spliced=True)

    KINDS = ("good", "flip", "truncate", "pad", "header", "lane", "short", "replay", "bundle", "whole", "spliced")


def forge(args: argparse.Namespace) -> int:
    """The forge subcommand."""
    key = Key.of(pathlib.Path(args.key).read_bytes())
    judge = Judge(args, Receiver(LINK_ID, {args.epoch: key}))
    forger = Forger(judge, key, args.epoch)
    for kind in args.kinds:
        getattr(forger, kind)()
    return judge.report()


def vectors(args: argparse.Namespace) -> int:
    """The vectors subcommand: a group of vectors/frames.json, whose keys --to holds."""
    judge = Judge(args)
    for row in json.loads(VECTORS.read_text(encoding="ascii"))["groups"][args.group]["frames"]:
        plaintext = bytes.fromhex(row["plaintext"])
        inner = plaintext[4:] if row["type"] == TYPE_CSUM else plaintext
        delivered = None if row["counter"] else inner
        judge.expect(bytes.fromhex(row["frame"]), row["counter"], delivered, f"{row['name']}: {row['why']}")
    return judge.report()


def resend(args: argparse.Namespace) -> int:
    """The resend subcommand: frames that the kernel at --from sealed, caught on their way and sent again."""
    source, wire = Tap(args.sender, args.device), Tap(args.to, LOWER)
    judge = Judge(args)
    frames = [inner_frame("resend", 60 + n, source.mac, judge.tap.mac, 0x88B8) for n in range(32)]
    for frame in frames:
        source.send(frame)
    seen, caught = [], []
    end = time.monotonic() + DEADLINE_S
    while (len(seen) < len(frames) or len(caught) < len(frames)) and time.monotonic() < end:
        seen += judge.tap.read()
        caught += [sealed for sealed in map(lambda outer: sealed_of(args.under, outer), wire.read()) if sealed]
    if sorted(seen) != sorted(frames) or len(caught) != len(frames):
        judge.problems.append(f"{len(seen)} delivered and {len(caught)} caught of {len(frames)}")
    for order in (caught, caught[::-1]):
        for n, frame in enumerate(order):
            judge.expect(frame, "rx_replay", None, f"frame {n} of the kernel's, again")
    for n, frame in enumerate(caught):
        other = bytearray(frame)
        other[1] ^= 0x40
        judge.expect(bytes(other), "rx_auth_error", None, f"frame {n} of the kernel's, in another lane")
    return judge.report()


def replay(args: argparse.Namespace) -> int:
    """The replay subcommand: the frames in a capture that --from has sent, once more."""
    sender = Tap(args.sender, LOWER, protocol=0).mac
    packets = [packet for packet in read_pcap(pathlib.Path(args.pcap).read_bytes()) if packet[6:12] == sender]
    judge = Judge(args)
    for n, frame in enumerate(filter(None, (sealed_of(args.under, packet) for packet in packets))):
        judge.expect(frame, args.expect or "rx_replay", None, f"frame {n} of the capture, again")
    return judge.report()


def hear_keepalives(args: argparse.Namespace, count: int) -> list[Keepalive]:
    """So many keepalives of --to, as they come in at --from."""
    tap, key = Tap(args.sender, LOWER), Key.of(pathlib.Path(args.peer_key).read_bytes())
    heard: list[Keepalive] = []
    end = time.monotonic() + count * DEADLINE_S
    while len(heard) < count and time.monotonic() < end:
        for frame in filter(None, (sealed_of(args.under, packet) for packet in tap.read())):
            if Header.parse(frame).type == TYPE_KEEPALIVE:
                heard.append(Keepalive.parse(unseal(key, frame)))
        select.select([tap.sock], [], [], 0.01)
    return heard


def answer(args: argparse.Namespace) -> int:
    """The answer subcommand."""
    judge = Judge(args)
    heard = hear_keepalives(args, 4)
    stamps = [keepalive.stamp for keepalive in heard]
    if len(stamps) < 4 or 0 in stamps or sorted(set(stamps)) != stamps:
        print(f"# {len(stamps)} keepalives, with stamps {stamps}")
        return 1
    echo = {"last": stamps[-1], "old": stamps[0], "unsent": stamps[-1] + 1, "none": 0}[args.echo]
    plaintext = Keepalive(stamp=7777 + args.sequence, echo=echo, epoch=4, interval=heard[-1].interval).pack()
    header = Header(TYPE_KEEPALIVE, 200, LINK_ID, 1, args.sequence)
    frame = seal(Key.of(pathlib.Path(args.key).read_bytes()), header, plaintext)
    judge.expect(frame, "rx_keepalive", None, f"echo {args.echo}")
    err = judge.report()
    print(json.dumps({"echo": heard[-1].echo, "epoch": heard[-1].epoch, "interval": heard[-1].interval}))
    return err


def sealed_of(under: str, outer: bytes) -> bytes | None:
    """The sealed frame in a frame of the underlay."""
    if under == "eth":
        return outer[14:] if outer[12:14] == ETHERTYPE.to_bytes(2, "big") else None
    if under == "udp6":
        is_ours = outer[12:14] == b"\x86\xdd" and outer[20] == 17 and outer[56:58] == PORT.to_bytes(2, "big")
        return outer[62 : 54 + int.from_bytes(outer[58:60], "big")] if is_ours else None
    is_ours = outer[12:14] == b"\x08\x00" and outer[23] == 17 and outer[36:38] == PORT.to_bytes(2, "big")
    return outer[42 : 34 + int.from_bytes(outer[38:40], "big")] if is_ours else None


# ---- inner frames through qlink ----


def inner_frame(
    marker: str, size: int, src: bytes, dst: bytes, ethertype: int, tags: tuple[tuple[int, int], ...] = ()
) -> bytes:
    """An Ethernet frame whose payload is the marker over and over."""
    head = dst + src + b"".join(struct.pack(">HH", *tag) for tag in tags) + ethertype.to_bytes(2, "big")
    return (head + marker.encode() * size)[:size]


def udp_frame(src: bytes, dst: bytes, payload: bytes, ipv6: bool) -> bytes:
    """A UDP datagram with a right checksum, to addresses that nobody has."""
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


def mtu_of(sock: socket.socket, device: str) -> int:
    """The MTU of a device in the socket's namespace."""
    return struct.unpack_from("=i", fcntl.ioctl(sock, 0x8921, struct.pack("16s24x", device.encode())), 16)[0]


def exchange(args: argparse.Namespace) -> int:
    """The exchange subcommand: every kind of inner frame, byte by byte the same at the other end."""
    source, sink = Tap(args.sender, args.device), Tap(args.to, args.device)
    frames = inner_frames(source.mac, sink.mac, mtu_of(source.sock, args.device), args.marker)
    problems = []
    for name, frame in frames:
        source.send(frame)
        seen: list[bytes] = []
        end = time.monotonic() + DEADLINE_S
        while frame not in seen and time.monotonic() < end:
            seen += sink.read()
        if seen != [frame]:
            problems.append(f"{name}: delivered {[f.hex()[:80] for f in seen]}, want {frame.hex()[:80]}")
    for problem in problems[:10]:
        print(f"# {problem}")
    print(json.dumps({"frames": len(frames), "problems": len(problems)}))
    return 1 if problems else 0


def oversize(args: argparse.Namespace) -> int:
    """The oversize subcommand: frames of no IP, as long as the device lets pass."""
    tap = Tap(args.to, args.device)
    for _ in range(args.count):
        tap.send(inner_frame("oversize", mtu_of(tap.sock, args.device) + 14, tap.mac, b"\xff" * 6, 0x88B8))
    return 0


def ipv4_packet(protocol: int, source: bytes, destination: bytes, data: bytes) -> bytes:
    """An IPv4 packet with a right checksum."""
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), 1, 0x4000, 64, protocol, 0) + source + destination
    return head[:10] + (~ones_sum(head) & 0xFFFF).to_bytes(2, "big") + head[12:] + data


def ipv6_packet(protocol: int, source: bytes, destination: bytes, data: bytes) -> bytes:
    """An IPv6 packet."""
    return struct.pack(">IHBB", 6 << 28, len(data), protocol, 64) + source + destination + data


def too_big_errors(args: argparse.Namespace, us: bytes, them: bytes) -> Iterator[bytes]:
    """ICMP errors from them to us, about packets that we may have sent."""
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


def too_big(args: argparse.Namespace) -> int:
    """The too-big subcommand: forges ICMP errors that claim a small path between the underlay's ends."""
    ends = []
    for name in (args.to, args.sender):
        probe = in_namespace(name, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        if args.under == "udp6":
            ends.append(socket.inet_pton(socket.AF_INET6, in_namespace(name, lambda: address6_of(LOWER))))
        else:
            ends.append(socket.inet_aton(address_of(probe, LOWER)))
    tap = Tap(args.sender, LOWER, protocol=0)
    head = Tap(args.to, LOWER, protocol=0).mac + tap.mac + (b"\x86\xdd" if args.under == "udp6" else b"\x08\x00")
    for error in too_big_errors(args, *ends):
        tap.send(head + error)
    return 0


def listen(args: argparse.Namespace) -> int:
    """The listen subcommand: waits for so many frames at a device and says what they were."""
    tap = Tap(args.to, args.device)
    print("listening", flush=True)
    kinds: collections.Counter[str] = collections.Counter()
    end = time.monotonic() + DEADLINE_S
    while kinds.total() < args.count and time.monotonic() < end:
        for frame in tap.read():
            kinds[f"0x{frame[12:14].hex()}"] += 1
        select.select([tap.sock], [], [], 0.01)
    print(json.dumps({"frames": kinds.total(), "ethertypes": kinds}))
    return 0 if kinds.total() >= args.count else 1


def payload(args: argparse.Namespace) -> int:
    """The payload subcommand: random bytes with a marker in every 64 of them."""
    marker = bytes.fromhex(args.marker)
    noise = os.urandom(args.bytes)
    step = 64 - len(marker)
    out = b"".join(marker + noise[at : at + step] for at in range(0, args.bytes * step // 64 + step, step))
    pathlib.Path(args.file).write_bytes(out[: args.bytes])
    return 0


def main() -> int:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int], *options: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name)
        sub.set_defaults(run=run)
        if "from" in options:
            sub.add_argument("--from", dest="sender", required=True)
        if "to" in options:
            sub.add_argument("--to", required=True)
            sub.add_argument("--device", default="qlink0")
        if "under" in options:
            sub.add_argument("--under", choices=("eth", "udp", "udp6"), required=True)
        return sub

    sub = command("forge", forge, "from", "to", "under")
    sub.add_argument("kinds", nargs="+", choices=Forger.KINDS)
    sub.add_argument("--key", required=True)
    sub.add_argument("--epoch", type=int, default=1)
    sub.add_argument("--expect", help="the counter that every frame moves, whatever the model says")
    sub = command("vectors", vectors, "from", "to", "under")
    sub.add_argument("group", type=int)
    command("resend", resend, "from", "to", "under")
    sub = command("replay", replay, "from", "to", "under")
    sub.add_argument("pcap")
    sub.add_argument("--expect", help="the counter that every frame moves")
    sub = command("answer", answer, "from", "to", "under")
    sub.add_argument("echo", choices=("last", "old", "unsent", "none"))
    sub.add_argument("--key", required=True)
    sub.add_argument("--peer-key", required=True)
    sub.add_argument("--sequence", type=int, required=True)
    sub = command("exchange", exchange, "from", "to")
    sub.add_argument("--marker", default="qlink inner text")
    sub = command("listen", listen, "to")
    sub.add_argument("--count", type=int, required=True)
    sub = command("oversize", oversize, "to")
    sub.add_argument("--count", type=int, required=True)
    sub = command("too-big", too_big, "from", "to", "under")
    sub.add_argument("--about", choices=("udp", "ping"), required=True)
    sub.add_argument("--mtu", type=int, required=True)
    sub = command("payload", payload)
    sub.add_argument("file")
    sub.add_argument("bytes", type=int)
    sub.add_argument("--marker", required=True)
    args = parser.parse_args()
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
