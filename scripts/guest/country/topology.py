# SPDX-License-Identifier: GPL-2.0
"""Sites, links and key servers of a chain or a hub, and the words of their configurations.

Site N is the namespace sN with an agent of that name. Channels of agents and key servers are in 10.254.0.0/16, a network beside
the links: an agent refuses a connection that runs through a qlink.
"""

from __future__ import annotations

import dataclasses
import pathlib

ROOM = pathlib.Path("/tmp/country")
PKI = pathlib.Path("/job/pki")
# How many hops share one pair of key servers.
REGION = 11
SERVERS = {"a": 8441, "b": 8442}
FAR_WEST, FAR_EAST = "10.9.0.1", "10.9.0.2"


@dataclasses.dataclass
class Link:
    """A link between two sites. The west one is its first end."""

    number: int
    west: int
    east: int
    devices: tuple[str, str]
    kme: str
    local: tuple[str, str]
    inner: tuple[str, str]
    words: str = ""
    mtu: int = 0
    first: int = 0  # the end that uses server a

    @property
    def ends(self) -> tuple[tuple[int, str], tuple[int, str]]:
        """Site and device of both ends."""
        return (self.west, self.devices[0]), (self.east, self.devices[1])

    @property
    def saes(self) -> str:
        """Both SAEs, that of server a first."""
        return " ".join(f"s{self.ends[end][0]}" for end in (self.first, 1 - self.first))

    def server(self, end: int) -> str:
        """The key server that an end uses."""
        return "a" if end == self.first else "b"


@dataclasses.dataclass
class Kme:
    """A process of qlink-kmesim, which is two key servers, a and b."""

    name: str
    address: str
    supply: str
    stock: int


@dataclasses.dataclass
class Country:
    """All of it."""

    sites: list[int]
    links: list[Link]
    kmes: dict[str, Kme]

    @property
    def period_ms(self) -> int:
        """How long a key is used; all sites share the CPUs of one machine."""
        return 1000 if len(self.sites) <= 20 else 10000

    @property
    def store(self) -> int:
        """QKD keys that an agent holds for each direction: as few as it takes, so that they are soon used up without a fibre."""
        return 20000 // self.period_ms + 2

    def links_of(self, site: int) -> list[tuple[Link, int]]:
        """The links that end at a site, and which end is there."""
        return [(link, end) for link in self.links for end in (0, 1) if link.ends[end][0] == site]

    def wires(self) -> list[Link]:
        """The links with an underlay of their own."""
        return [link for link in self.links if link.devices[0] != "far"]


def channel(site: int) -> str:
    """The address of an agent."""
    return f"10.254.{site // 200}.{site % 200 + 1}"


def pair(net: int, number: int) -> tuple[str, str]:
    """Two addresses of a /31."""
    return tuple(f"10.{net}.{number // 100}.{number % 100 * 2 + end}" for end in (0, 1))


def kme_of(number: int, name: str, supply: str, stock: int = 60) -> Kme:
    """The process of this number."""
    return Kme(name, f"10.254.250.{number}", supply, stock)


def loopback(site: int) -> str:
    """The address of a site that others reach through the hops."""
    return f"10.255.0.{site}"


def chain(n: int) -> Country:
    """Sites in a row, a link a hop, and one from the first site to the last whose frames go through all hops."""
    links, kmes = [], {}
    for hop in range(1, n):
        region = (hop - 1) // REGION + 1
        kmes.setdefault(f"region{region}", kme_of(region, f"region{region}", f"fibre {5 if n <= 20 else 1}"))
        links.append(Link(hop, hop, hop + 1, ("east", "west"), f"region{region}", pair(1, hop), pair(2, hop),
                          first=(hop + 1) % 2))
    kmes["satellite"] = kme_of(100, "satellite", "pass 400 60 5", 200)
    # The default TTL of 64 ends on the way.
    links.append(Link(1000, 1, n, ("far", "far"), "satellite", (loopback(1), loopback(n)), (FAR_WEST, FAR_EAST),
                      "ttl 255 keepalive-ms 1000 parcel pack", 1500))
    return Country(list(range(1, n + 1)), links, kmes)


def hub(n: int) -> Country:
    """The first site has a link to each of the others."""
    links = [Link(spoke - 1, 1, spoke, (f"spoke{spoke}", "hub"), "hub", pair(1, spoke), pair(2, spoke)) for spoke in range(2, n + 1)]
    return Country(list(range(1, n + 1)), links, {"hub": kme_of(1, "hub", f"fibre {5 if n <= 20 else 1}")})


# ---- configurations ----


def kmesim_conf(country: Country, kme: Kme) -> str:
    """Of one process."""
    lines = [f"control {ROOM}/{kme.name}"]
    for server, port in SERVERS.items():
        lines += [f"kme {server}", f" id kme-{server}", f" listen {kme.address}:{port}", f" certificate {PKI}/kme-{server}.pem",
                  f" key {PKI}/kme-{server}.key", f" ca {PKI}/ca.pem", " dry short"]
    for link in country.links:
        if link.kme == kme.name:
            lines += [f"link {link.saes}", f" stock {kme.stock}", f" supply {kme.supply}"]
    return "\n".join(lines) + "\n"


def agent_conf(country: Country, site: int) -> str:
    """Of the agent of a site."""
    certificate = [f" certificate {PKI}/s{site}.pem", f" key {PKI}/s{site}.key", f" ca {PKI}/ca.pem"]
    room = f"{ROOM}/s{site}"
    lines = ["agent", f" name s{site}", *certificate, f" listen {channel(site)}", f" control {room}/control",
             f" metrics {room}/metrics", f" audit-log {room}/audit", " kme-connect-ms 20000", " kme-timeout-ms 20000"]
    kmes, peers = {}, set()
    for link, end in country.links_of(site):
        kmes[link.kme] = link.server(end)
        peer, device = link.ends[1 - end][0], link.devices[end]
        peers.add(peer)
        lines += [f"link {device}", f" peer s{peer}", f" kmes {link.kme}", f" sae s{peer}", " policy prefer-hybrid",
                  f" floor-ms {country.period_ms}",
                  f" ceiling-ms {country.period_ms}", " reserve 0",
                  f" store {country.store}", " outage-cover 2"]
    for name, server in kmes.items():
        lines += [f"kme {name}", f" url https://{country.kmes[name].address}:{SERVERS[server]}", f" id kme-{server}", *certificate]
    for peer in sorted(peers):
        lines += [f"peer s{peer}", f" address {channel(peer)}"]
    return "\n".join(lines) + "\n"
