# SPDX-License-Identifier: GPL-2.0
"""Namespaces, wires, links, addresses and routes of a country."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from typing import TypeVar

import topology
from topology import Country

T = TypeVar("T")
MIDDLE = "middle"


def in_namespace(name: str, make: Callable[[], T]) -> T:
    """The result of make() when run in a network namespace; sockets and processes that it makes stay there."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        os.setns(there, os.CLONE_NEWNET)
        return make()
    finally:
        os.setns(here, os.CLONE_NEWNET)
        os.close(here)
        os.close(there)


def batch(namespace: str, lines: list[str]) -> None:
    """Many commands of ip in one process."""
    words = ["ip", *(["-n", namespace] if namespace else []), "-batch", "-"]
    subprocess.run(words, input="\n".join(lines) + "\n", text=True, check=True)


def prepare() -> None:
    """No IPv6, which would send frames of its own; and frames are forwarded."""
    for path, value in (("ipv6/conf/default/disable_ipv6", "1"), ("ipv6/conf/all/disable_ipv6", "1"), ("ipv4/ip_forward", "1")):
        with open(f"/proc/sys/net/{path}", "w", encoding="ascii") as file:
            file.write(value)


def make_sites(country: Country) -> None:
    """Namespaces, and the network of agents and key servers: a bridge with a wire to each."""
    names = [f"s{site}" for site in country.sites]
    batch("", [f"netns add {name}" for name in (MIDDLE, *names)])
    for name in (MIDDLE, *names):
        in_namespace(name, prepare)
    batch("", [f"link add channel netns {name} type veth peer name {name} netns {MIDDLE}" for name in names])
    lines = ["link add bridge0 type bridge", "link set bridge0 up", "address add 10.254.255.254/16 dev bridge0"]
    lines += [f"address add {kme.address}/16 dev bridge0" for kme in country.kmes.values()]
    batch(MIDDLE, lines + [f"link set {name} master bridge0 up" for name in names])


def make_wires(country: Country) -> None:
    """An underlay for each link that has one of its own."""
    batch("", [f"link add u-{link.devices[0]} netns s{link.west} type veth peer name u-{link.devices[1]} netns s{link.east}"
               for link in country.wires()])


def site_lines(country: Country, site: int) -> list[str]:
    """Commands for one site but those that make links of type qlink."""
    lines = ["link set lo up", f"address add {topology.channel(site)}/16 dev channel", "link set channel up",
             f"address add {topology.loopback(site)}/32 dev lo"]
    for link, end in country.links_of(site):
        if link in country.wires():
            lines += [f"address add {link.local[end]}/31 dev u-{link.devices[end]}", f"link set u-{link.devices[end]} up"]
    return lines


def link_lines(country: Country, site: int) -> list[str]:
    """Commands that make the links of a site, and routes to both ends through them."""
    lines = []
    for link, end in sorted(country.links_of(site), key=lambda pair: pair[0].number):
        device, peer = link.devices[end], link.inner[1 - end]
        lines += [f"link add {device} type qlink id {link.number} local {link.local[end]} remote {link.local[1 - end]} port 7000 "
                  f"{link.words}"]
        lines += [f"link set {device} mtu {link.mtu}"] if link.mtu else []
        lines += [f"address add {link.inner[end]} peer {peer} dev {device}", f"link set {device} up"]
        if device in ("west", "east"):
            target = country.sites[0] if device == "west" else country.sites[-1]
            lines += [f"route add {topology.loopback(target)} via {peer} dev {device} src {topology.loopback(site)}"]
    return lines


def make_links(country: Country) -> None:
    """All links, without keys."""
    for site in country.sites:
        batch(f"s{site}", link_lines(country, site))
