#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Very many links: installs keys for each, and sends frames through all of them.

  many.py NS1 NS2 COUNT		links q1 to qCOUNT in both namespaces; runs in NS1

Every frame must arrive through the link it was sent to. At the end one link of NS1
is deleted under traffic on the others, which must not lose a frame.
"""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import subprocess
import sys

import nlraw

ETHERTYPE, CHUNK, PATIENCE = 0x88B7, 100, 30.0


def enter(namespace: str) -> None:
    """Makes sockets in another network namespace from here on."""
    with open(f"/run/netns/{namespace}", encoding="ascii") as file:
        os.setns(file.fileno(), os.CLONE_NEWNET)


def key(direction: int, sender: int, link: int) -> bytes:
    """A key that both ends compute."""
    material = hashlib.sha512(f"{sender} {link}".encode()).digest()
    return nlraw.key(direction=nlraw.u8(nlraw.K_DIRECTION, direction), epoch=nlraw.u64(nlraw.K_EPOCH, 1),
                     raw=nlraw.attr(nlraw.K_KEY, material[:32]), salt=nlraw.attr(nlraw.K_SALT, material[32:44]))


def install(end: int, count: int) -> None:
    """Both keys of every link of one end, which is 0 or 1."""
    family = nlraw.Family()
    for link in range(1, count + 1):
        index = nlraw.u32(nlraw.A_IFINDEX, socket.if_nametoindex(f"q{link}"))
        family.do(nlraw.KEY_INSTALL, index, key(1, 1 - end, link) + key(0, end, link))


def packet_socket(ethertype: int) -> socket.socket:
    """A socket for frames of one type on all devices."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ethertype))
    sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE
    sock.settimeout(PATIENCE)
    return sock


class Wires:
    """All links, seen from both ends."""

    def __init__(self, sender: socket.socket, receiver: socket.socket) -> None:
        self.sender, self.receiver, self.round = sender, receiver, 0

    def send(self, links: list[int]) -> None:
        """Sends a frame through each."""
        for link in links:
            frame = b"\xff" * 6 + b"\x02" + bytes(5) + struct.pack(">HII", ETHERTYPE, link, self.round)
            self.sender.sendto(frame + bytes(46), (f"q{link}", ETHERTYPE))

    def receive(self, links: list[int]) -> None:
        """Waits until all have arrived, each through its own link."""
        missing = set(links)
        while missing:
            frame, origin = self.receiver.recvfrom(2048)
            link, number = struct.unpack_from(">II", frame, 14)
            if origin[0] != f"q{link}":
                raise SystemExit(f"a frame of q{link} arrived through {origin[0]}")
            if number == self.round:
                missing.discard(link)

    def exchange(self, links: list[int]) -> None:
        """Sends and receives, not more at once than the shortest queue holds."""
        self.round += 1
        for at in range(0, len(links), CHUNK):
            self.send(links[at : at + CHUNK])
            self.receive(links[at : at + CHUNK])


def main() -> int:
    """Parses the command line."""
    ns1, ns2, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    install(0, count)
    sender = packet_socket(0)
    enter(ns2)
    install(1, count)
    links = list(range(1, count + 1))
    wires = Wires(sender, packet_socket(ETHERTYPE))
    wires.exchange(links)

    victim = count // 2
    links.remove(victim)
    with subprocess.Popen(["ip", "-n", ns1, "link", "del", f"q{victim}"]) as deleter:
        while deleter.poll() is None:
            wires.exchange(links[: 4 * CHUNK])
    wires.exchange(links)
    print(f"{count} links, {wires.round} rounds")
    return deleter.returncode


if __name__ == "__main__":
    sys.exit(main())
