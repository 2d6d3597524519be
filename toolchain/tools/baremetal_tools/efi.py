# Makes an EFI file of the loader and an image, signed when a key is given.
# SPDX-License-Identifier: MIT
#
# LOADER is a program of boot/uefi as an ELF file; IMAGE goes into a section of its own, with what IMAGE.debug (or the file of --debug) says
# of its relocations. A command line in the image is the only one under Secure Boot, but with --open. The same input gives the same bytes; only a signature differs, since it names its time.
# Format: Microsoft's PE/COFF specification, PE32+.
import argparse
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import zlib

from . import elf as elf_file

PAGE, FILE_ALIGN = 4096, 512
CODE, DATA, EXECUTE, READ, WRITE, DISCARD = 0x20, 0x40, 0x20000000, 0x40000000, 0x80000000, 0x02000000
MAGIC = b"BMIMAGE1"  # boot/uefi/payload.h
CLOSED = 1
RELOCATION_SYMBOLS = ("bm_relr_begin", "bm_relr_end", "bm_rela_begin", "bm_rela_end")  # boot/image.ld


class Failure(Exception):
    """What is wrong, as a sentence."""


def round_up(value, to):
    return (value + to - 1) // to * to


def read(path, what):
    try:
        data = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise Failure(f"the {what} {path} cannot be read: {error.strerror}") from None
    try:
        return elf_file.Elf(data)
    except elf_file.ElfError as error:
        raise Failure(f"the {what} {path} {error}") from None


def relocations(loader):
    """Offsets and values of the words that hold addresses."""
    for where, kind, value in loader.relocations():
        if kind != elf_file.RELOCATION_RELATIVE:
            raise Failure(f"the loader has a relocation of kind {kind}; only relative ones can be made part of the EFI file")
        yield where, value


def loader_sections(loader):
    """Name, address, size in memory, contents and flags of what the loader's segments become, and its entry."""
    sections = []
    for segment in loader.segments(elf_file.SEGMENT_LOAD):
        if not segment.in_memory:
            continue
        name, rights = {5: (b".text", CODE | EXECUTE | READ), 4: (b".rdata", DATA | READ), 6: (b".data", DATA | READ | WRITE)}[segment.flags]
        contents = bytearray(loader.data[segment.offset:segment.offset + segment.in_file])
        sections.append([name, segment.address, segment.in_memory, contents, rights])
    where = list(relocations(loader))
    for at, value in where:
        for _, address, in_memory, contents, _ in sections:
            if address <= at < address + in_memory:
                struct.pack_into("<Q", contents, at - address, value)
    return sections, [at for at, _ in where], loader.entry


def base_relocations(offsets):
    """The section .reloc: one block a page."""
    result = b""
    for page in sorted({offset // PAGE for offset in offsets}) or [1]:
        words = [0xA000 | offset % PAGE for offset in sorted(offsets) if offset // PAGE == page]
        words += [0] * (2 - len(words) if len(words) < 2 else len(words) % 2)
        result += struct.pack(f"<II{len(words)}H", page * PAGE, 8 + 2 * len(words), *words)
    return result


def has_command_line(image, debug):
    """Whether the image was made with one (CMDLINE)."""
    at = image.offset_of(*debug.values("bm_command_line_default"))
    return at is not None and image.data[at] != 0


def payload(image, debug, is_open):
    try:
        lists = debug.values(*RELOCATION_SYMBOLS)
        flags = CLOSED if has_command_line(image, debug) and not is_open else 0
    except elf_file.ElfError as error:
        raise Failure(f"the image's debug file {error}") from None
    data = image.data
    header = MAGIC + struct.pack("<IIQ4QQ", 0, zlib.crc32(data), len(data), *lists, flags)
    return header[:8] + struct.pack("<I", zlib.crc32(header)) + header[12:] + data


def build(loader, image, debug, is_open):
    sections, offsets, entry = loader_sections(loader)

    def append(name, contents, rights):
        address = round_up(sections[-1][1] + sections[-1][2], PAGE)
        sections.append([name, address, len(contents), contents, rights])
    append(b".reloc", base_relocations(offsets), DATA | READ | DISCARD)
    relocation = sections[-1]
    if image is not None:
        append(b".bmimage", payload(image, debug, is_open), DATA | READ)
    headers = round_up(64 + 24 + 240 + 40 * len(sections), FILE_ALIGN)
    table, body = b"", b""
    for name, address, in_memory, contents, rights in sections:
        raw = round_up(len(contents), FILE_ALIGN)
        table += struct.pack("<8sIIIIIIHHI", name, in_memory, address, raw, headers + len(body), 0, 0, 0, 0, rights)
        body += bytes(contents) + bytes(raw - len(contents))
    code = sum(round_up(len(section[3]), FILE_ALIGN) for section in sections if section[4] & CODE)
    end = round_up(sections[-1][1] + sections[-1][2], PAGE)
    dos = b"MZ" + bytes(58) + struct.pack("<I", 64)
    coff = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, len(sections), 0, 0, 0, 240, 0x22)
    optional = struct.pack("<HBBIIIII", 0x20B, 0, 0, code, len(body) - code, 0, entry, sections[0][1])
    optional += struct.pack("<QIIHHHHHHIIIIHH", 0, PAGE, FILE_ALIGN, 0, 0, 0, 0, 0, 0, 0, end, headers, 0, 10, 0x160)
    optional += struct.pack("<QQQQII", 0, 0, 0, 0, 0, 16) + bytes(5 * 8)
    optional += struct.pack("<II", relocation[1], relocation[2]) + bytes(10 * 8)
    head = dos + coff + optional + table
    return head + bytes(headers - len(head)) + body


def sign(path, key, certificate):
    if not shutil.which("sbsign"):
        raise Failure("signing takes sbsign, which is missing (package sbsigntool)")
    for what, name in (("key", key), ("certificate", certificate)):
        if not os.access(name, os.R_OK):
            raise Failure(f"the {what} {name} cannot be read; baremetal-make-key makes a pair")
    signed = path + ".signed"
    result = subprocess.run(["sbsign", "--key", key, "--cert", certificate, "--output", signed, path],
                            capture_output=True, text=True, check=False)
    if result.returncode or not os.path.exists(signed):
        raise Failure("sbsign failed:\n" + result.stderr.strip())
    os.replace(signed, path)


def make():
    arguments = argparse.ArgumentParser(prog="make-efi")
    for name in ("loader", "output", "--image", "--debug", "--key", "--cert"):
        arguments.add_argument(name)
    arguments.add_argument("--open", action="store_true")
    options = arguments.parse_args()
    if bool(options.key) != bool(options.cert):
        raise Failure("a key and a certificate go together; give both")
    image = read(options.image, "image") if options.image else None
    debug = read(options.debug or options.image + ".debug", "debug file") if options.image else None
    made = options.output + ".new"
    pathlib.Path(made).write_bytes(build(read(options.loader, "loader"), image, debug, options.open))
    try:
        if options.key:
            sign(made, options.key, options.cert)
        os.replace(made, options.output)
    finally:
        pathlib.Path(made).unlink(missing_ok=True)
    print(f"-- {os.path.basename(options.output)}: {os.path.getsize(options.output)} bytes{', signed' if options.key else ''}")


def main():
    try:
        make()
    except Failure as failure:
        sys.exit(f"error: make-efi: {failure}")
