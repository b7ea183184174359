# SPDX-License-Identifier: GPL-2.0
"""A link's rings and keys, read from the kernel without a process.

The members have the names that qlinkctl's JSON gives them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from nlraw import A_IFINDEX, A_KEY, A_LINK, KEY_GET, L_RX, L_TX, LINK_GET, SOURCES, Family, attrs, u32

Value = int | str | bool


def number(data: bytes) -> int:
    """An integer of any width."""
    return int.from_bytes(data, "little")


def one_of(*names: str) -> Callable[[bytes], str]:
    """A number that has a name."""
    return lambda data: names[number(data)]


source = one_of(*SOURCES)

# By attribute, in the order of include/netlink/qlink.yaml.
KEY: dict[int, tuple[str, Callable[[bytes], Value]]] = {
    2: ("direction", one_of("tx", "rx")),
    3: ("epoch", number),
    4: ("source", source),
    8: ("hard_blocks", number),
    9: ("state", one_of("staged", "active", "retired")),
    10: ("frames", number),
    11: ("bytes", number),
    12: ("kmes", number),
}
RING: dict[int, tuple[str, Callable[[bytes], Value]]] = {
    2: ("id", bytes.hex),
    3: ("newest_epoch", number),
    4: ("current_epoch", number),
    5: ("current_source", source),
    6: ("staged", number),
    7: ("retired", number),
    8: ("rekeys", number),
    9: ("age_ms", number),
    10: ("overdue", lambda data: bool(data[0])),
    12: ("current_kmes", number),
}


def members(data: bytes, names: dict[int, tuple[str, Callable[[bytes], Value]]]) -> dict[str, Value]:
    """The attributes that have a name."""
    return {names[kind][0]: names[kind][1](value) for kind, value in attrs(data) if kind in names}


def text(value: Value) -> str:
    """The value as in JSON."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class Link:
    """A device of this network namespace."""

    def __init__(self, device: str) -> None:
        self.index = u32(A_IFINDEX, socket.if_nametoindex(device))
        self.family = Family()

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_: object) -> None:
        self.family.sock.close()

    def ring(self, direction: str) -> dict[str, Value]:
        """The ring of one direction."""
        reply = dict(attrs(self.family.do(LINK_GET, self.index)[0][20:]))
        return members(dict(attrs(reply[A_LINK]))[L_TX if direction == "tx" else L_RX], RING)

    def keys(self) -> list[dict[str, Value]]:
        """All keys, in the order of the dump."""
        return [members(dict(attrs(message[20:]))[A_KEY], KEY) for message in self.family.dump(KEY_GET, self.index)]


def satisfies(key: dict[str, Value], condition: str) -> bool:
    """NAME=VALUE, or NAME<N or NAME>N."""
    for sign, holds in (("=", lambda a, b: text(a) == b), ("<", lambda a, b: a < int(b)), (">", lambda a, b: a > int(b))):
        name, found, value = condition.partition(sign)
        if found:
            return holds(key[name], value)
    raise KeyError(condition)


def show_ring(device: str, direction: str, name: str) -> str:
    """A member of a ring."""
    with Link(device) as link:
        return f"{text(link.ring(direction)[name])}\n"


def show_keys(device: str, *words: str) -> str:
    """The named members of the keys that meet all conditions; without names, how many keys there are."""
    conditions = [word for word in words if set(word) & set("=<>")]
    names = [word for word in words if word not in conditions]
    with Link(device) as link:
        keys = [key for key in link.keys() if all(satisfies(key, condition) for condition in conditions)]
    if not names:
        return f"{len(keys)}\n"
    return " ".join(":".join(text(key[name]) for name in names) for key in keys) + "\n"
