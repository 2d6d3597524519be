# Writes where boot/entry.S holds addresses, as a C array of offsets.
# SPDX-License-Identifier: MIT
#
# The first instructions are 32-bit code at an address that is known; the linker has no list of the addresses in it. Assembled for two
# places that differ in every byte of an address, the code differs in the addresses and nowhere else.
import pathlib
import struct
import subprocess
import sys
import tempfile

from . import elf

BASE, STEP = 0x100000, 0x01010101


def assemble(compiler, source, base, folder):
    """The bytes of the section .boot."""
    made = pathlib.Path(folder) / "entry.o"
    subprocess.run([compiler, "-m64", "-c", f"-DLINK_BASE={base:#x}", "-o", made, source], check=True)
    assembled = elf.Elf(made.read_bytes())
    return next(assembled.contents(section) for section in assembled.sections() if section.name == ".boot")


def offsets(first, second):
    if len(first) != len(second) or not first:
        sys.exit("error: find-fixups: boot/entry.S has another length at another place")
    found, at = [], 0
    while at < len(first):
        if first[at] == second[at]:
            at += 1
            continue
        here, there = (struct.unpack_from("<I", code, at)[0] for code in (first, second))
        if (there - here) & 0xFFFFFFFF != STEP or not BASE <= here < BASE + len(first):
            sys.exit(f"error: find-fixups: what differs at offset {at:#x} of boot/entry.S is no 32-bit address")
        found.append(at)
        at += 4
    return found


def main():
    compiler, source, header = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        found = offsets(*(assemble(compiler, source, base, folder) for base in (BASE, BASE + STEP)))
    if not found:
        sys.exit("error: find-fixups: boot/entry.S holds no address")
    pathlib.Path(header).write_text("// Offsets of the 32-bit addresses in boot/entry.S, made by find-fixups.\n#pragma once\n\n#include <stdint.h>\n\n"
                                    "static const uint32_t bm_boot_fixups[] = {" + ", ".join(map(str, found)) + "};\n")
