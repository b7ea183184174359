# SPDX-License-Identifier: GPL-2.0
"""What agents and the kernel tell by themselves, with the time at which it came: a thread reads it.

Times are milliseconds since the machine started (CLOCK_BOOTTIME), as in the agents' audit logs.
"""

from __future__ import annotations

import re
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable

import network
from processes import Agent

NETLINK_ROUTE, RTMGRP_LINK, RTM_NEWLINK, IFLA_IFNAME, IFLA_CARRIER = 0, 1, 16, 3, 33


class Late(Exception):
    """What was waited for did not come."""


def now_ms() -> int:
    """The time."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def attributes(data: bytes) -> dict[int, bytes]:
    """Of a netlink message, one level."""
    out, at = {}, 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        out[kind & 0x3FFF] = data[at + 4 : at + length]
        at += max(length + 3 & ~3, 4)
    return out


class Watch:
    """The newest overview of each agent, as for "systemctl status", and all changes of carriers."""

    def __init__(self) -> None:
        self.overview: dict[int, tuple[int, str]] = {}
        self.history: list[tuple[int, int, str]] = []
        self.ready: dict[int, int] = {}
        self.carriers: list[tuple[int, str, str, bool]] = []
        self.changed = threading.Condition()
        self.selector = selectors.DefaultSelector()
        threading.Thread(target=self._run, daemon=True).start()

    def add_agent(self, agent: Agent) -> None:
        """From now on, what this agent tells its service manager."""
        self.selector.register(agent.notify, selectors.EVENT_READ, lambda: self._told(agent))

    def forget(self, agent: Agent) -> None:
        """Before it is started again: what it said is of the past."""
        with self.changed:
            self.overview.pop(agent.site, None)
            self.ready.pop(agent.site, None)

    def add_carriers(self, namespace: str) -> None:
        """From now on, the carriers of the devices in a namespace."""
        sock = network.in_namespace(namespace, lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE))
        sock.bind((0, RTMGRP_LINK))
        self.selector.register(sock, selectors.EVENT_READ, lambda: self._link(namespace, sock.recv(1 << 16)))

    def _run(self) -> None:
        while True:
            for key, _ in self.selector.select(1):
                with self.changed:
                    key.data()
                    self.changed.notify_all()

    def _told(self, agent: Agent) -> None:
        for line in agent.notify.recv(4096).decode().splitlines():
            name, _, value = line.partition("=")
            if name == "READY":
                self.ready.setdefault(agent.site, now_ms())
            elif name == "STATUS":
                self.overview[agent.site] = now_ms(), value
                self.history.append((now_ms(), agent.site, value))

    def _link(self, namespace: str, data: bytes) -> None:
        while len(data) >= 16:
            length, kind = struct.unpack_from("=IH", data)
            found = attributes(data[32:length])
            if kind == RTM_NEWLINK and IFLA_CARRIER in found:
                name, carrier = found[IFLA_IFNAME].rstrip(b"\0").decode(), bool(found[IFLA_CARRIER][0])
                last = [entry[3] for entry in self.carriers if entry[1:3] == (namespace, name)][-1:]
                if last != [carrier]:
                    self.carriers.append((now_ms(), namespace, name, carrier))
            data = data[length + 3 & ~3 :]

    def is_protected(self, site: int) -> bool:
        """All links of a site are, as its agent says."""
        found = re.match(r"(\d+) links?: (\d+) protected$", self.overview.get(site, (0, ""))[1])
        return bool(found) and found[1] == found[2]

    def until(self, condition: Callable[[], bool], seconds: float, what: str) -> int:
        """Waits; returns when it came true, as far as events tell."""
        with self.changed:
            if not self.changed.wait_for(condition, seconds):
                raise Late(f"{what}: not within {seconds} s")
            return now_ms()

    def protected(self, sites: Iterable[int], seconds: float) -> int:
        """Waits until all links of these sites are; returns the time of the last overview that said so."""
        sites = list(sites)
        try:
            self.until(lambda: all(map(self.is_protected, sites)), seconds, "protected")
        except Late as late:
            bad = [f"s{site}: {self.overview.get(site, (0, 'nothing'))[1]}" for site in sites if not self.is_protected(site)]
            raise Late(f"{late}; {len(bad)} sites are not: {'; '.join(bad[:6])}") from None
        return max(self.overview[site][0] for site in sites)

    def told(self, site: int, pattern: str, after: int, seconds: float) -> int:
        """Waits until a site's overview has this pattern; returns when it had."""
        self.until(lambda: any(at >= after and who == site and re.search(pattern, text) for at, who, text in self.history),
                   seconds, f"s{site}: {pattern}")
        return next(at for at, who, text in self.history if at >= after and who == site and re.search(pattern, text))

    def carrier(self, namespace: str, device: str, on: bool, after: int, seconds: float) -> int:
        """Waits until a carrier changes; returns when it did."""
        def when() -> list[int]:
            return [at for at, *entry in self.carriers if at >= after and entry == [namespace, device, on]]

        self.until(lambda: bool(when()), seconds, f"{namespace}: carrier of {device} {'on' if on else 'off'}")
        return when()[0]
