# ELF files for x86-64: segments, sections, symbols and relocations are read, section tables and symbols' values written.
# SPDX-License-Identifier: MIT
"""Names and layouts are those of the "System V Application Binary Interface", chapters "Object Files" and "Program Loading".

Imported by each link, so it imports next to nothing itself."""

import struct

IDENTITY = b"\x7fELF\x02\x01\x01"  # 64 bits, little-endian, version 1
MACHINE_X86_64 = 62
SEGMENT_LOAD, SEGMENT_NOTE = 1, 4
EXECUTABLE, WRITABLE, READABLE = 1, 2, 4  # flags of a segment
PROGBITS, SYMTAB, STRTAB, RELA, DYNAMIC, NOTE, NOBITS = 1, 2, 3, 4, 6, 7, 8  # types of sections
SECTION_WRITE, SECTION_ALLOC, SECTION_EXEC = 1, 2, 4  # flags of a section
LOCAL, WEAK = 0, 2  # bindings
NOTYPE, OBJECT, FUNCTION, SECTION, FILE = range(5)  # types of symbols
UNDEFINED, RESERVED = 0, 0xFF00  # indices of sections
RELOCATION_RELATIVE = 8  # R_X86_64_RELATIVE
DT_TEXTREL, DT_FLAGS, DF_TEXTREL = 22, 30, 4

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT_ENTRY = struct.Struct("<IIQQQQQQ")
SECTION_ENTRY = struct.Struct("<IIQQQQIIQQ")
SYMBOL_ENTRY = struct.Struct("<IBBHQQ")
RELA_ENTRY = struct.Struct("<QQq")
IMAGE_ID = "bm_image_id_value"  # an absolute symbol of .debug files: the number at bm_image_id in the image
SECTIONS_AT, COUNTS_AT = 40, 60  # in the header: e_shoff; e_shnum and e_shstrndx


class ElfError(Exception):
    """What is wrong with a file, as the end of a sentence that begins with its name."""


class Segment:
    def __init__(self, fields):
        self.type, self.flags, self.offset, self.address, self.physical, self.in_file, self.in_memory, _ = fields


class Section:
    def __init__(self, fields):
        (self.name_at, self.type, self.flags, self.address, self.offset, self.size, self.link, self.information, self.alignment,
         self.entry_size) = fields
        self.name = ""


class Symbol:
    def __init__(self, name, information, section, value):
        self.name, self.section, self.value = name, section, value
        self.binding, self.type = information >> 4, information & 15


class Elf:
    """A file's bytes, looked at. All that is asked of a file that is cut off or no ELF file ends in ElfError."""

    def __init__(self, data):
        self.data = data
        if not IDENTITY.startswith(data[:len(IDENTITY)]):
            raise ElfError("is no 64-bit ELF file")
        fields = self.unpack(HEADER, 0)
        self.type, self.machine, self.entry = fields[1], fields[2], fields[4]
        self.segments_at, self.sections_at, self.segment_size = fields[5], fields[6], fields[9]
        self.segment_count, self.section_size, self.section_count, self.names = fields[10:14]

    def unpack(self, layout, at):
        try:
            return layout.unpack_from(self.data, at)
        except struct.error:
            raise ElfError("is cut off") from None

    def segments(self, kind=None):
        """The program headers, or those of one type."""
        if self.segment_count and self.segment_size != SEGMENT_ENTRY.size:
            raise ElfError("has program headers of an unknown size")
        found = [Segment(self.unpack(SEGMENT_ENTRY, self.segments_at + i * SEGMENT_ENTRY.size)) for i in range(self.segment_count)]
        return [segment for segment in found if kind in (None, segment.type)]

    def sections(self):
        found = [Section(self.unpack(SECTION_ENTRY, self.sections_at + i * self.section_size)) for i in range(self.section_count)]
        for section in found:
            section.name = self.text(found[self.names].offset + section.name_at) if self.names < len(found) else ""
        return found

    def text(self, at):
        end = self.data.find(b"\0", at)
        if end < 0:
            raise ElfError("is cut off")
        return self.data[at:end].decode(errors="replace")

    def contents(self, section):
        return b"" if section.type == NOBITS else self.data[section.offset:section.offset + section.size]

    def symbols(self):
        """The symbols that are defined, without those of sections and source files."""
        sections = self.sections()
        for table in sections:
            if table.type != SYMTAB or table.link >= len(sections):
                continue
            entries, names = self.contents(table), sections[table.link].offset
            for name, information, _, section, value, _ in SYMBOL_ENTRY.iter_unpack(entries[:len(entries) // 24 * 24]):
                if section != UNDEFINED and information & 15 < SECTION:
                    yield Symbol(self.text(names + name), information, section, value)

    def values(self, *names):
        """The values of the symbols of these names, in their order."""
        found = {symbol.name: symbol.value for symbol in self.symbols() if symbol.name in names}
        for name in names:
            if name not in found:
                raise ElfError(f"has no symbol {name}")
        return [found[name] for name in names]

    def image_id(self):
        """The number of the image that this .debug file belongs to; None when it has none."""
        return next((symbol.value for symbol in self.symbols() if symbol.name == IMAGE_ID), None)

    def relocations(self):
        """Place, type and addend of each entry of the relocation tables with addends."""
        for section in self.sections():
            if section.type == RELA:
                for at in range(section.offset, section.offset + section.size, RELA_ENTRY.size):
                    where, information, addend = self.unpack(RELA_ENTRY, at)
                    yield where, information & 0xFFFFFFFF, addend

    def has_text_relocations(self):
        """Whether the dynamic table tells a loader to relocate what it maps as read-only."""
        for section in self.sections():
            if section.type == DYNAMIC:
                for tag, value in struct.iter_unpack("<QQ", self.contents(section)):
                    if tag == DT_TEXTREL or (tag == DT_FLAGS and value & DF_TEXTREL):
                        return True
        return False

    def offset_of(self, address):
        """Where in the file the byte stands that is loaded at a link address; None when none is."""
        for segment in self.segments(SEGMENT_LOAD):
            if segment.address <= address < segment.address + segment.in_file:
                return segment.offset + address - segment.address
        return None


def section_entry(name, kind, flags, address, offset, size):
    """An entry of a section table that links to no other and whose alignment is that of its segment."""
    return SECTION_ENTRY.pack(name, kind, flags, address, offset, size, 0, 0, 1, 0)


def with_sections(data, end, rows):
    """The file's first `end` bytes with a section table of its own behind them: rows of name, type, flags, address, offset, size. The
    last entry is that of the names."""
    names, table = b"\0", section_entry(0, 0, 0, 0, 0, 0)
    for name, kind, flags, address, offset, size in rows:
        table += section_entry(len(names), kind, flags, address, offset, size)
        names += name.encode() + b"\0"
    names_at = len(names)
    names += b".names\0"
    table += section_entry(names_at, STRTAB, 0, 0, end, len(names))
    made = bytearray(data[:end] + names)
    made += bytes(-len(made) % 8)
    struct.pack_into("<Q", made, SECTIONS_AT, len(made))
    struct.pack_into("<HH", made, COUNTS_AT, len(rows) + 2, len(rows) + 1)
    return bytes(made + table)
