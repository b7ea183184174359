# SPDX-License-Identifier: GPL-2.0
"""The dissector of the agents' messages against the second implementation of their protocol (selftests/peer.py)."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import pathlib
import random
import socket
import struct
import threading
from collections.abc import Iterator

import packets
import peerpair
import tshark
from peermessages import (
    LAST_EPOCH,
    REASONS,
    Confirm,
    Hello,
    Invite,
    Leave,
    Malformed,
    Offer,
    Refuse,
    Ring,
    State,
    Withdraw,
    Withdrawn,
    decode,
    encode,
)

SEED, N_SPOILT = 20, 1500
PORT = 47200
# What stands before the payload of a segment: Ethernet, IPv4 and TCP.
TCP_BYTES = 14 + 20 + 20
PLAIN = ("-d", f"tcp.port=={PORT},qlinkd")
HALF = (bytes(range(16)), bytes(range(16, 32)), bytes(range(32, 48)))
SESSION, NONCE = bytes(48), bytes(range(100, 132))
TRANSMIT, RECEIVE = Ring.of(HALF[0], 9, [1, 2, 3, 8, 9]), Ring.of(HALF[1], 0, [])
STATE = State(2, 2, 3, 1, 1, 2, 2, 1, *HALF, NONCE, (b"KME-A", b"a satellite"), TRANSMIT, RECEIVE)
IDS = ((b"01234567-89ab", b"SATELLITE-01"), (b"01234567-89ac", b"SATELLITE-02"))
OFFER = Offer(4, 3, 10, 2, 1, SESSION, HALF[0], NONCE, bytes(1120), b"\1\3", IDS)

# A message of each type, and what the dissector must show of its body.
EXAMPLES = [
    (Hello(1, 2), {"lowest_version": ["1"], "highest_version": ["2"]}),
    (STATE, {
        "lowest_version": ["2"], "highest_version": ["2"], "policy": ["3"], "suite": ["1"], "suite_least": ["1"],
        "kmes_least": ["2"], "kmes_most": ["2"], "demands": ["1"], "demands.chain": ["True"], "chain.sender": [HALF[0].hex()],
        "chain.current": [HALF[1].hex()], "chain.previous": [HALF[2].hex()], "psk_check": [NONCE.hex()], "kmes": ["2"],
        "kme": ["KME-A", "a satellite"], "ring.id": [HALF[0].hex(), HALF[1].hex()], "ring.newest": ["9", "0"],
        "ring.runs": ["2", "0"], "ring.first": ["1", "8"], "ring.last": ["3", "9"], "size": ["32", "5", "11"],
    }),
    (Invite(3, 5, SESSION, NONCE, bytes(1216)), {
        "invitation": ["3"], "up": ["5"], "session": [SESSION.hex()], "nonce": [NONCE.hex()], "size": ["1216"],
        "public_key": [bytes(1216).hex()],
    }),
    (OFFER, {
        "offer": ["4"], "invitation": ["3"], "first_epoch": ["10"], "epochs": ["2"], "source": ["1"], "session": [SESSION.hex()],
        "chain": [HALF[0].hex()], "nonce": [NONCE.hex()], "ciphertext": [bytes(1120).hex()], "mixed": ["2"], "place": ["1", "3"],
        "key_id": ["01234567-89ab", "SATELLITE-01", "01234567-89ac", "SATELLITE-02"], "size": ["1120", "13", "12", "13", "12"],
    }),
    (Confirm(4, NONCE), {"offer": ["4"], "confirmation": [NONCE.hex()]}),
    (Refuse(4, 5, 2), {"offer": ["4"], "reason": ["5"], "place": ["2"]}),
    (Withdraw(1, 0, 12, 1, LAST_EPOCH), {
        "withdrawal": ["1"], "direction": ["0"], "reason": ["12"], "first_epoch": ["1"], "last_epoch": [str(LAST_EPOCH)],
    }),
    (Withdrawn(1, 1, 9, 4, 4), {
        "withdrawal": ["1"], "direction": ["1"], "reason": ["9"], "first_epoch": ["4"], "last_epoch": ["4"],
    }),
    (Leave(), {}),
]
HEADER = ["qlinkd.length", "qlinkd.version", "qlinkd.type", "qlinkd.link_id", "qlinkd.generation", "qlinkd.other_generation"]
BODY = sorted({f"qlinkd.{name}" for _, values in EXAMPLES for name in values})
SPEAKER, OTHER = 0xFEDCBA9876543210, 7


def test_each_type(folder: pathlib.Path) -> str:
    """All fields of a message of each type, as the message was made; one message a segment."""
    for body, want in EXAMPLES:
        message = encode(body, 7, SPEAKER, OTHER)
        pcap = packets.write(folder / "pcap", packets.Stream(PORT).say(message, 20000))
        header = [len(message), 2, body.kind, 7, hex(SPEAKER), f"0x{OTHER:016x}"]
        wanted = dict.fromkeys(BODY, []) | {f"qlinkd.{name}": values for name, values in want.items()}
        wanted |= {name: [str(value)] for name, value in zip(HEADER, header, strict=True)}
        got = tshark.fields(pcap, [*HEADER, *BODY, "qlinkd.malformed"], *PLAIN)
        for name, values in (wanted | {"qlinkd.malformed": []}).items():
            if got[0][name] != values:
                return f"{type(body).__name__}: {name}: {got[0][name]}, want {values}"
    return ""


def test_messages_and_segments(folder: pathlib.Path) -> str:
    """Several messages in a segment, and messages over several segments, cut at every place of a header."""
    whole = b"".join(encode(body, 7, SPEAKER, OTHER) for body, _ in EXAMPLES)
    want = [str(body.kind) for body, _ in EXAMPLES]
    for most in (1, 5, 23, 24, 25, 500, 60000):
        segments = packets.Stream(PORT).say(whole, most)
        if most == 1:
            segments = packets.Stream(PORT).say(whole[:400], most)
        pcap = packets.write(folder / "pcap", segments)
        rows = tshark.fields(pcap, ["qlinkd.type", "qlinkd.malformed"], *PLAIN)
        got = [kind for row in rows for kind in row["qlinkd.type"]]
        if got != (want if most > 1 else ["1", "2"]) or any(row["qlinkd.malformed"] for row in rows):
            return f"segments of {most} bytes: {got}"
    return ""


def changed(message: bytes, at: int, value: bytes) -> bytes:
    """A message with other bytes at a place."""
    return message[:at] + value + message[at + len(value) :]


def test_malformed(folder: pathlib.Path) -> str:
    """What ends a connection is said with the value and the rule."""
    hello, state = encode(Hello(2, 2), 7, 1, 0), encode(STATE, 7, 1, 2)
    offer, refuse = encode(OFFER, 7, 1, 2), encode(Refuse(1, 5, 1), 7, 1, 2)
    cases = [
        (changed(hello, 0, b"\0\0\0\x17"), "length 23: must be 24 to 16384"),
        (changed(hello, 0, b"\0\0\x40\x01"), "length 16385: must be 24 to 16384"),
        (changed(hello, 4, b"\1"), "version 1: must be 2"),
        (changed(hello, 5, b"\0"), "type 0: must be 1 to 9"),
        (changed(hello, 5, b"\x0a"), "type 10: must be 1 to 9"),
        (changed(hello, 6, b"\0\0"), "link id 0: must be 1 to 65535"),
        (changed(hello, 8, bytes(8)), "generation of the speaker 0: must not be 0"),
        (changed(hello, 24, b"\3"), "highest version 2: must be 3 to 255"),
        (changed(hello, 0, b"\0\0\0\x1b") + b"x", "message of 27 bytes: goes on after its end at 26"),
        (changed(hello[:-1], 0, b"\0\0\0\x19"), "message of 25 bytes: ends too early"),
        (changed(state, 26, b"\5"), "policy 5: must be 1 to 4"),
        (changed(state, 30, b"\5"), "most KMEs of a key 5: must be 0 to 4"),
        (changed(state, 30, b"\3"), "most KMEs of a key 3: must be 2 or fewer, as many as the speaker has"),
        (changed(state, 31, b"\2"), "demands 2: must be 0 to 1"),
        (changed(state, 80, b"\0\1"), "size of the check of the pre-shared secret is 1: must be 0 or 32"),
        (changed(offer, 48, b"\x41"), "number of epochs 65: must be 1 to 64"),
        (changed(offer, 40, b"\xff" * 8), f"first epoch {2**64 - 1}: must be 1 to {LAST_EPOCH}"),
        (encode(dataclasses.replace(OFFER, count=64, places=b"\1\2\3"), 7, 1, 2), "64 epochs with 3 keys each: must be 128 keys or fewer"),
        (encode(dataclasses.replace(OFFER, first=LAST_EPOCH), 7, 1, 2), f"last epoch {LAST_EPOCH + 1}: must be {LAST_EPOCH} or less"),
        (encode(dataclasses.replace(OFFER, places=b"\3\3"), 7, 1, 2), "place 3: must be 4 to 8"),
        (encode(dataclasses.replace(OFFER, key_ids=(IDS[0], IDS[0])), 7, 1, 2), "KME key ID 01234567-89ab: twice of one KME"),
        (changed(offer, len(offer) - 1, b"_"), "KME key ID: must be of 0-9A-Za-z-"),
        (changed(refuse, 32, b"\x0e"), "reason 14: must be 0 to 13"),
    ]
    stream = packets.Stream(PORT)
    pcap = packets.write(folder / "pcap", [packet for message, _ in cases for packet in stream.say(message, 20000)])
    rows = tshark.fields(pcap, ["_ws.expert.message", "qlinkd.length"], *PLAIN)
    for (message, want), row in zip(cases, rows, strict=True):
        if want not in row["_ws.expert.message"] or len(row["qlinkd.length"]) != 1:
            return f"{message[:48].hex()}: {row}, want {want}"
    return ""


def spoil(source: random.Random, message: bytes) -> bytes:
    """A message with a few other bytes, whose length is right unless it was hit."""
    data = bytearray(message)
    for _ in range(source.choice((0, 1, 1, 2, 4))):
        data[source.randrange(4, min(len(data), 200))] = source.choice((0, 1, 2, 255, source.randrange(256)))
    if source.random() < 0.3:
        data = data[: source.randrange(24, len(data) + 1)] + source.randbytes(source.choice((0, 1, 30)))
        data[:4] = len(data).to_bytes(4, "big")
    return bytes(data)


def is_good(message: bytes) -> bool:
    """Whether the second implementation can parse a message."""
    try:
        decode(message)
    except Malformed:
        return False
    return True


def test_truncated_segments(folder: pathlib.Path) -> str:
    """Where the capture ends in the length of a message, or soon behind it, that is said, and nothing fails."""
    message = encode(OFFER, 7, SPEAKER, OTHER)
    for captured in range(1, 9):
        pcap = packets.write(folder / "pcap", packets.Stream(PORT).say(message, 20000), TCP_BYTES + captured)
        said = tshark.run(pcap, "-V", *PLAIN)
        if f"[Expert Info (Note/Undecoded): {captured} of {len(message)} bytes were captured]" not in said:
            return f"{captured} bytes captured: {said}"
    return ""


def test_spoilt_messages(folder: pathlib.Path) -> str:
    """Of messages with other bytes, the dissector calls malformed what the second implementation refuses, and no other."""
    source, made, whole = random.Random(SEED), [], []
    originals = [encode(body, 7, SPEAKER, OTHER) for body, _ in EXAMPLES]
    stream = packets.Stream(PORT)
    for _ in range(N_SPOILT):
        whole.append(spoil(source, source.choice(originals)))
        made += stream.say(whole[-1], 20000)
    rows = tshark.fields(packets.write(folder / "pcap", made), ["qlinkd.malformed"], *PLAIN)
    for message, row in zip(whole, rows, strict=True):
        if is_good(message) != (not row["qlinkd.malformed"]):
            return f"{message[:120].hex()} of {len(message)} bytes: {row}, and the second implementation says {is_good(message)}"
    tshark.run(packets.write(folder / "short", made, 90), "-V", *PLAIN)
    return "" if 0.2 < sum(map(is_good, whole)) / N_SPOILT < 0.8 else "hardly any message is good, or bad"


SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def loopback_up() -> None:
    """In a new network namespace, the loopback is down."""
    with socket.socket() as sock:
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))


class Recorder:
    """Records what goes over the loopback of this namespace."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self._socket.bind(("lo", 3))
        self._socket.settimeout(0.1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while True:
            try:
                packet, address = self._socket.recvfrom(65536)
            except TimeoutError:
                if self._ends.is_set():
                    return
                continue
            # The loopback shows each packet twice, as it leaves and as it arrives.
            if address[2] != socket.PACKET_OUTGOING:
                self.packets.append(packet)

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
        self._socket.close()


@contextlib.contextmanager
def lab(folder: pathlib.Path) -> Iterator[None]:
    """Certificates, and keys that others cannot read."""
    loopback_up()
    before = os.umask(0o077)
    peerpair.make_certificates(folder)
    yield
    os.umask(before)


def conversation(folder: pathlib.Path, name: str) -> list[bytes]:
    """The packets of two peers in a case of peerpair.py; their TLS secrets are in the file keylog."""
    case = next(case for case in peerpair.CASES if case.name == name)
    options = tuple([*words, "--keylog", f"{folder}/keylog"] for words in case.options)
    with Recorder() as recorder:
        why = peerpair.run(folder, case._replace(options=options))
    if why:
        raise tshark.TsharkError(f"{name}: {why}")
    return recorder.packets


def test_inside_tls(folder: pathlib.Path) -> str:
    """Real conversations: TLS alone without its secrets, all types of messages with them."""
    with lab(folder):
        pcap = packets.write(folder / "pcap", [packet for name in ("withdrawn", "another-connection", "harm-offer-chain")
                                               for packet in conversation(folder, name)])
    ports = {value for row in tshark.fields(pcap, ["tcp.srcport"], "-Y", "tcp.flags.syn == 1 && tcp.flags.ack == 1")
             for value in row["tcp.srcport"]}
    options = ("-o", "qlinkd.ports:" + ",".join(ports))
    secrets = ("-o", f"tls.keylog_file:{folder}/keylog")
    kinds = ["qlinkd.type", "tls.handshake.type", "qlinkd.malformed"]
    closed = tshark.fields(pcap, kinds, *options)
    if not any(row["tls.handshake.type"] for row in closed) or any(row["qlinkd.type"] for row in closed):
        return "without secrets: no TLS, or messages"
    opened = tshark.fields(pcap, kinds, *options, *secrets)
    got = {kind for row in opened for kind in row["qlinkd.type"]}
    if got != {str(body.kind) for body, _ in EXAMPLES} or any(row["qlinkd.malformed"] for row in opened):
        return f"types {sorted(got)}, malformed {[row for row in opened if row['qlinkd.malformed']][:3]}"
    tshark.run(pcap, "-V", *options, *secrets)
    if any(row["qlinkd.type"] for row in tshark.fields(pcap, kinds, *secrets)):
        return "on other ports without being asked for"
    found = tshark.fields(pcap, kinds, *secrets, "-o", "qlinkd.heuristic:TRUE")
    return "" if {"1", "2", "4"} <= {kind for row in found for kind in row["qlinkd.type"]} else "not found by the heuristic"


def test_names_of_reasons(folder: pathlib.Path) -> str:
    """The reasons are called as in the second implementation."""
    stream = packets.Stream(PORT)
    made = [packet for number in range(len(REASONS)) for packet in stream.say(encode(Refuse(1, number, 0), 7, 1, 2))]
    text = tshark.run(packets.write(folder / "pcap", made), "-V", *PLAIN)
    missing = [name for number, name in enumerate(REASONS) if f"Reason: {name} ({number})" not in text]
    return f"not called so: {missing}" if missing else ""
