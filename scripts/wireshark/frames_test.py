# SPDX-License-Identifier: GPL-2.0
"""The dissector of sealed frames against the independent implementation of the wire, field by field."""

from __future__ import annotations

import json
import pathlib
import random
import subprocess
from collections.abc import Iterator

import packets
import tshark
from capture import read_pcap
from reading import NAMES, Reader, Values
from vectorfile import VECTORS
from wire import Header, Key, Unpacker, csum_plaintext, parcel, record, seal

SEED, N_PARCELS, N_FLIPPED = 20, 1500, 1500
LINK_ID = 7


def differences(want: Values, got: Values) -> list[str]:
    """The fields whose values differ."""
    return [f"{name}: {got[name]}, want {value}" for name, value in want.items() if got[name] != value]


def same(name: str, want: list[Values], got: list[Values], labels: list[str]) -> str:
    """What differs between two readings, or an empty string."""
    if len(want) != len(got):
        return f"{name}: {len(got)} frames, want {len(want)}"
    for label, one, other in zip(labels, want, got, strict=True):
        if found := differences(one, other):
            return f"{name}, {label}: " + "; ".join(found)
    return ""


def vectors() -> Iterator[tuple[dict[int, Key], list[dict]]]:
    """The keys and the frames of each group of vectors."""
    for group in json.loads(VECTORS.read_text(encoding="ascii"))["groups"]:
        keys = {row["epoch"]: Key.of(bytes.fromhex(row["key"] + row["salt"])) for row in group["frames"]
                if row["epoch"] in group["epochs"]}
        yield keys, group["frames"]


def write_keys(folder: pathlib.Path, keys: dict[int, Key], sender: str) -> list[str]:
    """A file of test keys, and the option that names it."""
    path = folder / "keys"
    path.write_text("".join(f"{LINK_ID} {epoch} {sender} {(key.key + key.salt).hex()}\n" for epoch, key in keys.items()))
    return ["-o", f"qlink.keys_file:{path}"]


def read_both(folder: pathlib.Path, name: str, keys: dict[int, Key], sealed: list[bytes], labels: list[str]) -> str:
    """What differs where both read these frames on an underlay, or an empty string."""
    wrap, sender = packets.UNDERLAYS[name]
    pcap = packets.write(folder / "frames.pcap", [wrap(frame) for frame in sealed])
    got = tshark.fields(pcap, NAMES, *write_keys(folder, keys, packets.SENDERS[sender]))
    reader = Reader(LINK_ID, keys)
    return same(name, [reader.read(frame) for frame in sealed], got, labels)


def test_vectors_on_each_underlay(folder: pathlib.Path) -> str:
    """All vectors: every type, every rule, parcels that are cut."""
    for name in packets.UNDERLAYS:
        for keys, rows in vectors():
            sealed, labels = [bytes.fromhex(row["frame"]) for row in rows], [row["name"] for row in rows]
            if fault := read_both(folder, name, keys, sealed, labels):
                return fault
    return ""


def test_counters_are_those_of_the_vectors(folder: pathlib.Path) -> str:
    """The counters that the vectors state, whatever the reader says."""
    for keys, rows in vectors():
        pcap = packets.write(folder / "frames.pcap", [packets.over_eth(bytes.fromhex(row["frame"])) for row in rows])
        got = tshark.fields(pcap, ["qlink.counter", "qlink.tag.status"], *write_keys(folder, keys, "any"))
        for row, values in zip(rows, got, strict=True):
            want = row.get("counters") or [row["counter"]] if row.get("counters") or row["counter"] else []
            if want in (["port_rx_no_link"], ["rx_no_key"]):
                want, is_right = [], values["qlink.tag.status"] == ["0"]
            else:
                is_right = True
            said = [f"port_{one.removesuffix(' of the port')}" if one.endswith(" of the port") else one
                    for one in values["qlink.counter"]]
            if said != want or not is_right:
                return f"{row['name']}: {values}, want {want}"
    return ""


def test_without_keys(folder: pathlib.Path) -> str:
    """Headers alone; nothing is opened, and no word is said about keys."""
    names = ["qlink.sequence", "qlink.plaintext", "qlink.tag.status", "_ws.expert.message"]
    keys, rows = next(vectors())
    frame = bytes.fromhex(rows[0]["frame"])
    got = tshark.fields(packets.write(folder / "pcap", [packets.over_eth(frame)]), names)
    want = [dict(zip(names, (["1"], [], ["0"], []), strict=True))]
    return "" if got == want and keys else f"{got}, want {want}"


def test_keys_of_others(folder: pathlib.Path) -> str:
    """A key opens frames of its sender, link and epoch alone; one that does not fit is not tried."""
    keys, rows = next(vectors())
    frame, secret = bytes.fromhex(rows[0]["frame"]), keys[1].key + keys[1].salt
    pcap = packets.write(folder / "pcap", [packets.over_udp(frame)])
    (folder / "key").write_bytes(secret)
    other = f"7 1 any {bytes(44).hex()}\n"
    cases = {
        f"7 1 192.0.2.1 {secret.hex()}": "1", f"7 1 {packets.SENDER} {secret.hex()}": "1", "7 1 any key": "1",
        f"7 1 any {folder}/key # a comment": "1", f"{other}7 1 any key": "1", other: "2",
        "7 1 192.0.2.2 key": "0", "7 1 2001:db8::1 key": "0", "7 2 any key": "0", "8 1 any key": "0", "# nothing": "0",
    }
    for text, want in cases.items():
        (folder / "keys").write_text(text)
        got = tshark.fields(pcap, ["qlink.tag.status"], "-o", f"qlink.keys_file:{folder}/keys")
        if got != [{"qlink.tag.status": [want]}]:
            return f"{text}: {got}, want {want}"
    return ""


def test_cooked_capture(folder: pathlib.Path) -> str:
    """A capture of all interfaces has no Ethernet header, but the sender's MAC address."""
    keys, rows = next(vectors())
    frame = bytes.fromhex(rows[0]["frame"])
    made = [packets.cooked(frame, 0x88B5), packets.cooked(packets.ipv4(packets.udp(frame), 17), 0x0800)]
    pcap = packets.write(folder / "pcap", made, kind=packets.LINUX_SLL2)
    got = tshark.fields(pcap, ["qlink.tag.status"], *write_keys(folder, keys, packets.SENDER))
    return "" if got == [{"qlink.tag.status": ["1"]}] * 2 else f"{got}"


def test_faults_of_the_keys_file(folder: pathlib.Path) -> str:
    """Each frame says what is wrong with the file: the place, the value and the rule."""
    pcap = packets.write(folder / "pcap", [packets.over_eth(bytes(60))])
    (folder / "short").write_bytes(bytes(43))
    (folder / "long").write_bytes(bytes(45))
    cases = {
        "7 1 any": ":1: 3 words, must be 4: link id, epoch, sender and key",
        "\n0 1 any key": ":2: link id 0: must be 1 to 65535",
        "65536 1 any key": ":1: link id 65536: must be 1 to 65535",
        f"7 {1 << 48} any key": f":1: epoch {1 << 48}: must be 1 to 2^48 - 1",
        "7 x any key": ":1: epoch x: must be 1 to 2^48 - 1",
        "7 1 everybody key": ":1: sender everybody: must be a MAC address, an IP address or any",
        "7 1 999.0.0.1 key": ":1: sender 999.0.0.1: must be a MAC address, an IP address or any",
        "7 1 1::2::3 key": ":1: sender 1::2::3: must be a MAC address, an IP address or any",
        "7 1 any short": ":1: short: has 43 bytes, must have 44: 32 of key, then 12 of salt",
        "7 1 any long": ":1: long: has more than 44 bytes, must have 44: 32 of key, then 12 of salt",
        "7 1 any none": ":1: ",
    }
    for text, want in cases.items():
        (folder / "keys").write_text(text)
        got = tshark.fields(pcap, ["qlink.bad_keys", "_ws.expert.message"], "-o", f"qlink.keys_file:{folder}/keys")
        if not any(f"{folder}/keys{want}" in said for said in got[0]["_ws.expert.message"]):
            return f"{text}: {got}, want {want}"
    got = tshark.fields(pcap, ["_ws.expert.message"], "-o", f"qlink.keys_file:{folder}/nowhere")
    said = f"{folder}/nowhere: No such file or directory"
    return "" if said in got[0]["_ws.expert.message"] else f"{got}, want {said}"


def test_history(folder: pathlib.Path) -> str:
    """Gaps, duplicates, what is behind the window, and echoes, without keys where they need none."""
    key = Key(bytes(32), bytes(12))
    keep = "1122334455667788" + "00" * 8 + "00" * 6 + "03e8"
    back = "00000000000000aa" + "1122334455667788" + "00" * 6 + "03e8"
    frames = [seal(key, Header(0, 2, LINK_ID, 1, sequence), bytes(14)) for sequence in (1, 5, 4, 5, 5000, 904, 905)]
    frames += [seal(key, Header(1, 3, LINK_ID, 1, 1), bytes.fromhex(keep))]
    answer = packets.ethernet(seal(key, Header(1, 3, LINK_ID, 1, 1), bytes.fromhex(back)), 0x88B5, back=True)
    pcap = packets.write(folder / "pcap", [packets.over_eth(frame) for frame in frames] + [answer])
    names = ["qlink.missing", "qlink.duplicate_of", "qlink.late", "qlink.keepalive.echo_of"]
    got = [tuple("".join(row[name]) for name in names) for row in tshark.fields(pcap, names, *write_keys(folder, {1: key}, "any"))]
    late = "4096 or more behind the highest of its lane"
    want = [("", "", "", ""), ("3", "", "", ""), ("", "", "", ""), ("", "2", "", ""), ("4994", "", "", ""),
            ("", "", late, ""), ("", "", "", ""), ("", "", "", ""), ("", "", "", "8")]
    got = [(a, b, late if c else "", d) for a, b, c, d in got]
    return "" if got == want else f"{got}, want {want}"


def test_truncated_captures(folder: pathlib.Path) -> str:
    """A capture that has only the begin of each frame: said, and not called malformed."""
    for keys, rows in vectors():
        wrapped = [packets.over_udp(bytes.fromhex(row["frame"])) for row in rows]
        for captured in (42, 43, 57, 58, 74, 90):
            pcap = packets.write(folder / "pcap", wrapped, captured)
            names = ["qlink.not_captured", "qlink.short", "qlink.sequence", "qlink.plaintext"]
            got = tshark.fields(pcap, names, *write_keys(folder, keys, "any"))
            for row, packet, values in zip(rows, wrapped, got, strict=True):
                if values["qlink.plaintext"] and len(packet) > captured:
                    return f"{row['name']}, {captured} bytes captured: {values}"
                if row["counter"] is None and not values["qlink.not_captured"] and 43 <= captured < len(packet):
                    return f"{row['name']}, {captured} bytes captured: {values}"
                if row["counter"] is None and values["qlink.short"]:
                    return f"{row['name']}, {captured} bytes captured: {values}"
    return ""


def test_fragments(folder: pathlib.Path) -> str:
    """A datagram in IP fragments is opened, and told of: no sender makes one. One whose rest is missing is left alone."""
    keys, rows = next(vectors())
    frame = bytes.fromhex(rows[4]["frame"])
    for made in (packets.fragments(frame), packets.fragments6(frame)):
        pcap = packets.write(folder / "pcap", [*made, packets.over_udp(frame), made[0]])
        names = ["qlink.fragments", "qlink.tag.status"]
        got = tshark.fields(pcap, names, *write_keys(folder, keys, "any"))
        seen = [(bool(row["qlink.fragments"]), row["qlink.tag.status"]) for row in got]
        if seen != [(False, []), (True, ["1"]), (False, ["1"]), (False, [])]:
            return f"{got}"
        tshark.fields(pcap, names, "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE")
    return ""


def test_preferences(folder: pathlib.Path) -> str:
    """Other EtherTypes and ports, none, and the heuristic, which is off unless asked for."""
    _, rows = next(vectors())
    frame = bytes.fromhex(rows[0]["frame"])
    eth, udp = packets.over_eth(frame), packets.over_udp(frame)
    other_eth = packets.ethernet(frame, 0x9000)
    other_udp = packets.ethernet(packets.ipv4(packets.udp(frame, 47100), 17), 0x0800)
    foreign = packets.ethernet(packets.ipv4(packets.udp(b"\x17" + bytes(80), 47101), 17), 0x0800)
    pcap = packets.write(folder / "pcap", [eth, udp, other_eth, other_udp, foreign])
    cases: dict[tuple[str, ...], str] = {
        (): "11000",
        ("-o", "qlink.ethertypes:36864"): "01100",
        ("-o", "qlink.ethertypes:34997,36864"): "11100",
        ("-o", "qlink.ethertypes:"): "01000",
        ("-o", "qlink.udp_ports:47100"): "10010",
        ("-o", "qlink.udp_ports:6999-47100"): "11010",
        ("-o", "qlink.udp_ports:"): "10000",
        ("-o", "qlink.heuristic:TRUE"): "11010",
        ("-d", "udp.port==47100,qlink"): "11010",
        ("-d", "ethertype==0x9000,qlink"): "11100",
    }
    for options, want in cases.items():
        rows = tshark.fields(pcap, ["qlink.sequence"], *options)
        got = "".join("1" if row["qlink.sequence"] == ["1"] else "0" for row in rows)
        if got != want:
            return f"{options}: {got}, want {want}"
    return ""


class Hostile:
    """A peer that has the key and sends parcels that may be good, bad, early, late, cut, or the rest of one that was cut."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        # What a receiver holds, so that many rests are what it waits for, or nearly.
        self._unpackers = [Unpacker() for _ in range(3)]
        self._sent: set[tuple[int, int, int]] = set()
        self.seconds = 0.0

    def parcel(self) -> tuple[Header, bytes]:
        """The next one."""
        source, lane = self._random, self._random.randrange(3)
        unpacker = self._unpackers[lane]
        self.seconds += source.choice((0.0, 0.0, 0.01, 0.01, 0.5, 0.7))
        text = self._text(unpacker)
        header = self._header(lane, unpacker)
        self._sent.add((header.epoch, lane, header.sequence))
        unpacker.take(header, text, self.seconds)
        return header, text

    def _header(self, lane: int, unpacker: Unpacker) -> Header:
        """Mostly the one that a receiver waits for; none is sent twice, nor behind the window."""
        source, begin = self._random, unpacker.begin
        newest = {epoch: max((s for e, n, s in self._sent if (e, n) == (epoch, lane)), default=0) for epoch in (1, 2)}
        epoch = begin.epoch if begin else source.choice((1, 2))
        sequence = begin.sequence + 1 if begin else newest[epoch] + 1
        if source.random() < 0.2:
            epoch = source.choice((1, 2))
            sequence = max(1, newest[epoch] + source.choice((-3, -2, -1, 2, 3)))
        while (epoch, lane, sequence) in self._sent:
            sequence += 1
        return Header(3, lane, LINK_ID, epoch, sequence)

    def _text(self, unpacker: Unpacker) -> bytes:
        source, body, begin = self._random, b"", unpacker.begin
        missing = begin.length - len(begin.content) if begin else source.choice((0, 0, 0, 0, 9))
        first = max(0, missing + source.choice((0, 0, 0, 0, 0, -1, 1, -missing)))
        for _ in range(source.randrange(4)):
            length = source.choice((0, 1, 13, 14, 17, 18, 24, 24, 60, 200))
            body += record(source.choice((0, 0, 0, 1, 1, 2, 2, 3)), source.randbytes(length))
        if source.random() < 0.5:
            body += record(source.choice((0, 1)), source.randbytes(80))[: source.randrange(2, 82)]
        if source.random() < 0.1:
            body += bytes(source.choice((1, 9))) + source.choice((b"", b"", b"\1"))
        rest = source.randbytes(first)
        if source.random() < 0.1:
            rest, body = rest[: source.randrange(first + 1)], b""
            first = source.choice((first, len(rest)))
        return parcel(first, rest + body).ljust(14, b"\0")


def test_random_parcels(folder: pathlib.Path) -> str:
    """Parcels of a hostile peer, taken apart by both; each thing that a receiver can count happens."""
    hostile, keys = Hostile(SEED), {epoch: Key(bytes([epoch] * 32), bytes(12)) for epoch in (1, 2)}
    reader, sealed, want, seconds = Reader(LINK_ID, keys), [], [], []
    for _ in range(N_PARCELS):
        header, text = hostile.parcel()
        sealed.append(seal(keys[header.epoch], header, text))
        want.append(reader.read(sealed[-1], hostile.seconds))
        seconds.append(hostile.seconds)
    pcap = packets.write(folder / "pcap", [packets.over_eth(frame) for frame in sealed], seconds=seconds)
    got = tshark.fields(pcap, NAMES, *write_keys(folder, keys, "any"))
    if fault := same("parcels", want, got, [f"parcel {number}" for number in range(1, N_PARCELS + 1)]):
        return fault
    counted = {counter for values in want for counter in values["qlink.counter"]}
    rare = {"rx_parcel_bad", "rx_cut_lost", "rx_cut_late", "rx_short", "rx_bad_inner", "rx_keepalive"} - counted
    return f"no parcel moves {rare}" if rare else ""


def test_checksums_of_all_kinds(folder: pathlib.Path) -> str:
    """Type 2 with sums whose result is 0, with odd ends, and with a field at either end."""
    source, key, sealed = random.Random(SEED), Key(bytes(32), bytes(12)), []
    for number in range(1, 200):
        inner = bytearray(source.randbytes(source.randrange(18, 40)))
        start = source.randrange(14, len(inner) - 2)
        offset = source.choice((0, len(inner) - 2 - start))
        if number % 2:
            inner[start:] = b"\xff\xff".ljust(len(inner) - start, b"\0")
        sealed.append(seal(key, Header(2, 0, LINK_ID, 1, number), csum_plaintext(start, offset, bytes(inner))))
    return read_both(folder, "eth", {1: key}, sealed, [f"frame {number}" for number in range(1, 200)])


def test_flipped_bytes(folder: pathlib.Path) -> str:
    """Bytes of whole packets changed, cut off and added: whatever tshark says, no dissector fails."""
    source = random.Random(SEED)
    keys, rows = next(vectors())
    wraps, spoilt = [wrap for wrap, _ in packets.UNDERLAYS.values()], []
    for _ in range(N_FLIPPED):
        packet = bytearray(source.choice(wraps)(bytes.fromhex(source.choice(rows)["frame"])))
        for _ in range(source.choice((0, 1, 1, 2, 8))):
            packet[source.randrange(min(len(packet), 120))] = source.randrange(256)
        cut = source.randrange(15, len(packet) + 1) if source.random() < 0.3 else len(packet)
        spoilt.append(bytes(packet[:cut]) + source.randbytes(source.choice((0, 0, 0, 1, 40))))
    for captured in (1 << 18, 60):
        pcap = packets.write(folder / "pcap", spoilt, captured)
        tshark.run(pcap, "-V", "-o", "qlink.heuristic:TRUE", *write_keys(folder, keys, "any"))
        tshark.run(pcap, "-2", *write_keys(folder, keys, "any"))
    return ""


def test_two_passes(folder: pathlib.Path) -> str:
    """A second pass over the frames, as Wireshark's window makes, shows what the first has shown."""
    for keys, rows in vectors():
        pcap = packets.write(folder / "pcap", [packets.over_eth(bytes.fromhex(row["frame"])) for row in rows])
        options = write_keys(folder, keys, "any")
        names = [*NAMES, "qlink.duplicate_of", "qlink.missing", "qlink.parcel.part"]
        once, twice = tshark.fields(pcap, names, *options), tshark.fields(pcap, names, "-2", *options)
        if fault := same("two passes", once, twice, [row["name"] for row in rows]):
            return fault
    return ""


# How many frames each capture filter of the page takes, of the capture that the test makes.
FILTERED = {
    "ether proto 0x88b5": 3, "ether proto 0x88b5 and ether[16:2] = 7": 2, "ether proto 0x88b5 and ether[14] = 0x11": 1,
    "vlan and ether proto 0x88b5": 1, "udp dst port 7000": 4, "udp port 7000": 4,
    "udp dst port 7000 and udp[10:2] = 7": 2,
    "udp dst port 7000 and udp[8] = 0x11": 1, "ip6 and udp dst port 7000 and ip6[50:2] = 7": 1, "tcp port 7511": 1,
}
PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "doc" / "wireshark.md"


def test_capture_filters_of_the_page(folder: pathlib.Path) -> str:
    """tcpdump takes with each of them what the page says."""
    text = PAGE.read_text(encoding="utf-8")
    filters = [line.split("#")[0].strip() for line in text[text.index("## Capture filters") :].splitlines() if line[:4] == "    "]
    if sorted(filters) != sorted(FILTERED):
        return f"the page has {filters}"
    key = Key(bytes(32), bytes(12))
    frame, keepalive, other = (seal(key, Header(kind, 0, link, 1, 1), bytes(24)) for kind, link in ((0, 7), (1, 7), (0, 8)))
    made = [packets.over_eth(frame), packets.over_eth(keepalive), packets.over_eth(other), packets.over_vlan(frame),
            packets.over_udp(frame), packets.over_udp(keepalive), packets.over_udp(other), packets.over_udp6(frame)]
    pcap = packets.write(folder / "pcap", made + packets.Stream(packets.AGENT_PORT).say(b"hello"))
    for wanted, count in FILTERED.items():
        done = subprocess.run(["tcpdump", "-n", "-r", str(pcap), "-w", "-", *wanted.split()], capture_output=True, check=True)
        if (got := sum(1 for _ in read_pcap(done.stdout))) != count:
            return f"{wanted}: {got} frames, want {count}"
    return ""
