#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Two peers of peer.py key a link with each other over the loopback, without a kernel and without KMEs.

  peerpair.py [CASE…]

Whatever they agree on, both ends must have the same keys. This shows that peer.py is right with itself; peer.sh
compares it with qlinkd.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
NAMES = ("site-a", "site-b")
DEADLINE_S, TURN_S = 60.0, 0.05
ENOUGH = 12
POLICY = ["--policy", "pqc-only"]
CHANGED = '"event": "changed"'


class Case(NamedTuple):
    """What the ends are told, what they must report, and whether they must agree on keys."""

    name: str
    options: tuple[list[str], list[str]] = ([], [])
    want: tuple[str, str] = ("", "")
    has_keys: bool = True
    suites: tuple[int, int] = (1, 1)
    signal: int = 0
    signalled: int = 0


def blocked(name: str, why: str, one: list[str], other: list[str]) -> Case:
    """Both ends say why they agree on no key."""
    text = f'"blocked", "why": "{why}"'
    return Case(name, (one, other), (text, text), has_keys=False)


def harmed(kind: str, want: str = "", own: str = "") -> Case:
    """One end harms what it sends, the other one says so, and both agree on keys."""
    return Case(f"harm-{kind}", (["--harm", kind], []), (own, want))


CASES = [
    Case("suite-1"),
    Case("suite-2", (["--suite-least", "2"], []), suites=(2, 2)),
    Case("suite-2-at-one-end", suites=(2, 1)),
    Case("suite-2-demanded", (["--suite-least", "2"], []), ('"refused", "why": "suite 1', '"disconnected"'), False),
    blocked("suite-2-stated", "suite", ["--suite-least", "2", "--keep-low-suite"], []),
    Case("psk", (["--psk", "psk"], ["--psk", "psk"])),
    blocked("psk-differs", "psk", ["--psk", "psk"], ["--psk", "other"]),
    blocked("psk-at-one-end", "psk", ["--psk", "psk"], []),
    # Neither has a KME: it is only said how many there may be.
    Case("mixing", (["--mix"], ["--mix"])),
    blocked("no-source", "source", ["--policy", "hybrid-required"], []),
    blocked("chain-demanded", "chain", ["--demand-chain"], []),
    Case("withdrawn", want=('"how": "answered"', '"withdraw", "reason": "command"'), signal=signal.SIGUSR1),
    Case("started-over", want=('"start-over", "why": "command"', ""), signal=signal.SIGUSR2),
    Case("another-connection", want=(CHANGED, CHANGED), signal=signal.SIGHUP, signalled=0),
    Case("another-connection-of-the-client", want=(CHANGED, CHANGED), signal=signal.SIGHUP, signalled=1),
    Case("key-update", (["--key-update", "0.5"], []), ('"key-update"', "")),
    harmed("confirm", '"start-over", "why": "confirm"'),
    harmed("invite-twice"),
    harmed("invite-again"),
    harmed("invite-changed"),
    harmed("invite-session", '"violation", "why": "INVITE of another session"'),
    harmed("offer-twice"),
    harmed("invite-key", '"violation", "why": "INVITE 1: public key of ML-KEM'),
    harmed("offer-chain", '"reason": "chain"', '"offer-refused"'),
    harmed("offer-epoch", '"reason": "epoch"', '"start-over", "why": "offer refused: epoch"'),
    harmed("offer-place", '"reason": "source"', '"offer-refused"'),
    harmed("offer-point", '"reason": "kem"', '"offer-refused"'),
    harmed("offer-ciphertext", '"withdraw", "reason": "confirm"', '"start-over", "why": "confirm"'),
    harmed("offer-session", '"violation", "why": "OFFER of another session"'),
]


class End:
    """One peer that runs; its events are in a file."""

    def __init__(self, folder: pathlib.Path, number: int, case: Case, port: int) -> None:
        own, peer = NAMES[number], NAMES[1 - number]
        stem = f"{own}-{case.suites[number]}"
        words = ["--name", own, "--peer", peer, "--certificate", f"{stem}.pem", "--key", f"{stem}.key"]
        words += ["--ca", "ca.pem", "--port", str(port), *POLICY, *case.options[number]]
        self._path = folder / f"{own}.log"
        with self._path.open("w", encoding="ascii") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / "peer.py"), *words], cwd=folder, stdout=log, stderr=log
            )

    def text(self) -> str:
        """What it has reported so far."""
        return self._path.read_text(encoding="ascii")

    def brief(self) -> str:
        """The same, without its keys."""
        lines = self.text().splitlines()
        return "\n".join(line for line in lines if not re.match('{"event": "(key|agreed|accepted)"', line))

    def keys(self) -> dict[tuple[str, int], str]:
        """Digests of its keys, by direction and epoch."""
        whole = [line for line in self.text().splitlines(keepends=True) if line.startswith('{"event": "key"')]
        events = [json.loads(line) for line in whole if line.endswith("\n")]
        return {(event["direction"], event["epoch"]): event["digest"] for event in events}

    def has_keys(self, count: int) -> bool:
        """Whether there are so many in each direction."""
        ways = [way for way, _ in self.keys()]
        return min(ways.count("tx"), ways.count("rx")) >= count


def make_certificates(folder: pathlib.Path) -> None:
    """A CA, and for each name a certificate with a key of ML-DSA-65 (1) and one of ML-DSA-87 (2)."""

    def request(stem: str, kind: int, *words: str) -> None:
        command = ["openssl", "req", "-x509", "-newkey", f"ML-DSA-{kind}", "-nodes", "-days", "2", *words]
        command += ["-keyout", f"{stem}.key", "-out", f"{stem}.pem"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    request("ca", 87, "-subj", "/CN=CA", "-addext", "keyUsage=critical,keyCertSign")
    for name in NAMES:
        for suite, kind in ((1, 65), (2, 87)):
            issuer = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE")
            request(f"{name}-{suite}", kind, "-subj", f"/CN={name}", *issuer, "-addext", f"subjectAltName=DNS:{name}")


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def running(folder: pathlib.Path, case: Case) -> Iterator[tuple[End, End]]:
    """Both ends of a case."""
    port = free_port()
    ends = End(folder, 0, case, port), End(folder, 1, case, port)
    try:
        yield ends
    finally:
        for end in ends:
            end.process.terminate()
        for end in ends:
            end.process.wait()


def soon(ends: tuple[End, End], case: Case, count: int) -> bool:
    """Whether both ends soon have reported what they must, and have so many keys."""
    until = time.monotonic() + DEADLINE_S
    while time.monotonic() < until:
        if all(want in end.text() for end, want in zip(ends, case.want, strict=True)):
            if not case.has_keys or all(end.has_keys(count) for end in ends):
                return True
        if any(end.process.poll() is not None for end in ends):
            return False
        time.sleep(TURN_S)
    return False


def run(folder: pathlib.Path, case: Case) -> str:
    """What is wrong with a case, or an empty string."""
    with running(folder, case) as ends:
        good = True
        if case.signal:
            good = soon(ends, case._replace(want=("", "")), ENOUGH)
            ends[case.signalled].process.send_signal(case.signal)
        good = good and soon(ends, case, 2 * ENOUGH if case.signal else ENOUGH)
    if not good:
        return "\n\n".join(end.brief() for end in ends)
    one, other = (end.keys() for end in ends)
    there = {({"tx": "rx", "rx": "tx"}[way], epoch): digest for (way, epoch), digest in other.items()}
    differ = [key for key in one.keys() & there.keys() if one[key] != there[key]]
    if case.has_keys != bool(one) or differ or len(one.keys() & there.keys()) < (ENOUGH if case.has_keys else 0):
        return f"keys: {len(one)} and {len(other)}, of which differ {differ}"
    suite = f'"suite": {min(case.suites)},'
    return "" if all(suite in end.text() for end in ends) else f"no connection has {suite}"


def main() -> int:
    """Runs the cases."""
    bad = 0
    os.umask(0o077)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_certificates(folder)
        for secret in ("psk", "other"):
            (folder / secret).write_bytes(os.urandom(32))
        for case in CASES:
            if len(sys.argv) > 1 and case.name not in sys.argv[1:]:
                continue
            why = run(folder, case)
            bad += bool(why)
            print(f"{'not ok' if why else 'ok'} - {case.name}", why, sep="\n" if why else "", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
