# SPDX-License-Identifier: GPL-2.0
"""Pings, memory and CPU time."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import subprocess

import network
from processes import Agent
from topology import ROOM


class Pings:
    """Pings of one site to an address at a steady rate."""

    number = 0

    def __init__(self, site: int, address: str, interval: float, size: int = 56) -> None:
        Pings.number += 1
        self.path = ROOM / f"pings{Pings.number}"
        words = ["ping", "-D", "-n", "-i", str(interval), "-W", "20", "-s", str(size), "-M", "do", address]
        with open(self.path, "wb") as file:
            self.process = network.in_namespace(f"s{site}", lambda: subprocess.Popen(words, stdout=file, stderr=file))

    def answers(self) -> list[tuple[float, int, float]]:
        """When each answer came (since 1970), its number and its round trip in ms."""
        text = self.path.read_text(encoding="utf-8")
        found = re.findall(r"^\[([\d.]+)\] .*icmp_seq=(\d+) .*time=([\d.]+) ms$", text, re.MULTILINE)
        return [(float(at), int(number), float(ms)) for at, number, ms in found]

    def stop(self) -> dict[str, float]:
        """Ends; how many were answered, how many before the last answer were not, and times in ms."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        answers = self.answers()
        if not answers:
            return {"answered": 0, "lost": 0, "gap": 0, "median": 0}
        gaps = [b[0] - a[0] for a, b in zip(answers, answers[1:])] or [0.0]
        return {"answered": len(answers), "lost": answers[-1][1] - len({answer[1] for answer in answers}),
                "gap": 1000 * max(gaps), "median": sorted(answer[2] for answer in answers)[len(answers) // 2]}


def memory_kib(agents: list[Agent]) -> dict[str, int]:
    """What all processes of the agents have: the sum of RSS, of PSS and of private pages."""
    total = {"Rss": 0, "Pss": 0, "Private_Dirty": 0}
    for agent in agents:
        for pid in agent.pids():
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
                name, _, value = line.partition(":")
                if name in total:
                    total[name] += int(value.split()[0])
    return total


def cpu_s(agents: list[Agent]) -> float:
    """The CPU time that all processes of the agents have used."""
    ticks = 0
    for agent in agents:
        for pid in agent.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def busy_s() -> float:
    """The time that all CPUs of the machine were busy."""
    user, nice, system, _, _, irq, softirq = map(int, pathlib.Path("/proc/stat").read_text(encoding="ascii").split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def kernel_kib() -> dict[str, int]:
    """What the kernel uses, by kind."""
    names = ("Slab", "Percpu", "KernelStack", "PageTables", "VmallocUsed")
    lines = pathlib.Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    found = {line.partition(":")[0]: int(line.split()[1]) for line in lines}
    return {name: found[name] for name in names} | {"used": found["MemTotal"] - found["MemAvailable"]}
