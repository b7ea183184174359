#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""One end of a link that speaks the agents' protocol, version 2: written from userspace/PROTOCOL.md alone.

It keys a qlink device against a peer, which may be qlinkd or another of its kind, until SIGTERM. Each event is a line
of JSON on standard output. SIGUSR1 withdraws all keys, SIGUSR2 starts the session over, SIGHUP asks for another
connection.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from types import FrameType

import peerharm
from peerconnections import Connections
from peerkme import Kme
from peerlink import Config, Link
from peermessages import POLICIES
from peerring import DeviceRings, MemoryRings, Rings
from peerschedule import PresharedSecret
from peertls import Files


def report(event: str, **fields: object) -> None:
    """One event."""
    print(json.dumps({"event": event, **fields}), flush=True)


class Commands:
    """What signals ask for."""

    def __init__(self, connections: Connections, link: Link) -> None:
        self._connections, self._link = connections, link
        self._signals: list[int] = []

    def run(self) -> None:
        """Until SIGTERM."""
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        report("started", client=self._connections.is_client)
        while signal.SIGTERM not in self._signals:
            for number in self._signals[:]:
                self._signals.remove(number)
                self._act(number)
            self._connections.turn()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _act(self, number: int) -> None:
        if number == signal.SIGUSR1:
            self._link.withdraw("command")
        elif number == signal.SIGHUP:
            self._connections.ask()
        elif self._connections.present:
            self._link.start_over("command")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("--name", "--peer", "--certificate", "--key", "--ca"):
        parser.add_argument(option, required=True)
    parser.add_argument("--listen", default="127.0.0.1", help="our address")
    parser.add_argument("--address", default="127.0.0.1", help="the peer's address")
    parser.add_argument("--port", type=int, default=7511)
    parser.add_argument("--device", help="a qlink device; without it, keys are only kept in memory")
    parser.add_argument("--link-id", type=int, default=7)
    parser.add_argument("--policy", choices=POLICIES, default="prefer-hybrid")
    parser.add_argument("--suite-least", type=int, default=1)
    parser.add_argument("--keep-low-suite", action="store_true", help="leave it to STATE to say so")
    parser.add_argument("--kmes-least", type=int, default=1)
    parser.add_argument("--demand-chain", action="store_true")
    parser.add_argument("--psk", help="file with the pre-shared secret")
    parser.add_argument("--kme", action="append", default=[], metavar="NAME=URL", help="in the order of their places")
    for option in ("--kme-certificate", "--kme-key", "--kme-ca", "--sae"):
        parser.add_argument(option, default="")
    parser.add_argument("--mix", action="store_true", help="offer keys of all KMEs together")
    parser.add_argument("--plain-qkd", action="store_true", help="offer keys without a KEM, if both policies allow it")
    parser.add_argument("--keys", type=int, default=3, help="most epochs of an offer")
    parser.add_argument("--staged", type=int, default=6, help="offer keys while fewer are staged")
    parser.add_argument("--key-update", type=float, default=3600.0, help="seconds until we change our key of TLS")
    parser.add_argument("--keylog", default="", help="file that the secrets of the TLS connections are added to")
    parser.add_argument("--harm", action="append", default=[], choices=peerharm.KINDS)
    return parser.parse_args()


def secret_of(path: str | None) -> PresharedSecret | None:
    """The pre-shared secret in a file."""
    if not path:
        return None
    with open(path, "rb") as file:
        return PresharedSecret(file.read())


def main() -> int:
    """Makes the link and runs."""
    args = arguments()
    files = Files(args.kme_certificate, args.kme_key, args.kme_ca)
    kmes = [Kme(*one.split("=", 1), files, args.sae) for one in args.kme]
    rings: Rings = DeviceRings(args.device) if args.device else MemoryRings(report)
    config = Config(
        args.link_id,
        POLICIES[args.policy],
        args.suite_least,
        args.kmes_least,
        args.demand_chain,
        secret_of(args.psk),
        args.mix,
        args.plain_qkd,
        args.keys,
        args.staged,
    )
    link = Link(config, rings, kmes, report, peerharm.Harm(args.harm))
    Commands(Connections(args, link, report), link).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
