# Links an image, checks it and splits off its debug information.
# SPDX-License-Identifier: MIT
"""Usage: link-image [--symbols] -- LINK COMMAND…

CMake puts this before the link command of a target of baremetal_add_image. From `-o IMAGE` come IMAGE (bootable, without symbols)
and IMAGE.debug (symbols and debug information). With --symbols, or the profiler, the link is done twice: the second time with a table of the
functions' offsets and names, which the first link told, in the section .bm_symbols.

Runs once for each image of a build, so it imports next to nothing."""

import os
import struct
import sys
import zlib

from . import elf

OBJECT_LIBC = "bm_object_libc_"  # and the C library: a local symbol of each object that was compiled with its headers
PROFILER = "--wrap=bm_net_finish"  # of baremetal::profile, which tells calls by where functions begin
POSIX_LAYER = "libbaremetal-posix-"  # and the C library: the archive by which a link command tells which one it is

# boot/image.ld keeps these out of the segments on purpose.
UNLOADED = (".dynamic", ".dynsym", ".dynstr", ".gnu.hash", ".hash")
SEGMENTS = 4
# Of the linker's warnings, those about images that would not run safely: pages that are both writable and executable, or code that is written to.
DANGERS = ("RWX permissions", "executable stack", "DT_TEXTREL", "in read-only section")


class LinkError(Exception):
    """What is wrong with the image, as a sentence."""


class LinkFailure(Exception):
    """The command failed, and has said why: in those lines, when it was the linker."""

    def __init__(self, status, lines=()):
        super().__init__()
        self.status, self.lines = status, lines


def run(words, messages=None):
    """Runs a program; what it says on standard error goes into the file `messages`, if there is one, in English: C.UTF-8 would not do, since
    it leaves LANGUAGE its say."""
    actions, environment = [], os.environ
    if messages:
        actions.append((os.POSIX_SPAWN_OPEN, 2, messages, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644))
        environment = {**os.environ, "LC_ALL": "C"}
    try:
        process = os.posix_spawnp(words[0], words, environment, file_actions=actions)
    except FileNotFoundError:
        raise LinkError(f"'{words[0]}' is missing (package binutils)") from None
    try:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    except BaseException:  # a signal ends this program, and that one with it: it would go on writing files
        os.kill(process, 15)
        os.waitpid(process, 0)
        raise


def run_or_fail(*words):
    status = run(words)
    if status:
        raise LinkFailure(status if status > 0 else 128 - status)


def expected(line):
    return "warning: allocated section " in line and any(f"{name}' not in segment" in line for name in UNLOADED)


def endangers(line):
    return " warning: " in line and any(danger in line for danger in DANGERS)


def undefined_driver(line):
    before, found, after = line.partition("required symbol ")
    word = after[1:].partition("'")[0]
    return word.removeprefix("bm_driver_") if found and word.startswith("bm_driver_") else None


def link(command, work, *objects, as_gcc=False):
    """Runs the link command. A warning ends it, but for those about UNLOADED; as gcc, only a warning about DANGERS does, and what else is said
    on standard error is passed on. With -v the compiler says more than warnings."""
    messages = os.path.join(work, "messages")
    status = run([command[0], "-Wl,--defsym=bm_image_checked=1", *command[1:], *objects], messages)
    with open(messages, encoding="utf-8", errors="replace") as file:
        lines = [line for line in file if not expected(line)]
    sys.stderr.writelines(lines)
    for driver in filter(None, map(undefined_driver, lines)):
        raise LinkError(f"no source of the driver '{driver}' says BM_DRIVER({driver}): the word is the name that baremetal_add_driver was given")
    if status:
        raise LinkFailure(status if status > 0 else 128 - status, lines)
    if any(map(endangers, lines)) if as_gcc else any("warning:" in line for line in lines) if "-v" in command else lines:
        raise LinkError("the linker warns (see above); " + ("this" if as_gcc else "every") + " warning is an error here")


def read(image):
    with open(image, "rb") as file:
        return elf.Elf(file.read())


def functions(image):
    """Address and name of each function, one for each address: a global one before a weak one before a local one."""
    executable = {number for number, section in enumerate(image.sections()) if section.flags & elf.SECTION_EXEC}
    found = {}
    for symbol in image.symbols():
        if symbol.section in executable:
            rank = {elf.WEAK: 1, elf.LOCAL: 2}.get(symbol.binding, 0)
            found.setdefault(symbol.value, []).append((rank, symbol.name.encode()))
    return [(address, min(found[address])[1].decode()) for address in sorted(found)]


def write_symbols(image, path):
    """The table of the functions as an assembly source."""
    base, = image.values("bm_image_begin")
    rows = functions(image)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'.section .bm_symbols, "a"\n.balign 8\n.long {len(rows)}\n')
        file.writelines(f".long {address - base:#x}, n{number} - names\n" for number, (address, _) in enumerate(rows))
        file.write("names:\n")
        file.writelines(f'n{number}: .asciz "{name}"\n' for number, (_, name) in enumerate(rows))
        file.write(".section .note.GNU-stack\n")


def check(image):
    """What the boot code relies on."""
    both = elf.WRITABLE | elf.EXECUTABLE
    if any(segment.flags & both == both for segment in image.segments(elf.SEGMENT_LOAD)):
        raise LinkError('a segment is both writable and executable; look for a section with flags "awx"')
    if image.has_text_relocations():
        raise LinkError("the code needs relocations; compile everything position independent (-fPIE)")
    begin, end = image.values("bm_rela_begin", "bm_rela_end")
    entries = (image.unpack(elf.RELA_ENTRY, image.offset_of(at)) for at in range(begin, end, elf.RELA_ENTRY.size))
    foreign = {information & 0xFFFFFFFF for _, information, _ in entries} - {elf.RELOCATION_RELATIVE}
    if foreign:
        kinds = " ".join(map(str, sorted(foreign)))
        raise LinkError(f"relocations of a kind that the boot code does not apply (by its number in the psABI): {kinds}")


def drivers(image):
    data = {number for number, section in enumerate(image.sections())
            if section.type == elf.PROGBITS and section.flags & elf.SECTION_ALLOC and not section.flags & elf.SECTION_EXEC}
    return sorted(symbol.name.removeprefix("bm_driver_") for symbol in image.symbols()
                  if symbol.name.startswith("bm_driver_") and symbol.section in data and symbol.binding != elf.WEAK)


def libc_of(command):
    """The C library that a command links, and the folder of the kernel's archives; None of both for what links none."""
    for word in command:
        name = os.path.basename(word)
        if name.startswith(POSIX_LAYER) and name.endswith(".a"):
            return name[len(POSIX_LAYER):-2], os.path.dirname(word)
    return None, None


def check_libc(image, command):
    """Ends the link when an object was compiled with the headers of another C library than the image's."""
    libc, _ = libc_of(command)
    if libc and any(symbol.name.startswith(OBJECT_LIBC) and symbol.name != OBJECT_LIBC + libc for symbol in image.symbols()):
        from . import foreign  # only where something is wrong
        raise LinkError(foreign.sentence(command, libc))


def short_sections(image):
    """What is loaded, with the shortest section table that strip and its like can work with: one section a segment. Loaders read
    program headers, debuggers IMAGE.debug."""
    loads, notes = image.segments(elf.SEGMENT_LOAD), image.segments(elf.SEGMENT_NOTE)
    if len(loads) != SEGMENTS or len(notes) != 1:
        raise LinkError(f"boot/image.ld makes four segments and a note; the linker made {len(loads)} and {len(notes)}")
    text, constants, relro, data = loads
    note = notes[0].in_file
    end = data.offset + data.in_file
    read_only, writable = elf.SECTION_ALLOC, elf.SECTION_ALLOC | elf.SECTION_WRITE
    return elf.with_sections(image.data, end, (
        (".text", elf.PROGBITS, elf.SECTION_ALLOC | elf.SECTION_EXEC, text.address, text.offset, text.in_file),
        (".note", elf.NOTE, read_only, constants.address, constants.offset, note),
        (".rodata", elf.PROGBITS, read_only, constants.address + note, constants.offset + note, constants.in_file - note),
        (".relro", elf.PROGBITS, writable, relro.address, relro.offset, relro.in_file),
        (".data", elf.PROGBITS, writable, data.address, data.offset, data.in_file),
        (".bss", elf.NOBITS, writable, data.address + data.in_file, end, data.in_memory - data.in_file)))


def identify(image, linked):
    """Writes the image's checksum, never 0, where fault reports find it; returns the image and the checksum."""
    made, at = bytearray(image), linked.offset_of(*linked.values("bm_image_id"))
    number = zlib.crc32(made) or 1
    struct.pack_into("<I", made, at, number)
    return bytes(made), number


def make(command, path, symbols, work, also=None):
    """Makes the image, and returns a sentence about it. With `also`, it links as gcc does, and what `also` returns for the linked image are words
    for a second link."""
    words = " ".join(command)
    if "bm_boot_entry_pvh" not in words:
        raise LinkError(f"it does not link the kernel; say target_link_libraries({os.path.basename(path)} PRIVATE baremetal::kernel)")
    link(command, work, as_gcc=also is not None)
    more = also(read(path)) if also else []
    if more:
        command = [*command, *more]
        link(command, work, as_gcc=True)
    if symbols or PROFILER in words:
        source, made = os.path.join(work, "symbols.s"), os.path.join(work, "symbols.o")
        write_symbols(read(path), source)
        run_or_fail("as", "--64", "-o", made, source)
        link(command, work, made)
    linked = read(path)
    check(linked)
    check_libc(linked, command)
    image, number = identify(short_sections(linked), linked)
    run_or_fail("objcopy", "--only-keep-debug", f"--add-symbol={elf.IMAGE_ID}={number:#x},global", path, path + ".debug")
    with open(path, "wb") as file:
        file.write(image)
    return f"-- {os.path.basename(path)}: {len(image)} bytes, drivers: {', '.join(drivers(linked)) or 'none'}"


def remove_folder(path):
    """The folder of one link, which has no folders in it."""
    if os.path.isdir(path):
        for name in os.listdir(path):
            os.remove(os.path.join(path, name))
        os.rmdir(path)


def output_of(command):
    for word, following in zip(command, command[1:]):
        if word == "-o":
            return following
    sys.exit("error: link-image: the link command names no output")


def make_or_remove(command, path, symbols, work, also=None):
    """As make, but what is no image is not left behind; ends the program with the reason."""
    try:
        return make(command, path, symbols, work, also)
    except (LinkFailure, LinkError, elf.ElfError) as error:
        for file in (path, path + ".debug"):
            if os.path.exists(file):
                os.remove(file)
        if isinstance(error, LinkFailure):
            raise
        sys.exit(f"error: {os.path.basename(path)}: {error}")


def main():
    if sys.argv[1:] in (["--help"], ["-h"]):
        print(__doc__)
        return 0
    if "--" not in sys.argv:
        sys.exit(__doc__)
    at = sys.argv.index("--")
    command = sys.argv[at + 1:]
    path = output_of(command)
    work = path + ".link"
    remove_folder(work)
    os.mkdir(work)
    try:
        # File names and sizes come first in what people look for.
        print(make_or_remove(command, path, "--symbols" in sys.argv[:at], work))
    except LinkFailure as failure:
        from . import explain  # only where something is wrong
        for line in explain.of_command(failure.lines, command):
            print(f"error: {os.path.basename(path)}: {line}.", file=sys.stderr)
        return failure.status
    finally:
        remove_folder(work)
    return 0
