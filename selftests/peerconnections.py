# SPDX-License-Identifier: GPL-2.0
"""The connections to the peer, userspace/PROTOCOL.md, section 4: the one in use, and the next one that replaces it."""

from __future__ import annotations

import argparse
import select
import socket
import time
from collections.abc import Callable

import peermessages
from peerlink import Link
from peermessages import Malformed
from peertls import Channel, Context, Files, TlsError, is_client

TURN_S, FIRST_PAUSE_S, LAST_PAUSE_S, LONG_S = 0.1, 0.02, 1.0, 10.0
CHANGE_S, LINGER_S, DAY_S = 5.0, 5.0, 86400.0


class Connections:
    """All connections, of which the link uses the present one."""

    def __init__(self, args: argparse.Namespace, link: Link, report: Callable[..., None]) -> None:
        self._args, self._link, self._report = args, link, report
        self._context = Context(Files(args.certificate, args.key, args.ca, args.keylog))
        self.is_client = is_client(args.name, args.peer)
        self._listener = None if self.is_client else socket.create_server((args.listen, args.port))
        self.present: Channel | None = None
        self._next: Channel | None = None
        self._old: list[tuple[Channel, float]] = []
        self._changes_at = float("inf")
        self._wants_next = False
        self._pause, self._next_try, self._since = FIRST_PAUSE_S, 0.0, 0.0

    def ask(self) -> None:
        """An operator wants another connection: the client makes it, the server asks the client to."""
        if self.is_client:
            self._wants_next = True
        else:
            self._link.leave()

    def turn(self) -> None:
        """Waits for a moment or for something to read, and acts."""
        channels = [one for one in (self.present, self._next, *(old for old, _ in self._old)) if one]
        readers: list = [one.sock for one in channels] + ([self._listener] if self._listener else [])
        writers = [one.sock for one in channels if one.has_unsent]
        self._connect_if_due()
        ready, _, _ = select.select(readers, writers, [], TURN_S)
        if self._listener in ready:
            self._accept()
        self._change_if_due()
        # The present one first: what it has may be all that was in flight.
        self._serve_present()
        self._serve_next()
        self._serve_old()
        self._change_if_due()

    # ---- making connections ----

    def _connect_if_due(self) -> None:
        """An attempt of the TLS client."""
        if not self.is_client or self._next or time.monotonic() < self._next_try:
            return
        if self.present:
            if time.monotonic() - self._since >= DAY_S or self._link.was_asked_to_leave:
                self._wants_next = True
            if not self._wants_next:
                return
        self._next_try = time.monotonic() + self._pause
        self._pause = min(LAST_PAUSE_S, self._pause * 2)
        try:
            sock = socket.create_connection((self._args.address, self._args.port), 1.0)
            self._established(Channel(self._context, sock, self._args.peer, True, self._args.key_update))
        except (OSError, TlsError) as error:
            self._report("unreachable", why=str(error))

    def _accept(self) -> None:
        """A caller."""
        assert self._listener
        sock, _ = self._listener.accept()
        try:
            channel = Channel(self._context, sock, self._args.peer, False, self._args.key_update)
        except TlsError as error:
            self._report("refused", why=str(error))
            return
        self._established(channel)

    def _established(self, channel: Channel) -> None:
        """Both ends are authenticated: it is the present connection, or the next one."""
        self._report("connected", suite=channel.suite, client=channel.client)
        self._wants_next = False
        if channel.suite < self._args.suite_least and not self._args.keep_low_suite:
            self._report("refused", why=f"suite {channel.suite}: must be {self._args.suite_least}")
            channel.close()
        elif not self.present:
            self._use(channel)
        else:
            if self._next:
                self._change("a third connection")
            self._next = channel
            if not self.is_client:
                self._begin()

    def _use(self, channel: Channel) -> None:
        self.present, self._since = channel, time.monotonic()
        self._link.connected(channel)

    # ---- changing ----

    def _begin(self) -> None:
        """The link is to change to the next connection."""
        self._changes_at = min(self._changes_at, time.monotonic() + CHANGE_S)
        self._link.leave()

    def _change_if_due(self) -> None:
        """Changes when nothing is in flight any more, or when it takes too long."""
        if not self._next:
            return
        if self.is_client and self._link.was_asked_to_leave:
            self._begin()
        if self._changes_at < float("inf") and (self._link.has_left or time.monotonic() >= self._changes_at):
            self._change("left" if self._link.has_left else "in time")

    def _change(self, why: str) -> None:
        """The link goes on over the next connection."""
        present, channel = self.present, self._next
        assert present and channel
        self._report("changed", why=why)
        self._link.disconnected()
        self._old.append((present, time.monotonic() + LINGER_S))
        present.notify()
        self._next, self._changes_at = None, float("inf")
        self._use(channel)

    # ---- what arrives ----

    def _serve_present(self) -> None:
        """All that has arrived for the link, and what time brings."""
        channel = self.present
        try:
            while channel and channel is self.present and channel.fill():
                self._deliver(channel)
                self._change_if_due()
            if self.present:
                if self.present.renew_key():
                    self._report("key-update")
                self._link.tick()
        except (TlsError, Malformed) as error:
            self._lose_present(error)

    def _deliver(self, channel: Channel) -> None:
        while channel is self.present:
            message, channel.buffer = peermessages.split(channel.buffer)
            if message is None:
                return
            self._link.message(message)

    def _serve_next(self) -> None:
        """Anything that arrives on the next connection shows that the other end has changed."""
        if not self._next:
            return
        try:
            if self._next.fill():
                self._change("the other end has changed")
        except TlsError as error:
            self._report("next-lost", why=str(error))
            self._next.close()
            self._next, self._changes_at = None, float("inf")
            self._link.stay()

    def _serve_old(self) -> None:
        """Reads until the other end's close_notify, and ignores it all."""
        for old, until in self._old[:]:
            try:
                while old.fill():
                    old.buffer = b""
                is_over = time.monotonic() >= until
            except TlsError:
                is_over = True
            if is_over:
                self._old.remove((old, until))
                old.close()

    def _lose_present(self, why: object) -> None:
        """The present connection has ended: the link changes, or waits for another one."""
        assert self.present
        self._report("disconnected", why=str(why))
        self._link.disconnected()
        self.present.close()
        self.present = None
        if self._next:
            self._report("changed", why="the present connection has ended")
            channel, self._next, self._changes_at = self._next, None, float("inf")
            self._use(channel)
            return
        if time.monotonic() - self._since >= LONG_S:
            self._pause = FIRST_PAUSE_S
        self._next_try = time.monotonic() + self._pause
