#!/usr/bin/env python3
# The disk boots on BIOSes of other habits: address line 20 masked, and each of the three ways to open it; ACPI 3.0's memory map.
# SPDX-License-Identifier: MIT
"""Usage: disk_bios.py HELLO: the ELF file with .img beside it"""

import pathlib
import subprocess
import sys
import tempfile

from harness import PASSED, Guest, TestFailure

SECTOR = 512
SPARE = 39     # a free sector between the GPT and the first partition
HABITS = 508   # other_bios.S; within the partition table's last entry, which is empty
MASKED, REFUSED, WIDE, NO_MAP = 1, 2, 4, 8

# What the disk meets, QEMU's machine, the BIOS' habits, what the console shows.
CASES = [
    ("A20 by INT 15h", "pc", MASKED, "^Hello"),
    ("A20 by the keyboard controller", "pc", MASKED | REFUSED, "^Hello"),
    ("A20 by port 92h", "pc,i8042=off", MASKED | REFUSED, "^Hello"),
    ("A20 by the keyboard controller, masked again by the BIOS", "q35", MASKED | REFUSED, "^Hello"),
    ("memory map of 24-byte entries", "pc", WIDE, "^Hello"),
    ("no memory map", "pc", NO_MAP, "error: boot: this BIOS tells no memory map"),
]


def assemble(folder):
    source = pathlib.Path(__file__).with_name("other_bios.S")
    parts = [pathlib.Path(folder, name) for name in ("bios.o", "bios.elf", "bios.bin")]
    subprocess.run(["gcc", "-m32", "-c", source, "-o", parts[0]], check=True)
    subprocess.run(["ld.bfd", "-m", "elf_i386", "-Ttext=0", "-e", "0", parts[0], "-o", parts[1]], check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", parts[1], parts[2]], check=True)
    return parts[2].read_bytes()


def check(case, image, code, folder):
    _, machine, habits, sentence = case
    disk = bytearray(image)
    disk[SPARE * SECTOR:(SPARE + 1) * SECTOR] = image[:SECTOR]
    disk[:440] = code[:440]
    disk[HABITS] = habits
    path = pathlib.Path(folder, "disk")
    path.write_bytes(disk)
    with Guest(path, machine=machine, boot="none", arguments=["-drive", f"file={path},format=raw,snapshot=on"]) as guest:
        guest.expect(sentence, 20)
        if not sentence.startswith("error") and guest.wait() != PASSED:
            raise guest.failure("the program did not end well")


def main():
    elf = pathlib.Path(sys.argv[1])
    image = elf.with_name(elf.name + ".img").read_bytes()
    failures = 0
    with tempfile.TemporaryDirectory(prefix="bm-bios-") as folder:
        code = assemble(folder)
        for case in CASES:
            try:
                check(case, image, code, folder)
                print(f"ok: {case[0]}", flush=True)
            except TestFailure as failure:
                failures += 1
                print(f"FAILED: {case[0]}: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
