# SPDX-License-Identifier: GPL-2.0
"""Runs tshark with the dissectors of the tree, and finds what it must never say."""

from __future__ import annotations

import pathlib
import re
import subprocess

# What Wireshark writes where a dissector in Lua fails.
BAD_WORDS = re.compile(r"Lua Error|Lua: |Dissector bug|traceback|_ws\.lua\.error", re.I)
# As root, tshark warns of itself.
WARNING = re.compile(r'Running as user "root".*\n')


class TsharkError(Exception):
    """tshark has failed, or the dissector has failed in it."""


def run(pcap: pathlib.Path, *options: str, bad_words: bool = True) -> str:
    """What tshark prints about a capture."""
    command = ["tshark", "-n", "-r", str(pcap), *options]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    said = WARNING.sub("", done.stderr)
    if done.returncode or said:
        raise TsharkError(f"{' '.join(command)}: exit status {done.returncode}: {said}")
    if bad_words and (found := BAD_WORDS.search(done.stdout)):
        raise TsharkError(f"{' '.join(command)}: printed {done.stdout[max(0, found.start() - 200) : found.end() + 200]}")
    return done.stdout


def listing(what: str) -> list[str]:
    """What "tshark -G" prints."""
    return subprocess.run(["tshark", "-G", what], capture_output=True, text=True, check=True).stdout.splitlines()


def fields(pcap: pathlib.Path, names: list[str], *options: str) -> list[dict[str, list[str]]]:
    """The values that these fields have in each frame."""
    words = ["-T", "fields", "-E", "separator=|", "-E", "aggregator=;"]
    for name in names:
        words += ["-e", name]
    rows = []
    for line in run(pcap, *words, *options).splitlines():
        values = line.split("|")
        if len(values) != len(names):
            raise TsharkError(f"{pcap}: {len(values)} values for {len(names)} fields: {line}")
        rows.append({name: value.split(";") if value else [] for name, value in zip(names, values, strict=True)})
    return rows

