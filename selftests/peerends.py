# SPDX-License-Identifier: GPL-2.0
"""One direction of a link at each of its ends: the sender, who offers keys, and the receiver, who invites offers."""

from __future__ import annotations

import dataclasses
import hmac
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import peerkem
from peerkem import SUITES, KemError, KemPair
from peerkme import Kme, KmeError
from peermessages import (
    MOST_EPOCHS,
    MOST_KEYS,
    MOST_MIXED,
    REASONS,
    Confirm,
    Invite,
    Offer,
    Refuse,
)
from peerring import RingError
from peerschedule import HYBRID, PQC, QKD, VERSION, ZERO_CHAIN, Agreement, EpochKey, Qkd, derive

if TYPE_CHECKING:
    from peerlink import Link, Session

OFFER_S, AFTER_REFUSAL_S, MOST_BACKOFF_S, FAR = 30.0, 1.0, 10.0, 2**32
SOURCE_NAMES = ("qkd", "hybrid", "pqc")


class Violation(Exception):
    """The other end has broken the protocol: the session starts over after a pause."""


class StartOver(Exception):
    """The session starts over, at once or after a pause."""

    def __init__(self, why: str, pause: bool = False) -> None:
        super().__init__(why)
        self.pause = pause


class Refused(Exception):
    """An offer that this end cannot accept."""

    def __init__(self, reason: str, place: int = 0, why: str = "") -> None:
        super().__init__(why or reason)
        self.reason, self.place = reason, place


def agreement_of(link: Link, invite: Invite, offer: Offer, secrets: tuple[bytes, bytes], is_sender: bool) -> Agreement:
    """What both ends know of an offer."""
    channel, session = link.channel, link.session
    assert channel and session
    certificates = [channel.own_certificate, channel.peer_certificate]
    return Agreement(
        VERSION,
        channel.suite,
        channel.exporter,
        *(certificates if is_sender else reversed(certificates)),
        session.digest,
        link.config.link_id,
        1 if channel.client == is_sender else 2,
        offer.source,
        invite.number,
        offer.number,
        offer.first,
        offer.places,
        invite.public_key,
        offer.ciphertext,
        offer.nonce,
        invite.nonce,
        *secrets,
        link.config.psk.mix if link.config.psk else b"",
    )


def facts_of(offer: Offer) -> dict[str, object]:
    """What a report says of an offer."""
    source = SOURCE_NAMES[offer.source]
    return {"first": offer.first, "count": offer.count, "source": source, "kmes": len(offer.places)}


@dataclass
class Pending:
    """An offer that waits for its answer."""

    offer: Offer
    keys: list[EpochKey]
    until: float


class Sender:
    """The end of a direction that seals frames."""

    def __init__(self, link: Link) -> None:
        self.link, self.staged, self.stuck = link, 0, False
        self.limit = MOST_EPOCHS
        self._not_before: dict[int, float] = {}
        self._backoff: dict[int, float] = {}
        self._stock: dict[int, list[Qkd]] = {}
        self.end()

    def end(self) -> None:
        """The session has ended; the keys of an offer that ends with it are lost."""
        self._invite: Invite | None = None
        self.numbers, self._used, self._pending, self._wait = 0, True, None, 0.0
        self._patience = float("inf")

    # ---- messages ----

    def on_invite(self, invite: Invite) -> None:
        """An invitation, or one that is repeated."""
        session = self._session()
        if invite.session != session.digest:
            raise Violation("INVITE of another session")
        if self._invite and invite.number <= self._invite.number:
            self._invite = dataclasses.replace(self._invite, up=invite.up)
            return
        if not self._used:
            raise Violation(f"INVITE {invite.number}: the one before is not used up")
        if len(invite.public_key) != SUITES[session.own.suite].public_bytes:
            raise Violation(f"KEM public key of {len(invite.public_key)} bytes: not that of suite {session.own.suite}")
        self._invite, self._used = invite, False

    def on_confirm(self, confirm: Confirm) -> None:
        """The receiver has the keys, or others."""
        pending = self._answered(confirm.offer, "CONFIRM")
        if not pending:
            return
        offer, chains = pending.offer, self.link.chains
        if not hmac.compare_digest(confirm.confirmation, pending.keys[-1].confirm):
            self._give_up(offer, "confirm")
        chains.sender = pending.keys[-1].next_chain
        try:
            self.link.rings.install("tx", offer.source, pending.keys, list(offer.key_ids))
        except RingError as error:
            self.link.report("kernel-refused", why=str(error))
            self._give_up(offer, "kernel")
        self.staged += offer.count
        for place in offer.places:
            self._backoff.pop(place, None)
        self.limit = min(MOST_EPOCHS, self.limit + 1)
        self._tell("agreed", offer)

    def _give_up(self, offer: Offer, reason: str) -> None:
        """The ends may have different keys."""
        self.link.withdraw_epochs(0, reason, offer.first, offer.last)
        raise StartOver(reason, pause=True)

    def on_refuse(self, refuse: Refuse) -> None:
        """The receiver does not accept the offer."""
        pending = self._answered(refuse.offer, "REFUSE")
        if not pending:
            return
        reason = REASONS[refuse.reason]
        self._tell("offer-refused", pending.offer, reason=reason, place=refuse.place)
        self._wait = time.monotonic() + AFTER_REFUSAL_S
        if reason in ("timeout", "kme"):
            self.limit = max(1, pending.offer.count // (4 if reason == "timeout" else 2))
        is_demanded = self._session().own.demands | self._session().peer.demands
        if reason == "chain" and not is_demanded:
            self.link.chains.sender = ZERO_CHAIN
        elif reason in ("chain", "epoch", "kernel"):
            raise StartOver(f"offer refused: {reason}")
        if reason in ("key-id", "kme", "timeout") and refuse.place:
            pause = min(MOST_BACKOFF_S, self._backoff.get(refuse.place, 1.0) * 2)
            self._backoff[refuse.place] = pause
            self._not_before[refuse.place] = time.monotonic() + pause

    def _answered(self, number: int, what: str) -> Pending | None:
        """The offer that is answered, or none if the answer is repeated."""
        pending = self._pending
        if pending and pending.offer.number == number:
            self._pending = None
            return pending
        if number == 0 or number > self.numbers or pending and number > pending.offer.number:
            raise Violation(f"{what} {number}: no such offer")
        return None

    def _tell(self, event: str, offer: Offer, **more: object) -> None:
        self.link.report(event, **facts_of(offer), **more)

    # ---- offers ----

    @property
    def has_open_offer(self) -> bool:
        """Whether an offer waits for its answer."""
        return self._pending is not None

    def tick(self, now: float) -> None:
        """Offers keys when they are needed."""
        if self._pending and now >= self._pending.until:
            self.limit = max(1, self._pending.offer.count // 4)
            raise StartOver("no answer to an offer")
        if self._pending or self.link.is_leaving or self.stuck or now < self._wait:
            return
        if self.staged >= self.link.config.staged:
            return
        if self._used:
            self._patience = min(self._patience, now + OFFER_S)
            if now >= self._patience:
                raise StartOver("no invitation")
            return
        self._patience = float("inf")
        assert self._invite
        places, keys = self._keys(now)
        sources = self._session().sources
        if places:
            source = QKD if QKD in sources and (self.link.config.plain_qkd or HYBRID not in sources) else HYBRID
        elif PQC in sources:
            source, keys = PQC, [[] for _ in range(min(self.limit, self.link.config.keys))]
        else:
            return
        self._offer(source, places, keys)

    def _session(self) -> Session:
        assert self.link.session
        return self.link.session

    def _keys(self, now: float) -> tuple[bytes, list[list[Qkd]]]:
        """Places, and for each epoch one key from each of them; nothing if there are too few KMEs with keys."""
        session = self._session()
        if not session.sources & {QKD, HYBRID}:
            return b"", []
        most = self.link.most
        found: list[int] = []
        for place, kme in enumerate(self.link.kmes[: len(session.peer.kmes)], 1):
            if len(found) < most and self._may_offer(place, kme, now):
                self._fill(place, kme)
                found += [place] if self._stock.get(place) else []
        if len(found) < session.kmes_least:
            return b"", []
        single = any(place in self._backoff for place in found)
        limit = min(self.limit, 1 if single else self.link.config.keys, MOST_KEYS // len(found))
        count = min(limit, *(len(self._stock[place]) for place in found))
        columns = [[self._stock[place].pop() for _ in range(count)] for place in found]
        return bytes(found), [list(row) for row in zip(*columns, strict=True)]

    def _may_offer(self, place: int, kme: Kme, now: float) -> bool:
        """Whether both ends have this KME, and neither has trouble with it."""
        assert self._invite
        there = self._invite.up >> (place - 1) & 1
        return bool(kme.is_up and there and now >= self._not_before.get(place, 0.0))

    def _fill(self, place: int, kme: Kme) -> None:
        """Gets keys for one offer."""
        stock = self._stock.setdefault(place, [])
        if len(stock) < self.link.config.keys:
            try:
                stock[:0] = kme.new_keys(self.link.config.keys)
            except KmeError as error:
                self.link.report("kme", why=str(error))

    def _offer(self, source: int, places: bytes, keys: list[list[Qkd]]) -> None:
        """Makes an offer and sends it."""
        link, session, invite = self.link, self._session(), self._invite
        assert invite
        kem, ecdh, ciphertext = b"", b"", b""
        try:
            if source != QKD:
                kem, ecdh, ciphertext = peerkem.seal(SUITES[session.own.suite], invite.public_key)
        except KemError as error:
            raise Violation(f"INVITE {invite.number}: {error}") from error
        self.numbers += 1
        offer = Offer(
            self.numbers,
            invite.number,
            link.newest_tx + 1,
            len(keys),
            source,
            session.digest,
            link.tag(link.chains.sender, True),
            os.urandom(32),
            ciphertext,
            places,
            tuple(tuple(key.key_id for key in epoch) for epoch in keys),
        )
        agreement = agreement_of(link, invite, offer, (kem, ecdh), is_sender=True)
        out = derive(agreement, link.chains.sender, keys)
        self._used, self._pending = True, Pending(offer, out, time.monotonic() + OFFER_S)
        link.newest_tx = offer.last
        link.send(offer)


class Receiver:
    """The end of a direction that opens frames."""

    def __init__(self, link: Link) -> None:
        self.link, self.numbers, self._pool = link, 0, ThreadPoolExecutor(MOST_MIXED)
        self.end()

    def end(self) -> None:
        """The session has ended; a KEM key is used for one offer only."""
        self._invite: Invite | None = None
        self._pair: KemPair | None = None
        self._answered = -1

    def invite(self) -> None:
        """Makes the next invitation and sends it."""
        session = self.link.session
        assert session
        self.numbers += 1
        self._pair = KemPair(SUITES[session.own.suite])
        self._invite = Invite(self.numbers, self._up(), session.digest, os.urandom(32), self._pair.public)
        self.link.send(self._invite)

    def _up(self) -> int:
        return sum(kme.is_up << place for place, kme in enumerate(self.link.kmes))

    def tick(self) -> None:
        """Says so when other KMEs are up than the invitation says."""
        if self._invite and self._invite.up != self._up():
            fields = (self._invite.number, self._up(), self._invite.session, self._invite.nonce)
            self._invite = Invite(*fields, self._invite.public_key)
            self.link.send(self._invite)

    def on_offer(self, offer: Offer) -> None:
        """An offer: its keys are installed and confirmed, or it is refused."""
        session, invite = self.link.session, self._invite
        assert session and invite
        if offer.number <= self._answered:
            return
        if self.link.was_asked_to_leave:
            raise Violation("OFFER after LEAVE")
        if offer.session != session.digest:
            raise Violation("OFFER of another session")
        if offer.invitation != invite.number:
            raise Violation(f"OFFER for invitation {offer.invitation}: must be for {invite.number}")
        self._answered = offer.number
        try:
            keys = self._accept(session, invite, offer)
        except Refused as refused:
            self.link.report("offer-rejected", reason=refused.reason, place=refused.place, why=str(refused))
            self.link.send(Refuse(offer.number, REASONS.index(refused.reason), refused.place))
        else:
            self.link.report("accepted", **facts_of(offer))
            self.link.send(Confirm(offer.number, keys[-1].confirm))
        self.invite()

    def _accept(self, session: Session, invite: Invite, offer: Offer) -> list[EpochKey]:
        """Checks, fetches, derives and installs."""
        chains = self.link.chains
        self._check(session, offer)
        chain = self._chain(offer.chain_tag)
        secrets = self._open(session, offer)
        keys = derive(agreement_of(self.link, invite, offer, secrets, is_sender=False), chain, self._fetch(offer))
        try:
            self.link.rings.install("rx", offer.source, keys, list(offer.key_ids))
        except RingError as error:
            raise Refused("kernel", why=str(error)) from error
        self.link.newest_rx = offer.last
        chains.previous, chains.current = chain, keys[-1].next_chain
        return keys

    def _check(self, session: Session, offer: Offer) -> None:
        """Source, number of KMEs, places and epochs."""
        if offer.source not in session.sources or offer.source != PQC and len(offer.places) < session.kmes_least:
            raise Refused("source")
        for place in offer.places:
            if place > min(len(self.link.kmes), len(session.peer.kmes)):
                raise Refused("kme", place, f"no KME at place {place} of both ends")
        newest = self.link.newest_rx
        if offer.first <= newest or offer.last - newest > FAR:
            raise Refused("epoch", why=f"epoch {offer.first}: must be above {newest}")

    def _chain(self, wanted: bytes) -> bytes:
        """The chain of which this is the other end's tag."""
        chains = self.link.chains
        if wanted == self.link.tag(ZERO_CHAIN, False):
            if self.link.config.demands_chain:
                raise Refused("chain")
            if chains.current != ZERO_CHAIN:
                self.link.report("chain-restarted", direction="rx")
            return ZERO_CHAIN
        for chain in (chains.current, chains.previous):
            if self.link.tag(chain, False) == wanted:
                return chain
        raise Refused("chain")

    def _open(self, session: Session, offer: Offer) -> tuple[bytes, bytes]:
        """The secrets in the ciphertext."""
        pair, suite = self._pair, SUITES[session.own.suite]
        assert pair
        self._pair = None
        if offer.source == QKD:
            return b"", b""
        if len(offer.ciphertext) != suite.ciphertext_bytes:
            raise Violation(f"ciphertext of {len(offer.ciphertext)} bytes: must have {suite.ciphertext_bytes}")
        try:
            return pair.open(offer.ciphertext)
        except KemError as error:
            raise Refused("kem", why=str(error)) from error

    def _fetch(self, offer: Offer) -> list[list[Qkd]]:
        """The keys of all KMEs of the offer, fetched at the same time; one row for each epoch."""
        columns = []
        ids = zip(*offer.key_ids, strict=True)
        jobs = [
            (place, self._pool.submit(self.link.kmes[place - 1].keys_of, list(column)))
            for place, column in zip(offer.places, ids, strict=True)
        ]
        for place, job in jobs:
            try:
                columns.append(job.result())
            except KmeError as error:
                raise Refused(error.reason, place, str(error)) from error
        return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(offer.count)]
