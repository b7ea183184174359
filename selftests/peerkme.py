# SPDX-License-Identifier: GPL-2.0
"""A client of one KME: ETSI GS QKD 014, as far as an agreement needs it."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from urllib.parse import urlsplit

from peerschedule import Qkd
from peertls import Files

TIMEOUT_S = 5.0
RETRY_S = 1.0


class KmeError(Exception):
    """No keys, and for which reason of REFUSE."""

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(f"{reason}: {why}")
        self.reason = reason


class Kme:
    """One KME of this end; sae is the peer's SAE ID there."""

    def __init__(self, name: str, url: str, files: Files, sae: str) -> None:
        self.name, self._sae = name, sae
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 443, parts.path.rstrip("/")
        # The simulator's certificates name the KME and no host.
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.load_verify_locations(files.ca)
        self._context.load_cert_chain(files.certificate, files.key)
        self.is_up = False
        self._asked = float("-inf")

    def check(self) -> None:
        """Asks a KME that is down for its status, but not too often."""
        if not self.is_up and time.monotonic() >= self._asked + RETRY_S:
            try:
                self._ask("GET", "status", None)
            except KmeError:
                self.is_up = False
            self._asked = time.monotonic()

    def new_keys(self, count: int) -> list[Qkd]:
        """Up to so many new keys."""
        return self._keys("enc_keys", {"number": count, "size": 256})[:count]

    def keys_of(self, key_ids: list[bytes]) -> list[Qkd]:
        """The keys with these IDs, in this order."""
        wanted = {"key_IDs": [{"key_ID": key_id.decode()} for key_id in key_ids]}
        got = {key.key_id: key for key in self._keys("dec_keys", wanted)}
        if missing := [key_id for key_id in key_ids if key_id not in got]:
            raise KmeError("key-id", f"{len(missing)} of {len(key_ids)} keys did not come")
        return [got[key_id] for key_id in key_ids]

    def _keys(self, what: str, body: dict) -> list[Qkd]:
        """The keys of an answer."""
        try:
            keys = self._ask("POST", what, body)["keys"]
            return [Qkd(key["key_ID"].encode(), base64.b64decode(key["key"], validate=True)) for key in keys]
        except (KeyError, TypeError, ValueError) as error:
            raise KmeError("kme", f"{self.name}: an answer that is not ETSI 014's: {error!r}") from error

    def _ask(self, method: str, what: str, body: dict | None) -> dict:
        """One request and its answer."""
        path = f"{self._path}/api/v1/keys/{self._sae}/{what}"
        try:
            status, data = self._exchange(method, path, json.dumps(body) if body else None)
        except TimeoutError as error:
            self.is_up = False
            raise KmeError("timeout", f"{self.name}: no answer in {TIMEOUT_S} s") from error
        except (OSError, http.client.HTTPException) as error:
            self.is_up = False
            raise KmeError("kme", f"{self.name}: {error}") from error
        self.is_up = status < 500
        if status != 200:
            reason = "key-id" if what == "dec_keys" and status in (400, 404) else "kme"
            raise KmeError(reason, f"{self.name}: {what}: {status}")
        return json.loads(data)

    def _exchange(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        """Over a connection of its own."""
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_S, context=self._context)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
