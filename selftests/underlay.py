# SPDX-License-Identifier: GPL-2.0
"""The underlay of a link that setup_pair of lib.sh made: how sealed frames get onto it and out of it."""

from __future__ import annotations

import argparse
import fcntl
import os
import socket
import struct

from netdev import address6_of, address_of, in_namespace, mac_of
from segments import UDP_CORK, UDP_SEGMENT
from tap import Tap
from wire import ETHERTYPE

# The device and the port that setup_pair uses at both ends.
LOWER = "veth0"
PORT = 47000
# One that a sender may choose, so that receivers do not report it.
SOURCE_PORT = 49200


class Injector:
    """Sends sealed frames on the underlay as the peer would."""

    def __init__(self, args: argparse.Namespace) -> None:
        probe = in_namespace(args.to, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        if args.under == "eth":
            tap = Tap(args.sender, LOWER, protocol=0)
            head = mac_of(probe, LOWER) + tap.mac + ETHERTYPE.to_bytes(2, "big")
            self.send = lambda frame: tap.send(head + frame)
            return
        source, source_port = getattr(args, "address", None), getattr(args, "source_port", SOURCE_PORT)
        if args.under == "udp6":
            peer = in_namespace(args.to, lambda: address6_of(LOWER))
            sock = in_namespace(args.sender, lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((source or in_namespace(args.sender, lambda: address6_of(LOWER)), source_port))
        else:
            peer = address_of(probe, LOWER)
            sock = in_namespace(args.sender, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((source or address_of(sock, LOWER), source_port))
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


def sealed_of(under: str, outer: bytes) -> bytes | None:
    """The sealed frame in a frame of the underlay, or None."""
    if under == "eth":
        return outer[14:] if outer[12:14] == ETHERTYPE.to_bytes(2, "big") else None
    if under == "udp6":
        is_ours = outer[12:14] == b"\x86\xdd" and outer[20] == 17 and outer[56:58] == PORT.to_bytes(2, "big")
        return outer[62 : 54 + int.from_bytes(outer[58:60], "big")] if is_ours else None
    is_ours = outer[12:14] == b"\x08\x00" and outer[23] == 17 and outer[36:38] == PORT.to_bytes(2, "big")
    return outer[42 : 34 + int.from_bytes(outer[38:40], "big")] if is_ours else None
