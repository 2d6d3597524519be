#!/usr/bin/env python3
# An image of 80 MiB on machines that have less: one sentence with both numbers, then the machine stands; with enough it boots.
# SPDX-License-Identifier: MIT
"""Usage: memory_small.py SOURCE IMAGE

The loaders of BIOS and UEFI have their own sentences: disk_errors.py and uefi.py. GRUB has one, too, and leaves the image out."""

import sys
import tempfile

from grub import make_disc
from harness import PASSED, Guest, judge

NEEDS = r"^error: boot: not enough memory: this image needs at least +82 MiB, the machine has +{} MiB; give the machine more$"


def check(guest, sentence, title):
    guest.expect(sentence, 60)
    if not guest.alive():
        raise guest.failure("the machine did not stand still")
    print(f"ok: {title}", flush=True)


def main():
    image = sys.argv[2]
    for machine in ("pc", "q35", "microvm", "microvm-noacpi"):
        for memory in ("2", "64", "80"):
            with Guest(image, machine=machine, memory=memory) as guest:
                check(guest, NEEDS.format(memory), f"PVH on {machine} with {memory} MiB")
    with Guest(image, memory="82") as guest:
        if guest.wait() != PASSED:
            raise guest.failure("the image does not boot in what it says that it needs")
    with tempfile.TemporaryDirectory(prefix="bm-small-") as folder:
        disc = make_disc(folder, image, "")
        with Guest(disc, memory="64", boot="cdrom") as guest:
            check(guest, "(?i)error: .*(memory|address)", "GRUB with 64 MiB")


if __name__ == "__main__":
    sys.exit(judge(main))
