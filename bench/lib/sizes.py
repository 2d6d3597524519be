# Which part of the project an image's bytes come from, by the linker's map file.
# SPDX-License-Identifier: MIT
import re

from . import tools

LOADED = (".text", ".note", ".rodata", ".relro", ".data")  # output sections that have bytes in the file (boot/image.ld)
PARTS = [  # the first that fits a file's name; C libraries have names of their own
    ("drivers", r"/libbaremetal-(driver-.*|virtio)\.a\("),
    ("lwIP", r"/libbaremetal-lwip[^/]*\.a\("),
    ("sockets and lwIP's port", r"/libbaremetal-net[^/]*\.a\("),
    ("POSIX layer", r"/libbaremetal-posix[^/]*\.a\("),
    ("kernel and boot", r"/libbaremetal[^/]*\.a\("),
    ("C library", r"/lib(c|m|gcc|gcc_eh|g|nosys)\.a\("),
    ("files in the image", r"\.files\.c\.o(bj)?$"),
    ("program", r"\.o(bj)?$"),
]
STRINGS = "texts, merged from all parts"
REST = "headers, relocations, alignment"
OUTPUT = re.compile(r"^(\.\S+)(?:\s|$)")
INPUT = re.compile(r"^ (\.?\S+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$")


def joined(lines):
    """A section whose name is long stands on a line of its own: with its figures, the next line."""
    held = None
    for line in lines:
        if held is not None:
            line, held = (f"{held} {line.strip()}", None) if line.startswith("       ") else (line, None)
        if re.fullmatch(r" ?\.\S+", line.rstrip()):
            held = line.rstrip()
            continue
        yield line


def part_of(section, file):
    """Literals that several files share appear once, under the first of these files."""
    if re.search(r"\.str\d+\.\d+$|\.cst\d+$", section):
        return STRINGS
    return next((name for name, pattern in PARTS if re.search(pattern, "/" + file)), f"other: {file}")


def parts(text):
    """Bytes of each part, from the text of a map file of GNU ld."""
    _, found, text = text.partition("Linker script and memory map")
    if not found:
        raise tools.BenchError("this is no map file of GNU ld: 'Linker script and memory map' is not in it.")
    sizes, loaded = {}, False
    for line in joined(text.splitlines()):
        if output := OUTPUT.match(line):
            loaded = output[1] in LOADED
        if loaded and (section := INPUT.match(line)):
            part = part_of(section[1], section[4])
            sizes[part] = sizes.get(part, 0) + int(section[3], 16)
    return sizes


def of_image(image):
    """Bytes of each part of an image; together as many as its file has."""
    sizes = parts(image.with_name(image.name + ".map").read_text())
    left = image.stat().st_size - sum(sizes.values())
    if left < 0:
        raise tools.BenchError(f"{image.name}.map lists {-left} bytes more than the image has; does it belong to another one?")
    ordered = {name: sizes[name] for name in [*(name for name, _ in PARTS), STRINGS] if name in sizes}
    return {**ordered, **{name: size for name, size in sizes.items() if name not in ordered}, REST: left}
