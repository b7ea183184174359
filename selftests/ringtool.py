#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Many keys at a time, for the two ends of a link of lib.sh's setup_pair.

  ringtool.py pass FROM TO FIRST COUNT KEYS SENDER [WORD=VALUE]...
				installs keys of COUNT epochs from FIRST on, at the receiver first, and writes them to the
				file KEYS in qlinkwire's format, with the sender address SENDER. device=NAME: default qlink0;
				blocks=N: their limit; step=N: between epochs; source=qkd|hybrid|pqc|static: default static;
				kmes=N: how many KMEs have a secret in them; id=HEX: the handle of the KME key ID
  ringtool.py lanes FROM TO KEYS FIRST LAST
				sends a frame in each of 256 lanes of every epoch, over the eth underlay, as if FROM had
				256 CPUs
  ringtool.py refuse FROM		sends messages of thousands of keys; each must be refused because of one key, and name it
  ringtool.py fill FROM COUNT [DIRECTION] [STEP]
				installs COUNT keys in both directions, or only tx or rx, in messages of thousands, at one
				end only; the epochs are 1, 1 + STEP and so on
  ringtool.py blink FROM EPOCH ADDRESS
				installs transmit keys from EPOCH on, lets each seal a frame to ADDRESS and deletes it, until
				a frame without a key was counted; a process of its own sends frames all the time

Uses qlink0 in the namespaces unless told otherwise.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import signal
import socket
import struct
import sys
import time

import linkstate
import nlraw
import wire
from ethtool import Counters
from judge import DEADLINE_S
from netdev import in_namespace
from underlay import Injector
from vectorfile import plain_frame

LINK_ID, CHUNK = 7, 2000
TX, RX = 0, 1


class End:
    """One end of the link."""

    def __init__(self, namespace: str, device: str = "qlink0") -> None:
        self.family, index = in_namespace(namespace, lambda: (nlraw.Family(), socket.if_nametoindex(device)))
        self.chunk = CHUNK
        try:
            self.family.sock.setsockopt(socket.SOL_SOCKET, 32, 1 << 23)  # SO_SNDBUFFORCE
        except PermissionError:
            self.chunk = CHUNK // 4  # what the default buffer takes
        self.index = nlraw.u32(nlraw.A_IFINDEX, index)

    def __enter__(self) -> End:
        return self

    def __exit__(self, *_: object) -> None:
        self.family.sock.close()

    def install(self, keys: list[bytes]) -> None:
        """One message."""
        self.family.do(nlraw.KEY_INSTALL, self.index, *keys)

    def delete(self, direction: int, epoch: int) -> None:
        """One key."""
        names = nlraw.u8(nlraw.K_DIRECTION, direction), nlraw.u64(nlraw.K_EPOCH, epoch)
        self.family.do(nlraw.KEY_DEL, self.index, nlraw.nest(nlraw.A_KEY, *names))

    def epochs(self) -> list[tuple[int, int]]:
        """Direction and epoch of all keys that are held, in the order of the dump."""
        out = []
        for message in self.family.dump(nlraw.KEY_GET, self.index):
            key = dict(nlraw.attrs(dict(nlraw.attrs(message[20:]))[nlraw.A_KEY]))
            out.append((key[nlraw.K_DIRECTION][0], struct.unpack("=Q", key[nlraw.K_EPOCH])[0]))
        return out


def make(
    direction: int, epoch: int, secret: bytes = b"", blocks: int = 0, source: str = "static", kme: bytes = b"",
    kmes: int = 0,
) -> bytes:
    """A key of 44 bytes, as an attribute."""
    secret = secret or os.urandom(44)
    more = {"blocks": nlraw.u64(nlraw.K_BLOCKS, blocks)} if blocks and direction == TX else {}
    if kme:
        more["kme"] = nlraw.attr(nlraw.K_KME, kme)
    if kmes:
        more["kmes"] = nlraw.u8(nlraw.K_KMES, kmes)
    return nlraw.key(
        direction=nlraw.u8(nlraw.K_DIRECTION, direction),
        epoch=nlraw.u64(nlraw.K_EPOCH, epoch),
        source=nlraw.u8(nlraw.K_SOURCE, nlraw.SOURCES.index(source)),
        raw=nlraw.attr(nlraw.K_KEY, secret[:32]),
        salt=nlraw.attr(nlraw.K_SALT, secret[32:]),
        **more,
    )


def pass_keys(sender: str, receiver: str, first: str, count: str, path: str, address: str, *words: str) -> int:
    """The pass subcommand."""
    options = dict(word.split("=") for word in words)
    blocks, step = int(options.get("blocks", 0)), int(options.get("step", 1))
    source, kme = options.get("source", "static"), bytes.fromhex(options.get("id", ""))
    kmes = int(options.get("kmes", 0))
    secrets = {int(first) + n * step: os.urandom(44) for n in range(int(count))}
    with open(path, "a", encoding="ascii") as file:
        for epoch, secret in secrets.items():
            file.write(f"{LINK_ID} {epoch} {address} {secret.hex()}\n")
    epochs = list(secrets)
    for namespace, direction in ((receiver, RX), (sender, TX)):
        with End(namespace, options.get("device", "qlink0")) as end:
            for at in range(0, len(epochs), CHUNK):
                end.install(
                    [make(direction, epoch, secrets[epoch], blocks, source, kme, kmes)
                     for epoch in epochs[at : at + CHUNK]]
                )
    return 0


def lanes(sender: str, receiver: str, path: str, first: str, last: str) -> int:
    """The lanes subcommand."""
    injector = Injector(argparse.Namespace(under="eth", sender=sender, to=receiver))
    secrets = {}
    for line in pathlib.Path(path).read_text(encoding="ascii").splitlines():
        _, epoch, _, secret = line.split()
        secrets[int(epoch)] = wire.Key.of(bytes.fromhex(secret))
    for epoch in range(int(first), int(last) + 1):
        for lane in range(256):
            header = wire.Header(wire.TYPE_FRAME, lane, LINK_ID, epoch, 1)
            injector.send(wire.seal(secrets[epoch], header, plain_frame(60)))
    return 0


def fill(namespace: str, count: str, only: str = "", step: str = "1") -> int:
    """The fill subcommand."""
    end, epochs = End(namespace), [1 + n * int(step) for n in range(int(count))]
    directions = [direction for direction, name in ((TX, "tx"), (RX, "rx")) if only in ("", name)]
    for direction in directions:
        for at in range(0, len(epochs), end.chunk):
            end.install([make(direction, epoch) for epoch in epochs[at : at + end.chunk]])
    if end.epochs() != [(direction, epoch) for direction in directions for epoch in epochs]:
        print("the dump is not what was installed")
        return 1
    return 0


def send_for_ever(sock: socket.socket, address: str) -> None:
    """Runs in a process of its own, which others end."""
    while True:
        with contextlib.suppress(OSError):
            sock.sendto(bytes(32), (address, 9))


def blink(namespace: str, first: str, address: str) -> int:
    """The blink subcommand."""
    end, link = End(namespace), in_namespace(namespace, lambda: linkstate.Link("qlink0"))
    counters = Counters(namespace, "qlink0")
    sock = in_namespace(namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sender = os.fork()
    if not sender:
        send_for_ever(sock, address)
    try:
        for epoch in range(int(first), int(first) + 500):
            end.install([make(TX, epoch)])
            give_up = time.monotonic() + DEADLINE_S
            while not any(key["epoch"] == epoch and key["frames"] for key in link.keys()):
                if time.monotonic() > give_up:
                    print(f"epoch {epoch} sealed nothing")
                    return 1
            end.delete(TX, epoch)
            if counters.read_all()["tx_no_key"]:
                return 0
        print("each of 500 keys went before the next frame came")
        return 1
    finally:
        os.kill(sender, signal.SIGKILL)
        os.waitpid(sender, 0)


def bad_keys(victim: int, twin: bytes) -> dict[str, bytes]:
    """What key number victim of epochs from 1000 on may be, and is refused for."""
    bad = {"31 bytes": nlraw.key(epoch=nlraw.u64(nlraw.K_EPOCH, 1000 + victim), raw=nlraw.attr(nlraw.K_KEY, bytes(31)))}
    if victim:
        bad["a known epoch"] = make(TX, 999 + victim)
        bad["too far ahead"] = make(TX, (1 << 32) + 5000)
        bad["an equal key"] = make(TX, 1000 + victim, twin)
    return bad


def refuse(namespace: str) -> int:
    """The refuse subcommand: the refusal gives the number of the key and its offset in the message."""
    end, problems, twin = End(namespace), [], os.urandom(44)
    before = end.epochs()
    keys = [make(TX, 1000, twin)] + [make(TX, 1000 + n) for n in range(1, CHUNK)]
    for victim in (0, 1, 1234, CHUNK - 1):
        for why, key in bad_keys(victim, twin).items():
            problems += blame(end, [*keys[:victim], key, *keys[victim + 1 :]], victim, why)
            if end.epochs() != before:
                problems.append(f"{why} at {victim}: something was installed")
    end.install(keys)  # with nothing wrong they are taken
    for problem in problems:
        print(f"# {problem}")
    print("wrong" if problems else "refused")
    return 1 if problems else 0


def blame(end: End, message: list[bytes], victim: int, why: str) -> list[str]:
    """What is wrong with the answer to a message whose key number victim breaks a rule."""
    # netlink header, generic header, ifindex; a parse error points at the attribute in the key.
    start = 20 + len(end.index) + sum(len(key) for key in message[:victim])
    try:
        end.install(message)
    except nlraw.Refusal as refusal:
        if not start <= refusal.offset < start + len(message[victim]):
            return [f"{why} at {victim}: offset {refusal.offset}, want {start} ('{refusal.text}')"]
        if why != "31 bytes" and f"key {victim}:" not in refusal.text:
            return [f"{why} at {victim}: '{refusal.text}'"]
        return []
    return [f"{why} at {victim}: not refused"]


def main() -> int:
    """Parses the command line."""
    return {"pass": pass_keys, "lanes": lanes, "fill": fill, "blink": blink, "refuse": refuse}[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
