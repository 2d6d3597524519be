# What each archive and object contributes to an image, in bytes, from the linker's map file.
# SPDX-License-Identifier: MIT
"""Usage: size-image IMAGE.map"""

import os
import re
import sys

KINDS = ("code", "constants", "data", "zeroed")
# The first that fits an input section's name; all others are constants.
KIND_OF_SECTION = (
    (re.compile(r"\.(text|boot|plt)"), "code"),
    (re.compile(r"\.t?bss|COMMON"), "zeroed"),
    (re.compile(r"\.data\.rel\.ro"), "constants"),
    (re.compile(r"\.(data|tdata|got)"), "data"),
)
BY_LINKER = re.compile(r"\.(plt|got|rel|dyn|gnu|hash|interp|iplt|igot)")  # ld counts it to the first object
INPUT = re.compile(r"0x([0-9a-f]+)\s+0x([0-9a-f]+)(?:\s+(\S.*))?$")


def kind(section):
    return next((name for pattern, name in KIND_OF_SECTION if pattern.match(section)), "constants")


def component(path):
    """An archive or an object, without its folders."""
    return os.path.basename(re.sub(r"\.a\(.*", ".a", path))


def inputs(lines):
    """Section, address, size and file of each input section. One whose name is long stands on a line of its own."""
    pending, active = None, False
    for line in lines:
        if line.startswith("Linker script and memory map"):
            active = True
        elif line.startswith(".comment"):
            active = False
        if not active:
            continue
        words = line.split(maxsplit=1)
        if pending is None:
            if not re.match(r" [.C*]", line):
                continue
            if len(words) == 1:
                pending = words[0] if words[0][0] != "*" else None
                continue
            section, rest = words[0], words[1].strip()
        else:
            section, rest, pending = pending, line.strip(), None
        if found := INPUT.match(rest):
            yield section, int(found[1], 16), int(found[2], 16), found[3]


def sums(lines):
    """For each component its bytes of each kind."""
    found = {}
    for section, address, size, path in inputs(lines):
        if section == "*fill*":
            section, path = ".rodata", "(padding)"
        elif BY_LINKER.match(section):
            path = "(linker)"
        if path and address and size:
            row = found.setdefault(component(path), dict.fromkeys(KINDS, 0))
            row[kind(section)] += size
    return found


def print_row(row, name):
    print("".join(f"{row[kind]:9d} " for kind in KINDS) + f"{sum(row.values()):9d}  {name}")


def main():
    if sys.argv[1:] in (["--help"], ["-h"]):
        print(__doc__)
        return 0
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    path = sys.argv[1]
    if not os.path.isfile(path):
        sys.exit(f"error: size-image: there is no map file {path}; it is written when the image is linked.")
    with open(path, encoding="utf-8", errors="replace") as file:
        found = sums(file)
    print("".join(f"{kind:>9} " for kind in KINDS) + " together  component")
    for name, row in sorted(found.items(), key=lambda item: (-sum(item[1].values()), item[0])):
        print_row(row, name)
    print_row({kind: sum(row[kind] for row in found.values()) for kind in KINDS}, "total")
    image = path.removesuffix(".map")
    if image != path and os.path.isfile(image):
        print(f"{os.path.getsize(image)} bytes in the file {os.path.basename(image)}")
    return 0
