#!/usr/bin/env python3
# Reads the guest's page tables through QEMU's monitor: nothing is writable and executable, page 0 and guards are unmapped.
# SPDX-License-Identifier: MIT
"""Usage: page_tables.py SOURCE IMAGE"""

import re
import sys

from harness import PASSED, Guest, TestFailure


def mappings(guest):
    """What `info tlb` lists: virtual and physical address, size, writable, executable."""
    for line in guest.monitor("info tlb").splitlines():
        found = re.match(r"([0-9a-f]{16}): ([0-9a-f]{16}) ([XGPDACTUW-]+)$", line.strip())
        if found:
            virtual, physical, flags = found.groups()
            yield int(virtual, 16), int(physical, 16), flags


def page_size(guest, index, pages):
    """`info tlb` marks large pages by a P, which 4 KiB pages may have, too (PAT); the next line tells them apart."""
    virtual, physical, flags = pages[index]
    if "P" not in flags:
        return 4096
    room = pages[index + 1][0] - virtual if index + 1 < len(pages) else 1 << 30
    for size in (1 << 30, 2 << 20):
        if virtual % size == 0 and physical % size == 0 and room >= size:
            return size
    return 4096


def overlap(first, second):
    """The first pair of physical ranges, one of each list, that share a byte."""
    first, second = sorted(first), sorted(second)
    i = j = 0
    while i < len(first) and j < len(second):
        if first[i][1] <= second[j][0]:
            i += 1
        elif second[j][1] <= first[i][0]:
            j += 1
        else:
            return first[i], second[j]
    return None


def check(guest):
    guard = int(guest.expect(r"^guard (0x\w+)$").group(1), 16)
    text = int(guest.expect(r"^text (0x\w+)$").group(1), 16)
    guest.expect("^ready$")
    pages = list(mappings(guest))
    if not pages:
        raise guest.failure("QEMU's `info tlb` lists no page")
    writable, executable = [], []
    for index, (virtual, physical, flags) in enumerate(pages):
        size = page_size(guest, index, pages)
        is_executable = not flags.startswith("X")  # QEMU prints X for the no-execute bit
        is_writable = flags.endswith("W")
        if is_executable and is_writable:
            raise guest.failure(f"the page at {virtual:#x} is writable and executable ({flags})")
        if virtual < 4096:
            raise guest.failure("page 0 is mapped")
        if virtual <= guard < virtual + size:
            raise guest.failure(f"the guard page at {guard:#x} is mapped ({flags})")
        if virtual <= text < virtual + size and not is_executable:
            raise guest.failure("main is in a page that is not executable, says `info tlb`: the check is wrong")
        if "U" in flags:
            raise guest.failure(f"the page at {virtual:#x} is open to user mode ({flags})")
        for wanted, ranges in ((is_writable, writable), (is_executable, executable)):
            if wanted:
                ranges.append((physical, physical + size))
    shared = overlap(writable, executable)
    if shared:
        raise guest.failure("a frame is writable at one address and executable at another: "
                            + " and ".join(f"{begin:#x}..{end:#x}" for begin, end in shared))
    guest.send("go on\n")
    if guest.wait() != PASSED:
        raise guest.failure("the guest did not pass")
    print(f"ok: {len(pages)} pages, {len(executable)} executable, {len(writable)} writable")


def main():
    for machine in ("pc", "q35"):
        for cpu in ("max", "Nehalem"):
            with Guest(sys.argv[2], machine=machine, cpu=cpu) as guest:
                try:
                    check(guest)
                except TestFailure as failure:
                    print(f"FAILED: on {machine}/{cpu}: {failure}")
                    return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
