#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The tools of the second implementation of the wire (wire.py) that need no kernel.

  qlinkwire.py selftest
  qlinkwire.py vectors [--check] [FILE]
  qlinkwire.py decode PCAP --keys FILE (--ethertype 0x88b5 | --udp-port P)
                      [--needle FILE]... [--needle-hex HEX]... [--inner PCAP] [--bad-line]
  qlinkwire.py nonces PCAP (--ethertype 0x88b5 | --udp-port P)

A keys file has a line per key: link id, epoch, sender (its MAC or IP address, or "any"),
and the 44 bytes of key and salt in hex.
"""

from __future__ import annotations

import argparse
import sys

import capture
import vectorfile
import wiretest


def main() -> int:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("selftest")
    command.set_defaults(run=wiretest.selftest)
    command = commands.add_parser("vectors")
    command.add_argument("--check", action="store_true")
    command.add_argument("file", nargs="?", default=vectorfile.VECTORS)
    command.set_defaults(run=vectorfile.vectors)
    for name, run in (("decode", capture.decode), ("nonces", capture.nonces)):
        command = commands.add_parser(name)
        command.add_argument("pcap")
        underlay = command.add_mutually_exclusive_group(required=True)
        underlay.add_argument("--ethertype", type=lambda text: int(text, 0))
        underlay.add_argument("--udp-port", type=int)
        command.set_defaults(run=run)
    command = commands.choices["decode"]
    command.add_argument("--keys", required=True)
    command.add_argument("--needle", action="append", default=[])
    command.add_argument("--needle-hex", action="append", default=[])
    command.add_argument("--inner", help="write what was inside, its checksums finished")
    command.add_argument("--bad-line", action="store_true", help="count what a receiver would count of a bad line")
    args = parser.parse_args()
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
