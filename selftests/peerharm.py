# SPDX-License-Identifier: GPL-2.0
"""Messages that a peer should not send, to see what the other end makes of them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from peermessages import Body, Confirm, Invite, Offer, encode

if TYPE_CHECKING:
    from peerlink import Link

KINDS = {
    "confirm": "the first CONFIRM has another key confirmation",
    "invite-twice": "each INVITE is sent twice",
    "invite-again": "the INVITE before is sent again after each INVITE",
    "invite-changed": "the first INVITE is sent again with another nonce",
    "invite-session": "the first INVITE has another session",
    "offer-twice": "each OFFER is sent twice",
    "offer-session": "the first OFFER has another session",
    "earlier": "the first INVITE and OFFER are sent again in the first session after them",
}


def flipped(data: bytes) -> bytes:
    """With another last bit."""
    return data[:-1] + bytes([data[-1] ^ 1])


class Harm:
    """Changes what is sent: one of KINDS, or nothing."""

    def __init__(self, kind: str | None) -> None:
        self._kind, self._is_done = kind, False
        self._invite = b""
        self._first: dict[type, tuple[int, bytes]] = {}

    def __call__(self, link: Link, body: Body, raw: bytes) -> list[bytes]:
        """What is sent in place of a message."""
        match self._kind, body:
            case "confirm", Confirm():
                return self._once(link, raw, dataclasses.replace(body, confirmation=flipped(body.confirmation)))
            case "invite-session", Invite():
                return self._once(link, raw, dataclasses.replace(body, session=flipped(body.session)))
            case "invite-changed", Invite():
                return [*([] if self._is_done else [raw]), *self._once(link, raw, self._other_nonce(body))]
            case "offer-session", Offer():
                return self._once(link, raw, dataclasses.replace(body, session=flipped(body.session)))
            case ("invite-twice", Invite()) | ("offer-twice", Offer()):
                return [raw, raw]
            case "invite-again", Invite():
                before, self._invite = self._invite, raw
                return [raw, before] if before else [raw]
            case "earlier", Invite() | Offer():
                return self._earlier(link, body, raw)
        return [raw]

    def _other_nonce(self, body: Invite) -> Invite:
        return dataclasses.replace(body, nonce=flipped(body.nonce))

    def _once(self, link: Link, raw: bytes, changed: Body) -> list[bytes]:
        """The changed message the first time, and the right one from then on."""
        if self._is_done:
            return [raw]
        self._is_done = True
        link.report("harmed", kind=self._kind)
        return [encode(changed, link.config.link_id, link.generation, link.peer_generation)]

    def _earlier(self, link: Link, body: Body, raw: bytes) -> list[bytes]:
        """Messages of the first session again, in the one after it."""
        self._first.setdefault(type(body), (link.generation, raw))
        both = list(self._first.values())
        if self._is_done or len(both) < 2 or any(link.generation == generation for generation, _ in both):
            return [raw]
        self._is_done = True
        link.report("harmed", kind=self._kind)
        return [raw, *(message for _, message in both)]
