# SPDX-License-Identifier: GPL-2.0
"""Network devices, and namespaces to make sockets in."""

from __future__ import annotations

import fcntl
import os
import pathlib
import socket
import struct
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_namespace(name: str, make: Callable[[], T]) -> T:
    """The result of make() when run in a network namespace ("" is our own); sockets that it makes stay there."""
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


def mtu_of(sock: socket.socket, device: str) -> int:
    """The MTU of a device in the socket's namespace."""
    return struct.unpack_from("=i", fcntl.ioctl(sock, 0x8921, struct.pack("16s24x", device.encode())), 16)[0]
