#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests Wireshark's dissectors with tshark.

  test.py [TEST…]
"""

from __future__ import annotations

import pathlib
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "selftests")]

import agents_test  # noqa: E402
import frames_test  # noqa: E402


def run(test: object, folder: str) -> str:
    """What is wrong, or an empty string."""
    try:
        return test(pathlib.Path(folder))
    except Exception:  # noqa: BLE001 a test that raises has failed
        return traceback.format_exc()


def main() -> int:
    """Runs the tests."""
    bad = 0
    found = {name: test for module in (frames_test, agents_test) for name, test in vars(module).items()
             if name.startswith("test_")}
    for name, test in found.items():
        if len(sys.argv) > 1 and name.removeprefix("test_") not in sys.argv[1:]:
            continue
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            why = run(test, folder)
        took = time.monotonic() - start
        bad += bool(why)
        print(f"{'not ok' if why else 'ok'} - {name.removeprefix('test_')} # {took:.1f} s", *([why] if why else []), sep="\n", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
