#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Stands at a door and says nothing: keeps N connections to ADDRESS PORT open, and makes those again that are closed.

usage: crowd.py N OWN-ADDRESS ADDRESS PORT

A hundred times a second at most; until it is killed.
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
    n, own, there = int(sys.argv[1]), sys.argv[2], (sys.argv[3], int(sys.argv[4]))
    waiting = selectors.DefaultSelector()
    while True:
        if len(waiting.get_map()) < n:
            sock = knock(own, there)
            if sock:
                waiting.register(sock, selectors.EVENT_READ)
        for key, _ in waiting.select(0):
            # Closed, or refused: what a door says to those who say nothing is nothing.
            waiting.unregister(key.fileobj)
            key.fileobj.close()
        time.sleep(0.01)


main()
