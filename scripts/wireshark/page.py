#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Writes the parts of doc/wireshark.md that show what the dissectors do: trees of sealed frames, and all fields.

  bash -c '. scripts/lib.sh; in_wireshark_root scripts/wireshark/page.py [--check]'

--check fails if the page is not what this would write, or if tshark and the independent decoder (selftests/wire.py)
read a value differently.
"""

from __future__ import annotations

import difflib
import pathlib
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "selftests")]

import packets  # noqa: E402
import tshark  # noqa: E402
from agents_test import EXAMPLES, HEADER, OTHER, PLAIN, PORT, SPEAKER  # noqa: E402
from frames_test import LINK_ID, vectors, write_keys  # noqa: E402
from peermessages import decode, encode  # noqa: E402
from reading import Reader  # noqa: E402

PAGE = HERE.parent.parent / "doc" / "wireshark.md"
LONGEST = 24
# One frame of each type, each on another underlay. A parcel stands behind the one that begins its first record.
SHOWN = [
    ("frame", "eth", ["minimum"]),
    ("keepalive", "udp", ["keepalive"]),
    ("frame with checksum state", "udp6", ["csum"]),
    ("parcel", "eth in a VLAN", ["parcel-kinds"]),
    ("parcel that goes on with a record", "eth", ["cut-begin", "cut-rest"]),
]


class Differs(Exception):
    """The page, or a value, is not what it must be."""


def short(text: str) -> str:
    """Words that fit a table: of a long value only its begin."""
    name, colon, value = text.rpartition(": ")
    return f"{name}{colon}{value if len(value) <= LONGEST else f'{value[: LONGEST - 1]}…'}"


def items(pcap: pathlib.Path, number: int, own: str, *options: str) -> Iterator[tuple[int, str, str, str]]:
    """Depth, words, name and value of each item that tshark shows of one of our protocols in a packet."""
    text = tshark.run(pcap, "-T", "pdml", "-Y", f"frame.number == {number}", *options)
    proto = next(proto for proto in ElementTree.fromstring(text).iter("proto") if proto.get("name") == own)

    def below(item: ElementTree.Element, depth: int) -> Iterator[tuple[int, str, str, str]]:
        for one in item.iterfind("field"):
            name = one.get("name", "")
            value = one.get("show", "") if one.get("show", "") or not one.get("value") else one.get("value", "")
            yield depth, one.get("showname") or one.get("show", ""), name, value.replace(":", "")
            yield from below(one, depth + 1)

    yield from below(proto, 0)


def expected(values: dict[str, list[str]], name: str, value: str) -> str:
    """What the independent decoder has for an item; it is an error if it differs."""
    if name not in values:
        return ""
    if not values[name]:
        raise Differs(f"{name}: tshark has {value}, and the independent decoder nothing")
    want = values[name].pop(0)
    if want != value:
        raise Differs(f"{name}: tshark has {value}, and the independent decoder {want}")
    return want


def frame_table(folder: pathlib.Path, title: str, underlay: str, names: list[str]) -> Iterator[str]:
    """The lines about one frame."""
    keys, rows = next(vectors())
    sealed = [bytes.fromhex(next(row["frame"] for row in rows if row["name"] == name)) for name in names]
    wrap, sender = packets.UNDERLAYS[underlay]
    pcap, reader = packets.write(folder / "pcap", [wrap(frame) for frame in sealed]), Reader(LINK_ID, keys)
    options = write_keys(folder, keys, packets.SENDERS[sender])
    values = [reader.read(frame) for frame in sealed][-1]
    yield from table(f"A {title}, over {underlay}", items(pcap, len(sealed), "qlink", *options), values)


def message_table(folder: pathlib.Path, body: object, fields: dict[str, list[str]]) -> Iterator[str]:
    """The lines about one message."""
    message = encode(body, LINK_ID, SPEAKER, OTHER)
    header, again = decode(message)
    if again != body:
        raise Differs(f"{body}: the second implementation reads {again}")
    numbers = (len(message), header.version, header.kind, header.link_id, hex(header.speaker), f"0x{header.other:016x}")
    values = {name: [str(number)] for name, number in zip(HEADER, numbers, strict=True)}
    values |= {f"qlinkd.{name}": list(some) for name, some in fields.items()}
    pcap = packets.write(folder / "pcap", packets.Stream(PORT).say(message, 20000))
    yield from table(type(body).__name__.upper(), items(pcap, 1, "qlinkd", *PLAIN), values)


def table(title: str, shown: Iterable[tuple[int, str, str, str]], values: dict[str, list[str]]) -> Iterator[str]:
    """The items that tshark shows, beside the values that they must have."""
    yield f"### {title}"
    yield ""
    yield "| tshark | field | independent decoder |"
    yield "| --- | --- | --- |"
    for depth, words, name, value in shown:
        indent = "\N{NO-BREAK SPACE}" * 4 * depth
        yield f"| {indent}{short(words)} | {name} | {short(expected(values, name, value))} |"
    if left := {name: value for name, value in values.items() if value}:
        raise Differs(f"{title}: only the independent decoder has {left}")
    yield ""


def field_table() -> Iterator[str]:
    """The lines about all fields, as tshark lists them."""
    kinds = {"FT_UINT8": "number", "FT_UINT16": "number", "FT_UINT32": "number", "FT_UINT64": "number", "FT_BYTES": "bytes",
             "FT_BOOLEAN": "yes or no", "FT_FRAMENUM": "frame", "FT_STRING": "text", "FT_NONE": "is there", "FT_PROTOCOL": "protocol"}
    yield "| field | value | what |"
    yield "| --- | --- | --- |"
    lines = []
    for line in tshark.listing("fields"):
        words = line.split("\t")
        if words[0] == "F" and re.match(r"qlinkd?\.", words[2]):
            description = words[7].rstrip(".") if len(words) > 7 and words[7] else ""
            what = f"{words[1]}: {description}" if description else words[1]
            lines.append(f"| `{words[2]}` | {kinds[words[3]]} | {what} |")
    yield from sorted(lines)
    yield ""


def made(folder: pathlib.Path) -> dict[str, str]:
    """The parts of the page, by their names."""
    trees = [line for title, underlay, names in SHOWN for line in frame_table(folder, title, underlay, names)]
    messages = [line for body, fields in EXAMPLES for line in message_table(folder, body, fields)]
    return {"trees": "\n".join(trees), "messages": "\n".join(messages), "fields": "\n".join(field_table())}


def filled(page: str, parts: dict[str, str]) -> str:
    """The page with its parts between their marks."""
    for name, text in parts.items():
        begin, end = f"<!-- {name}: made by scripts/wireshark/page.py -->\n", f"<!-- end of {name} -->"
        if page.count(begin) != 1 or page.count(end) != 1:
            raise Differs(f"{PAGE}: must have the marks of {name} once")
        page = page[: page.index(begin) + len(begin)] + "\n" + text + page[page.index(end) :]
    return page


def main() -> int:
    """Writes or checks the page."""
    before = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        after = filled(before, made(pathlib.Path(folder)))
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(after, encoding="utf-8")
        return 0
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "doc/wireshark.md", "made", lineterm="", n=0)
    difference = "\n".join(lines)
    print(difference, end="\n" if difference else "")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
