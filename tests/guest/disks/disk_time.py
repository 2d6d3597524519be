#!/usr/bin/env python3
# How long after a boot sector that prints at once hello's first byte comes from a disk by SeaBIOS: pairs, in turns, in one run.
# SPDX-License-Identifier: MIT
"""Usage: disk_time.py HELLO [PAIRS]: the ELF file with .img beside it. Fails when the median difference is above 60 ms.

Time from QEMU's start to the first byte on the console (ms), and the processor time that QEMU has used by its end."""

import pathlib
import resource
import statistics
import sys
import tempfile

from harness import PASSED, Guest, TestFailure

GOAL = 60.0  # ms
# mov dx,0x3f8; mov al,'H'; out dx,al; mov dx,0xf4; mov al,0x10; out dx,al; hlt
SECTOR = bytes.fromhex("baf803b048eebaf400b010eef4").ljust(510, b"\0") + b"\x55\xaa"


def measure(disk):
    """(ms to the first byte, ms of processor time)"""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with Guest(disk, boot="none", arguments=["-drive", f"file={disk},format=raw,snapshot=on"]) as guest:
        if guest.wait(60) != PASSED:
            raise guest.failure("the machine did not end well")
        first = guest.arrival(1) - guest.started
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return first * 1000, processor * 1000


def main():
    elf = pathlib.Path(sys.argv[1])
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    first, processor = [], []
    with tempfile.TemporaryDirectory(prefix="bm-time-") as folder:
        sector = pathlib.Path(folder, "sector")
        sector.write_bytes(SECTOR.ljust(1 << 20, b"\0"))
        try:
            for _ in range(pairs):
                there, image = measure(sector), measure(elf.with_name(elf.name + ".img"))
                first.append((there[0], image[0]))
                processor.append((there[1], image[1]))
        except TestFailure as failure:
            print(f"FAILED: {failure}")
            return 1
    for name, values in (("first byte", first), ("processor time", processor)):
        print(f"{name}: boot sector {statistics.median(a for a, _ in values):.0f} ms, hello {statistics.median(b for _, b in values):.0f} ms, "
              f"median difference {statistics.median(b - a for a, b in values):.0f} ms, least {min(b for _, b in values) - min(a for a, _ in values):.0f} ms")
    return 0 if statistics.median(b - a for a, b in first) <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
