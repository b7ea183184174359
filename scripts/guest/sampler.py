#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Reads the status of both agents about five times a second, until SIGTERM.

  sampler.py DIRECTORY SOCKET-A SOCKET-B

SOCKETs are control sockets, as for "qlinkctl -c SOCKET -j status"; a single process costs an emulated machine little.
Each sample is a line of DIRECTORY/samples: {"at": TIME, "a": END, "b": END}. END is null if there is no agent, and
missing if the agent did not answer in time. DIRECTORY/now holds the last sample as one line of words, for a shell.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from typing import Any

INTERVAL, PATIENCE = 0.22, 2.0
UNKNOWN = "-"


def ask(path: str) -> Any:
    """The status of an agent, or None; TimeoutError if it does not answer."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        try:
            client.connect(path)
            client.sendall(b"status\n")
            answer = b""
            while not answer.endswith(b"\n"):
                part = client.recv(65536)
                if not part:
                    return None
                answer += part
        except (ConnectionError, FileNotFoundError):
            return None
    return json.loads(answer)


def end_of(status: Any) -> dict[str, Any] | None:
    """The part of a status that the picture needs."""
    if not status or not status["links"]:
        return None
    link = status["links"][0]
    end = {name: link[name] for name in ("phase", "protection", "stock", "period_ms")}
    end["next_source"] = link["source"]
    for name in ("tx", "rx"):
        end[name] = {word: link[name][word] for word in ("source", "epoch", "staged", "rekeys", "frames")}
    return end


def way(sender: dict[str, Any] | None, receiver: dict[str, Any] | None) -> str:
    """The source of the key in use from one end to the other, as reported by either end."""
    ring = sender["tx"] if sender else receiver["rx"] if receiver else {}
    return ring.get("source") or UNKNOWN


def words(ends: dict[str, dict[str, Any] | None]) -> str:
    """For a shell: sources of both ways, then phase, stock, staged keys and period of each end."""
    out = [way(ends["a"], ends["b"]), way(ends["b"], ends["a"])]
    for end in ends.values():
        if end:
            out += [end["phase"], str(end["stock"]), str(end["tx"]["staged"]), str(end["period_ms"])]
        else:
            out += ["away", UNKNOWN, UNKNOWN, UNKNOWN]
    return " ".join(out)


def look(paths: dict[str, str]) -> dict[str, dict[str, Any] | None]:
    """The status of the ends that answer in time."""
    ends = {}
    for site, path in paths.items():
        try:
            ends[site] = end_of(ask(path))
        except TimeoutError:
            pass
    return ends


def main() -> None:
    """Samples."""
    directory, paths = sys.argv[1], dict(zip("ab", sys.argv[2:4], strict=True))
    due, ends = time.time(), dict.fromkeys(paths)
    with open(f"{directory}/samples", "a", encoding="ascii", buffering=1) as file:
        while True:
            at = time.time()
            seen = look(paths)
            ends |= seen
            print(json.dumps({"at": round(at, 3), **seen}), file=file)
            with open(f"{directory}/now.new", "w", encoding="ascii") as now:
                print(words(ends), file=now)
            os.rename(f"{directory}/now.new", f"{directory}/now")
            due = max(due + INTERVAL, at)
            time.sleep(max(due - time.time(), 0.02))


if __name__ == "__main__":
    main()
