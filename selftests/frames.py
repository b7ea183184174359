#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Forges, captures and resends frames on a link of lib.sh's setup_pair, and compares what the kernel does.

  frames.py forge KIND... --under eth|udp|udp6 --from NS --to NS --key FILE [--epoch N]
  frames.py vectors GROUP --under eth|udp|udp6 --from NS --to NS
  frames.py resend        --under eth|udp|udp6 --from NS --to NS
  frames.py replay PCAP   --under eth|udp|udp6 --from NS --to NS [--expect COUNTER] [--address ADDRESS]
  frames.py beacons       --under eth|udp|udp6 --from NS --to NS --key FILE [--epoch N] --sequence N --stamp N
                          [--count N] [--address ADDRESS] [--source-port PORT] [--interval MS]
  frames.py answer ECHO   --under eth|udp|udp6 --from NS --to NS --key FILE --peer-key FILE --sequence N
  frames.py exchange      --from NS --to NS [--marker HEX]
  frames.py oversize      --to NS [--device DEV] --count N
  frames.py too-big       --under udp|udp6 --from NS --to NS --about udp|ping --mtu N
  frames.py stamp ADDRESS --to NS
  frames.py listen        --to NS [--device DEV] --count N
  frames.py payload FILE BYTES --marker HEX

Every forged frame is injected as if by the peer at --from. qlink0 at --to must do the same as qlinkwire's
receiver: move one counter and no other, or deliver the same bytes. Prints errors as TAP diagnostics, and a line
of JSON with the counters that moved.

beacons sends this many, with stamps and sequences that grow by one, each from another port if there are several.
With --interval they are keepalives of that interval. It prints how many whole seconds that took.

answer waits for four keepalives of --to, whose key is --peer-key. It then sends one as if from --from, whose key
is --key. ECHO says which stamp it echoes: last, the last one; old, the first of the four; unsent, one that --to
has not sent; none, 0. It prints the last keepalive that it received.

stamp sends a datagram from --to to ADDRESS and asks when it left: it prints the nanoseconds from the call until the
driver's software time stamp.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import pathlib
import select
import socket
import struct
import sys
import time
from collections.abc import Callable

from capture import read_pcap
from forger import Forger
from innerframes import inner_frame, inner_frames
from judge import DEADLINE_S, Judge
from netdev import address6_of, address_of, in_namespace, mtu_of
from tap import Tap
from toobig import too_big_errors
from underlay import LOWER, Injector, sealed_of
from vectorfile import LINK_ID, VECTORS
from wire import TYPE_CSUM, TYPE_KEEPALIVE, Header, Keepalive, Key, Receiver, seal, unseal


def forge(args: argparse.Namespace) -> int:
    """The forge subcommand."""
    key = Key.of(pathlib.Path(args.key).read_bytes())
    judge = Judge(args, Receiver(LINK_ID, {args.epoch: key}))
    forger = Forger(judge, key, args.epoch)
    for kind in args.kinds:
        getattr(forger, kind)()
    return judge.report()


def vectors(args: argparse.Namespace) -> int:
    """The vectors subcommand: sends a group of vectors/frames.json, whose keys --to holds."""
    judge = Judge(args)
    for row in json.loads(VECTORS.read_text(encoding="ascii"))["groups"][args.group]["frames"]:
        plaintext = bytes.fromhex(row["plaintext"])
        frame, why = bytes.fromhex(row["frame"]), f"{row['name']}: {row['why']}"
        if "counters" in row:
            judge.expect_all(frame, row["counters"], [bytes.fromhex(inner) for inner in row["delivered"]], why)
            continue
        inner = plaintext[4:] if row["type"] == TYPE_CSUM else plaintext
        judge.expect(frame, row["counter"], None if row["counter"] else inner, why)
    return judge.report()


def resend(args: argparse.Namespace) -> int:
    """The resend subcommand: captures frames that the kernel at --from sealed, and sends them again."""
    source, wire = Tap(args.sender, args.device), Tap(args.to, LOWER)
    judge = Judge(args)
    frames = [inner_frame("resend", 60 + n, source.mac, judge.tap.mac, 0x88B8) for n in range(32)]
    for frame in frames:
        source.send(frame)
    seen, captured = [], []
    end = time.monotonic() + DEADLINE_S
    while (len(seen) < len(frames) or len(captured) < len(frames)) and time.monotonic() < end:
        seen += judge.tap.read()
        captured += [sealed for sealed in map(lambda outer: sealed_of(args.under, outer), wire.read()) if sealed]
    if sorted(seen) != sorted(frames) or len(captured) != len(frames):
        judge.problems.append(f"{len(seen)} delivered and {len(captured)} captured of {len(frames)}")
    for order in (captured, captured[::-1]):
        for n, frame in enumerate(order):
            judge.expect(frame, "rx_replay", None, f"frame {n} of the kernel, again")
    for n, frame in enumerate(captured):
        other = bytearray(frame)
        other[1] ^= 0x40
        judge.expect(bytes(other), "rx_auth_error", None, f"frame {n} of the kernel, in another lane")
    return judge.report()


def replay(args: argparse.Namespace) -> int:
    """The replay subcommand: sends the frames of --from in a capture once more."""
    sender = Tap(args.sender, LOWER, protocol=0).mac
    packets = [packet for packet in read_pcap(pathlib.Path(args.pcap).read_bytes()) if packet[6:12] == sender]
    judge = Judge(args)
    for n, frame in enumerate(filter(None, (sealed_of(args.under, packet) for packet in packets))):
        judge.expect(frame, args.expect or "rx_replay", None, f"frame {n} of the capture, again")
    return judge.report()


def beacons(args: argparse.Namespace) -> int:
    """The beacons subcommand."""
    key = Key.of(pathlib.Path(args.key).read_bytes())
    begin = time.monotonic()
    for n in range(args.count):
        plaintext = Keepalive(stamp=args.stamp + n, echo=0, epoch=0, interval=args.interval).pack()
        header = Header(TYPE_KEEPALIVE, 201, LINK_ID, args.epoch, args.sequence + n)
        Injector(args).send(seal(key, header, plaintext))
        args.source_port += 1
    print(int(time.monotonic() - begin))
    return 0


def hear_keepalives(args: argparse.Namespace, count: int) -> list[Keepalive]:
    """This many keepalives of --to, as they arrive at --from."""
    tap, key = Tap(args.sender, LOWER), Key.of(pathlib.Path(args.peer_key).read_bytes())
    heard: list[Keepalive] = []
    end = time.monotonic() + count * DEADLINE_S
    while len(heard) < count and time.monotonic() < end:
        for frame in filter(None, (sealed_of(args.under, packet) for packet in tap.read())):
            if Header.parse(frame).type == TYPE_KEEPALIVE:
                keepalive = Keepalive.parse(unseal(key, frame))
                heard += [keepalive] if keepalive.interval else []
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


def exchange(args: argparse.Namespace) -> int:
    """The exchange subcommand: sends every kind of inner frame, which must arrive byte for byte the same."""
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
    """The oversize subcommand: sends non-IP frames of the maximum length that the device allows."""
    tap = Tap(args.to, args.device)
    for _ in range(args.count):
        tap.send(inner_frame("oversize", mtu_of(tap.sock, args.device) + 14, tap.mac, b"\xff" * 6, 0x88B8))
    return 0


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


# linux/errqueue.h and linux/net_tstamp.h; Python has no names for these.
SO_TIMESTAMPING = 37
TX_SOFTWARE, SOFTWARE, OPT_TSONLY = 1 << 1, 1 << 4, 1 << 11


def stamp(args: argparse.Namespace) -> int:
    """The stamp subcommand: one software time stamp of a datagram that leaves."""
    sock = in_namespace(args.to, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, TX_SOFTWARE | SOFTWARE | OPT_TSONLY)
    began = time.time_ns()
    sock.sendto(b"when", (args.address, 9))
    poll = select.poll()
    poll.register(sock, 0)  # POLLERR alone: the stamp is in the error queue
    if not poll.poll(DEADLINE_S * 1000):
        print("# no time stamp")
        return 1
    messages = sock.recvmsg(1, 512, socket.MSG_ERRQUEUE)[1]
    data = next(data for level, kind, data in messages if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPING))
    seconds, nanoseconds = struct.unpack_from("@ll", data)
    print(seconds * 1_000_000_000 + nanoseconds - began)
    return 0


def listen(args: argparse.Namespace) -> int:
    """The listen subcommand: waits for this many frames at a device and prints their EtherTypes."""
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
    """The payload subcommand: writes random bytes with the marker in every 64 of them."""
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
    sub.add_argument("--address", help="where they come from; the address of --from unless given")
    sub = command("vectors", vectors, "from", "to", "under")
    sub.add_argument("group", type=int)
    command("resend", resend, "from", "to", "under")
    sub = command("replay", replay, "from", "to", "under")
    sub.add_argument("pcap")
    sub.add_argument("--expect", help="the counter that every frame moves")
    sub.add_argument("--address", help="where they come from; the address of --from unless given")
    sub = command("beacons", beacons, "from", "to", "under")
    sub.add_argument("--key", required=True)
    sub.add_argument("--epoch", type=int, default=1)
    sub.add_argument("--sequence", type=int, required=True)
    sub.add_argument("--stamp", type=int, required=True)
    sub.add_argument("--count", type=int, default=1)
    sub.add_argument("--address")
    sub.add_argument("--source-port", type=int, default=40000)
    sub.add_argument("--interval", type=int, default=0)
    sub = command("answer", answer, "from", "to", "under")
    sub.add_argument("echo", choices=("last", "old", "unsent", "none"))
    sub.add_argument("--key", required=True)
    sub.add_argument("--peer-key", required=True)
    sub.add_argument("--sequence", type=int, required=True)
    sub = command("exchange", exchange, "from", "to")
    sub.add_argument("--marker", default="qlink inner text")
    sub = command("stamp", stamp, "to")
    sub.add_argument("address")
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
