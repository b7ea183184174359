# SPDX-License-Identifier: GPL-2.0
"""Tests of the wire in Python, of its captures and of its vectors; no kernel needed."""

from __future__ import annotations

import argparse
import ipaddress
import json
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from capture import (
    BadCapture,
    Decoder,
    find_needles,
    l4_checksum_ok,
    mac_text,
    outer_eth,
    outer_udp,
    read_pcap,
    write_pcap,
)
from vectorfile import DST, LINK_ID, SRC, VECTORS, key_of, partial_udp, plain_frame, vectors_text
from wire import (
    CSUM_STATE_BYTES,
    ETHERTYPE,
    HEADER_BYTES,
    TYPE_FRAME,
    Header,
    Keepalive,
    Key,
    Receiver,
    Refused,
    Window,
    csum_finish,
    nonce,
    ones_sum,
    seal,
)


def test_worked_example() -> None:
    """The nonce of PROTOCOL.md, section 2."""
    want = bytes.fromhex("020206060285060708090a09")
    assert nonce(bytes(range(12)), 0x010203040506, 0x80, 2) == want


def test_epochs_share_no_nonce() -> None:
    """One key and salt under several epochs: same plaintext, lane and sequence, but another nonce and ciphertext."""
    key, epochs = Key.of(bytes(range(44))), (1, 2, 256, 2**32, 2**39)
    headers = [Header(TYPE_FRAME, 3, 7, epoch, 9) for epoch in epochs]
    assert len({header.nonce(key.salt) for header in headers}) == len(epochs)
    assert len({seal(key, header, bytes(60))[HEADER_BYTES : HEADER_BYTES + 60] for header in headers}) == len(epochs)


def test_gcm_is_sp800_38d() -> None:
    """Test case 16 of the GCM specification: AES-256 with associated data."""
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    text = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    aad = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    out = AESGCM(key).encrypt(bytes.fromhex("cafebabefacedbaddecaf888"), text, aad)
    assert out[-16:].hex() == "76fc6ece0f4e1768cddf8853bb2d551b"


def test_header_layout() -> None:
    """Every field of the header is where section 1 says."""
    header = Header(2, 0xAB, 0x1234, 0x0102030405, 0xFFEEDDCCBBAA)
    assert header.pack().hex() == "12ab1234000102030405ffeeddccbbaa"
    assert Header.parse(header.pack()) == header


def test_keepalive_layout() -> None:
    """Every field of a keepalive is where section 5 says."""
    keepalive = Keepalive(0x0102030405060708, 0xFF09080706050403, 0xFEDCBA987654, 60000)
    assert keepalive.pack().hex() == "0102030405060708ff09080706050403fedcba987654ea60"
    assert Keepalive.parse(keepalive.pack()) == keepalive


def test_window() -> None:
    """The edges of the window."""
    table = [
        (1, None, "the first"),
        (1, "rx_replay", "again"),
        (4096, None, "1 is now the last one inside"),
        (1, "rx_replay", "inside, marked"),
        (2, None, "inside, not marked"),
        (4097, None, "pushes 1 out"),
        (1, "rx_old", "just outside"),
        (2**47, None, "far ahead"),
        (4098, "rx_old", "left behind by the jump"),
        (2**47 - 4096, "rx_old", "just outside"),
        (2**47 - 4095, None, "the last one inside"),
        (2**47 - 4095, "rx_replay", "marked now"),
    ]
    window = Window()
    for sequence, want, why in table:
        try:
            window.commit(sequence)
            got = None
        except Refused as refusal:
            got = refusal.args[0]
        assert got == want, f"{sequence}, {why}: {got}, not {want}"


def test_csum_finish() -> None:
    """A finished checksum verifies, whatever surrounds it."""
    for size in (98, 99, 1514):
        for vlan in (0, 5):
            assert l4_checksum_ok(csum_finish(partial_udp(size, vlan))) is True
            assert l4_checksum_ok(partial_udp(size, vlan)[CSUM_STATE_BYTES:]) is False


def test_every_bit_counts() -> None:
    """No frame with one flipped bit is delivered."""
    key, inner = key_of(1), plain_frame(14)
    frame = seal(key, Header(0, 3, LINK_ID, 1, 9), inner)
    assert Receiver(LINK_ID, {1: key}).outcome(frame) == ([], [inner])
    for bit in range(len(frame) * 8):
        spoilt = bytearray(frame)
        spoilt[bit // 8] ^= 1 << bit % 8
        counters, _ = Receiver(LINK_ID, {1: key}).outcome(bytes(spoilt))
        assert counters, f"bit {bit}"


def test_pcap_reader() -> None:
    """Both byte orders and resolutions; a cut file is refused."""
    packets = [plain_frame(60), plain_frame(1514)]
    for order in "<>":
        for nanoseconds in (False, True):
            data = write_pcap(packets, order, nanoseconds)
            assert list(read_pcap(data)) == packets
            try:
                list(read_pcap(data[:-1]))
            except BadCapture:
                continue
            raise AssertionError("a cut capture was read")


def outer_ipv4(payload: bytes, port: int, flags: int = 0x4000, tos: int = 0, source_port: int = 49152) -> bytes:
    """A UDP datagram in IPv4 in an Ethernet frame."""
    udp = struct.pack(">HHHH", source_port, port, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH", 0x45, tos, 20 + len(udp), 0, flags, 64, 17, 0) + bytes([10, 0, 0, 1, 10, 0, 0, 2])
    return DST + SRC + b"\x08\x00" + ip + udp


def outer_ipv6(payload: bytes, port: int, checksum: int | None = None, label: int = 0) -> bytes:
    """A UDP datagram in IPv6 in an Ethernet frame, with the right checksum or another."""
    udp = struct.pack(">HHHH", 49152, port, 8 + len(payload), 0) + payload
    addresses = ipaddress.ip_address("2001:db8::1").packed + ipaddress.ip_address("2001:db8::2").packed
    if checksum is None:
        checksum = ~ones_sum(addresses + struct.pack(">II", len(udp), 17) + udp) & 0xFFFF or 0xFFFF
    udp = udp[:6] + checksum.to_bytes(2, "big") + udp[8:]
    return DST + SRC + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28 | label, len(udp), 17, 64) + addresses + udp


def test_decoder() -> None:
    """What the decoder must accept and what it must report."""
    key = key_of(1)
    frame = seal(key, Header(0, 0, LINK_ID, 1, 1), plain_frame(60))
    outer = DST + SRC + b"\x88\xb5"

    def violations(packets: list[bytes], sender: str = "any", port: int = 0) -> list[str]:
        decoder = Decoder({(LINK_ID, 1): [(sender, key)]})
        for number, packet in enumerate(packets, 1):
            decoder.take(number, outer_udp(packet, port) if port else outer_eth(packet, ETHERTYPE))
        return decoder.violations

    assert violations([outer + frame]) == []
    assert violations([outer + frame], mac_text(SRC)) == []
    assert violations([outer_ipv4(frame, 4000)], "10.0.0.1", 4000) == []
    assert violations([plain_frame(60)]) == []
    assert "rx_no_key" in violations([outer + frame], mac_text(DST))[0]
    assert "frame 2" in violations([outer + frame, outer + frame])[0]
    assert "rx_auth_error" in violations([outer + frame + b"\0"])[0]
    assert "rx_short" in violations([outer + frame[:15]])[0]
    assert "fragment" in violations([outer_ipv4(frame, 4000, 0x2000)], port=4000)[0]
    assert "TOS" in violations([outer_ipv4(frame, 4000, tos=4)], port=4000)[0]
    assert "source port" in violations([outer_ipv4(frame, 4000, source_port=49216)], port=4000)[0]
    assert violations([outer_ipv4(frame, 4000, source_port=4000)], port=4000) == []
    assert "DF" in violations([outer_ipv4(frame, 4000, 0)], port=4000)[0]
    assert violations([outer_ipv6(frame, 4000)], "2001:db8::1", 4000) == []
    assert "UDP checksum" in violations([outer_ipv6(frame, 4000, 0)], port=4000)[0]
    assert "UDP checksum" in violations([outer_ipv6(frame, 4000, 1)], port=4000)[0]
    assert "flow label" in violations([outer_ipv6(frame, 4000, label=1)], port=4000)[0]
    data = write_pcap([outer + frame, plain_frame(1514)])
    found = find_needles(data, list(read_pcap(data)), [plain_frame(1514)[500:532], plain_frame(60)])
    assert len(found) == 1 and found[0].startswith("frame 2:")


def test_vectors() -> None:
    """The vectors file is what this program makes, and making it twice gives the same."""
    text = vectors_text()
    assert text == vectors_text()
    n_frames = sum(len(group["frames"]) for group in json.loads(text)["groups"])
    assert n_frames >= 20
    assert VECTORS.read_text(encoding="ascii") == text, f"{VECTORS} is out of date"


def selftest(_: argparse.Namespace) -> int:
    """The selftest subcommand: every test_ function, in KTAP."""
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    print("KTAP version 1", f"1..{len(tests)}", sep="\n")
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} {name[5:]}")
        except (AssertionError, OSError) as problem:
            failed += 1
            print(f"# {problem}\nnot ok {number} {name[5:]}")
    return 1 if failed else 0
