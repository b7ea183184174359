#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tells the kernel to sleep, which a pending wakeup event cancels.

  wakeup.py freeze|mem|disk	prints the kernel's errno, or OK

All notifiers run that are called before the host sleeps; no task is frozen and no device suspended.
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
    """Makes a wakeup source that stays active, because nobody waits for it."""
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
