# SPDX-License-Identifier: GPL-2.0
"""What happens to a country: its start, and losses of agents, key servers, fibres and wires."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable

import measures
from lab import Lab
from measures import Pings
from topology import FAR_EAST, Link
from watch import now_ms

# Nothing here takes as long, on a machine that is not many times as busy.
PATIENCE = 900.0


def seconds(ms: float) -> str:
    """For people."""
    return f"{ms / 1000:.1f} s"


def when_sealed(lab: Lab, links: Iterable[Link]) -> int:
    """When both ends of all these links had their first key to send with, as their audit logs say."""
    last = 0
    for link in links:
        for site, device in link.ends:
            times = [line["boot_ms"] for line in lab.audit(site)
                     if line["event"] == "installed" and line["link"] == device and line["direction"] == "tx"]
            last = max(last, min(times))
    return last


def start(lab: Lab, limit: float = PATIENCE) -> int:
    """Starts all agents and waits until all links are protected. Returns when the last agent was started."""
    before = measures.busy_s()
    last = lab.start_agents()
    lab.watch.until(lambda: len(lab.watch.ready) == len(lab.agents), limit, "agents ready")
    lab.say("all agents are ready")
    lab.watch.protected(lab.country.sites, limit)
    lab.row("CPU time from the start of the first agent until then", f"{measures.busy_s() - before:.0f} s, of the agents "
            f"{measures.cpu_s(lab.agents.values()):.0f} s")
    return last


def start_chain(lab: Lab) -> None:
    """Hops, the link through them, and the first ping."""
    hops, ends = lab.country.wires(), (lab.country.sites[0], lab.country.sites[-1])
    pings = Pings(1, FAR_EAST, 0.2)
    last = start(lab)
    far = [link for link in lab.country.links if link not in hops]
    lab.row("all hops sealed", seconds(when_sealed(lab, hops) - last))
    lab.row("end-to-end link sealed", seconds(when_sealed(lab, far) - last))
    lab.row("all hops protected: hybrid keys both ways", seconds(lab.watch.protected(lab.country.sites[1:-1], 1) - last))
    lab.row("end-to-end link protected, and the hops of both ends", seconds(lab.watch.protected(ends, 1) - last))
    lab.watch.until(lambda: bool(pings.answers()), 60, "an answer through all hops")
    first = pings.answers()[0][0] * 1000 - lab.epoch_ms
    lab.row("first answer end to end", seconds(first - last))
    pings.stop()


def start_hub(lab: Lab) -> None:
    """All spokes."""
    last = start(lab)
    lab.row("all spokes sealed", seconds(when_sealed(lab, lab.country.links) - last))
    lab.row("all spokes protected: hybrid keys both ways", seconds(lab.watch.protected(lab.country.sites, 1) - last))


def rest(lab: Lab, period: float = 20) -> None:
    """Memory and CPU time of agents that only keep their links going, without other traffic."""
    agents = list(lab.agents.values())
    memory = measures.memory_kib(agents)
    lab.row("memory a site: RSS, PSS, private", ", ".join(f"{value / len(agents) / 1024:.1f} MiB" for value in memory.values()))
    kernel = measures.kernel_kib()
    ends = 2 * len(lab.country.links)
    lab.row("kernel memory an end of a link, with its keys", f"slab {(kernel['Slab'] - lab.kernel['Slab']) / ends:.0f} KiB, "
            f"per CPU {(kernel['Percpu'] - lab.kernel['Percpu']) / ends:.1f} KiB")
    asked, installed = lab.requests(), lab.installed()
    used, busy, began = measures.cpu_s(agents), measures.busy_s(), now_ms()
    time.sleep(period)
    took = (now_ms() - began) / 1000
    lab.row("CPU of all agents at rest", f"{100 * (measures.cpu_s(agents) - used) / took:.1f} % of a CPU "
            f"({1000 * (measures.cpu_s(agents) - used) / took / len(agents):.1f} ms a second and site); all of the machine "
            f"{100 * (measures.busy_s() - busy) / took:.0f} %")
    lab.row("requests to key servers at rest", f"{(lab.requests() - asked) / took / len(agents):.2f} a second and site; keys installed "
            f"{(lab.installed() - installed) / took / len(agents):.2f}")
    samples = [len(agent.metrics()) for agent in agents[:2]]
    lab.row("time series of the agents of s1 and s2", f"{samples[0]} and {samples[1]}")
    lines = sum(len(agent.audit()) for agent in agents)
    size = sum(path.stat().st_size for agent in agents for path in (agent.room / "audit").glob("audit-*"))
    lab.row("audit logs so far", f"{lines} lines, {size} bytes, {size / max(lines, 1):.0f} a line; {lab.installed()} keys installed")


def none_lost(lab: Lab, what: str, pings: Pings) -> None:
    """No ping was lost."""
    result = pings.stop()
    lab.row(f"{what}: pings", f"{result['answered']} answered, {result['lost']} lost, longest gap {result['gap']:.0f} ms, "
            f"median round trip {result['median']:.0f} ms")
    lab.expect(result["lost"] == 0 and result["answered"] > 10, f"{what}: {result['lost']} pings lost, must be 0")


def lose_agent(lab: Lab, site: int, pings: Pings) -> None:
    """An agent is killed and started again."""
    agent, what = lab.agents[site], f"agent of s{site} killed"
    time.sleep(2)
    began = now_ms()
    agent.kill()
    peers = {link.ends[1 - end][0] for link, end in lab.country.links_of(site)}
    for peer in peers:
        lab.until_logged(peer, lambda line: line["event"] == "disconnected" and line["peer"] == f"s{site}", began)
    lab.row(f"{what}: seen by its {len(peers)} peers", seconds(now_ms() - began))
    time.sleep(3)
    again = now_ms()
    lab.watch.forget(agent)
    agent.start()
    for link, end in lab.country.links_of(site):
        device = link.devices[end]
        lab.until_logged(site, lambda line: line["event"] == "installed" and line["link"] == device and line["direction"] == "tx",
                         again)
    lab.row(f"{what}: new keys on all its links", f"{seconds(lab.last_at - again)} behind its second start")
    lab.watch.protected([site, *peers], PATIENCE)
    none_lost(lab, what, pings)


def supply_ends(lab: Lab, what: str, links: list[Link], pings: Pings, stop, resume) -> None:
    """Keys of these links stop coming, are used up, and come again."""
    sites = {site for link in links for site, _ in link.ends}
    began = now_ms()
    stop()
    for site in sites:
        lab.watch.told(site, "degraded", began, PATIENCE)
    degraded = max(lab.watch.told(site, "degraded", began, 1) for site in sites)
    lab.row(f"{what}: degraded, by policy", f"{seconds(degraded - began)}; {lab.overview(links)}")
    others = [site for site in lab.country.sites if site not in sites]
    lab.expect(all(map(lab.watch.is_protected, others)), f"{what}: other sites must stay protected")
    site, device = links[0].ends[0]
    metrics = lab.agents[site].metrics()
    lab.row(f"{what}: metrics of s{site}", "; ".join(lab.metrics_of(metrics, device)))
    lab.expect(metrics[f'qlinkd_protection{{link="{device}"}}'] == 1, f"{what}: qlinkd_protection of {device} must be 1")
    again = now_ms()
    resume()
    back = lab.watch.protected(lab.country.sites, PATIENCE)
    lab.row(f"{what}: all protected again", f"{seconds(back - again)} behind its return")
    none_lost(lab, what, pings)


def cut_fibre(lab: Lab, link: Link, pings: Pings) -> None:
    """The fibre of one hop gives no keys."""
    server, saes = lab.servers[link.kme], link.saes.split()

    def stop() -> None:
        server.tell("supply", *saes, "none")
        server.tell("stock", *saes, "0")

    supply_ends(lab, f"fibre of hop {link.number} cut", [link], pings, stop,
                lambda: server.tell("supply", *saes, *lab.country.kmes[link.kme].supply.split()))


def lose_servers(lab: Lab, name: str, pings: Pings) -> None:
    """The key servers of a region are killed and started again, without the keys that they had."""
    links = [link for link in lab.country.links if link.kme == name]
    server = lab.servers[name]
    supply_ends(lab, f"key servers {name} ({len(links)} links) killed", links, pings, server.kill, server.start)


def cut_wire(lab: Lab, link: Link) -> None:
    """The underlay of one hop is cut: keepalives of the end-to-end link notice."""
    what, first, last = f"wire of hop {link.number} cut", lab.country.sites[0], lab.country.sites[-1]
    pings = Pings(1, FAR_EAST, 0.2)
    time.sleep(2)
    began = now_ms()
    wire = ["ip", "-n", f"s{link.west}", "link", "set", f"u-{link.devices[0]}"]
    subprocess.run([*wire, "down"], check=True)
    off = [lab.watch.carrier(f"s{site}", "far", False, began, PATIENCE) - began for site in (first, last)]
    lab.row(f"{what}: carrier of the end-to-end link off", f"{seconds(off[0])} at s{first}, {seconds(off[1])} at s{last}")
    again = now_ms()
    subprocess.run([*wire, "up"], check=True)
    on = [lab.watch.carrier(f"s{site}", "far", True, again, PATIENCE) - again for site in (first, last)]
    lab.row(f"{what}: carrier on", f"{seconds(on[0])} and {seconds(on[1])} behind its return")
    lab.watch.protected(lab.country.sites, PATIENCE)
    answered = len(pings.answers())
    lab.watch.until(lambda: len(pings.answers()) > answered + 5, 60, "answers after the cut")
    result = pings.stop()
    lab.row(f"{what}: pings", f"{result['lost']} lost, longest gap {seconds(result['gap'])}")
    lab.expect(result["lost"] > 0, f"{what}: pings must be lost while there is no way")


def whole_frames(lab: Lab) -> None:
    """Frames of 1,500 bytes pass end to end, and fragments are not needed."""
    pings = Pings(1, FAR_EAST, 0.2, 1472)
    lab.watch.until(lambda: len(pings.answers()) > 10, 60, "answers of 1,500 bytes")
    none_lost(lab, "packets of 1,500 bytes end to end", pings)
