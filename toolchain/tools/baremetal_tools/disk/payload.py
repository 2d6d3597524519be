# What the BIOS loads: the boot record, the stage, the ELF file and the command line, with their checksums.
# SPDX-License-Identifier: MIT
"""The payload is one run of sectors anywhere on a medium. boot/bios/layout.h and boot/bios/bios.h hold the same numbers."""

import struct
import zlib

from .. import elf as elf_file
from .tools import DiskError

SECTOR = 512
RECORD_SIZE = 440          # code of the boot record; the disk's signature and the partition table follow
RECORD_SECTOR = 432        # where it holds the payload's first sector
STAGE_SIZE = 4096
PART_SIZE = 2048           # the part of the stage that firmware or the boot record loads
CONTENT = 4096             # offset of the ELF file in the payload
HEADER = struct.Struct("<8sIIIIIIHHII")
HEADER_OFFSET = 8
MAGIC = b"BMBIOS1\0"
LINE_MAX = 1023            # bytes of the command line without its NUL

MULTIBOOT2_MAGIC = 0xE85250D6


def segments(elf):
    """The loaded segments as (offset, physical address, bytes in the file, bytes in memory), checked."""
    try:
        image = elf_file.Elf(elf)
        if image.machine != elf_file.MACHINE_X86_64:
            raise DiskError("the file is no ELF file for x86-64")
        loaded = [(segment.offset, segment.physical, segment.in_file, segment.in_memory)
                  for segment in image.segments(elf_file.SEGMENT_LOAD)]
    except elf_file.ElfError as error:
        raise DiskError(f"the file {error}") from None
    if not loaded:
        raise DiskError("the ELF file holds no segment to load")
    for offset, physical, in_file, in_memory in loaded:
        if offset + in_file > len(elf):
            raise DiskError("the file is cut off")
        if in_file > in_memory or physical < 1 << 20 or physical + in_memory > 1 << 32:
            raise DiskError(f"the ELF file has a segment at {physical:#x} that cannot be loaded")
    return loaded


def multiboot2_entry(elf):
    """The address that the entry tag (type 3) of the Multiboot2 header names; the header is in the first 32 KiB."""
    for at in range(0, min(len(elf), 32768) - 16, 8):
        magic, architecture, length, check = struct.unpack_from("<IIII", elf, at)
        if magic == MULTIBOOT2_MAGIC and (magic + architecture + length + check) & 0xFFFFFFFF == 0:
            break
    else:
        raise DiskError("the ELF file has no Multiboot2 header; is it an image of baremetal_add_image?")
    end = min(at + length, len(elf) - 12)
    at += 16
    while at < end:
        kind, _, size = struct.unpack_from("<HHI", elf, at)
        if kind == 3:
            return struct.unpack_from("<I", elf, at + 8)[0]
        if kind == 0 or size < 8:
            break
        at += (size + 7) & ~7
    raise DiskError("the ELF file's Multiboot2 header names no entry")


def check_line(line):
    if len(line) > LINE_MAX or not all(32 <= ord(letter) < 127 for letter in line):
        raise DiskError(f"the command line must be at most {LINE_MAX} printable ASCII characters")


class Payload:
    """Made from the loader's file (boot record and stage) and an ELF file; `at(sector)` gives its bytes for a place."""

    def __init__(self, loader, elf, line="", video=(0, 0)):
        if len(loader) != SECTOR + STAGE_SIZE:
            raise DiskError("the loader's file has a wrong size")
        self.record = loader[:RECORD_SIZE]
        self.stage = loader[SECTOR:]
        check_line(line)
        self.elf = elf
        self.line = line.encode() + b"\0" if line else b""
        self.video = video
        loaded = segments(elf)
        self.entry = multiboot2_entry(elf)
        if not any(start <= self.entry < start + in_file for _, start, in_file, _ in loaded):
            raise DiskError("the ELF file's Multiboot2 entry is in no segment")

    def size(self):
        return CONTENT + len(self.elf) + len(self.line)

    def at(self, sector):
        """The payload for a medium on which it starts at this sector of 512 bytes."""
        content = self.elf + self.line
        stage = bytearray(self.stage)

        def fill(balance):
            HEADER.pack_into(stage, HEADER_OFFSET, MAGIC, sector, 0, len(self.elf), len(self.line), zlib.crc32(content),
                             self.entry, *self.video, zlib.crc32(self.stage[PART_SIZE:]), balance)

        fill(0)
        fill(-sum(struct.unpack_from(f"<{PART_SIZE // 4}I", stage)) & 0xFFFFFFFF)
        return bytes(stage).ljust(CONTENT, b"\0") + content

    def record_at(self, sector):
        """The boot record's code for the same medium."""
        record = bytearray(self.record)
        struct.pack_into("<Q", record, RECORD_SECTOR, sector)
        return bytes(record)
