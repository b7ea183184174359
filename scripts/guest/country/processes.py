# SPDX-License-Identifier: GPL-2.0
"""Agents and key servers: start, kill, ask."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import subprocess
from typing import Any

import network
import topology
from topology import ROOM, Country


class Agent:
    """qlinkd at one site."""

    def __init__(self, country: Country, site: int) -> None:
        self.site, self.room = site, ROOM / f"s{site}"
        self.room.mkdir(parents=True)
        (self.room / "conf").write_text(topology.agent_conf(country, site), encoding="ascii")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(self.room / "notify"))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it in its namespace."""
        words = ["qlinkd", "-c", str(self.room / "conf")]
        env = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": str(self.room / "notify")}
        with open(self.room / "log", "ab") as log:
            self.process = network.in_namespace(f"s{self.site}", lambda: subprocess.Popen(words, env=env, stderr=log))

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Kills it and waits for its end."""
        self.process.send_signal(number)
        self.process.wait()

    def pids(self) -> list[int]:
        """Both processes: the agent and its broker."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return [self.process.pid, *map(int, children.split())]

    def status(self) -> Any:
        """What "qlinkctl -j status" shows."""
        return json.loads(self._ask("control", b"status\n"))

    def metrics(self) -> dict[str, float]:
        """All of its metrics, by name with labels."""
        text = self._ask("metrics", b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").decode()
        lines = [line for line in text.partition("\r\n\r\n")[2].splitlines() if line and line[0] != "#" and " " in line]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    def _ask(self, name: str, request: bytes) -> bytes:
        answer = b""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(self.room / name))
            client.sendall(request)
            while part := client.recv(1 << 16):
                answer += part
                if name == "control" and answer.endswith(b"\n"):
                    break
        return answer

    def audit(self) -> list[dict[str, Any]]:
        """The lines of its audit log."""
        lines = []
        for path in sorted((self.room / "audit").glob("audit-*.jsonl")):
            text = path.read_text(encoding="ascii")
            lines += [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        return lines


class Servers:
    """A process of qlink-kmesim."""

    def __init__(self, country: Country, name: str) -> None:
        self.name = name
        (ROOM / f"{name}.conf").write_text(topology.kmesim_conf(country, country.kmes[name]), encoding="ascii")
        self.start()

    def start(self) -> None:
        """Starts it and waits until it listens."""
        words = ["qlink-kmesim", str(ROOM / f"{self.name}.conf")]
        (ROOM / self.name).unlink(missing_ok=True)
        self.process = network.in_namespace(network.MIDDLE, lambda: subprocess.Popen(words, stdout=subprocess.PIPE))
        if not self.process.stdout.readline().startswith(b"ready"):
            raise SystemExit(f"{self.name}: no key server")

    def kill(self) -> None:
        """Kills it."""
        self.process.kill()
        self.process.wait()

    def tell(self, *words: str) -> str:
        """A command to its control socket."""
        return subprocess.run(["qlink-kmesim", "-s", str(ROOM / self.name), *words], check=True, text=True, capture_output=True).stdout
