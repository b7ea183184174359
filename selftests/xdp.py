#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""An XDP program on a device, until standard input ends.

  xdp.py NS DEVICE native|generic pass|drop|DEVICE

With another DEVICE the program redirects everything there. Prints "attached", or why it cannot be.
"""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import struct
import sys

from netdev import in_namespace

BPF_PROG_LOAD, BPF_LINK_CREATE = 5, 28
BPF_PROG_TYPE_XDP, BPF_XDP = 6, 37
FLAGS = {"generic": 2, "native": 4}
VERDICTS = {"drop": 1, "pass": 2}
BPF_REDIRECT = 23
SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command: int, attributes: bytes) -> int:
    """bpf(2); returns a file descriptor."""
    memory = ctypes.create_string_buffer(attributes)
    result = libc.syscall(SYS_BPF, command, memory, len(attributes))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(result)


def instruction(code: int, register: int, value: int) -> bytes:
    """One with a value."""
    return struct.pack("<BBhi", code, register, 0, value)


def program(action: str) -> bytes:
    """A verdict, or bpf_redirect() to a device."""
    end = instruction(0x95, 0, 0)
    if action in VERDICTS:
        return instruction(0xB7, 0, VERDICTS[action]) + end
    to, flags = instruction(0xB7, 1, socket.if_nametoindex(action)), instruction(0xB7, 2, 0)
    return to + flags + instruction(0x85, 0, BPF_REDIRECT) + end


def load(code: bytes) -> int:
    """The program, as a file descriptor."""
    memory, name = ctypes.create_string_buffer(code), ctypes.create_string_buffer(b"GPL")
    where = (ctypes.addressof(memory), ctypes.addressof(name))
    return bpf(BPF_PROG_LOAD, struct.pack("<IIQQ", BPF_PROG_TYPE_XDP, len(code) // 8, *where).ljust(128, b"\0"))


def attach(device: str, mode: str, action: str) -> int:
    """Keeps the program on the device as long as the result is open."""
    index = socket.if_nametoindex(device)
    words = (load(program(action)), index, BPF_XDP, FLAGS[mode])
    return bpf(BPF_LINK_CREATE, struct.pack("<IIII", *words).ljust(64, b"\0"))


def main() -> int:
    """Waits for the end of standard input."""
    namespace, device, mode, action = sys.argv[1:]
    try:
        in_namespace(namespace, lambda: attach(device, mode, action))
    except OSError as problem:
        print(problem, flush=True)
        return 1
    print("attached", flush=True)
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
