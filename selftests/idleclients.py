#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Keeps idle TCP connections to ADDRESS PORT open, and replaces those that are closed, until it is killed.

usage: idleclients.py ADDRESS PORT N OWN-ADDRESS…

N connections from each OWN-ADDRESS, which makes at most a hundred new ones a second.
"""
import selectors
import socket
import sys
import time


def connect(own, there):
    """A connection in progress, or None if this host cannot make more."""
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
            sock = connect(own, there) if n < most else None
            if sock:
                waiting.register(sock, selectors.EVENT_READ, own)
                open_of[own] += 1
        for key, _ in waiting.select(0):
            # Closed or refused: the agent sends nothing to a client that sends nothing.
            waiting.unregister(key.fileobj)
            key.fileobj.close()
            open_of[key.data] -= 1
        time.sleep(0.01)


main()
