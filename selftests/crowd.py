#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Stands at a door and says nothing: keeps connections to ADDRESS PORT open, and makes those again that are closed.

usage: crowd.py ADDRESS PORT N OWN-ADDRESS…

N of each OWN-ADDRESS, which dials a hundred times a second at most; until it is killed.
"""
import selectors
import socket
import sys
import time


def knock(own, there):
    """A connection that is on its way, or None where this host has no more."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        sock.bind((own, 0))
        sock.connect(there)
    except BlockingIOError:
        return sock
    except OSError:
        sock.close()
        return None
    return sock


def main():
    there, most = (sys.argv[1], int(sys.argv[2])), int(sys.argv[3])
    open_of = dict.fromkeys(sys.argv[4:], 0)
    waiting = selectors.DefaultSelector()
    while True:
        for own, n in open_of.items():
            sock = knock(own, there) if n < most else None
            if sock:
                waiting.register(sock, selectors.EVENT_READ, own)
                open_of[own] += 1
        for key, _ in waiting.select(0):
            # Closed, or refused: what a door says to those who say nothing is nothing.
            waiting.unregister(key.fileobj)
            key.fileobj.close()
            open_of[key.data] -= 1
        time.sleep(0.01)


main()
