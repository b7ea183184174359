# SPDX-License-Identifier: GPL-2.0
"""The connection of userspace/PROTOCOL.md, section 4, by OpenSSL 3.5: Python's ssl has no exporter and no groups."""

from __future__ import annotations

import ctypes
import hashlib
import select
import socket
import time
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_uint, c_uint64, c_void_p
from typing import NamedTuple

from peerkem import SIZE, crypto, declare, openssl_errors

tls = ctypes.CDLL("libssl.so.3")
for declaration in (
    ("TLS_method", c_void_p),
    ("SSL_CTX_new", c_void_p, c_void_p),
    ("SSL_CTX_ctrl", c_long, c_void_p, c_int, c_long, c_void_p),
    ("SSL_CTX_set_options", c_uint64, c_void_p, c_uint64),
    ("SSL_CTX_set_num_tickets", c_int, c_void_p, c_size_t),
    ("SSL_CTX_set_ciphersuites", c_int, c_void_p, c_char_p),
    ("SSL_CTX_set_verify", None, c_void_p, c_int, c_void_p),
    ("SSL_CTX_load_verify_file", c_int, c_void_p, c_char_p),
    ("SSL_CTX_use_certificate_chain_file", c_int, c_void_p, c_char_p),
    ("SSL_CTX_use_PrivateKey_file", c_int, c_void_p, c_char_p, c_int),
    ("SSL_CTX_set_keylog_callback", None, c_void_p, c_void_p),
    ("SSL_CTX_get0_certificate", c_void_p, c_void_p),
    ("SSL_new", c_void_p, c_void_p),
    ("SSL_free", None, c_void_p),
    ("SSL_set_fd", c_int, c_void_p, c_int),
    ("SSL_set1_host", c_int, c_void_p, c_char_p),
    ("SSL_set_hostflags", None, c_void_p, c_uint),
    ("SSL_connect", c_int, c_void_p),
    ("SSL_accept", c_int, c_void_p),
    ("SSL_shutdown", c_int, c_void_p),
    ("SSL_key_update", c_int, c_void_p, c_int),
    ("SSL_get_error", c_int, c_void_p, c_int),
    ("SSL_read_ex", c_int, c_void_p, c_char_p, c_size_t, SIZE),
    ("SSL_write_ex", c_int, c_void_p, c_char_p, c_size_t, SIZE),
    ("SSL_get0_group_name", c_char_p, c_void_p),
    ("SSL_get0_peer_certificate", c_void_p, c_void_p),
    ("SSL_export_keying_material", c_int, c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_char_p, c_size_t, c_int),
):
    declare(tls, *declaration)
declare(crypto, "i2d_X509", c_int, c_void_p, POINTER(c_void_p))
declare(crypto, "X509_get0_pubkey", c_void_p, c_void_p)
declare(crypto, "EVP_PKEY_is_a", c_int, c_void_p, c_char_p)

KEYLOG = ctypes.CFUNCTYPE(None, c_void_p, c_char_p)
SET_MIN_VERSION, SET_MAX_VERSION, SET_GROUPS, SET_SIGNATURES, SET_CACHE, SET_MODE = 123, 124, 92, 98, 44, 33
TLS_1_3, NO_TICKET, PARTIAL_AND_MOVING_WRITES = 0x0304, 1 << 14, 1 | 2
VERIFY_PEER, NO_WILDCARDS, NEVER_THE_SUBJECT, PEM = 1 | 2, 0x2, 0x20, 1
WANT_READ, WANT_WRITE, ZERO_RETURN = 2, 3, 6
GROUPS = {1: b"X25519MLKEM768", 2: b"SecP384r1MLKEM1024"}
LABEL = b"EXPORTER-qlink-agreement"
HANDSHAKE_S, MOST_UNSENT = 5.0, 32768
MOST_RECORDS, NOT_REQUESTED = 2**22, 0


class TlsError(Exception):
    """A connection that failed or has ended."""


class Files(NamedTuple):
    """PEM files of this end, and one that the secrets of each connection are added to, for tests of Wireshark."""

    certificate: str
    key: str
    ca: str
    keylog: str = ""


def is_client(own: str, peer: str) -> bool:
    """Of two names, the one with the lower SHA-384 hash belongs to the TLS client."""
    return hashlib.sha384(own.encode()).digest() < hashlib.sha384(peer.encode()).digest()


def is_strong(certificate: int) -> bool:
    """Whether the certificate has a key of ML-DSA-87."""
    return bool(crypto.EVP_PKEY_is_a(crypto.X509_get0_pubkey(certificate), b"ML-DSA-87"))


def fingerprint(certificate: int) -> bytes:
    """SHA-384 of the certificate in DER."""
    out = c_void_p()
    size = crypto.i2d_X509(certificate, byref(out))
    data = ctypes.string_at(out.value or 0, size)
    crypto.CRYPTO_free(out, b"", 0)
    return hashlib.sha384(data).digest()


class Context:
    """What all connections of this end share."""

    def __init__(self, files: Files) -> None:
        self.handle = c_void_p(tls.SSL_CTX_new(tls.TLS_method()))
        self._must(tls.SSL_CTX_use_certificate_chain_file(self.handle, files.certificate.encode()), files.certificate)
        self._must(tls.SSL_CTX_use_PrivateKey_file(self.handle, files.key.encode(), PEM), files.key)
        self._must(tls.SSL_CTX_load_verify_file(self.handle, files.ca.encode()), files.ca)
        self.certificate = tls.SSL_CTX_get0_certificate(self.handle)
        strong = is_strong(self.certificate)
        groups = GROUPS[2] + b":" + GROUPS[1] if strong else GROUPS[1]
        self._control(SET_MIN_VERSION, TLS_1_3)
        self._control(SET_MAX_VERSION, TLS_1_3)
        self._control(SET_GROUPS, 0, groups)
        self._control(SET_SIGNATURES, 0, b"mldsa65:mldsa87")
        tls.SSL_CTX_ctrl(self.handle, SET_CACHE, 0, None)
        self._control(SET_MODE, PARTIAL_AND_MOVING_WRITES)
        self._must(tls.SSL_CTX_set_ciphersuites(self.handle, b"TLS_AES_256_GCM_SHA384"), "cipher suite")
        tls.SSL_CTX_set_options(self.handle, NO_TICKET)
        self._must(tls.SSL_CTX_set_num_tickets(self.handle, 0), "tickets")
        tls.SSL_CTX_set_verify(self.handle, VERIFY_PEER, None)
        if files.keylog:
            self._log_secrets(files.keylog)

    def _log_secrets(self, path: str) -> None:
        def log(_ssl: int, line: bytes) -> None:
            with open(path, "ab") as file:
                file.write(line + b"\n")

        # OpenSSL calls it as long as the context lives.
        self._log = KEYLOG(log)
        tls.SSL_CTX_set_keylog_callback(self.handle, ctypes.cast(self._log, c_void_p))

    def _must(self, status: int, what: str) -> None:
        if status != 1:
            raise TlsError(f"{what}: {openssl_errors()}")

    def _control(self, command: int, number: int, text: bytes | None = None) -> None:
        if not tls.SSL_CTX_ctrl(self.handle, command, number, text):
            raise TlsError(f"setting {command}: {openssl_errors()}")


class Channel:
    """One connection to the peer, authenticated by both ends."""

    def __init__(self, context: Context, sock: socket.socket, peer: str, client: bool, key_s: float) -> None:
        self.sock, self.client, self._unsent = sock, client, b""
        self.buffer, self._records, self._key_until = b"", 0, time.monotonic() + key_s
        self._key_s = key_s
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ssl = c_void_p(tls.SSL_new(context.handle))
        tls.SSL_set_fd(self._ssl, sock.fileno())
        tls.SSL_set_hostflags(self._ssl, NO_WILDCARDS | NEVER_THE_SUBJECT)
        tls.SSL_set1_host(self._ssl, peer.encode())
        try:
            self._shake_hands()
            self._learn(context)
        except TlsError:
            self.close()
            raise

    def _shake_hands(self) -> None:
        end = time.monotonic() + HANDSHAKE_S
        step = tls.SSL_connect if self.client else tls.SSL_accept
        while (result := step(self._ssl)) != 1:
            want = self._wanted(result)
            left = end - time.monotonic()
            if left <= 0:
                raise TlsError("no handshake in time")
            sockets = [self.sock]
            select.select(sockets if want == WANT_READ else [], sockets if want == WANT_WRITE else [], [], left)

    def _wanted(self, result: int) -> int:
        """What a call that did not go on waits for; raises if it does not wait but failed."""
        want = tls.SSL_get_error(self._ssl, result)
        if want in (WANT_READ, WANT_WRITE):
            return want
        raise TlsError("the peer has closed it" if want == ZERO_RETURN else openssl_errors())

    def _learn(self, context: Context) -> None:
        """The suite, the fingerprints and the exporter."""
        peer = tls.SSL_get0_peer_certificate(self._ssl)
        self.own_certificate, self.peer_certificate = fingerprint(context.certificate), fingerprint(peer)
        group = tls.SSL_get0_group_name(self._ssl)
        self.suite = 2 if group == GROUPS[2] else 1
        if group not in GROUPS.values() or self.suite == 2 and not (
            is_strong(context.certificate) and is_strong(peer)
        ):
            raise TlsError(f"group {group!r}, which these certificates do not go with")
        out = ctypes.create_string_buffer(32)
        if tls.SSL_export_keying_material(self._ssl, out, 32, LABEL, len(LABEL), None, 0, 0) != 1:
            raise TlsError(f"exporter: {openssl_errors()}")
        self.exporter = out.raw

    def fill(self) -> bool:
        """Adds what has arrived to the buffer; says whether anything has."""
        self.flush()
        data, got = ctypes.create_string_buffer(16384), c_size_t()
        crypto.ERR_clear_error()
        result = tls.SSL_read_ex(self._ssl, data, len(data), byref(got))
        if result != 1:
            self._wanted(result)
            return False
        self.buffer += data.raw[: got.value]
        return True

    def send(self, data: bytes) -> None:
        """Sends what fits, and keeps the rest for flush()."""
        self._unsent += data
        self.flush()
        if len(self._unsent) > MOST_UNSENT:
            raise TlsError(f"{len(self._unsent)} bytes that the peer does not read: must be {MOST_UNSENT} or fewer")

    def renew_key(self) -> bool:
        """Changes the key that this end sends with once it is used up; says whether it was."""
        if self._records < MOST_RECORDS - 1 and time.monotonic() < self._key_until:
            return False
        if tls.SSL_key_update(self._ssl, NOT_REQUESTED) != 1:
            raise TlsError(f"KeyUpdate: {openssl_errors()}")
        self._records, self._key_until = 0, time.monotonic() + self._key_s
        return True

    def flush(self) -> None:
        """Sends what is kept."""
        while self._unsent:
            done = c_size_t()
            crypto.ERR_clear_error()
            result = tls.SSL_write_ex(self._ssl, self._unsent, len(self._unsent), byref(done))
            if result != 1:
                self._wanted(result)
                return
            self._unsent = self._unsent[done.value :]
            # A record has up to 16 KiB.
            self._records += 1 + done.value // 16384

    @property
    def has_unsent(self) -> bool:
        """Whether something waits for room."""
        return bool(self._unsent)

    def notify(self) -> None:
        """Sends nothing more but close_notify; it can still be read."""
        self._unsent = b""
        crypto.ERR_clear_error()
        tls.SSL_shutdown(self._ssl)

    def close(self) -> None:
        """Ends the connection."""
        self.notify()
        tls.SSL_free(self._ssl)
        self.sock.close()
