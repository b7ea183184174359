#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Reads captures that the selftests have made, with tshark and with the independent implementation.

  captures_test.py FOLDER

FOLDER is what QLINK_CAPTURES named: NAME.pcap with NAME.keys are sealed frames, and must be read alike, field by
field. NAME-agents.pcap with NAME-agents.keylog are an agent and peer.py.
"""

from __future__ import annotations

import collections
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "selftests")]

import tshark  # noqa: E402
from capture import Outer, l3_of, outer_eth, outer_udp, read_keys, timed_packets  # noqa: E402
from frames_test import differences  # noqa: E402
from reading import NAMES, Reader, Values  # noqa: E402
from wire import CSUM_STATE_BYTES, ETHERTYPE, HEADER_BYTES, Header  # noqa: E402

# The port of links in the selftests.
PORT = 47000
# What must have been seen in all captures together.
TYPES = {"0", "1", "2", "3"}
MESSAGES = {"1", "2", "3", "4", "5", "6", "7", "8"}


def outer_of(packet: bytes) -> Outer:
    """A packet, parsed for either underlay."""
    outer = outer_eth(packet, ETHERTYPE)
    return outer if outer.sealed is not None else outer_udp(packet, PORT)


def expected(pcap: pathlib.Path) -> list[Values]:
    """What the independent implementation reads in each packet."""
    keys = read_keys(pcap.with_suffix(".keys").read_text(encoding="ascii"))
    readers: dict[tuple[str, int], Reader] = {}
    values = []
    for seconds, packet in timed_packets(pcap.read_bytes()):
        outer = outer_of(packet)
        if outer.sealed is None:
            values.append({name: [] for name in NAMES})
            continue
        link_id = Header.parse(outer.sealed).link_id if len(outer.sealed) >= HEADER_BYTES else 0
        if (outer.sender, link_id) not in readers:
            own = {epoch: key for (link, epoch), some in keys.items() for sender, key in some
                   if link == link_id and sender in ("any", outer.sender)}
            readers[outer.sender, link_id] = Reader(link_id, own)
        values.append(readers[outer.sender, link_id].read(outer.sealed, seconds))
        add_nested(values[-1])
    return values


def add_nested(values: Values) -> None:
    """Adds what is read in an inner frame that looks like a sealed one: data.sh sends some with our EtherType."""
    if values["qlink.type"] not in (["0"], ["2"]) or not values["qlink.plaintext"]:
        return
    inner = bytes.fromhex(values["qlink.plaintext"][0])[CSUM_STATE_BYTES if values["qlink.type"] == ["2"] else 0 :]
    ethertype, offset = l3_of(inner)
    if ethertype == ETHERTYPE:
        for name, found in Reader(0, {}).read(inner[offset:]).items():
            values[name] += found


def check_frames(pcap: pathlib.Path, seen: collections.Counter[str]) -> str:
    """What differs in a capture of sealed frames, or an empty string."""
    keys = pcap.with_suffix(".keys")
    want = expected(pcap)
    got = tshark.fields(pcap, NAMES, "-o", f"qlink.udp_ports:{PORT}", "-o", f"qlink.keys_file:{keys}")
    if len(got) != len(want):
        return f"{len(got)} packets, want {len(want)}"
    for number, (one, other) in enumerate(zip(want, got, strict=True), 1):
        if found := differences(one, other):
            return f"packet {number}: {'; '.join(found)}"
        seen.update(f"type {value}" for value in one["qlink.type"])
        seen.update(f"tag {value}" for value in one["qlink.tag.status"])
        seen.update(f"counter {value}" for value in one["qlink.counter"])
    return ""


def check_agents(pcap: pathlib.Path, seen: collections.Counter[str]) -> str:
    """What is wrong with a capture of an agent and peer.py, or an empty string."""
    keylog = pcap.with_suffix(".keylog")
    names = ["qlinkd.type", "qlinkd.malformed", "tls.alert_message"]
    rows = tshark.fields(pcap, names, "-o", f"tls.keylog_file:{keylog}")
    tshark.run(pcap, "-V", "-o", f"tls.keylog_file:{keylog}")
    malformed = [row for row in rows if row["qlinkd.malformed"]]
    seen.update(f"message {value}" for row in rows for value in row["qlinkd.type"])
    return f"malformed: {malformed[:3]}" if malformed else ""


def missing(seen: collections.Counter[str]) -> list[str]:
    """What no capture had."""
    want = [f"type {value}" for value in sorted(TYPES)] + [f"message {value}" for value in sorted(MESSAGES)]
    return [one for one in [*want, "tag 1", "counter rx_keepalive", "counter rx_parcels"] if not seen[one]]


def main() -> int:
    """Reads all captures of a folder."""
    bad, seen = 0, collections.Counter()
    for pcap in sorted(pathlib.Path(sys.argv[1]).glob("*.pcap")):
        is_agents = pcap.stem.endswith("-agents")
        if not is_agents and not pcap.with_suffix(".keys").exists():
            continue
        try:
            why = check_agents(pcap, seen) if is_agents else check_frames(pcap, seen)
        except Exception as error:  # noqa: BLE001 a test that raises has failed
            why = repr(error)
        bad += bool(why)
        print(f"{'not ok' if why else 'ok'} - {pcap.stem}", *([why] if why else []), sep="\n", flush=True)
    print("# " + ", ".join(f"{name}: {count}" for name, count in sorted(seen.items())))
    if lacking := missing(seen):
        print(f"not ok - no capture has: {', '.join(lacking)}")
    return 1 if bad or lacking else 0


if __name__ == "__main__":
    sys.exit(main())
