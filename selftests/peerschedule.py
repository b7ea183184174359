# SPDX-License-Identifier: GPL-2.0
"""The key schedule of userspace/PROTOCOL.md, section 1, written from that document alone.

  python3 peerschedule.py FILE		compares it with the vectors in FILE, tests/vectors/mix.json of the agent
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from typing import NamedTuple

VERSION = 2
FRAMES_VERSION = 1
HASH_BYTES = 48
ZERO_CHAIN = bytes(HASH_BYTES)
QKD, HYBRID, PQC = 0, 1, 2


def sha384(data: bytes) -> bytes:
    """SHA-384."""
    return hashlib.sha384(data).digest()


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-384."""
    return hmac.digest(key, data, "sha384")


def boxed(data: bytes) -> bytes:
    """What the document writes as [x]."""
    return len(data).to_bytes(2, "big") + data


def extract(salt: bytes, ikm: bytes) -> bytes:
    """HKDF-Extract (RFC 5869, 2.2)."""
    return mac(salt, ikm)


def expand(prk: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand (RFC 5869, 2.3)."""
    out, block, number = b"", b"", 1
    while len(out) < length:
        block = mac(prk, block + info + bytes([number]))
        out, number = out + block, number + 1
    return out[:length]


def chain_id(chain: bytes) -> bytes:
    """The id of a chain, which stands in the salt."""
    return mac(chain, b"qlink 2 chain id")[:16]


def speaker_info(exporter: bytes, role: int, link_id: int) -> bytes:
    """What ties a proof to its connection, its end (1 for the TLS client, 2 for the server) and its link."""
    return exporter + bytes([role]) + link_id.to_bytes(2, "big")


def chain_tag(chain: bytes, exporter: bytes, role: int, link_id: int) -> bytes:
    """What the end of this role says to show that it has a chain."""
    return mac(chain, b"qlink 2 chain tag" + speaker_info(exporter, role, link_id))[:16]


class PresharedSecret:
    """What follows from the pre-shared secret of a link."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError(f"a pre-shared secret of {len(secret)} bytes: must have 32 or more")
        self._p = extract(b"qlink 2 psk", secret)
        self.mix = expand(self._p, b"qlink 2 psk mix", HASH_BYTES)

    def check(self, exporter: bytes, role: int, link_id: int) -> bytes:
        """What the end of this role (1 for the TLS client, 2 for the server) says in its STATE."""
        return expand(self._p, b"qlink 2 psk check" + speaker_info(exporter, role, link_id), 32)


class Agreement(NamedTuple):
    """What both ends know of an offer, secret or not, except what differs between its epochs."""

    version: int
    suite: int
    exporter: bytes
    sender_certificate: bytes
    receiver_certificate: bytes
    session: bytes
    link_id: int
    direction: int
    source: int
    invitation: int
    offer: int
    first: int
    places: bytes
    public_key: bytes
    ciphertext: bytes
    sender_nonce: bytes
    receiver_nonce: bytes
    kem: bytes
    ecdh: bytes
    psk: bytes

    def common(self, count: int) -> bytes:
        """The digest of fields 1 to 20."""
        is_qkd = self.source == QKD
        fields = (
            b"qlink agreement",
            bytes([self.version]),
            bytes([FRAMES_VERSION]),
            bytes([self.suite]),
            self.exporter,
            self.sender_certificate,
            self.receiver_certificate,
            self.session,
            self.link_id.to_bytes(2, "big"),
            bytes([self.direction]),
            bytes([self.source]),
            self.invitation.to_bytes(8, "big"),
            self.offer.to_bytes(8, "big"),
            self.first.to_bytes(8, "big"),
            bytes([count]),
            self.places,
            b"" if is_qkd else self.public_key,
            b"" if is_qkd else self.ciphertext,
            self.sender_nonce,
            self.receiver_nonce,
        )
        return sha384(b"".join(boxed(field) for field in fields))


class EpochKey(NamedTuple):
    """The outputs for one epoch."""

    epoch: int
    key: bytes
    salt: bytes
    confirm: bytes
    next_chain: bytes


class Qkd(NamedTuple):
    """A key of one KME."""

    key_id: bytes
    secret: bytes


def derive(agreement: Agreement, chain: bytes, qkd: list[list[Qkd]]) -> list[EpochKey]:
    """The keys of all epochs; qkd has, for each of them, one key of each KME."""
    common, keys = agreement.common(len(qkd)), []
    is_qkd = agreement.source == QKD
    for epoch, secrets in enumerate(qkd, agreement.first):
        salt = sha384(
            boxed(b"qlink 2 epoch")
            + boxed(common)
            + boxed(chain_id(chain))
            + b"".join(boxed(one.key_id) for one in secrets)
        )
        ikm = b"".join(
            boxed(secret)
            for secret in (
                b"" if is_qkd else agreement.kem,
                b"" if is_qkd else agreement.ecdh,
                *(one.secret for one in secrets),
                agreement.psk,
                chain,
            )
        )
        prk = extract(salt, ikm)
        out = [
            expand(prk, label + epoch.to_bytes(8, "big"), length)
            for label, length in (
                (b"qlink 2 key", 32),
                (b"qlink 2 salt", 12),
                (b"qlink 2 confirm", 32),
                (b"qlink 2 next chain", HASH_BYTES),
            )
        ]
        keys.append(EpochKey(epoch, *out))
        chain = keys[-1].next_chain
    return keys


# ---- the vectors ----

BYTES_MEMBERS = {
    "exporter": "exporter",
    "sender_certificate": "sender_cert_hash",
    "receiver_certificate": "receiver_cert_hash",
    "session": "session",
    "places": "places",
    "public_key": "kem_public",
    "ciphertext": "kem_ciphertext",
    "sender_nonce": "sender_nonce",
    "receiver_nonce": "receiver_nonce",
    "kem": "kem",
    "ecdh": "ecdh",
}


def compare(vector: dict) -> list[str]:
    """The members of one vector that differ from what this schedule gives."""
    secret = bytes.fromhex(vector["psk"])
    psk = PresharedSecret(secret) if secret else None
    agreement = Agreement(
        version=vector["protocol_version"],
        suite=vector["suite"],
        link_id=vector["link_id"],
        direction=vector["direction"],
        source=vector["source"],
        invitation=vector["invite"],
        offer=vector["offer"],
        first=vector["first_epoch"],
        psk=psk.mix if psk else b"",
        **{name: bytes.fromhex(vector[member]) for name, member in BYTES_MEMBERS.items()},
    )
    qkd = [
        [Qkd(bytes.fromhex(i), bytes.fromhex(s)) for i, s in zip(epoch["key_ids"], epoch["qkd"], strict=True)]
        for epoch in vector["epochs"]
    ]
    bad, chain = [], bytes.fromhex(vector["chain"])
    for role, name in ((1, "check_client"), (2, "check_server")):
        check = psk.check(agreement.exporter, role, agreement.link_id) if psk else b""
        bad += [name] if check.hex() != vector[name] else []
    for got, want in zip(derive(agreement, chain, qkd), vector["epochs"], strict=True):
        outputs = {
            "chain_id": chain_id(chain),
            "tag_client": chain_tag(chain, agreement.exporter, 1, agreement.link_id),
            "key": got.key,
            "salt": got.salt,
            "confirm": got.confirm,
            "next chain": got.next_chain,
        }
        bad += [f"epoch {got.epoch}: {name}" for name, value in outputs.items() if value.hex() != want[name]]
        chain = got.next_chain
    return bad


def main() -> int:
    """Compares with a file of vectors."""
    with open(sys.argv[1], encoding="ascii") as file:
        vectors = json.load(file)["offers"]
    bad = [f"{vector['name']}: {why}" for vector in vectors for why in compare(vector)]
    print(*bad, f"{len(vectors)} vectors, {len(bad)} differences", sep="\n")
    return 1 if bad or not vectors else 0


if __name__ == "__main__":
    sys.exit(main())
