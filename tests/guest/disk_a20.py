#!/usr/bin/env python3
# The disk boots where firmware left address line 20 masked, by each of the three ways to open it.
# SPDX-License-Identifier: MIT
"""Usage: disk_a20.py HELLO: the ELF file with .img beside it"""

import pathlib
import subprocess
import sys
import tempfile

from harness import PASSED, Guest, TestFailure

SECTOR = 512
SPARE = 39    # a free sector between the GPT and the first partition
HIDE = 508    # a20_off.S: not 0 hides INT 15h 2401h

# Machine, whether the BIOS' way is hidden, what is left.
CASES = [("pc", False, "INT 15h"), ("pc", True, "keyboard controller"), ("pc,i8042=off", True, "port 92h"),
         ("q35", True, "keyboard controller")]


def assemble(folder):
    source = pathlib.Path(__file__).with_name("a20_off.S")
    parts = [pathlib.Path(folder, name) for name in ("a20.o", "a20.elf", "a20.bin")]
    subprocess.run(["gcc", "-m32", "-c", source, "-o", parts[0]], check=True)
    subprocess.run(["ld.bfd", "-m", "elf_i386", "-Ttext=0", "-e", "0", parts[0], "-o", parts[1]], check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", parts[1], parts[2]], check=True)
    return parts[2].read_bytes()


def check(machine, hide, image, code, folder):
    disk = bytearray(image)
    disk[SPARE * SECTOR:(SPARE + 1) * SECTOR] = image[:SECTOR]
    disk[:440] = code[:440]
    disk[HIDE] = hide  # within the partition table's last entry, which is empty
    path = pathlib.Path(folder, "disk")
    path.write_bytes(disk)
    with Guest(path, machine=machine, boot="none", arguments=["-drive", f"file={path},format=raw,snapshot=on"]) as guest:
        guest.expect("^Hello", 20)
        if guest.wait() != PASSED:
            raise guest.failure("the program did not end well")


def main():
    elf = pathlib.Path(sys.argv[1])
    image = elf.with_name(elf.name + ".img").read_bytes()
    with tempfile.TemporaryDirectory(prefix="bm-a20-") as folder:
        code = assemble(folder)
        for machine, hide, way in CASES:
            try:
                check(machine, hide, image, code, folder)
                print(f"ok: {machine}: {way}", flush=True)
            except TestFailure as failure:
                print(f"FAILED: {machine}: {way}: {failure}")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
