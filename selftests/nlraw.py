#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The netlink family by hand: the raw bytes of every dump, and requests that no tool makes.

  nlraw.py dump DEVICE		every reply of link-get, key-get and record-get, in hex
  nlraw.py refuse DEVICE	sends malformed requests; each must be refused and change nothing
  nlraw.py room DEVICE		needed headroom and tailroom, where the kernel shows them
  nlraw.py delete DEVICE DIRECTION:EPOCH...
				deletes keys, in one message
  nlraw.py interrupt DEVICE [nothing]
				dumps the keys and installs one in the middle, unless told "nothing"; prints whether
				the dump was marked as interrupted
  nlraw.py answer DEVICE REQUEST [VALUE]
				prints the errno's name and the message that answer REQUEST, or "ok"

Works in the network namespace in which it runs.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Callable

NETLINK_ROUTE, RTM_NEWLINK, RTM_GETLINK = 0, 16, 18
IFLA_LINKINFO, IFLA_INFO_KIND, IFLA_INFO_DATA, IFLA_HEADROOM, IFLA_TAILROOM = 18, 1, 2, 68, 69
NETLINK_GENERIC, SOL_NETLINK, NETLINK_EXT_ACK, NETLINK_GET_STRICT = 16, 270, 11, 12
REQUEST, ACK, DUMP, CAPPED, ACK_TLVS = 0x1, 0x4, 0x300, 0x100, 0x200
NLMSG_ERROR, NLMSG_DONE, CTRL = 2, 3, 16
NESTED = 0x8000
DUMP_INTR = 0x10

# The order of include/netlink/qlink.yaml.
LINK_GET, LINK_SET, KEY_INSTALL, KEY_DEL, KEY_GET, ROTATE, EVENT, RECORD_GET = 1, 2, 3, 4, 5, 6, 7, 8
A_IFINDEX, A_IFNAME, A_LINK, A_KEY, A_STATS, A_PORT, A_EVENT, A_RECORD, A_AFTER = 1, 2, 3, 4, 5, 6, 7, 8, 9
(K_PAD, K_DIRECTION, K_EPOCH, K_SOURCE, K_KME, K_KEY, K_SALT, K_BLOCKS, K_STATE, K_FRAMES, K_BYTES,
 K_KMES) = range(1, 13)
(L_ID, L_UNDERLAY, L_LOWER, L_ETHERTYPE, L_PEER, L_LOCAL, L_REMOTE, L_PORT, L_SOURCE_PORTS, L_ACCEPT, L_STATE, L_TX,
 L_RX, L_WIPES, L_WIPED_BY, L_PAD, L_REKEY_MS, L_REKEY_FRAMES, L_REKEY_BYTES, L_HARD_SECONDS,
 L_GRACE_MS, L_KEYS_LOW, L_KEEPALIVE_MS, L_PEER_HEARD, L_PEER_EPOCH, L_ECHO_US, L_BLOCKS2_LOG2, L_BLOCKS2,
 L_GENERATION, L_DEV, L_DSCP, L_ECN, L_TTL, L_FWMARK) = range(1, 35)
L_ACCEPT_KMES = 44
SOURCES = ("qkd", "hybrid", "pqc", "static")
STATIC = SOURCES.index("static")


def attr(kind: int, data: bytes) -> bytes:
    """One attribute."""
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def u8(kind: int, value: int) -> bytes:
    """An attribute of one byte."""
    return attr(kind, struct.pack("=B", value))


def u16(kind: int, value: int) -> bytes:
    """An attribute of two bytes."""
    return attr(kind, struct.pack("=H", value))


def be16(kind: int, value: int) -> bytes:
    """An attribute of two bytes, big-endian."""
    return attr(kind, struct.pack(">H", value))


def u32(kind: int, value: int) -> bytes:
    """An attribute of four bytes."""
    return attr(kind, struct.pack("=I", value))


def u64(kind: int, value: int) -> bytes:
    """An attribute of eight bytes."""
    return attr(kind, struct.pack("=Q", value))


def nest(kind: int, *parts: bytes) -> bytes:
    """Attributes in an attribute."""
    return attr(kind | NESTED, b"".join(parts))


def attrs(data: bytes) -> list[tuple[int, bytes]]:
    """The attributes of a message, one level."""
    out, at = [], 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        out.append((kind & 0x3FFF, data[at + 4 : at + length]))
        at += length + 3 & ~3
    return out


class Refusal(Exception):
    """The errno of an answer, its message if any, and the offset of the attribute that it names, or -1."""

    def __init__(self, code: int, text: str, told: bool, offset: int) -> None:
        super().__init__(code, text)
        self.code, self.text, self.told, self.offset = code, text, told, offset


class Family:
    """A socket, and the number of the family."""

    def __init__(self) -> None:
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT, 1)
        self.sock.bind((0, 0))
        reply = self.ask(CTRL, 3, attr(2, b"qlink\0"), ACK)[0]
        self.number = struct.unpack("=H", dict(attrs(reply[20:]))[1])[0]

    def ask(self, kind: int, command: int, body: bytes, flags: int) -> list[bytes]:
        """Like exchange(), for generic netlink."""
        return self.exchange(kind, struct.pack("=BBH", command, 1, 0) + body, flags)

    def exchange(self, kind: int, message: bytes, flags: int) -> list[bytes]:
        """The complete messages that answer a request; Refusal if it is refused."""
        self.sock.send(struct.pack("=IHHII", 16 + len(message), kind, REQUEST | flags, 1, 0) + message)
        replies: list[bytes] = []
        while True:
            data = self.sock.recv(1 << 18)
            while data:
                length, kind, reply_flags = struct.unpack_from("=IHH", data)
                message, data = data[:length], data[length + 3 & ~3 :]
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    self._check(message, reply_flags, kind)
                    return replies
                replies.append(message)

    @staticmethod
    def _check(message: bytes, flags: int, kind: int) -> None:
        code = -struct.unpack_from("=i", message, 16)[0] if len(message) >= 20 else 0
        if not code:
            return
        at = 20
        if kind == NLMSG_ERROR:
            at = 36 if flags & CAPPED else 20 + (struct.unpack_from("=I", message, 20)[0] + 3 & ~3)
        told = dict(attrs(message[at:])) if flags & ACK_TLVS else {}
        offset = struct.unpack("=I", told[2])[0] if 2 in told else -1
        raise Refusal(code, told.get(1, b"").rstrip(b"\0").decode(), bool(told.keys() & {1, 2, 5, 6}), offset)

    def do(self, command: int, *parts: bytes) -> list[bytes]:
        """A request with an acknowledgement."""
        return self.ask(self.number, command, b"".join(parts), ACK)

    def dump(self, command: int, *parts: bytes) -> list[bytes]:
        """A dump."""
        return self.ask(self.number, command, b"".join(parts), DUMP)


def key(*, raw: bytes = b"", salt: bytes = b"", epoch: bytes = b"", **more: bytes) -> bytes:
    """A transmit key; every field is valid, except those given."""
    parts = {
        "direction": u8(K_DIRECTION, 0),
        "epoch": epoch or u64(K_EPOCH, 1000),
        "source": u8(K_SOURCE, STATIC),
        "raw": raw or attr(K_KEY, os.urandom(32)),
        "salt": salt or attr(K_SALT, os.urandom(12)),
    }
    return nest(A_KEY, *(parts | more).values())


class Route(Family):
    """A socket of rtnetlink."""

    def __init__(self) -> None:  # pylint: disable=super-init-not-called
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.bind((0, 0))

    def link(self, kind: int, index: int, body: bytes = b"") -> list[bytes]:
        """RTM_GETLINK or RTM_NEWLINK of one device."""
        header = struct.pack("=BxHiII", 0, 0, index, 0, 0)
        return self.exchange(kind, header + body, ACK)


NOTHING = attr(0x3FFF, b"")[:0]

BAD_KEYS: list[tuple[str, Callable[[], bytes]]] = [
    ("no key at all", lambda: b""),
    ("an empty key", lambda: nest(A_KEY)),
    ("31 bytes of key", lambda: key(raw=attr(K_KEY, os.urandom(31)))),
    ("33 bytes of key", lambda: key(raw=attr(K_KEY, os.urandom(33)))),
    ("0 bytes of key", lambda: key(raw=attr(K_KEY, b""))),
    ("11 bytes of salt", lambda: key(salt=attr(K_SALT, os.urandom(11)))),
    ("13 bytes of salt", lambda: key(salt=attr(K_SALT, os.urandom(13)))),
    ("epoch 0", lambda: key(epoch=u64(K_EPOCH, 0))),
    ("epoch 2^48", lambda: key(epoch=u64(K_EPOCH, 1 << 48))),
    ("epoch 2^64 - 1", lambda: key(epoch=u64(K_EPOCH, (1 << 64) - 1))),
    ("epoch of 4 bytes", lambda: key(epoch=u32(K_EPOCH, 1000))),
    ("direction 2", lambda: key(direction=u8(K_DIRECTION, 2))),
    ("source 4", lambda: key(source=u8(K_SOURCE, 4))),
    ("source 255", lambda: key(source=u8(K_SOURCE, 255))),
    ("a KME of a static key", lambda: key(kmes=u8(K_KMES, 1))),
    ("a number of KMEs of 4 bytes", lambda: key(kmes=u32(K_KMES, 0))),
    ("15 bytes of KME key ID", lambda: key(kme=attr(K_KME, os.urandom(15)))),
    ("17 bytes of KME key ID", lambda: key(kme=attr(K_KME, os.urandom(17)))),
    ("no blocks", lambda: key(blocks=u64(K_BLOCKS, 0))),
    ("2^30 + 1 blocks", lambda: key(blocks=u64(K_BLOCKS, (1 << 30) + 1))),
    ("blocks for a receive key", lambda: key(direction=u8(K_DIRECTION, 1), blocks=u64(K_BLOCKS, 5))),
    ("a state, which is read only", lambda: key(state=u8(K_STATE, 1))),
    ("a frame count, which is read only", lambda: key(frames=u64(K_FRAMES, 1))),
    ("an attribute that there is none of", lambda: key(odd=u32(99, 1))),
    ("no direction", lambda: key(direction=NOTHING)),
    ("no epoch", lambda: nest(A_KEY, u8(K_DIRECTION, 0), u8(K_SOURCE, STATIC), attr(K_KEY, bytes(32)),
                              attr(K_SALT, bytes(12)))),
    ("no source", lambda: key(source=NOTHING)),
    ("no key bytes", lambda: nest(A_KEY, u8(K_DIRECTION, 0), u64(K_EPOCH, 1000), u8(K_SOURCE, STATIC),
                                  attr(K_SALT, bytes(12)))),
    ("no salt", lambda: nest(A_KEY, u8(K_DIRECTION, 0), u64(K_EPOCH, 1000), u8(K_SOURCE, STATIC),
                             attr(K_KEY, bytes(32)))),
    ("a good key and a bad one", lambda: key() + key(raw=attr(K_KEY, bytes(5)), epoch=u64(K_EPOCH, 1001))),
    ("a good key and an old one", lambda: key() + key()),
    ("two equal keys", lambda: key(raw=attr(K_KEY, b"x" * 32)) + key(raw=attr(K_KEY, b"x" * 32),
                                                                     epoch=u64(K_EPOCH, 1001))),
]

BAD_LINKS: list[tuple[str, bytes]] = [
    ("no link", b""),
    ("id 0", nest(A_LINK, u16(L_ID, 0))),
    ("an id of 4 bytes", nest(A_LINK, u32(L_ID, 7))),
    ("EtherType 0x05ff", nest(A_LINK, be16(L_ETHERTYPE, 0x05FF))),
    ("EtherType 0", nest(A_LINK, be16(L_ETHERTYPE, 0))),
    ("a peer of 5 bytes", nest(A_LINK, attr(L_PEER, bytes(5)))),
    ("a peer of 7 bytes", nest(A_LINK, attr(L_PEER, bytes(7)))),
    ("a multicast peer", nest(A_LINK, attr(L_PEER, b"\x01\x00\x5e\x00\x00\x01"))),
    ("a peer of zeros", nest(A_LINK, attr(L_PEER, bytes(6)))),
    ("a local address of 5 bytes", nest(A_LINK, attr(L_LOCAL, bytes(5)))),
    ("a local address of 17 bytes", nest(A_LINK, attr(L_LOCAL, bytes(17)))),
    ("source-ports 0", nest(A_LINK, u16(L_SOURCE_PORTS, 0))),
    ("source-ports 65", nest(A_LINK, u16(L_SOURCE_PORTS, 65))),
    ("port 0", nest(A_LINK, be16(L_PORT, 0))),
    ("a dev without an end", nest(A_LINK, attr(L_DEV, b"0123456789abcdef"))),
    ("a dev of 17 bytes", nest(A_LINK, attr(L_DEV, b"0123456789abcdef\0"))),
    ("dscp 65", nest(A_LINK, u8(L_DSCP, 65))),
    ("ecn 2", nest(A_LINK, u8(L_ECN, 2))),
    ("ttl 257", nest(A_LINK, u16(L_TTL, 257))),
    ("fwmark of 8 bytes", nest(A_LINK, u64(L_FWMARK, 1))),
    ("a lower device that there is none of", nest(A_LINK, u32(L_LOWER, 0x7FFFFFFF))),
    ("lower device 0", nest(A_LINK, u32(L_LOWER, 0))),
    ("accept 0x10", nest(A_LINK, u32(L_ACCEPT, 0x10))),
    ("accept 0xffffffff", nest(A_LINK, u32(L_ACCEPT, 0xFFFFFFFF))),
    ("accept-kmes 0", nest(A_LINK, u8(L_ACCEPT_KMES, 0))),
    ("accept-kmes 9", nest(A_LINK, u8(L_ACCEPT_KMES, 9))),
    ("accept-kmes of 4 bytes", nest(A_LINK, u32(L_ACCEPT_KMES, 2))),
    ("rekey-ms above a day", nest(A_LINK, u32(L_REKEY_MS, 86400001))),
    ("rekey-ms of 8 bytes", nest(A_LINK, u64(L_REKEY_MS, 5))),
    ("rekey-frames above 2^48", nest(A_LINK, u64(L_REKEY_FRAMES, (1 << 48) + 1))),
    ("rekey-bytes of 4 bytes", nest(A_LINK, u32(L_REKEY_BYTES, 5))),
    ("hard-seconds 0", nest(A_LINK, u32(L_HARD_SECONDS, 0))),
    ("hard-seconds above a week", nest(A_LINK, u32(L_HARD_SECONDS, 604801))),
    ("grace-ms 0", nest(A_LINK, u32(L_GRACE_MS, 0))),
    ("grace-ms above a minute", nest(A_LINK, u32(L_GRACE_MS, 60001))),
    ("keepalive-ms 9", nest(A_LINK, u32(L_KEEPALIVE_MS, 9))),
    ("keepalive-ms above a minute", nest(A_LINK, u32(L_KEEPALIVE_MS, 60001))),
    ("keepalive-ms of 2 bytes", nest(A_LINK, u16(L_KEEPALIVE_MS, 100))),
    ("a peer that is heard, which is read only", nest(A_LINK, u8(L_PEER_HEARD, 1))),
    ("blocks2-log2 15", nest(A_LINK, u8(L_BLOCKS2_LOG2, 15))),
    ("blocks2-log2 80", nest(A_LINK, u8(L_BLOCKS2_LOG2, 80))),
    ("blocks2-log2 of 4 bytes", nest(A_LINK, u32(L_BLOCKS2_LOG2, 77))),
    ("a sum of blocks, which is read only", nest(A_LINK, u64(L_BLOCKS2, 1))),
    ("a generation, which is read only", nest(A_LINK, u32(L_GENERATION, 1))),
    ("a count of wipes, which is read only", nest(A_LINK, u32(L_WIPES, 1))),
    ("a state, which is read only", nest(A_LINK, u8(L_STATE, 4))),
    ("an underlay, which is read only", nest(A_LINK, u8(L_UNDERLAY, 1))),
    ("a ring, which is read only", nest(A_LINK, nest(L_TX))),
    ("an attribute that there is none of", nest(A_LINK, u32(99, 1))),
]


def strip(message: bytes) -> list[tuple[int, bytes]]:
    """A reply without its counters and other fields that change from reply to reply."""
    return [(kind, data) for kind, data in attrs(message[20:]) if kind not in (A_STATS, A_PORT)]


def state(family: Family, index: bytes) -> list[list[tuple[int, bytes]]]:
    """The state of a link: its configuration, its rings and its keys."""
    return [strip(m) for m in family.do(LINK_GET, index) + family.dump(KEY_GET, index)]


def refuse(device: str) -> int:
    """The refuse subcommand."""
    family, problems = Family(), []
    index = u32(A_IFINDEX, socket.if_nametoindex(device))
    lo = u32(A_IFINDEX, socket.if_nametoindex("lo"))
    nobody = u32(A_IFINDEX, 0x7FFFFFFF)
    victims = [(f"key-install, {why}", KEY_INSTALL, index + make()) for why, make in BAD_KEYS]
    victims += [(f"link-set, {why}", LINK_SET, index + link) for why, link in BAD_LINKS]
    for which, name in ((lo, "lo"), (nobody, "no device"), (b"", "no ifindex"), (u32(A_IFINDEX, 0), "ifindex 0")):
        victims += [
            (f"key-install on {name}", KEY_INSTALL, which + key()),
            (f"key-del on {name}", KEY_DEL, which + nest(A_KEY, u8(K_DIRECTION, 0), u64(K_EPOCH, 1))),
            (f"link-set on {name}", LINK_SET, which + nest(A_LINK, u16(L_ID, 9))),
            (f"link-get of {name}", LINK_GET, which),
        ]
    victims += [
        ("key-del of an epoch that there is none of", KEY_DEL,
         index + nest(A_KEY, u8(K_DIRECTION, 0), u64(K_EPOCH, 999))),
        ("key-del with key bytes", KEY_DEL,
         index + nest(A_KEY, u8(K_DIRECTION, 0), u64(K_EPOCH, 1), attr(K_KEY, bytes(32)))),
        ("key-del of nothing", KEY_DEL, index),
        ("rotate with nothing staged", ROTATE, index),
        ("command 99", 99, index),
        ("a name, which is for replies", LINK_GET, index + attr(A_IFNAME, b"qlink0\0")),
    ]
    before = state(family, index)
    for why, command, body in victims:
        try:
            family.do(command, body)
            problems.append(f"{why}: not refused")
        except Refusal as refusal:
            if not refusal.told and refusal.code not in (errno.ENODEV, errno.EOPNOTSUPP):
                problems.append(f"{why}: {errno.errorcode[refusal.code]} without a message")
        if state(family, index) != before:
            problems.append(f"{why}: changed the link")
            before = state(family, index)
    # The requests above were refused for what their rows say: the one that they derive from is accepted.
    family.do(KEY_INSTALL, index, key())
    family.do(KEY_DEL, index, nest(A_KEY, u8(K_DIRECTION, 0), u64(K_EPOCH, 1000)))
    for problem in problems[:20]:
        print(f"# {problem}")
    print(f"{len(victims)} requests, {len(problems)} problems")
    return 1 if problems else 0


def dump(device: str) -> int:
    """The dump subcommand."""
    family = Family()
    index = u32(A_IFINDEX, socket.if_nametoindex(device))
    for message in family.do(LINK_GET, index) + family.dump(LINK_GET):
        print(message.hex())
    for message in family.dump(KEY_GET, index) + family.dump(RECORD_GET, index):
        print(message.hex())
    return 0


def interrupt(device: str, what: str = "") -> int:
    """The interrupt subcommand."""
    family, other = Family(), Family()
    index = u32(A_IFINDEX, socket.if_nametoindex(device))
    request = struct.pack("=BBH", KEY_GET, 1, 0) + index
    family.sock.send(struct.pack("=IHHII", 16 + len(request), family.number, REQUEST | DUMP, 1, 0) + request)
    flags, done, n = 0, False, 0
    while not done:
        data = family.sock.recv(1 << 18)
        if not n and not what:
            other.do(KEY_INSTALL, index, key(epoch=u64(K_EPOCH, 1 << 20)))
        while data:
            length, kind, message_flags = struct.unpack_from("=IHH", data)
            flags, done, n = flags | message_flags, kind == NLMSG_DONE, n + 1
            data = data[length + 3 & ~3 :]
    print("interrupted" if flags & DUMP_INTR else "whole")
    return 0


def room(device: str) -> int:
    """The room subcommand."""
    reply = dict(attrs(Route().link(RTM_GETLINK, socket.if_nametoindex(device))[0][32:]))
    print(*(struct.unpack("=H", reply[kind][:2])[0] for kind in (IFLA_HEADROOM, IFLA_TAILROOM) if kind in reply))
    return 0


# One valid key, and faults of others.
ONE, BYTES = u64(K_EPOCH, 1), attr(K_KEY, b"k" * 32)
ANSWERS: dict[str, tuple[int, Callable[[str], bytes]]] = {
    "id": (LINK_SET, lambda value: nest(A_LINK, u16(L_ID, int(value)))),
    "id-of-4-bytes": (LINK_SET, lambda value: nest(A_LINK, u32(L_ID, int(value)))),
    "peer": (LINK_SET, lambda value: nest(A_LINK, attr(L_PEER, bytes.fromhex(value.replace(":", ""))))),
    "accept-kmes": (LINK_SET, lambda value: nest(A_LINK, u8(L_ACCEPT_KMES, int(value)))),
    "accept": (LINK_SET, lambda value: nest(A_LINK, u32(L_ACCEPT, int(value)))),
    "keepalive-ms": (LINK_SET, lambda value: nest(A_LINK, u32(L_KEEPALIVE_MS, int(value)))),
    "lower": (LINK_SET, lambda value: nest(A_LINK, u32(L_LOWER, socket.if_nametoindex(value)))),
    "no-link": (LINK_SET, lambda value: b""),
    "install": (KEY_INSTALL, lambda value: key(epoch=u64(K_EPOCH, int(value)))),
    "install-equal": (KEY_INSTALL, lambda value: key(epoch=u64(K_EPOCH, int(value)), raw=BYTES)),
    "install-31-bytes": (KEY_INSTALL, lambda value: key(raw=attr(K_KEY, b"k" * 31))),
    "install-no-salt": (KEY_INSTALL, lambda value: nest(A_KEY, u8(K_DIRECTION, 0), ONE, u8(K_SOURCE, STATIC), BYTES)),
    "install-pqc": (KEY_INSTALL, lambda value: key(source=u8(K_SOURCE, 2))),
    "install-hybrid": (KEY_INSTALL, lambda value: key(source=u8(K_SOURCE, 1))),
    "install-kmes": (KEY_INSTALL, lambda value: key(source=u8(K_SOURCE, SOURCES.index(value.rstrip("0123456789"))),
                                                    kmes=u8(K_KMES, int(value.lstrip("abcdefghijklmnopqrstuvwxyz"))))),
    "delete": (KEY_DEL, lambda value: nest(A_KEY, u8(K_DIRECTION, 0), u64(K_EPOCH, int(value)))),
    "keys": (KEY_GET, lambda value: b""),
    "records": (RECORD_GET, lambda value: b""),
    "show": (LINK_GET, lambda value: b""),
}


def request(device: str, name: str, value: str) -> None:
    """Sends one of ANSWERS, or "changelink", an id by rtnetlink."""
    index = int(device) if device.isdigit() else socket.if_nametoindex(device)
    if name == "changelink":
        data = nest(IFLA_INFO_DATA, u16(L_ID, int(value)))
        Route().link(RTM_NEWLINK, index, nest(IFLA_LINKINFO, attr(IFLA_INFO_KIND, b"qlink\0"), data))
        return
    command, make = ANSWERS[name]
    family, body = Family(), u32(A_IFINDEX, index) + make(value)
    if command in (KEY_GET, RECORD_GET):
        family.dump(command, body)
    else:
        family.do(command, body)


def answer(device: str, name: str, value: str = "0") -> int:
    """The answer subcommand."""
    try:
        request(device, name, value)
        print("ok")
    except Refusal as refusal:
        print(errno.errorcode[refusal.code], refusal.text)
    return 0


def delete(device: str, *names: str) -> int:
    """The delete subcommand."""
    family, keys = Family(), [name.split(":") for name in names]
    index = u32(A_IFINDEX, socket.if_nametoindex(device))
    family.do(KEY_DEL, index, *(nest(A_KEY, u8(K_DIRECTION, int(direction != "tx")), u64(K_EPOCH, int(epoch)))
                                for direction, epoch in keys))
    return 0


def main() -> int:
    """Parses the command line."""
    return {"dump": dump, "refuse": refuse, "room": room, "answer": answer, "delete": delete,
            "interrupt": interrupt}[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
