#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Does for the tests' shell what would otherwise need a new process each time, at a fraction of the cost.

  server.py DIRECTORY PARENT

An emulated machine takes 2 s to start a Python with its imports, and 0.1 s for an "ip netns exec". This server
starts once per test file. When process PARENT ends, the server and all that it started end too. lib.sh's serve()
writes a line into DIRECTORY/requests: its PID, the descriptor of its standard output, the FIFO in DIRECTORY where
it waits for the answer, a network namespace or nothing, a verb and its words. The answer is the exit status. A
command gets the standard files and the folder of the shell that asks, and the environment of the server. It is
ended when that shell ends.

  run COMMAND WORD...         a program
  frames|qlinkwire|nat|nlraw|ringtool|segments|stream WORD...    the main() of that file, in a fork
  stats DEVICE                "name:value", one per line, except those that depend on what else runs and on time
  stat DEVICE NAME            a counter
  ring DEVICE tx|rx NAME      a member of a ring (linkstate.py)
  keys DEVICE WORD...         members of keys (linkstate.py)
  pass FROM TO FIRST COUNT... as ringtool.py, without a process
  off DEVICE FEATURE          ethtool -K DEVICE FEATURE off
  carrier DEVICE              0 or 1; an error if the device is down
  prepare                     lo up, and no IPv6, which would send frames by itself
  reports                     warnings of the kernel since the last "qlink-test: " in its log
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import re
import select
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Iterator

import ethtool
import frames
import linkstate
import nat
import nlraw
import qlinkwire
import ringtool
import segments
import stream

TOOLS: dict[str, Callable[[], int | None]] = {
    "frames": frames.main,
    "qlinkwire": qlinkwire.main,
    "nat": nat.main,
    "nlraw": nlraw.main,
    "ringtool": ringtool.main,
    "segments": segments.main,
    "stream": stream.main,
}
SLOTS = "0123456789abcdefghijklmnopqrstuvwxyz"
PIDFD_GETFD = 438
RTM_GETLINK, IFLA_CARRIER, IFF_UP = 18, 33, 1
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
BAD_SIGNS = re.compile(
    "WARNING|BUG|Oops|KASAN|UBSAN|panic|refcount_t|unregister_netdevice|suspicious RCU"
    "|locking dependency|scheduling while|stall|leaked|protection fault|blocked for more"
)

libc = ctypes.CDLL(None, use_errno=True)


def take_fd(pidfd: int, number: int) -> int:
    """A copy of a descriptor of another process, or of /dev/null if that is closed."""
    fd = libc.syscall(PIDFD_GETFD, pidfd, number, 0)
    return fd if fd >= 0 else os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)


class KernelLog:
    """/dev/kmsg since the server started."""

    def __init__(self) -> None:
        self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.lseek(self.fd, 0, os.SEEK_END)
        self.found: list[str] = []

    def reports(self) -> list[str]:
        """The warnings since the last test began."""
        while True:
            try:
                record = os.read(self.fd, 8192).decode(errors="replace")
            except BlockingIOError:
                return self.found
            except BrokenPipeError:
                self.found.append("records of the kernel's log are lost")
                continue
            text = record.partition(";")[2].partition("\n")[0]
            if "qlink-test: " in text:
                self.found = []
            elif BAD_SIGNS.search(text):
                self.found.append(text)


def carrier(device: str) -> str:
    """The carrier; /sys/class/net would show the namespace in which sysfs was mounted."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        index = socket.if_nametoindex(device)
        sock.send(struct.pack("=IHHIIBxHiII", 32, RTM_GETLINK, nlraw.REQUEST, 1, 0, 0, 0, index, 0, 0))
        reply = sock.recv(1 << 16)
        if not struct.unpack_from("=I", reply, 24)[0] & IFF_UP:
            raise OSError(f"{device} is down")
        return f"{dict(nlraw.attrs(reply[32:]))[IFLA_CARRIER][0]}\n"


def prepare() -> str:
    """Sets up a new namespace."""
    for which in ("all", "default"):
        with open(f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6", "w", encoding="ascii") as file:
            file.write("1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        flags = struct.unpack_from("=H", fcntl.ioctl(sock, SIOCGIFFLAGS, struct.pack("16s24x", b"lo")), 16)[0]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | IFF_UP))
    return ""


def stats(device: str) -> str:
    """All counters that a test can predict."""
    with ethtool.Counters("", device) as counters:
        return "".join(f"{name}:{value}\n" for name, value in counters.read().items())


def stat(device: str, name: str) -> str:
    """One counter."""
    with ethtool.Counters("", device) as counters:
        return f"{counters.read_all()[name]}\n"


def switch_off(device: str, feature: str) -> str:
    """Turns an offload off."""
    with ethtool.Ethtool("", device) as features:
        features.switch_off(feature)
    return ""


def pass_keys(*words: str) -> str:
    """Installs one or a few keys at both ends of a link."""
    ringtool.pass_keys(*words)
    return ""


# By verb: short operations, which need no process.
AT_ONCE: dict[str, Callable[..., str]] = {
    "stats": stats,
    "stat": stat,
    "ring": linkstate.show_ring,
    "keys": linkstate.show_keys,
    "pass": pass_keys,
    "off": switch_off,
    "carrier": carrier,
    "prepare": prepare,
}


class Job:
    """A child, and the shell that waits for it."""

    def __init__(self, child: int, client: int, slot: str) -> None:
        self.child, self.client, self.slot = child, client, slot
        self.childfd = os.pidfd_open(child)


class Server:
    """Takes requests, one at a time; their children run side by side."""

    def __init__(self, directory: str, parent: int) -> None:
        self.poll = select.poll()
        self.fifo = {name: os.open(f"{directory}/{name}", os.O_RDWR | os.O_CLOEXEC) for name in SLOTS}
        self.requests = os.open(f"{directory}/requests", os.O_RDWR | os.O_CLOEXEC)
        self.free = os.open(f"{directory}/free", os.O_RDWR | os.O_CLOEXEC)
        self.parent = os.pidfd_open(parent)
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.jobs: dict[int, Job] = {}  # by the descriptors of the child and of the client
        self.log = KernelLog()
        self.buffer = b""
        for fd in (self.requests, self.parent):
            self.poll.register(fd, select.POLLIN)

    def serve(self) -> None:
        """Until the parent ends."""
        os.write(self.free, SLOTS.encode())
        while True:
            # One at a time: handling the first may close other descriptors and reuse their numbers.
            fd = self.poll.poll()[0][0]
            if fd == self.parent:
                return
            if fd == self.requests:
                self._read()
            else:
                self._ended(self.jobs[fd], fd)

    def _read(self) -> None:
        self.buffer += os.read(self.requests, 1 << 16)
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            pid, out, slot, namespace, *words = line.decode(errors="surrogateescape").split("\x1f")
            try:
                client = os.pidfd_open(int(pid))
            except ProcessLookupError:
                os.write(self.free, slot.encode())
                continue
            files = [take_fd(client, number) for number in (0, int(out), 2)]
            os.chdir(f"/proc/{pid}/cwd")
            self._request(client, slot, files, namespace, [word.replace("\x1e", "\n") for word in words])

    def _request(self, client: int, slot: str, files: list[int], namespace: str, words: list[str]) -> None:
        status: int | None = 1
        try:
            with self._in(namespace):
                status = self._start(client, slot, files, words)
        except (OSError, KeyError, ValueError, nlraw.Refusal) as problem:
            os.write(files[2], f"{words[0]}: {problem}\n".encode())
            status = 127 if words[0] == "run" else 1
        finally:
            for fd in files:
                os.close(fd)
        if status is not None:
            self._answer(slot, status)
            os.close(client)

    @contextlib.contextmanager
    def _in(self, namespace: str) -> Iterator[None]:
        if not namespace:
            yield
            return
        there = os.open(f"/run/netns/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.setns(there, os.CLONE_NEWNET)
            yield
        finally:
            os.setns(self.home, os.CLONE_NEWNET)
            os.close(there)

    def _start(self, client: int, slot: str, files: list[int], words: list[str]) -> int | None:
        """The status if it is done at once; else None, after starting a job."""
        verb, *words = words
        if verb == "run":
            actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(files)]
            quiet = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM]
            child = os.posix_spawnp(words[0], words, os.environ, file_actions=actions, setsigdef=quiet)
        elif verb in TOOLS:
            child = os.fork()
            if not child:
                run_tool(verb, words, files)
        else:
            text = self._at_once(verb, *words)
            os.write(files[1], text.encode())
            return 0
        job = Job(child, client, slot)
        for fd in (job.childfd, client):
            self.jobs[fd] = job
            self.poll.register(fd, select.POLLIN)
        return None

    def _at_once(self, verb: str, *words: str) -> str:
        if verb == "reports":
            return "".join(f"{line}\n" for line in self.log.reports())
        return AT_ONCE[verb](*words)

    def _answer(self, slot: str, status: int) -> None:
        os.write(self.fifo[slot], f"{status}\n".encode())

    def _ended(self, job: Job, fd: int) -> None:
        """The child has ended: answer its shell. Or the shell has ended: end the child."""
        if fd == job.client:
            signal.pidfd_send_signal(job.childfd, signal.SIGTERM)
            os.write(self.free, job.slot.encode())
            job.client = -1
        else:
            _, status = os.waitpid(job.child, 0)
            if job.client >= 0:
                code = os.waitstatus_to_exitcode(status)
                self._answer(job.slot, code if code >= 0 else 128 - code)
                self._forget(job.client)
        self._forget(fd)

    def _forget(self, fd: int) -> None:
        self.poll.unregister(fd)
        del self.jobs[fd]
        os.close(fd)

    def end(self) -> None:
        """Ends all jobs."""
        for job in set(self.jobs.values()):
            signal.pidfd_send_signal(job.childfd, signal.SIGKILL)


def run_tool(name: str, words: list[str], files: list[int]) -> None:
    """Runs a tool as if it had been started by its name; does not return."""
    status = 1
    try:
        for number, fd in enumerate(files):
            os.dup2(fd, number)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
        sys.argv = [f"{name}.py", *words]
        status = TOOLS[name]() or 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # pylint: disable=broad-exception-caught
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def main() -> int:
    """Serves."""
    server = Server(sys.argv[1], int(sys.argv[2]))
    try:
        server.serve()
    finally:
        server.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
