#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes one allocation after another fail in the system call that sends a request or a frame.

  faults.py newlink eth|udp	creates a link
  faults.py changelink eth|udp	changes the id of a link
  faults.py install		installs one key, and then many in one message
  faults.py xmit NAMESPACE	sends frames, and receives them in NAMESPACE

Runs in the network namespace of setup_wire's or setup_pair's first end. /proc/thread-self/fail-nth makes the
nth allocation of a system call fail. n grows until a call makes fewer allocations. With QLINK_SOAK=1 it grows from 1
in steps of 1, else in steps of STEP, from 1 over eth and from 3 over udp. Each failing call returns ENOMEM or ENOBUFS
and changes nothing.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Callable

from ethtool import Counters
from netdev import in_namespace
from nlraw import (
    A_IFINDEX,
    K_DIRECTION,
    K_EPOCH,
    KEY_DEL,
    KEY_GET,
    KEY_INSTALL,
    L_ACCEPT,
    L_ID,
    L_LOCAL,
    L_PEER,
    L_PORT,
    L_REMOTE,
    STATIC,
    A_KEY,
    ACK,
    Family,
    Refusal,
    attr,
    attrs,
    be16,
    key,
    nest,
    state,
    u8,
    u16,
    u32,
    u64,
)

RTM_NEWLINK, RTM_DELLINK = 16, 17
CREATE_EXCL = 0x600
IFLA_ADDRESS, IFLA_IFNAME, IFLA_LINK, IFLA_LINKINFO, INFO_KIND, INFO_DATA = 1, 3, 5, 18, 1, 2
NO_MEMORY = (errno.ENOMEM, errno.ENOBUFS)
# No call makes more allocations than this.
MOST = 2000
STEP = 1 if os.environ.get("QLINK_SOAK") == "1" else 5


class Armed:
    """A socket whose next send gets a fault."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.nth, self.was_hit = sock, 0, False
        self.file = os.open("/proc/thread-self/fail-nth", os.O_RDWR)

    def send(self, data: bytes) -> int:
        """Sends, and records whether the fault was hit."""
        nth = str(self.nth).encode()
        if not self.nth:
            return self.sock.send(data)
        try:
            os.pwrite(self.file, nth, 0)
            return self.sock.send(data)
        finally:
            self.was_hit = not int(os.pread(self.file, 16, 0).strip(b"\n\0"))
            os.pwrite(self.file, b"0", 0)
            self.nth = 0

    def recv(self, size: int) -> bytes:
        """Receives."""
        return self.sock.recv(size)


class Trial:
    """A socket of the family with faults, one of rtnetlink with faults, and one of each without."""

    def __init__(self) -> None:
        self.family, self.plain = Family(), Family()
        self.armed = Armed(self.family.sock)
        self.family.sock = self.armed
        self.problems: list[str] = []
        self.n_failed = 0
        self.excused: tuple[int, str] | None = None

    def one(self, request: Callable[[Family], object], nth: int) -> str:
        """One of "done", "refused", or "unsure" if there was no memory even for the answer."""
        self.armed.nth = nth
        try:
            request(self.family)
        except Refusal as refusal:
            if refusal.code not in NO_MEMORY and (refusal.code, refusal.text) != self.excused:
                self.problems.append(f"allocation {nth}: {errno.errorcode[refusal.code]} {refusal.text}")
            return "refused"
        except OSError as error:
            if error.errno not in NO_MEMORY:
                self.problems.append(f"allocation {nth}: socket: {error}")
            return "unsure"
        return "done"

    def each(self, request: Callable[[int], Callable[[Family], object]], look: Callable[[], object],
             undo: Callable[[int], None], numbers: range = range(1, MOST)) -> None:
        """One allocation after the other; what look() returns must change only if the request is done."""
        for nth in numbers:
            before = look()
            verdict = self.one(request(nth), nth)
            was_hit, after = self.armed.was_hit, look()
            if verdict == "refused" and after != before:
                self.problems.append(f"allocation {nth}: refused, and left something behind")
            if verdict == "done" and after == before:
                self.problems.append(f"allocation {nth}: done, and nothing changed")
            self.n_failed += verdict != "done"
            if after != before:
                undo(nth)
            if not was_hit:
                if verdict != "done":
                    self.problems.append(f"without a fault: {verdict}")
                return
        self.problems.append(f"more than {MOST} allocations")

    def report(self) -> int:
        """Prints the problems; if no call failed, that is an error too."""
        for problem in self.problems[:20]:
            print(f"# {problem}")
        print(f"{self.n_failed} calls failed, {len(self.problems)} problems")
        return 1 if self.problems or not self.n_failed else 0


def rtnl(kind: int, flags: int, *parts: bytes, ifindex: int = 0) -> Callable[[Family], object]:
    """An rtnetlink request, through a family whose socket is an rtnetlink socket."""

    def ask(family: Family) -> object:
        body = struct.pack("=BBHiII", 0, 0, 0, ifindex, 0, 0) + b"".join(parts)
        family.sock.send(struct.pack("=IHHII", 16 + len(body), kind, 1 | ACK | flags, 1, 0) + body)
        Family._check(family.sock.recv(1 << 16), 0, 2)
        return None

    return ask


def link_info(under: str, link_id: int) -> bytes:
    """The options of lib.sh's link_words."""
    if under == "eth":
        data = attr(L_PEER, bytes.fromhex("020000000002"))
    else:
        data = (attr(L_LOCAL, socket.inet_aton("198.51.100.1")) + attr(L_REMOTE, socket.inet_aton("198.51.100.2"))
                + be16(L_PORT, 47000))
    data += u16(L_ID, link_id) + u32(L_ACCEPT, 1 << STATIC)
    return nest(IFLA_LINKINFO, attr(INFO_KIND, b"qlink\0"), nest(INFO_DATA, data))


def rtnl_trial() -> Trial:
    """A trial on rtnetlink."""
    trial = Trial()
    for family in (trial.family, trial.plain):
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        sock.settimeout(20)
        sock.bind((0, 0))
        family.sock = sock
    trial.armed = Armed(trial.family.sock)
    trial.family.sock = trial.armed
    return trial


def numbers_for(under: str) -> range:
    """The allocations of a slow request that fail."""
    return range(1 if under == "eth" or STEP == 1 else 3, MOST, STEP)


def names() -> set[str]:
    """The devices in this namespace."""
    return {name for _, name in socket.if_nameindex()}


def newlink(under: str) -> int:
    """The newlink subcommand."""
    trial = rtnl_trial()
    # Linux 7.3 takes no notice that it found no memory for a device's name (netdev_register_kobject(),
    # net/core/net-sysfs.c), and then refuses one that has none (device_add(), drivers/base/core.c).
    trial.excused = (errno.EINVAL, "")
    parts = [attr(IFLA_IFNAME, b"qlink0\0"), attr(IFLA_ADDRESS, bytes.fromhex("020000000101")), link_info(under, 7)]
    if under == "eth":
        parts.append(u32(IFLA_LINK, socket.if_nametoindex("veth0")))

    def undo(_: int) -> None:
        rtnl(RTM_DELLINK, 0, ifindex=socket.if_nametoindex("qlink0"))(trial.plain)

    trial.each(lambda _: rtnl(RTM_NEWLINK, CREATE_EXCL, *parts), names, undo, numbers_for(under))
    return trial.report()


def changelink(under: str) -> int:
    """The changelink subcommand."""
    trial, viewer = rtnl_trial(), Family()
    index = socket.if_nametoindex("qlink0")

    def change(link_id: int) -> Callable[[Family], object]:
        return rtnl(RTM_NEWLINK, 0, link_info(under, link_id), ifindex=index)

    def undo(_: int) -> None:
        change(7)(trial.plain)

    trial.each(lambda _: change(8), lambda: state(viewer, u32(A_IFINDEX, index)), undo, numbers_for(under))
    return trial.report()


def install() -> int:
    """The install subcommand."""
    trial = Trial()
    index = u32(A_IFINDEX, socket.if_nametoindex("qlink0"))
    top = [1000]

    def keys(n: int) -> list[bytes]:
        out = []
        for _ in range(n):
            top[0] += 1
            out.append(key(epoch=u64(K_EPOCH, top[0]), direction=u8(K_DIRECTION, top[0] & 1)))
        return out

    def undo(_: int) -> None:
        held = nest_names(trial.plain, index)
        if held:
            trial.plain.do(KEY_DEL, index, *held)

    def ask(n: int) -> Callable[[Family], object]:
        made = keys(n)
        return lambda family: family.do(KEY_INSTALL, index, *made)

    for n in (1, 7):
        trial.each(lambda _, n=n: ask(n), lambda: state(trial.plain, index), undo)
    return trial.report()


def nest_names(family: Family, index: bytes) -> list[bytes]:
    """The names of the keys that are held, for key-del."""
    out = []
    for message in family.dump(KEY_GET, index):
        parts = dict(attrs(dict(attrs(message[20:]))[A_KEY]))
        out.append(nest(A_KEY, u8(K_DIRECTION, parts[K_DIRECTION][0]), attr(K_EPOCH, parts[K_EPOCH])))
    return out


def xmit(peer: str) -> int:
    """The xmit subcommand: a tap at qlink0 keeps a clone of each frame, so that it must be copied."""
    here = os.path.basename(os.environ["NS"])
    counters, far = Counters(here, "qlink0"), Counters(peer, "qlink0")
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind(("qlink0", 0))
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    tap.bind(("qlink0", 0))
    sink = in_namespace(peer, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88B8)))
    in_namespace(peer, lambda: sink.bind(("qlink0", 0x88B8)))
    sink.settimeout(5)
    armed, problems, dropped = Armed(sock), [], 0
    frame = bytes.fromhex("02000000010202000000010188b8")
    for nth in range(1, MOST):
        before = counters.read()
        armed.nth, text = nth, frame + nth.to_bytes(4, "big") * 20
        try:
            armed.send(text)
        except OSError as error:
            if error.errno not in NO_MEMORY:
                problems.append(f"allocation {nth}: {error}")
            continue
        after = counters.read()
        moved = {name: after[name] - before[name] for name in after if after[name] != before[name]}
        if moved:
            dropped += 1
            if moved not in ({"tx_no_memory": 1}, {"tx_no_route": 1}):
                problems.append(f"allocation {nth}: moved {moved}")
        else:
            got = sink.recv(200)
            if got != text:
                problems.append(f"allocation {nth}: another frame came: {got.hex()[:60]}")
        if not armed.was_hit:
            break
    errors = {name: n for name, n in far.read().items() if n and not name.endswith("_fpu_wait")}
    if errors:
        problems.append(f"at the receiver: {errors}")
    for problem in problems[:20]:
        print(f"# {problem}")
    print(f"{dropped} frames dropped, {len(problems)} problems")
    return 1 if problems or not counters.read()["tx_no_memory"] else 0


if __name__ == "__main__":
    sys.exit({"newlink": newlink, "changelink": changelink, "install": install, "xmit": xmit}[sys.argv[1]](*sys.argv[2:]))
