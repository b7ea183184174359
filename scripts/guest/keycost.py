#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Counts what looking up and installing keys costs where epochs collide; the guest's part of scripts/keycost.

  keycost.py EPOCHS FRAMES

With QEMU's -icount shift=0, one instruction is one nanosecond of the clock. Prints "install NAME INSTRUCTIONS" per key
of a message of EPOCHS keys, and "forged NAME INSTRUCTIONS" per frame of FRAMES that name staged epochs. NAME is
"sequential", "step" for epochs at a step that puts them into one chain of an unkeyed hash, and "user" for the same from
a namespace of an unprivileged user. "install" also has "links" for a key on each of 1,000 links, and "equal" for one and
the same receive key on each of them.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time

sys.path.insert(0, "/usr/lib/qlink/selftests")

# pylint: disable=wrong-import-position
import nlraw
import ringtool
import wire

STEP = 0xE877B097
SEED = 1
MESSAGE = 500
LINKS = 1000


def ip(*lines: str) -> None:
    """Runs commands of ip."""
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)


def epochs_at(step: int, count: int) -> list[int]:
    """The first epochs at a step."""
    return [1 + n * step for n in range(count)]


def count_install(epochs: list[int]) -> float:
    """Instructions per key; the messages are made before."""
    ip("link add veth0 type veth peer name veth9", "link set veth0 address 02:00:00:00:00:01 up", "link set veth9 up",
       "link add link veth0 name qlink0 type qlink id 7 peer 02:00:00:00:00:02 accept static", "link set qlink0 up")
    end = ringtool.End("")
    messages = [[ringtool.make(ringtool.RX, epoch) for epoch in epochs[at : at + MESSAGE]]
                for at in range(0, len(epochs), MESSAGE)]
    start = time.monotonic_ns()
    for message in messages:
        end.install(message)
    return (time.monotonic_ns() - start) / len(epochs)


def count_links(is_equal: bool) -> float:
    """Instructions per key, of one for each of many links."""
    ip("link add veth0 type veth peer name veth9",
       *(f"link add link veth0 name qlink{n} type qlink id {n} peer 02:00:00:00:00:02 accept static"
         for n in range(1, LINKS + 1)))
    end, secret = ringtool.End("", "qlink1"), os.urandom(44)
    requests = [(nlraw.u32(nlraw.A_IFINDEX, socket.if_nametoindex(f"qlink{n}")),
                 ringtool.make(ringtool.RX, 1, secret if is_equal else b"")) for n in range(1, LINKS + 1)]
    start = time.monotonic_ns()
    for request in requests:
        end.family.do(nlraw.KEY_INSTALL, *request)
    return (time.monotonic_ns() - start) / LINKS


def count_forged(epochs: list[int], count: int) -> float:
    """Instructions per frame that names one of these epochs; their tags are not valid."""
    names = random.Random(SEED).choices(epochs, k=count)
    frames = [bytes.fromhex("02000000000102000000000288b5")
              + wire.Header(wire.TYPE_FRAME, 0, 7, epoch, 1).pack() + bytes(60) for epoch in names]
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind(("veth9", 0))
    start = time.monotonic_ns()
    for frame in frames:
        sock.send(frame)
    spent = (time.monotonic_ns() - start) / count
    index = nlraw.u32(nlraw.A_IFINDEX, socket.if_nametoindex("qlink0"))
    reply = dict(nlraw.attrs(nlraw.Family().do(nlraw.LINK_GET, index)[0][20:]))
    held = [int.from_bytes(data, sys.byteorder) for _, data in nlraw.attrs(reply[nlraw.A_STATS])]
    if count not in held:
        raise SystemExit(f"no counter of the link is {count}: {held}")
    return spent


def count_all(name: str, step: int, keys: int, frames: int) -> None:
    """Both measures on a fresh link in a fresh namespace."""
    epochs = epochs_at(step, keys)
    print(f"install {name} {count_install(epochs):.0f}", flush=True)
    print(f"forged {name} {count_forged(epochs, frames):.0f}", flush=True)


def main() -> None:
    """Each measure in a process and namespaces of its own."""
    if len(sys.argv) == 2:
        print(f"install {sys.argv[1]} {count_links(sys.argv[1] == 'equal'):.0f}", flush=True)
        return
    if len(sys.argv) == 5:
        count_all(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
        return
    user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "unshare", "--user", "--map-root-user"]
    for name, step, how in (("warm-up", 1, ["unshare"]), ("sequential", 1, ["unshare"]), ("step", STEP, ["unshare"]),
                            ("user", STEP, user)):
        subprocess.run([*how, "--net", "/usr/bin/python3", os.path.abspath(__file__), name, str(step), *sys.argv[1:]],
                       check=True)
        time.sleep(5)
    for name in ("links", "equal"):
        subprocess.run(["unshare", "--net", "/usr/bin/python3", os.path.abspath(__file__), name], check=True)
        time.sleep(20)


main()
