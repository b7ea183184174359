# SPDX-License-Identifier: GPL-2.0
"""Messages that a peer should not send, to see what the other end makes of them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from peermessages import Body, Confirm, Invite, Offer, encode

if TYPE_CHECKING:
    from peerlink import Link

ALWAYS = {
    "invite-twice": "each INVITE is sent twice",
    "invite-again": "the INVITE before is sent again after each INVITE",
    "offer-twice": "each OFFER is sent twice",
    "earlier": "the first INVITE and OFFER are sent again in the first session after them",
}
ONCE = {
    "confirm": "CONFIRM has another key confirmation",
    "invite-changed": "INVITE is sent again with another nonce",
    "invite-session": "INVITE has another session",
    "invite-key": "INVITE has no right key of ML-KEM",
    "offer-session": "OFFER has another session",
    "offer-chain": "OFFER names an unknown chain",
    "offer-epoch": "OFFER has an epoch that is too far away",
    "offer-place": "OFFER has a place that was not stated",
    "offer-point": "OFFER has a public key of zeros in its ciphertext",
    "offer-ciphertext": "OFFER has another ciphertext of ML-KEM",
}
KINDS = ALWAYS | ONCE


def flipped(data: bytes, at: int = -1) -> bytes:
    """With another bit in one byte."""
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def changed_invite(kind: str, body: Invite) -> Invite:
    """As the kind says."""
    match kind:
        case "invite-session":
            return dataclasses.replace(body, session=flipped(body.session))
        case "invite-key":
            return dataclasses.replace(body, public_key=b"\xff" * 384 + body.public_key[384:])
    return dataclasses.replace(body, nonce=flipped(body.nonce))


def changed_offer(kind: str, body: Offer) -> Offer:
    """As the kind says."""
    match kind:
        case "offer-chain":
            return dataclasses.replace(body, chain_tag=flipped(body.chain_tag))
        case "offer-epoch":
            return dataclasses.replace(body, first=body.first + 2**33)
        case "offer-place":
            ids = tuple((f"no-such-key-{number}".encode(),) for number in range(body.count))
            return dataclasses.replace(body, source=1, places=bytes([8]), key_ids=ids)
        case "offer-point":
            return dataclasses.replace(body, ciphertext=body.ciphertext[:-32] + bytes(32))
        case "offer-ciphertext":
            return dataclasses.replace(body, ciphertext=flipped(body.ciphertext, 0))
    return dataclasses.replace(body, session=flipped(body.session))


class Harm:
    """Changes what is sent, by kinds that each happen once, one after another, or by one that goes on."""

    def __init__(self, kinds: list[str]) -> None:
        self._always = {kind for kind in kinds if kind in ALWAYS}
        self._once = [kind for kind in kinds if kind in ONCE]
        self._is_clean = True
        self._invite = b""
        self._first: dict[type, tuple[int, bytes]] = {}

    def __call__(self, link: Link, body: Body, raw: bytes) -> list[bytes]:
        """What is sent in place of a message."""
        name = type(body).__name__.lower()
        if self._once and self._once[0].split("-")[0] == name and self._is_clean:
            return self._change(link, body, raw)
        # One that is not harmed is between any two that are, except at the start.
        self._is_clean = self._is_clean or bool(self._once and self._once[0].split("-")[0] == name)
        if f"{name}-twice" in self._always:
            return [raw, raw]
        if "invite-again" in self._always and isinstance(body, Invite):
            before, self._invite = self._invite, raw
            return [raw, before] if before else [raw]
        if "earlier" in self._always and isinstance(body, Invite | Offer):
            return self._earlier(link, body, raw)
        return [raw]

    def _change(self, link: Link, body: Body, raw: bytes) -> list[bytes]:
        """The changed message, this time."""
        kind = self._once.pop(0)
        self._is_clean = False
        link.report("harmed", kind=kind)
        changed = body
        if isinstance(body, Confirm):
            changed = dataclasses.replace(body, confirmation=flipped(body.confirmation))
        elif isinstance(body, Invite):
            changed = changed_invite(kind, body)
        elif isinstance(body, Offer):
            changed = changed_offer(kind, body)
        message = encode(changed, link.config.link_id, link.generation, link.peer_generation)
        return [raw, message] if kind == "invite-changed" else [message]

    def _earlier(self, link: Link, body: Body, raw: bytes) -> list[bytes]:
        """Messages of the first session again, in the one after it."""
        self._first.setdefault(type(body), (link.generation, raw))
        both = list(self._first.values())
        if len(both) < 2 or any(link.generation == generation for generation, _ in both):
            return [raw]
        self._always.discard("earlier")
        link.report("harmed", kind="earlier")
        return [raw, *(message for _, message in both)]
