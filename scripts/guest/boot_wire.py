#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Says what is in a capture of the wire of scripts/at-boot, and fails if a frame of it is in clear.

usage: boot_wire.py CAPTURE | --self-test

A frame may be sealed, or be TLS of the agents and of the KMEs, or what keeps an Ethernet
going: ARP for addresses of the wire, neighbour discovery, group membership, ICMP errors.
Anything else is in clear, and so is any frame with the pattern that the pings have.
"""

import collections
import struct
import sys

WIRE = b"\xc0\x00\x02"          # 192.0.2.0/24
PATTERN = b"qlinkqlink"
SEALED_PORT, TLS_PORTS = 7000, {7511, 8441, 8442}


def frames(path):
    """The frames of a capture by QEMU: (seconds, bytes)."""
    with open(path, "rb") as file:
        magic, *_ = struct.unpack("<IHHiIII", file.read(24))
        if magic != 0xA1B2C3D4:
            raise ValueError(f"{path}: not a capture")
        while len(head := file.read(16)) == 16:
            seconds, micros, length, _ = struct.unpack("<IIII", head)
            yield seconds + micros / 1e6, file.read(length)


def of_ipv4(packet):
    """What an IPv4 packet is."""
    head = (packet[0] & 15) * 4
    source, target, protocol, rest = packet[12:16], packet[16:20], packet[9], packet[head:]
    if protocol == 2 and source[:3] == WIRE:
        return "group membership"
    if source[:3] != WIRE or target[:3] != WIRE:
        return None
    if protocol == 17 and SEALED_PORT == struct.unpack(">H", rest[2:4])[0]:
        return "sealed, over UDP"
    if protocol == 6 and TLS_PORTS & set(struct.unpack(">HH", rest[:4])):
        return "TLS"
    if protocol == 1 and rest[0] in (3, 11):
        return "ICMP error"
    return None


def of_ipv6(packet):
    """What an IPv6 packet is."""
    # MLD has an option in front.
    protocol = packet[40] if packet[6] == 0 else packet[6]
    is_local = packet[8:10] == b"\xfe\x80" or packet[8:24] == bytes(16)
    return "neighbour discovery" if protocol == 58 and is_local else None


def kind(frame):
    """What a frame is, or None for one in clear."""
    if PATTERN in frame:
        return None
    ethertype, body = frame[12:14], frame[14:]
    if ethertype == b"\x81\x00":
        ethertype, body = body[2:4], body[4:]
    if ethertype == b"\x88\xb5":
        return "sealed, over Ethernet"
    if ethertype == b"\x08\x06" and body[24:27] == WIRE and body[14:17] in (WIRE, b"\0\0\0"):
        return "ARP"
    if ethertype == b"\x08\x00":
        return of_ipv4(body)
    return of_ipv6(body) if ethertype == b"\x86\xdd" else None


def judge(captured):
    """Prints what there is, and returns how many frames are in clear."""
    count, clear = collections.Counter(), []
    for seconds, frame in captured:
        what = kind(frame)
        count[what or "in clear"] += 1
        if not what:
            clear.append((seconds, frame))
    print("on the wire: " + ", ".join(f"{n} {what}" for what, n in sorted(count.items(), key=str)) +
          ("" if clear else "; 0 in clear"))
    for seconds, frame in clear[:5]:
        print(f"in clear at {seconds:.3f}: {frame[:64].hex()}")
    for what in ("sealed, over UDP", "sealed, over Ethernet", "TLS"):
        if count[what] < 50:
            print(f"only {count[what]} frames are {what}: must be 50 or more")
            return 1
    return len(clear)


def self_test():
    """Each of these frames must be what it is."""
    def ipv4(source, target, protocol, rest):
        return (b"\x02" * 12 + b"\x08\x00\x45" + bytes(8) + bytes([protocol]) + bytes(2) +
                bytes(source) + bytes(target) + rest)

    here, there, inside = (192, 0, 2, 1), (192, 0, 2, 2), (10, 9, 0, 2)
    rows = [
        ("sealed, over UDP", ipv4(here, there, 17, struct.pack(">HH", 50000, 7000))),
        (None, ipv4(here, there, 17, struct.pack(">HH", 50000, 53))),
        (None, ipv4(here, inside, 1, b"\x08\0")),
        (None, ipv4(here, there, 17, struct.pack(">HH", 50000, 7000) + b"xqlinkqlink")),
        ("TLS", ipv4(there, here, 6, struct.pack(">HH", 8441, 50000))),
        (None, ipv4(here, there, 1, b"\x08\0")),
        ("ICMP error", ipv4(here, there, 1, b"\x03\x03")),
        ("sealed, over Ethernet", b"\x02" * 12 + b"\x81\0\0\5\x88\xb5" + bytes(40)),
        ("ARP", b"\x02" * 12 + b"\x08\x06" + bytes(14) + WIRE + bytes(7) + WIRE + b"\1"),
        (None, b"\x02" * 12 + b"\x08\x06" + bytes(14) + WIRE + bytes(7) + b"\x0a\x09\0\2"),
        (None, b"\x02" * 12 + b"\x88\xcc" + bytes(40)),
    ]
    for want, frame in rows:
        if kind(frame) != want:
            print(f"{frame.hex()}: got {kind(frame)}, want {want}")
            return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--self-test":
        sys.exit(self_test())
    sys.exit(1 if judge(frames(sys.argv[1])) else 0)
