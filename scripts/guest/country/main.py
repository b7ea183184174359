#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The guest's part of scripts/country.

  main.py chain|hub N

Prints what happens, and a table at the end. Exits with 1 if an outcome was not as it must be.
"""

from __future__ import annotations

import signal
import subprocess
import sys

import phases
import topology
from lab import Lab
from measures import Pings
from topology import FAR_EAST
from watch import Late


def chain(lab: Lab) -> None:
    """Hops in a row and a link through all of them."""
    hops, n = lab.country.wires(), len(lab.country.sites)
    for site in (1, n):
        lab.watch.add_carriers(f"s{site}")
    phases.start_chain(lab)
    phases.rest(lab)
    phases.whole_frames(lab)
    phases.lose_agent(lab, n // 2, Pings(1, FAR_EAST, 0.2))
    phases.cut_fibre(lab, hops[n // 3], Pings(1, FAR_EAST, 0.2))
    phases.lose_servers(lab, hops[-1].kme, Pings(1, FAR_EAST, 0.2))
    phases.cut_wire(lab, hops[n // 4])


def hub(lab: Lab) -> None:
    """One site with a link to each of the others."""
    spoke = lab.country.links[-1]
    phases.start_hub(lab)
    phases.rest(lab)
    phases.lose_agent(lab, spoke.east, Pings(1, spoke.inner[1], 0.2))
    phases.lose_agent(lab, 1, Pings(1, spoke.inner[1], 0.2))
    phases.cut_fibre(lab, lab.country.links[0], Pings(2, lab.country.links[0].inner[0], 0.2))
    phases.lose_servers(lab, "hub", Pings(1, spoke.inner[1], 0.2))


def finish(lab: Lab) -> None:
    """Ends all, and prints the table."""
    dropped = [f"s{site}: {name} {value:g}" for site, agent in lab.agents.items() for name, value in agent.metrics().items()
               if name.startswith("qlinkd_dropped_frames_total") and value]
    lab.row("drops that the devices counted", f"{len(dropped)} counters: {'; '.join(dropped[:8])}")
    for agent in lab.agents.values():
        agent.kill(signal.SIGTERM)
    subprocess.run(["ip", "-all", "netns", "delete"], check=True)
    lab.say("all is gone\n")
    for what, value in lab.rows:
        print(f"| {what} | {value} |")


def main() -> None:
    """All of it."""
    shape, n = sys.argv[1], int(sys.argv[2])
    lab = Lab(topology.chain(n) if shape == "chain" else topology.hub(n))
    try:
        lab.build()
        {"chain": chain, "hub": hub}[shape](lab)
        finish(lab)
    except Late as late:
        lab.expect(False, str(late))
        subprocess.run("tail -n 12 /tmp/country/s*/log", shell=True, check=False)
    print(f"{lab.bad} outcomes were not as they must be")
    sys.exit(1 if lab.bad else 0)


if __name__ == "__main__":
    main()
