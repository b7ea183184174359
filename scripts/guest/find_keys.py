#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Finds the bytes of key files in the saved memory of a VM; the host's part of scripts/scan-memory.

  find_keys.py DIRECTORY USED GONE REFUSED OFF

DIRECTORY/1 was saved while the two keys from seed USED were in use, DIRECTORY/2 when they and
the three from seed GONE had been deleted, and twelve from seed REFUSED had been in requests that
were refused; DIRECTORY/off when the VM had been switched off while the three from seed OFF
were in use. keybytes.h makes the same bytes from a seed.
"""

from __future__ import annotations

import mmap
import sys

MASK = (1 << 64) - 1


def key_file(seed: int) -> bytes:
    """The 44 bytes of a seed: key, then salt."""
    out = bytearray()
    state = seed
    for _ in range(44):
        state ^= state >> 12
        state ^= state << 25 & MASK
        state ^= state >> 27
        out.append((state * 0x2545F4914F6CDD1D & MASK) >> 56)
    return bytes(out)


def places(path: str, seeds: list[int]) -> dict[str, list[int]]:
    """The offsets of each part of each key in a file."""
    found = {}
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as memory:
        for seed in seeds:
            raw = key_file(seed)
            for name, part in (("key, 1st half", raw[:16]), ("key, 2nd half", raw[16:32]), ("salt", raw[32:])):
                found[f"{seed:#x} {name}"] = at = []
                here = memory.find(part)
                while here >= 0:
                    at.append(here)
                    here = memory.find(part, here + 1)
    return found


def main() -> int:
    """Scans."""
    directory, used, gone, refused, off = sys.argv[1], *(int(word, 0) for word in sys.argv[2:])
    used_keys = [used, used + 1]
    before = places(f"{directory}/1", used_keys)
    after = places(f"{directory}/2", [*used_keys, gone, gone + 1, gone + 2, *range(refused, refused + 13)])
    after |= places(f"{directory}/off", [off, off + 1, off + 2])
    bad = [f"{what}: in use and not found" for what, at in before.items() if not at]
    bad += [f"{what}: left at {', '.join(map(hex, at))}" for what, at in after.items() if at]
    print("\n".join([f"{what}: in use, found {len(at)} times" for what, at in before.items()] + bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
