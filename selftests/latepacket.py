#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Deletes a link while a packet to its port is being received.

  latepacket.py FROM TO ADDRESS PORT DEVICE

Sends a packet of two datagrams from namespace FROM to ADDRESS and PORT in namespace TO. As soon as TO has received it,
another CPU deletes DEVICE there.
"""

from __future__ import annotations

import os
import pathlib
import socket
import struct
import sys
import threading
import time

UDP_SEGMENT, RTM_DELLINK, REQUEST, ACK, PATIENCE = 103, 17, 0x1, 0x4, 20.0


def enter(namespace: str, cpu: int) -> None:
    """From now on, this thread acts in that namespace, on that CPU."""
    with open(f"/run/netns/{namespace}", encoding="ascii") as file:
        os.setns(file.fileno(), os.CLONE_NEWNET)
    os.sched_setaffinity(0, {cpu})


def send(namespace: str, address: str, port: int) -> None:
    """The sender's thread: over a virtual wire, the packet is received before this returns."""
    enter(namespace, 0)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1000)
    sock.sendto(bytes(2000), (address, port))


def received() -> int:
    """The number of IPv4 packets that have come to the thread's namespace."""
    lines = pathlib.Path("/proc/thread-self/net/snmp").read_text(encoding="ascii").splitlines()
    names, values = (line.split() for line in lines if line.startswith("Ip:"))
    return int(values[names.index("InReceives")])


def main(sender: str, receiver: str, address: str, port: str, device: str) -> int:
    """The deleting thread."""
    enter(receiver, 1)
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    index, before, end = socket.if_nametoindex(device), received(), time.monotonic() + PATIENCE
    thread = threading.Thread(target=send, args=(sender, address, int(port)))
    thread.start()
    while received() == before:
        if time.monotonic() > end:
            return 1
    sock.send(struct.pack("=IHHIIBxHiII", 32, RTM_DELLINK, REQUEST | ACK, 1, 0, 0, 0, index, 0, 0))
    errno = -struct.unpack_from("=i", sock.recv(4096), 16)[0]
    thread.join()
    return errno


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
