# SPDX-License-Identifier: GPL-2.0
"""A country with its processes, and what was found out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import measures
import network
import topology
from processes import Agent, Servers
from topology import Country, Link
from watch import Late, Watch, now_ms


class Lab:
    """All that runs."""

    def __init__(self, country: Country) -> None:
        self.country, self.watch, self.rows, self.bad = country, Watch(), [], 0
        self.began = now_ms()
        self.epoch_ms = time.time() * 1000 - self.began
        self.agents: dict[int, Agent] = {}
        self.servers: dict[str, Servers] = {}
        self.kernel: dict[str, int] = {}
        self.last_at = 0

    def say(self, text: str) -> None:
        """One line, with the seconds since the start."""
        print(f"{(now_ms() - self.began) / 1000:7.1f} s  {text}", flush=True)

    def row(self, what: str, value: str) -> None:
        """A line of the table at the end."""
        self.rows.append((what, value))
        self.say(f"{what}: {value}")

    def expect(self, holds: bool, why: str) -> None:
        """An outcome that must be."""
        if not holds:
            self.bad += 1
            self.say(f"NOT SO: {why}")

    def build(self) -> None:
        """Everything but agents."""
        topology.ROOM.mkdir()
        network.make_sites(self.country)
        network.make_wires(self.country)
        for site in self.country.sites:
            network.batch(f"s{site}", network.site_lines(self.country, site))
        self.kernel = measures.kernel_kib()
        network.make_links(self.country)
        ends, after = 2 * len(self.country.links), measures.kernel_kib()
        self.row("kernel memory an end of a link, without keys", f"slab {(after['Slab'] - self.kernel['Slab']) / ends:.0f} KiB, "
                 f"per CPU {(after['Percpu'] - self.kernel['Percpu']) / ends:.1f} KiB")
        self.servers = {name: Servers(self.country, name) for name in self.country.kmes}
        self.agents = {site: Agent(self.country, site) for site in self.country.sites}
        for agent in self.agents.values():
            self.watch.add_agent(agent)
        self.row("built", f"{len(self.agents)} sites, {len(self.country.links)} links, {len(self.servers)} pairs of key servers")

    def start_agents(self) -> int:
        """Starts all of them; returns when the last one was started."""
        first = now_ms()
        for agent in self.agents.values():
            agent.start()
        last = now_ms()
        self.row("starting the agents took", f"{(last - first) / 1000:.1f} s")
        return last

    def audit(self, site: int) -> list[dict[str, Any]]:
        """The audit log of a site."""
        return self.agents[site].audit()

    def until_logged(self, site: int, holds: Callable[[dict[str, Any]], bool], after: int, seconds: float = 120) -> int:
        """Waits for a line in an audit log; sets last_at to the time that the line has, if that is later."""
        end = now_ms() + seconds * 1000
        while True:
            times = [line["boot_ms"] for line in self.audit(site) if line["boot_ms"] >= after and holds(line)]
            if times:
                self.last_at = max(self.last_at, times[0])
                return times[0]
            if now_ms() > end:
                raise Late(f"s{site}: no such line in the audit log within {seconds} s")
            time.sleep(0.2)

    def installed(self) -> int:
        """The keys that all agents have installed."""
        return sum(line["n"] for site in self.agents for line in self.audit(site) if line["event"] == "installed")

    def requests(self) -> float:
        """The requests that all agents have sent to their key servers."""
        return sum(value for agent in self.agents.values() for name, value in agent.metrics().items()
                   if name.startswith("qlinkd_kme_requests_total"))

    def overview(self, links: list[Link]) -> str:
        """What the agents at the ends of the first link say."""
        return "; ".join(f"s{site}: {self.watch.overview[site][1]}" for site, _ in links[0].ends)

    @staticmethod
    def metrics_of(metrics: dict[str, float], device: str) -> list[str]:
        """Of a link: its protection, and what it lacks."""
        wanted = re.compile(rf'qlinkd_(protection\{{link="{device}"|lack\{{link="{device}")')
        return [f"{name} {value:g}" for name, value in metrics.items() if wanted.match(name) and (value or "protection" in name)]
