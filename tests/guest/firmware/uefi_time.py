#!/usr/bin/env python3
# How much later hello's first byte comes by UEFI than that of an empty EFI program, in pairs of boots.
# SPDX-License-Identifier: MIT
"""Usage: uefi_time.py IMAGE PREFIX [PAIRS [MOST]]

IMAGE is hello. Prints medians in milliseconds: from the start of QEMU, and from the firmware's line that says that it loads the file. Fails
when hello comes more than MOST milliseconds after an empty program, counted from that line, the quickest boots of each compared: the
host's load only adds, so there are more pairs while they are too far apart, and at most MORE times as many."""

import pathlib
import statistics
import sys

import ovmf
from harness import TestFailure

MORE = 5
LOADING, TEXT = "BdsDxe: loading Boot", "(?=Hello from a)"


def boot(efi):
    """Milliseconds to the text's first byte: from QEMU's start, from the loading of the file."""
    with ovmf.Ovmf([{ovmf.BOOT_FILE: efi}]) as guest:
        guest.expect(LOADING, 60)
        guest.expect(TEXT, 60)
        console = bytes(guest.output)
        text = guest.arrival(console.index(b"Hello from a") + 1)
        loading = guest.arrival(console.index(LOADING.encode()) + 1)
        return 1000 * (text - guest.started), 1000 * (text - loading)


def lateness(rows):
    """Milliseconds from the loading of the file that hello takes more than the empty program."""
    return min(row[3] for row in rows) - min(row[1] for row in rows)


def test(image, prefix, *rest):
    *numbers, folder = rest
    pairs, most = [int(number) for number in numbers] + [5, 100][len(numbers):]
    hello = ovmf.make_efi(prefix, image, pathlib.Path(folder) / "hello.efi")
    empty = ovmf.build_program(pathlib.Path(__file__).parent / "uefi/empty.c", folder)
    rows = []
    while len(rows) < pairs or (lateness(rows) > most and len(rows) < MORE * pairs):
        rows.append(boot(empty) + boot(hello))
    for name, first, second in (("from the start of QEMU", 0, 2), ("from the loading of the file", 1, 3)):
        difference = statistics.median(row[second] - row[first] for row in rows)
        print(f"{name}: empty {statistics.median(row[first] for row in rows):.0f} ms, "
              f"hello {statistics.median(row[second] for row in rows):.0f} ms, median of the differences {difference:.0f} ms")
    text = f"the quickest hello of {len(rows)} comes {lateness(rows):.0f} ms later than the quickest empty program"
    if lateness(rows) > most:
        raise TestFailure(f"{text}, more than {most} ms")
    print(f"ok: {text}")


if __name__ == "__main__":
    sys.exit(ovmf.main(test))
