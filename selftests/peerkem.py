# SPDX-License-Identifier: GPL-2.0
"""The KEM keys of userspace/PROTOCOL.md, by OpenSSL 3.5: ML-KEM and ECDH side by side."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_void_p
from typing import NamedTuple

crypto = ctypes.CDLL("libcrypto.so.3")


def declare(library: ctypes.CDLL, name: str, result: type | None, *arguments: type) -> None:
    """Tells ctypes what a function takes and returns."""
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments


SIZE = POINTER(c_size_t)
for declaration in (
    ("EVP_PKEY_CTX_new_from_name", c_void_p, c_void_p, c_char_p, c_char_p),
    ("EVP_PKEY_CTX_new_from_pkey", c_void_p, c_void_p, c_void_p, c_char_p),
    ("EVP_PKEY_CTX_free", None, c_void_p),
    ("EVP_PKEY_CTX_set_group_name", c_int, c_void_p, c_char_p),
    ("EVP_PKEY_keygen_init", c_int, c_void_p),
    ("EVP_PKEY_generate", c_int, c_void_p, POINTER(c_void_p)),
    ("EVP_PKEY_new", c_void_p),
    ("EVP_PKEY_free", None, c_void_p),
    ("EVP_PKEY_copy_parameters", c_int, c_void_p, c_void_p),
    ("EVP_PKEY_get1_encoded_public_key", c_size_t, c_void_p, POINTER(c_void_p)),
    ("EVP_PKEY_set1_encoded_public_key", c_int, c_void_p, c_char_p, c_size_t),
    ("EVP_PKEY_new_raw_public_key_ex", c_void_p, c_void_p, c_char_p, c_char_p, c_char_p, c_size_t),
    ("EVP_PKEY_encapsulate_init", c_int, c_void_p, c_void_p),
    ("EVP_PKEY_encapsulate", c_int, c_void_p, c_char_p, SIZE, c_char_p, SIZE),
    ("EVP_PKEY_decapsulate_init", c_int, c_void_p, c_void_p),
    ("EVP_PKEY_decapsulate", c_int, c_void_p, c_char_p, SIZE, c_char_p, c_size_t),
    ("EVP_PKEY_derive_init", c_int, c_void_p),
    ("EVP_PKEY_derive_set_peer", c_int, c_void_p, c_void_p),
    ("EVP_PKEY_derive", c_int, c_void_p, c_char_p, SIZE),
    ("CRYPTO_free", None, c_void_p, c_char_p, c_int),
    ("ERR_get_error", ctypes.c_ulong),
    ("ERR_error_string_n", None, ctypes.c_ulong, c_char_p, c_size_t),
    ("ERR_clear_error", None),
):
    declare(crypto, *declaration)


class KemError(Exception):
    """A key or a ciphertext that must be refused."""


def openssl_errors() -> str:
    """What OpenSSL has to say, and forgets then."""
    said, text = [], ctypes.create_string_buffer(256)
    while code := crypto.ERR_get_error():
        crypto.ERR_error_string_n(code, text, len(text))
        said.append(text.value.decode())
    return "; ".join(said) or "no reason given"


def must(status: int | None, what: str) -> None:
    """Raises unless a call to OpenSSL went well."""
    if not status or status < 0:
        raise KemError(f"{what}: {openssl_errors()}")


class Suite(NamedTuple):
    """One line of the table of suites."""

    number: int
    kem: bytes
    kem_public: int
    kem_ciphertext: int
    curve: bytes
    curve_public: int
    ecdh: int

    @property
    def public_bytes(self) -> int:
        """The size of a KEM public key."""
        return self.kem_public + self.curve_public

    @property
    def ciphertext_bytes(self) -> int:
        """The size of a KEM ciphertext."""
        return self.kem_ciphertext + self.curve_public


SUITES = {
    1: Suite(1, b"ML-KEM-768", 1184, 1088, b"X25519", 32, 32),
    2: Suite(2, b"ML-KEM-1024", 1568, 1568, b"P-384", 97, 48),
}


class Key:
    """An EVP_PKEY."""

    def __init__(self, handle: int | None, what: str) -> None:
        must(handle, what)
        self.handle = c_void_p(handle)

    def __del__(self) -> None:
        if hasattr(self, "handle"):
            crypto.EVP_PKEY_free(self.handle)

    @classmethod
    def make(cls, kind: bytes) -> Key:
        """A new pair of ML-KEM, X25519 or P-384."""
        context = c_void_p(crypto.EVP_PKEY_CTX_new_from_name(None, b"EC" if kind == b"P-384" else kind, None))
        must(context.value, "context")
        try:
            handle = c_void_p()
            must(crypto.EVP_PKEY_keygen_init(context), "keygen")
            if kind == b"P-384":
                must(crypto.EVP_PKEY_CTX_set_group_name(context, kind), "group")
            must(crypto.EVP_PKEY_generate(context, byref(handle)), "keygen")
        finally:
            crypto.EVP_PKEY_CTX_free(context)
        return cls(handle.value, "keygen")

    @classmethod
    def raw_public(cls, kind: bytes, data: bytes) -> Key:
        """A public key of ML-KEM or X25519; OpenSSL makes the check of FIPS 203, 7.2."""
        handle = crypto.EVP_PKEY_new_raw_public_key_ex(None, kind, None, data, len(data))
        return cls(handle, f"public key of {kind.decode()}")

    def point(self, data: bytes) -> Key:
        """A public key of the same curve; OpenSSL checks that it is on the curve."""
        if data[:1] != b"\x04":
            raise KemError(f"point that begins with {data[0]:02x}: must be uncompressed, 04")
        other = Key(crypto.EVP_PKEY_new(), "public key")
        must(crypto.EVP_PKEY_copy_parameters(other.handle, self.handle), "parameters")
        must(crypto.EVP_PKEY_set1_encoded_public_key(other.handle, data, len(data)), "point")
        return other

    def public(self) -> bytes:
        """The public key as it is sent."""
        out = c_void_p()
        size = crypto.EVP_PKEY_get1_encoded_public_key(self.handle, byref(out))
        must(size, "public key")
        data = ctypes.string_at(out.value or 0, size)
        crypto.CRYPTO_free(out, b"", 0)
        return data

    def _context(self) -> c_void_p:
        context = c_void_p(crypto.EVP_PKEY_CTX_new_from_pkey(None, self.handle, None))
        must(context.value, "context")
        return context

    def encapsulate(self, size: int) -> tuple[bytes, bytes]:
        """A new secret, and its ciphertext of this size."""
        context, secret, text = self._context(), ctypes.create_string_buffer(32), ctypes.create_string_buffer(size)
        secret_size, text_size = c_size_t(32), c_size_t(size)
        try:
            must(crypto.EVP_PKEY_encapsulate_init(context, None), "encapsulate")
            status = crypto.EVP_PKEY_encapsulate(context, text, byref(text_size), secret, byref(secret_size))
            must(status, "encapsulate")
        finally:
            crypto.EVP_PKEY_CTX_free(context)
        return secret.raw, text.raw

    def decapsulate(self, text: bytes) -> bytes:
        """The secret in a ciphertext; another one, and no error, if it was altered."""
        context, secret, size = self._context(), ctypes.create_string_buffer(32), c_size_t(32)
        try:
            must(crypto.EVP_PKEY_decapsulate_init(context, None), "decapsulate")
            must(crypto.EVP_PKEY_decapsulate(context, secret, byref(size), text, len(text)), "decapsulate")
        finally:
            crypto.EVP_PKEY_CTX_free(context)
        return secret.raw

    def agree(self, other: Key, size: int) -> bytes:
        """The ECDH secret, of this size."""
        context, secret, got = self._context(), ctypes.create_string_buffer(size), c_size_t(size)
        try:
            must(crypto.EVP_PKEY_derive_init(context), "derive")
            must(crypto.EVP_PKEY_derive_set_peer(context, other.handle), "derive")
            must(crypto.EVP_PKEY_derive(context, secret, byref(got)), "derive")
        finally:
            crypto.EVP_PKEY_CTX_free(context)
        if not any(secret.raw):
            raise KemError("an ECDH secret of zeros: RFC 7748, 6.1")
        return secret.raw


class KemPair:
    """The KEM key of one invitation."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self._kem, self._curve = Key.make(suite.kem), Key.make(suite.curve)
        self.public = self._kem.public() + self._curve.public()

    def open(self, ciphertext: bytes) -> tuple[bytes, bytes]:
        """The secrets kem and ecdh in a ciphertext."""
        text, point = ciphertext[: self.suite.kem_ciphertext], ciphertext[self.suite.kem_ciphertext :]
        return self._kem.decapsulate(text), agree(self.suite, self._curve, point)


def agree(suite: Suite, own: Key, point: bytes) -> bytes:
    """The ECDH secret of our key and their public key."""
    if suite.curve == b"P-384":
        return own.agree(own.point(point), suite.ecdh)
    return own.agree(Key.raw_public(suite.curve, point), suite.ecdh)


def seal(suite: Suite, public: bytes) -> tuple[bytes, bytes, bytes]:
    """New secrets kem and ecdh for a KEM public key, and their ciphertext."""
    ephemeral = Key.make(suite.curve)
    ecdh = agree(suite, ephemeral, public[suite.kem_public :])
    kem, text = Key.raw_public(suite.kem, public[: suite.kem_public]).encapsulate(suite.kem_ciphertext)
    return kem, ecdh, text + ephemeral.public()
