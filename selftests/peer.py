#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""One end of a link that speaks the agents' protocol, version 2: written from userspace/PROTOCOL.md alone.

It keys a qlink device against a peer, which may be qlinkd or another of its kind, until SIGTERM. Each event is a line
of JSON on standard output. SIGUSR1 withdraws all keys, SIGUSR2 starts the session over.
"""

from __future__ import annotations

import argparse
import json
import select
import signal
import socket
import sys
import time
from types import FrameType

import peerharm
import peermessages
from peerkme import Kme
from peerlink import Config, Link
from peermessages import POLICIES, Malformed
from peerring import DeviceRings, MemoryRings, Rings
from peerschedule import PresharedSecret
from peertls import Channel, Context, Files, TlsError, is_client

TURN_S, FIRST_PAUSE_S, LAST_PAUSE_S, LONG_S = 0.1, 0.02, 1.0, 10.0


def report(event: str, **fields: object) -> None:
    """One event."""
    print(json.dumps({"event": event, **fields}), flush=True)


class Peer:
    """The connection, and the link that uses it."""

    def __init__(self, args: argparse.Namespace, link: Link) -> None:
        self._args, self._link = args, link
        self._context = Context(Files(args.certificate, args.key, args.ca))
        self._is_client = is_client(args.name, args.peer)
        self._listener: socket.socket | None = None
        self._channel: Channel | None = None
        self._stream = b""
        self._pause, self._next_try, self._since = FIRST_PAUSE_S, 0.0, 0.0
        self._signals: list[int] = []
        if not self._is_client:
            self._listener = socket.create_server((args.listen, args.port))

    def run(self) -> None:
        """Until a signal ends it."""
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        report("started", client=self._is_client)
        while signal.SIGTERM not in self._signals:
            self._turn()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _turn(self) -> None:
        """Waits for a moment or for something to read, and acts."""
        for number in self._signals[:]:
            if number != signal.SIGTERM:
                self._signals.remove(number)
                self._command(number)
        if self._is_client and not self._channel and time.monotonic() >= self._next_try:
            self._connect()
        channel = self._channel
        inputs = [one for one in (self._listener, channel and channel.sock) if one]
        ready, _, _ = select.select(inputs, [channel.sock] if channel and channel.has_unsent else [], [], TURN_S)
        if self._listener in ready:
            self._accept()
        try:
            self._serve()
        except (TlsError, Malformed) as error:
            self._disconnect(error)

    def _command(self, number: int) -> None:
        if number == signal.SIGUSR1:
            self._link.withdraw("command")
        elif self._channel:
            self._link.start_over("command")

    def _serve(self) -> None:
        """All that has arrived, and what time brings."""
        channel = self._channel
        if not channel:
            return
        channel.flush()
        while data := channel.read():
            self._stream += data
            while True:
                message, self._stream = peermessages.split(self._stream)
                if message is None:
                    break
                self._link.message(message)
        self._link.tick()

    def _connect(self) -> None:
        """One attempt of the TLS client."""
        self._next_try = time.monotonic() + self._pause
        self._pause = min(LAST_PAUSE_S, self._pause * 2)
        try:
            sock = socket.create_connection((self._args.address, self._args.port), 1.0)
            self._begin(Channel(self._context, sock, self._args.peer, client=True))
        except OSError:
            return
        except TlsError as error:
            report("unreachable", why=str(error))

    def _accept(self) -> None:
        """A caller; a connection that works replaces the one before."""
        assert self._listener
        sock, _ = self._listener.accept()
        try:
            channel = Channel(self._context, sock, self._args.peer, client=False)
        except TlsError as error:
            report("refused", why=str(error))
            return
        if self._channel:
            self._disconnect("another connection")
        self._begin(channel)

    def _begin(self, channel: Channel) -> None:
        report("connected", suite=channel.suite, client=channel.client)
        if channel.suite < self._args.suite_least and not self._args.keep_low_suite:
            report("refused", why=f"suite {channel.suite}: must be {self._args.suite_least}")
            channel.close()
            return
        self._channel, self._stream, self._since = channel, b"", time.monotonic()
        self._link.connected(channel)

    def _disconnect(self, why: object) -> None:
        assert self._channel
        report("disconnected", why=str(why))
        self._link.disconnected()
        self._channel.close()
        self._channel = None
        if time.monotonic() - self._since >= LONG_S:
            self._pause = FIRST_PAUSE_S
        self._next_try = time.monotonic() + self._pause


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
    parser.add_argument("--harm", choices=peerharm.KINDS)
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
    Peer(args, Link(config, rings, kmes, report, peerharm.Harm(args.harm))).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
