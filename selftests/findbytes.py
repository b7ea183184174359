#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Counts occurrences of bytes in the memory of a process.

  findbytes.py PID HEX…

Prints one number per HEX. Occurrences of either half count too, so that copies in parts are found.
"""

from __future__ import annotations

import pathlib
import sys


def memory(pid: str) -> bytes:
    """The memory of the process, written or only read."""
    pieces = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            if line.split()[1][0] != "r" or line.endswith(("[vvar]", "[vvar_vclock]", "[vsyscall]")):
                continue
            start, end = (int(word, 16) for word in line.split()[0].split("-"))
            mem.seek(start)
            try:
                pieces.append(mem.read(end - start))
            except OSError:  # a mapping of the kernel's own
                continue
    return b"".join(pieces)


def main() -> int:
    """Parses the command line."""
    seen = memory(sys.argv[1])
    for word in sys.argv[2:]:
        secret = bytes.fromhex(word)
        half = len(secret) // 2
        print(max(seen.count(secret[:half]), seen.count(secret[half:])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
