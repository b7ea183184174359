#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Large frames, and the segments that they were cut into.

  segments.py same MAC REFERENCE INNER	compares TCP and UDP of MAC in two captures, flow by flow
  segments.py large MAC BYTES PCAP	prints as JSON how many of its frames exceed BYTES, and how many of those have a CWR
  segments.py udp ADDRESS PORT SIZE BYTES	sends BYTES in datagrams of SIZE with one call (UDP_SEGMENT)
  segments.py stamped ADDRESS PORT BYTES	sends over TCP; the kernel must report when the last byte was sent
"""

from __future__ import annotations

import collections
import json
import pathlib
import select
import socket
import struct
import sys
from collections.abc import Iterator

from capture import l3_of, read_pcap, read_records

UDP_CORK, UDP_SEGMENT = 1, 103
SO_TIMESTAMPING, TX_SOFTWARE, SOFTWARE, OPT_ID, OPT_TSONLY = 37, 1 << 1, 1 << 4, 1 << 7, 1 << 11
IP_RECVERR = 11
TCP, UDP = 6, 17


def sender_of(mac: str) -> bytes:
    """A MAC address as the bytes in a frame."""
    return bytes.fromhex(mac.replace(":", ""))


def frames_of(mac: str, path: str) -> list[bytes]:
    """The frames in a capture that a MAC address sent."""
    return [frame for frame in read_pcap(pathlib.Path(path).read_bytes()) if frame[6:12] == sender_of(mac)]


def transport_of(frame: bytes) -> tuple[int, int]:
    """Protocol and offset of the data after an IP header without extensions; 0, 0 if there is none."""
    ethertype, offset = l3_of(frame)
    if ethertype == 0x0800:
        return frame[offset + 9], offset + (frame[offset] & 15) * 4
    if ethertype == 0x86DD:
        return frame[offset + 6], offset + 40
    return 0, 0


def normal(frame: bytes) -> bytes:
    """The frame; a TCP checksum of 0 is replaced by its usual form, 0xffff."""
    protocol, at = transport_of(frame)
    if protocol == TCP and frame[at + 16 : at + 18] == b"\0\0":
        return frame[: at + 16] + b"\xff\xff" + frame[at + 18 :]
    return frame


def flows(mac: str, path: str) -> dict[bytes, list[bytes]]:
    """TCP and UDP frames by protocol and ports, in order; other frames have no fixed order."""
    out: dict[bytes, list[bytes]] = collections.defaultdict(list)
    for frame in frames_of(mac, path):
        protocol, at = transport_of(frame)
        if protocol in (TCP, UDP):
            out[bytes([protocol]) + frame[at : at + 4]].append(normal(frame))
    return out


def same(mac: str, reference: str, inner: str) -> int:
    """The same subcommand: how many frames and bytes, or the first difference."""
    wanted, got = flows(mac, reference), flows(mac, inner)
    for flow in wanted.keys() | got.keys():
        for number, (one, other) in enumerate(zip(wanted[flow], got[flow])):
            if one != other:
                print(f"flow {flow.hex()}, frame {number}:\n want {one[:96].hex()}\n  got {other[:96].hex()}")
                return 1
        if len(wanted[flow]) != len(got[flow]):
            print(f"flow {flow.hex()}: {len(got[flow])} frames, must be {len(wanted[flow])}")
            return 1
    all_of = [frame for flow in wanted.values() for frame in flow]
    print(json.dumps({"frames": len(all_of), "bytes": sum(map(len, all_of))}))
    return 0


def large(mac: str, least: str, path: str) -> int:
    """The large subcommand."""
    cwr = 0
    records = read_records(pathlib.Path(path).read_bytes())
    found = [frame for length, frame in records if length > int(least) and frame[6:12] == sender_of(mac)]
    for frame in found:
        protocol, at = transport_of(frame)
        cwr += protocol == TCP and frame[at + 13] >> 7
    print(json.dumps({"large": len(found), "cwr": cwr}))
    return 0


def udp(address: str, port: str, size: str, length: str) -> int:
    """The udp subcommand."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_UDP, UDP_SEGMENT, int(size))
        data = bytes(at * 7 & 255 for at in range(int(length)))
        return int(sock.sendto(data, (address, int(port))) != len(data))


def stamps_of(sock: socket.socket, patience: float) -> Iterator[int]:
    """The bytes for which the kernel reports when they were sent: the last one of each send()."""
    poll = select.poll()
    poll.register(sock, select.POLLERR)
    while poll.poll(patience * 1000):
        for level, kind, data in sock.recvmsg(0, 512, socket.MSG_ERRQUEUE)[1]:
            if (level, kind) == (socket.SOL_IP, IP_RECVERR):
                yield struct.unpack_from("=IBBBBII", data)[6]


def stamped(address: str, port: str, length: str) -> int:
    """The stamped subcommand."""
    with socket.create_connection((address, int(port)), timeout=30) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, TX_SOFTWARE | SOFTWARE | OPT_ID | OPT_TSONLY)
        sock.sendall(bytes(int(length)))
        last = int(length) - 1
        return int(not any(byte == last for byte in stamps_of(sock, 20)))


def main() -> int:
    """Parses the command line."""
    return {"same": same, "large": large, "udp": udp, "stamped": stamped}[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
