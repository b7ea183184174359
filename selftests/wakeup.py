#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Has the kernel begin to sleep, and called off by a wakeup event that is pending already.

  wakeup.py freeze|mem|disk	prints the errno that the kernel gives up with, or OK

Everybody who wants to know before the host sleeps is told; then no task is frozen, no device suspended.
"""

from __future__ import annotations

import errno
import os
import pathlib
import select
import sys

EPOLLWAKEUP = 1 << 29
POWER = pathlib.Path("/sys/power")


def put(name: str, text: str) -> None:
    """Writes to a file of /sys/power, in one system call."""
    file = os.open(POWER / name, os.O_WRONLY)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


def main() -> int:
    """A wakeup source that is active until somebody waits for it, and nobody does."""
    source, event = os.pipe()
    epoll = select.epoll()
    epoll.register(source, select.EPOLLIN | EPOLLWAKEUP)
    if (POWER / "sync_on_suspend").exists():
        put("sync_on_suspend", "0")
    put("wakeup_count", (POWER / "wakeup_count").read_text(encoding="ascii"))
    os.write(event, b"x")
    try:
        put("state", sys.argv[1])
    except OSError as refusal:
        print(errno.errorcode[refusal.errno])
    else:
        print("OK")
    return 0


if __name__ == "__main__":
    sys.exit(main())
