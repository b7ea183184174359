# SPDX-License-Identifier: GPL-2.0
"""The agreement on one link, userspace/PROTOCOL.md, section 3: sessions, their phases, and withdrawals."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import peermessages as wire
from peerends import Receiver, Sender, StartOver, Violation
from peerkme import Kme
from peermessages import REASONS, VERSION, Confirm, Header, Hello, Invite, Leave, Offer, Refuse, State, Withdraw
from peermessages import Withdrawn
from peerring import RingError, Rings, RingView
from peerschedule import HYBRID, PQC, QKD, ZERO_CHAIN, PresharedSecret, chain_tag
from peertls import Channel

SOURCES_OF = {1: {HYBRID}, 2: {QKD, HYBRID}, 3: {HYBRID, PQC}, 4: {PQC}}
ANSWER_S, PAUSE_S, POLL_S, LEAVE_S = 5.0, 1.0, 0.3, 10.0
BURST, PER_S = 16, 2


class Config(NamedTuple):
    """What this end is told about its link."""

    link_id: int
    policy: int
    suite_least: int
    kmes_least: int
    demands_chain: bool
    psk: PresharedSecret | None
    mix: bool
    plain_qkd: bool
    keys: int
    staged: int


@dataclass
class Session:
    """What both ends have said, once both STATE are there."""

    own: State
    peer: State
    digest: bytes
    sources: set[int]
    kmes_least: int


@dataclass
class Chains:
    """The chains of both directions."""

    sender: bytes = ZERO_CHAIN
    current: bytes = ZERO_CHAIN
    previous: bytes = ZERO_CHAIN


@dataclass
class Withdrawal:
    """One that this end has asked for."""

    message: Withdraw
    until: float = field(default=0.0)


class Link:
    """One link. report(event, …) tells what happens; harm changes what is sent, in tests of the other end."""

    def __init__(
        self,
        config: Config,
        rings: Rings,
        kmes: list[Kme],
        report: Callable[..., None],
        harm: Callable[[Link, wire.Body, bytes], list[bytes]],
    ) -> None:
        self.config, self.rings, self.kmes, self.report, self._harm = config, rings, kmes, report, harm
        self.chains = Chains()
        self.phase, self.channel = "down", None
        self.generation, self.peer_generation = secrets.randbits(63) + 1, 0
        self.session: Session | None = None
        self.is_leaving = self.was_asked_to_leave = self._has_said_so = False
        self._leaves_until = 0.0
        self.newest_tx = self.newest_rx = self.stale = self.withdrawn = 0
        self._own_hello = self._own_state = self._peer_hello = b""
        self._peer_versions = (VERSION, VERSION)
        self._until = self._poll_at = self._reads = self._read_at = 0.0
        self._stated: State | None = None
        self._ring_ids: tuple[bytes, ...] = ()
        self._withdrawals: list[Withdrawal] = []
        self.sender, self.receiver = Sender(self), Receiver(self)

    # ---- the connection ----

    def connected(self, channel: Channel) -> None:
        """There is a connection."""
        self.channel = channel
        self.is_leaving = False
        self.peer_generation = 0
        self._start_session()

    def disconnected(self) -> None:
        """There is none any more."""
        self._end_session()
        self.phase, self.channel = "down", None

    def send(self, body: wire.Body) -> bytes:
        """Sends a message, and returns it as it should have been sent."""
        raw = wire.encode(body, self.config.link_id, self.generation, self.peer_generation)
        if self.channel:
            for message in self._harm(self, body, raw):
                self.channel.send(message)
        return raw

    # ---- sessions ----

    def _end_session(self) -> None:
        """Forgets what belongs to the session."""
        self.session = self._stated = None
        self.was_asked_to_leave = self._has_said_so = False
        self._withdrawals.clear()
        self.sender.end()
        self.receiver.end()

    def _start_session(self) -> None:
        """A new generation of ours."""
        self._end_session()
        self.generation += 1
        self._hello()
        self.phase, self._until = "hello", time.monotonic() + ANSWER_S

    def start_over(self, why: str, pause: bool = False) -> None:
        """Starts the session over, or pauses before that."""
        self.report("start-over", why=why, pause=pause)
        if pause:
            self._end_session()
            self.phase, self._until = "pause", time.monotonic() + PAUSE_S
        else:
            self._start_session()

    def block(self, why: str) -> None:
        """No keys until the other end starts a new session."""
        self._end_session()
        self.phase = "blocked"
        self.report("blocked", why=why)

    def _hello(self) -> None:
        self._own_hello = self.send(Hello(VERSION, VERSION))

    # ---- events ----

    def tick(self) -> None:
        """Time has passed."""
        now = time.monotonic()
        self._guarded(self._tick, now)

    def _tick(self, now: float) -> None:
        if self.is_leaving and now >= self._leaves_until:
            self.is_leaving = False
            raise StartOver("no other connection")
        if self.phase in ("hello", "state") and now >= self._until:
            raise StartOver(f"no answer in phase {self.phase}")
        if self.phase == "pause" and now >= self._until:
            self._start_session()
        if self.phase != "ready":
            return
        for kme in self.kmes:
            kme.check()
        if now >= self._poll_at:
            self._poll_at = now + POLL_S
            rings = self.rings.read()
            if self._ids(rings) != self._ring_ids:
                raise StartOver("the kernel has replaced the rings")
            self.sender.staged = rings["tx"].staged
        self._next_withdrawal(now)
        self._say_that_we_leave()
        self.receiver.tick()
        self.sender.tick(now)

    def message(self, raw: bytes) -> None:
        """A whole message has arrived. Raises Malformed if the connection must end."""
        header, body = wire.decode(raw)
        if header.link_id != self.config.link_id:
            self.report("unknown-link", link=header.link_id)
            return
        self._guarded(self._message, header, body, raw)

    def _guarded(self, step: Callable[..., None], *arguments: object) -> None:
        """One step, and what follows from its failure."""
        try:
            step(*arguments)
        except Violation as violation:
            self.report("violation", why=str(violation))
            self.start_over(str(violation), pause=True)
        except StartOver as reason:
            self.start_over(str(reason), reason.pause)
        except RingError as error:
            self.report("kernel-refused", why=str(error))
            self.start_over(str(error), pause=True)

    def _message(self, header: Header, body: wire.Body, raw: bytes) -> None:
        if isinstance(body, Hello):
            self._on_hello(header, body, raw)
        elif (header.speaker, header.other) != (self.peer_generation, self.generation):
            self.stale += 1
            self.report("stale", kind=type(body).__name__.lower(), count=self.stale)
        elif self.phase in ("pause", "blocked"):
            return
        elif isinstance(body, State):
            self._on_state(body, raw)
        elif self.phase != "ready":
            raise Violation(f"{type(body).__name__} in phase {self.phase}")
        else:
            self._in_session(body)

    def _in_session(self, body: wire.Body) -> None:
        match body:
            case Invite():
                self.sender.on_invite(body)
            case Offer():
                self.receiver.on_offer(body)
            case Confirm():
                self.sender.on_confirm(body)
            case Refuse():
                self.sender.on_refuse(body)
            case Leave():
                self._on_leave()
            case Withdrawn():
                self._on_withdrawn(body)
            case Withdraw():
                self._on_withdraw(body)

    def _read_all_keys(self) -> None:
        """The other end makes us read all keys, which it may do so often."""
        now = time.monotonic()
        self._reads = max(0.0, self._reads - PER_S * (now - self._read_at)) + 1
        self._read_at = now
        if self._reads > BURST:
            raise Violation(f"HELLO and WITHDRAW: {BURST} at once and {PER_S} a second are allowed")

    # ---- hello and state ----

    def _on_hello(self, header: Header, hello: Hello, raw: bytes) -> None:
        if self.phase == "pause":
            self.peer_generation = header.speaker
            return
        is_known, has_ours = header.speaker == self.peer_generation, header.other == self.generation
        if not is_known:
            self._read_all_keys()
            self._end_session()
            self.peer_generation = header.speaker
            self.phase, self._until = "hello", time.monotonic() + ANSWER_S
        if not is_known or not has_ours:
            self._hello()
        if has_ours and self.phase == "hello":
            self._peer_hello, self._peer_versions = raw, (hello.lowest, hello.highest)
            self._state(hello)

    def _state(self, hello: Hello) -> None:
        """Reads the rings and says what this end has."""
        if min(VERSION, hello.highest) < max(VERSION, hello.lowest):
            self.block("version")
            return
        assert self.channel
        rings = self.rings.read()
        for name, ring in rings.items():
            self._limit_runs(name, ring)
        self._ring_ids = self._ids(rings)
        config, psk = self.config, self.config.psk
        self._stated = State(
            VERSION,
            VERSION,
            config.policy,
            self.channel.suite,
            config.suite_least,
            config.kmes_least,
            min(self.most, len(self.kmes)),
            int(config.demands_chain),
            self.tag(self.chains.sender, True),
            self.tag(self.chains.current, True),
            self.tag(self.chains.previous, True),
            psk.check(self.channel.exporter, self._role(True), config.link_id) if psk else b"",
            tuple(kme.name.encode() for kme in self.kmes),
            rings["tx"].stated(),
            rings["rx"].stated(),
        )
        self._own_state = self.send(self._stated)
        self.phase, self._until = "state", time.monotonic() + ANSWER_S

    def _role(self, is_own: bool) -> int:
        """1 for the TLS client, 2 for the server."""
        assert self.channel
        return 1 if self.channel.client == is_own else 2

    @property
    def most(self) -> int:
        """How many KMEs this end puts secrets of into one key, if it has as many."""
        return wire.MOST_MIXED if self.config.mix else self.config.kmes_least

    def tag(self, chain: bytes, is_own: bool) -> bytes:
        """What this end, or the other one, says to show that it has a chain."""
        assert self.channel
        return chain_tag(chain, self.channel.exporter, self._role(is_own), self.config.link_id)

    def _ids(self, rings: dict[str, RingView]) -> tuple[bytes, ...]:
        return rings["tx"].ring_id, rings["rx"].ring_id

    def _limit_runs(self, name: str, ring: RingView) -> None:
        """Deletes the oldest runs that STATE has no room for."""
        runs = ring.stated().runs
        old = {epoch for first, last in runs[: -wire.MOST_RUNS] for epoch in range(first, last + 1)}
        if old:
            self.rings.delete(name, old)
            ring.epochs -= old

    def _on_state(self, peer: State, raw: bytes) -> None:
        if self.phase == "ready":
            return
        if self.phase != "state" or self._stated is None:
            raise Violation(f"STATE in phase {self.phase}")
        own, is_client = self._stated, self._role(True) == 1
        ours, theirs = (self._own_hello, self._own_state), (self._peer_hello, raw)
        digest = wire.session_of(*(ours + theirs if is_client else theirs + ours))
        if (peer.lowest, peer.highest) != self._peer_versions:
            raise Violation(f"STATE with versions {peer.lowest} to {peer.highest}: not those of HELLO")
        if own.suite != peer.suite:
            raise Violation(f"suite {peer.suite}: must be that of the connection, {own.suite}")
        if why := self._unmet(own, peer):
            self.block(why)
            return
        least = max(own.kmes_least, peer.kmes_least)
        sources = SOURCES_OF[own.policy] & SOURCES_OF[peer.policy]
        if min(own.kmes_most, peer.kmes_most) < least:
            sources -= {QKD, HYBRID}
        self._reconcile(Session(own, peer, digest, sources, least))

    def _unmet(self, own: State, peer: State) -> str:
        """The demand of either end that the other one does not meet, or an empty string."""
        assert self.channel
        if own.suite < max(own.suite_least, peer.suite_least):
            return "suite"
        psk = self.config.psk
        want = psk.check(self.channel.exporter, self._role(False), self.config.link_id) if psk else b""
        if not hmac.compare_digest(want, peer.psk_check):
            return "psk"
        chains, shown = self.chains, peer.sender_chain
        sends_from_zero = chains.sender == ZERO_CHAIN or not self._peer_has(chains.sender, peer)
        known = [chain for chain in (chains.current, chains.previous) if chain != ZERO_CHAIN]
        receives_from_zero = shown not in [self.tag(chain, False) for chain in known]
        return "chain" if (sends_from_zero or receives_from_zero) and own.demands | peer.demands else ""

    def _peer_has(self, chain: bytes, peer: State) -> bool:
        """Whether the other end receives by this chain."""
        return self.tag(chain, False) in (peer.current_chain, peer.previous_chain)

    def _reconcile(self, session: Session) -> None:
        """Deletes keys that only one end holds."""
        rings = self.rings.read()
        tx, rx = rings["tx"], rings["rx"]
        if not session.sources:
            for name, ring in rings.items():
                self.rings.delete(name, ring.epochs)
            self.block("source")
            return
        self.rings.delete("tx", {epoch for epoch in tx.epochs if not session.peer.receive.holds(epoch)})
        held = session.peer.transmit
        self.rings.delete("rx", {epoch for epoch in rx.epochs if epoch > rx.current and not held.holds(epoch)})
        if not self._peer_has(self.chains.sender, session.peer):
            self.report("chain-restarted", direction="tx")
            self.chains.sender = ZERO_CHAIN
        self.newest_tx = max(tx.newest, session.peer.receive.newest)
        self.newest_rx = max(rx.newest, session.peer.transmit.newest)
        self.sender.stuck = self.newest_tx - tx.newest > 2**32 - 64
        self.sender.staged = tx.staged
        self.session, self.phase = session, "ready"
        self.report("ready", suite=session.own.suite, sources=sorted(session.sources), client=self._role(True) == 1)
        self.receiver.invite()

    # ---- another connection ----

    def leave(self) -> None:
        """The link is to change to another connection: no more offers in this session."""
        if not self.is_leaving:
            self.is_leaving, self._leaves_until = True, time.monotonic() + LEAVE_S

    def stay(self) -> None:
        """There is no other connection after all."""
        if self.is_leaving:
            self.is_leaving = False
            self.start_over("the next connection has ended")

    @property
    def has_left(self) -> bool:
        """Whether nothing is in flight in either direction."""
        has_none = self.phase in ("down", "pause", "blocked")
        return self.is_leaving and (has_none or self._has_said_so and self.was_asked_to_leave)

    def _say_that_we_leave(self) -> None:
        """Once nothing of ours is open."""
        if self.is_leaving and not self._has_said_so and not self.sender.has_open_offer and not self._withdrawals:
            self._has_said_so = True
            self.send(Leave())

    def _on_leave(self) -> None:
        if self.was_asked_to_leave:
            raise Violation("LEAVE for the second time in a session")
        self.was_asked_to_leave = True
        self.leave()
        self._say_that_we_leave()

    # ---- withdrawals ----

    def withdraw(self, reason: str) -> None:
        """Withdraws all keys of both directions."""
        if self.phase != "ready":
            return
        rings = self.rings.read()
        for direction, name in enumerate(("tx", "rx")):
            if epochs := rings[name].epochs:
                self.withdraw_epochs(direction, reason, min(epochs), max(epochs))

    def withdraw_epochs(self, direction: int, reason: str, first: int, last: int) -> None:
        """Withdraws these keys, after those that are being withdrawn."""
        self.withdrawn += 1
        message = Withdraw(self.withdrawn, direction, REASONS.index(reason), first, last)
        self._withdrawals.append(Withdrawal(message))
        self._next_withdrawal(time.monotonic())

    def _next_withdrawal(self, now: float) -> None:
        """One withdrawal is in progress at a time."""
        while self._withdrawals and self._withdrawals[0].until and now >= self._withdrawals[0].until:
            self._end_withdrawal("without an answer")
        if self._withdrawals and not self._withdrawals[0].until:
            first = self._withdrawals[0]
            if first.message.direction == 0:
                self._delete("tx", first.message)
            first.until = now + ANSWER_S
            self.send(first.message)

    def _end_withdrawal(self, how: str) -> None:
        message = self._withdrawals.pop(0).message
        if message.direction == 1:
            self._delete("rx", message)
        self.report("withdrawn", first=message.first, last=message.last, direction=message.direction, how=how)

    def _delete(self, name: str, message: Withdraw, above: int = 0) -> None:
        """Deletes the keys of a withdrawal."""
        epochs = self.rings.read()[name].epochs
        chosen = {epoch for epoch in epochs if message.first <= epoch <= message.last and epoch > above}
        self.rings.delete(name, chosen)

    def _on_withdraw(self, message: Withdraw) -> None:
        """The other end wants keys gone: those that it sends with, or those that it receives with."""
        self._read_all_keys()
        if message.direction == 0:
            self._delete("rx", message, self.rings.read()["rx"].current)
        else:
            self._delete("tx", message)
        self.report("withdraw", reason=REASONS[message.reason], direction=message.direction)
        body = (message.number, message.direction, message.reason, message.first, message.last)
        self.send(Withdrawn(*body))

    def _on_withdrawn(self, message: Withdrawn) -> None:
        if self._withdrawals and self._withdrawals[0].message.body() == message.body():
            self._end_withdrawal("answered")
        elif message.number > self.withdrawn:
            raise Violation(f"WITHDRAWN {message.number}: nothing was withdrawn under this number")

