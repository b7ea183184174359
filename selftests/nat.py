# SPDX-License-Identifier: GPL-2.0
"""Makes the network namespace a NAT, by netlink: all that it forwards leaves with its own address and a random port.

  nat.py

It does what these lines for nft do, of which the VM has only the kernel's part:

  table inet qlink-test { chain nat { type nat hook postrouting priority 100; masquerade fully-random; } }
"""

from __future__ import annotations

import os
import socket
import struct

NETLINK_NETFILTER, NFNL_SUBSYS_NFTABLES, NFPROTO_INET = 12, 10, 1
BATCH_BEGIN, BATCH_END, NEWTABLE, NEWCHAIN, NEWRULE = 16, 17, 0, 3, 6
REQUEST, ACK, CREATE, APPEND, NESTED, NLMSG_ERROR = 1, 4, 0x400, 0x800, 0x8000, 2
POSTROUTING, PRIORITY_SRCNAT, FULLY_RANDOM = 4, 100, 1 << 4


def attr(kind: int, value: bytes) -> bytes:
    """An attribute with its padding."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def text(kind: int, value: str) -> bytes:
    """An attribute of text."""
    return attr(kind, value.encode() + b"\0")


def be32(kind: int, value: int) -> bytes:
    """An attribute of four bytes, big-endian."""
    return attr(kind, struct.pack(">I", value))


def nest(kind: int, *parts: bytes) -> bytes:
    """Attributes in an attribute."""
    return attr(kind | NESTED, b"".join(parts))


def message(kind: int, flags: int, body: bytes = b"") -> bytes:
    """A request about tables, or the begin or the end of a batch of them."""
    is_frame = kind in (BATCH_BEGIN, BATCH_END)
    head = struct.pack(">BBH", 0 if is_frame else NFPROTO_INET, 0, NFNL_SUBSYS_NFTABLES if is_frame else 0)
    kind = kind if is_frame else NFNL_SUBSYS_NFTABLES << 8 | kind
    return struct.pack("=IHHII", 20 + len(body), kind, REQUEST | flags, 1, 0) + head + body


def main() -> int:
    """Sends the batch and reads its answers."""
    masquerade = nest(1, text(1, "masq"), nest(2, be32(1, FULLY_RANDOM)))
    hook = nest(4, be32(1, POSTROUTING), be32(2, PRIORITY_SRCNAT))
    chain = text(1, "qlink-test") + text(3, "nat") + hook + text(7, "nat")
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    sock.send(
        message(BATCH_BEGIN, 0)
        + message(NEWTABLE, CREATE | ACK, text(1, "qlink-test"))
        + message(NEWCHAIN, CREATE | ACK, chain)
        + message(NEWRULE, CREATE | APPEND | ACK, text(1, "qlink-test") + text(2, "nat") + nest(4, masquerade))
        + message(BATCH_END, 0)
    )
    n_answers = 0
    while n_answers < 3:
        data = sock.recv(1 << 16)
        while data:
            length, kind, error = struct.unpack_from("=IH10xi", data)
            data = data[length + 3 & ~3 :]
            if kind == NLMSG_ERROR and error:
                print(f"# nat: {os.strerror(-error)}")
                return 1
            n_answers += 1
    return 0
