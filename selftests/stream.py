#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sends files over TCP in the ways that hand page-cache pages to the network, and receives them.

  stream.py send sendfile|splice|copy FILE ADDRESS PORT
  stream.py receive splice|copy FILE PORT	prints "listening" when ready
"""

from __future__ import annotations

import os
import socket
import sys

CHUNK = 1 << 16


def splice_all(source: int, sink: int) -> None:
    """Moves everything from one descriptor to another through a pipe."""
    out, into = os.pipe()
    while length := os.splice(source, into, CHUNK):
        while length:
            length -= os.splice(out, sink, length)


def copy_all(source: int, sink: int) -> None:
    """Reads and writes."""
    while data := os.read(source, CHUNK):
        while data:
            data = data[os.write(sink, data) :]


def sendfile_all(source: int, sink: int) -> None:
    """sendfile, until the end of the file."""
    offset = 0
    while length := os.sendfile(sink, source, offset, CHUNK):
        offset += length


MOVES = {"sendfile": sendfile_all, "splice": splice_all, "copy": copy_all}


def send(how: str, path: str, address: str, port: str) -> None:
    """The send subcommand."""
    source = os.open(path, os.O_RDONLY)
    with socket.create_connection((address, int(port)), timeout=30) as sock:
        sock.setblocking(True)
        MOVES[how](source, sock.fileno())


def receive(how: str, path: str, port: str) -> None:
    """The receive subcommand: one connection."""
    sink = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with socket.create_server(("::", int(port)), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        print("listening", flush=True)
        connection, _ = server.accept()
        MOVES[how](connection.fileno(), sink)


def main() -> None:
    """Parses the command line."""
    {"send": send, "receive": receive}[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
