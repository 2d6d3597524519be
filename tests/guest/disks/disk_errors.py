#!/usr/bin/env python3
# What is wrong with a disk, a CPU or the memory ends in a readable sentence on serial line and screen, and the machine stands.
# SPDX-License-Identifier: MIT
"""Usage: disk_errors.py HELLO [REGEX]: the ELF file with .img and .iso beside it; only cases that match"""

import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import zlib

from harness import PASSED, Guest, TestFailure

# In the payload, which may be anywhere on the medium: toolchain/tools/baremetal_tools/disk/payload.py.
HEADER = 8                # struct bm_bios_header of boot/bios/bios.h
CONTENT = 4096
PROGRAM_HEADERS = CONTENT + 64


class Disk:
    """A copy of the disk or disc that may be damaged, at offsets in the payload."""

    def __init__(self, image):
        self.bytes = bytearray(image)
        self.first = self.bytes.index(b"BMBIOS1\0") - HEADER

    def cut(self, at):
        del self.bytes[self.first + at:]

    def flip(self, at):
        self.bytes[self.first + at] ^= 0x10

    def word(self, at, value=None):
        if value is not None:
            struct.pack_into("<I", self.bytes, self.first + at, value)
        return struct.unpack_from("<I", self.bytes, self.first + at)[0]

    def seal(self):
        """Makes the checksums right again: what remains is damage that only the checks of the contents can find."""
        size = self.word(HEADER + 16) + self.word(HEADER + 20)
        self.word(HEADER + 24, zlib.crc32(self.bytes[self.first + CONTENT:self.first + CONTENT + size]))
        self.word(HEADER + 40, 0)
        self.word(HEADER + 40, -sum(struct.unpack_from("<512I", self.bytes, self.first)) & 0xFFFFFFFF)


def nothing(_):
    pass


def cut(at):
    return lambda disk: disk.cut(at)


def flip(at):
    return lambda disk: disk.flip(at)


def sealed(*words):
    """Writes words (offset, value) and makes the checksums fit."""
    def change(disk):
        for at, value in words:
            disk.word(at, value)
        disk.seal()
    return change


def remove_entered_segment(disk):
    """The first program header, the code's, becomes one of type PT_NULL."""
    disk.word(PROGRAM_HEADERS, 0)
    disk.seal()


IDE = ["-drive", "file={disk},format=raw,if=ide,snapshot=on"]
CD = ["-drive", "file={disk},format=raw,if=ide,media=cdrom,readonly=on", "-boot", "d"]
FLOPPY = ["-drive", "file={disk},format=raw,if=floppy,readonly=on", "-boot", "a"]


def bad(sector, device="ide-hd"):
    """Every read of one sector of the payload fails, as on a bad spot of the medium."""
    return ["-blockdev", "driver=blkdebug,node-name=bad,image.driver=file,image.filename={disk},inject-error.0.event=none,"
            "inject-error.0.iotype=read,inject-error.0.sector={first+%d},inject-error.0.errno=5" % sector,
            "-device", device + ",drive=bad", "-boot", "cd"]


# Name, change, QEMU's words, CPU, memory, sentence.
CASES = [
    ("no INT 13h extensions", nothing, FLOPPY, "max", "64", "this BIOS has no INT 13h extensions"),
    ("32-bit CPU", nothing, IDE, "pentium3", "64", "this CPU has no 64-bit long mode; use a 64-bit machine(?! .QEMU)"),
    ("486", nothing, IDE, "486", "64", "this CPU has no 64-bit long mode; use a 64-bit machine(?! .QEMU)"),
    ("too little memory", nothing, IDE, "max", "1",
     "not enough memory: this image needs at least +2 MiB, the machine has +1 MiB; give the machine more"),
    ("bad first sector", nothing, bad(0), "max", "64", "disk read error in the first sectors"),
    ("bad sector", nothing, bad(20), "max", "64", r"disk read error [0-9a-f]{2} at sector 00000030"),
    ("cut in the stage", cut(2048), IDE, "max", "64", "disk ends before the image does"),
    ("cut in the image", cut(CONTENT + 8192), IDE, "max", "64", "disk ends before the image does"),
    ("flipped boot sector of the payload", flip(0x300), IDE, "max", "64", "the image on this disk is damaged"),
    ("flipped header", flip(HEADER + 8), IDE, "max", "64", "the image on this disk is damaged"),
    ("flipped second part of the stage", flip(2500), IDE, "max", "64", "the image is damaged: the loader"),
    ("flipped ELF header", flip(CONTENT + 1), IDE, "max", "64", "the image is damaged: wrong checksum"),
    ("flipped program header", flip(PROGRAM_HEADERS + 8), IDE, "max", "64", "the image is damaged: wrong checksum"),
    ("flipped code", flip(CONTENT + 5000), IDE, "max", "64", "the image is damaged: wrong checksum"),
    ("command line too long", sealed((HEADER + 20, 5000)), IDE, "max", "64", "the image is damaged: wrong checksum"),
    ("size beyond 4 GiB", sealed((HEADER + 16, 0xffffff00), (HEADER + 20, 0x1000)), IDE, "max", "64", "the image is damaged"),
    ("no program headers", sealed((HEADER + 16, 100)), IDE, "max", "64", "the image is no ELF file"),
    ("no ELF file", sealed((CONTENT, 0)), IDE, "max", "64", "the image is no ELF file"),
    ("program headers outside", sealed((CONTENT + 32, 0x7fffffff)), IDE, "max", "64", "the image is no ELF file"),
    ("segment below 1 MiB", sealed((PROGRAM_HEADERS + 24, 0x7c00)), IDE, "max", "64", "the image has a damaged segment"),
    ("segment outside of the file", sealed((PROGRAM_HEADERS + 8, 0x7fffffff)), IDE, "max", "64", "the image has a damaged segment"),
    ("segment above 4 GiB", sealed((PROGRAM_HEADERS + 28, 1)), IDE, "max", "64", "the image has a damaged segment"),
    ("segment beyond the memory", sealed((PROGRAM_HEADERS + 40, 0x7fffffff)), IDE, "max", "64",
     "not enough memory: this image needs at least +2050 MiB, the machine has +64 MiB"),
    ("missing segment", remove_entered_segment, IDE, "max", "64", "the image lacks the segment that it starts in"),
    ("entry outside", sealed((HEADER + 28, 0x90000000)), IDE, "max", "64", "the image lacks the segment that it starts in"),
    ("whole", nothing, IDE, "max", "64", None),
    ("CD: bad sector", nothing, bad(20, "ide-cd"), "max", "64", r"disk read error [0-9a-f]{2} at sector 000000[0-9a-f]{2}"),
    ("CD: cut", cut(CONTENT + 8192), CD, "max", "64", "disk (ends before the image does|read error)"),
    ("CD: flipped header", flip(HEADER + 40), CD, "max", "64", "the image is damaged: the loader"),
    ("CD: flipped code", flip(CONTENT + 5000), CD, "max", "64", "the image is damaged: wrong checksum"),
    ("CD: 32-bit CPU", nothing, CD, "qemu32,-lm", "64", "this CPU has no 64-bit long mode; use a 64-bit machine(?! .QEMU)"),
    ("CD: whole", nothing, CD, "max", "64", None),
    ("stick: flipped code", flip(CONTENT + 5000), IDE, "max", "64", "the image is damaged: wrong checksum"),
]


def on_screen(guest, sentence):
    """The text mode's memory holds the sentence, too, at most broken by the line's end."""
    dump = guest.monitor("xp /4000bx 0xb8000")
    characters = [int(value, 16) for value in re.findall(r"0x([0-9a-f]{2})\b", dump)][::2]
    text = "".join(chr(value) if 32 <= value < 127 else " " for value in characters)
    return re.search(sentence, text)


def check(case, elf, folder):
    name, change, words, cpu, memory, sentence = case
    suffix = ".iso" if name.startswith(("CD", "stick")) else ".img"
    disk = Disk(elf.with_name(elf.name + suffix).read_bytes())
    change(disk)
    path = pathlib.Path(folder, "disk")
    path.write_bytes(disk.bytes)
    sector = lambda found: str(disk.first // 512 + int(found.group(1)))
    arguments = [re.sub(r"\{first\+(\d+)\}", sector, word).replace("{disk}", str(path)) for word in words] + ["-device", "VGA"]
    with Guest(path, cpu=cpu, memory=memory, boot="none", arguments=arguments) as guest:
        if sentence is None:
            guest.expect("^Hello")
            if guest.wait() != PASSED:
                raise guest.failure("the whole disk did not boot")
            return
        guest.expect("error: boot: [^\n]*" + sentence + "[^\n]*$", 20)
        if not guest.alive():
            raise guest.failure("the machine did not stand still")
        if not on_screen(guest, sentence):
            raise guest.hang("the sentence is not on the screen")
        if "exit:" in guest.text():
            raise guest.failure("the program ran all the same")


def main():
    elf = pathlib.Path(sys.argv[1])
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    failures = 0
    with tempfile.TemporaryDirectory(prefix="bm-errors-") as folder:
        for case in CASES:
            if not re.search(only, case[0]):
                continue
            try:
                check(case, elf, folder)
                print(f"ok: {case[0]}", flush=True)
            except (TestFailure, subprocess.SubprocessError) as failure:
                failures += 1
                print(f"FAILED: {case[0]}: {failure}\n", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
