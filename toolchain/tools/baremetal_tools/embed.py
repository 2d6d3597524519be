# Files that stand in the image, as a C source.
# SPDX-License-Identifier: MIT
"""Usage: embed-files LIST SOURCE

LIST has lines "path in the image|file". SOURCE brings the files in by assembly, with the table bm_embedded_files, sorted by path
(<baremetal/file.h>)."""

import hashlib
import os
import sys

PIECE = r'''__asm__(".pushsection .rodata.bm_file_{number}, \"a\"\n"
        ".balign {alignment}\n"
        "bm_file_{number}: .incbin \"{file}\"\n"
        ".byte 0\n"
        "{end}"
        ".popsection\n");
extern const char bm_file_{number}[] __attribute__((visibility("hidden")));

'''


class EmbedError(Exception):
    """Why files cannot be embedded, as a sentence."""


def escaped(text):
    """The text for a string of C or of the assembler."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def check_name(name):
    if not all(" " <= char <= "~" and char not in '|"\\' for char in name):
        raise EmbedError(f"the file name '{name}' cannot be embedded: printable ASCII without | \" \\ only")


def below(folder):
    """Path in the image and file of everything below a folder."""
    if not os.path.isdir(folder):
        raise EmbedError(f"there is no folder {folder}")
    return [("/" + os.path.relpath(file, folder), os.path.abspath(file)) for file in files_below(folder, ())]


def files_below(folder, above):
    """The files of a folder and of all folders in it, those that are symbolic links included; `above` are the folders on the way to it."""
    real = os.path.realpath(folder)
    if real in above:
        raise EmbedError(f"the link {folder} leads to a folder that it is in itself")
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        check_name(path)
        if os.path.isdir(path):
            yield from files_below(path, (*above, real))
        else:
            yield path


def source(placed):
    """The C source for pairs of a path in the image and a file."""
    pieces, rows, previous = [], [], None
    for number, (path, file) in enumerate(sorted(placed, key=lambda pair: pair[0].encode())):
        if path == previous:
            raise EmbedError(f"two files have the path {path} in the image; one of them is {file}")
        previous = path
        try:
            with open(file, "rb") as opened:
                data = opened.read()
        except OSError as error:
            raise EmbedError(f"{file} does not exist" if not os.path.exists(file) else f"{file}: {error.strerror}") from None
        # Text of an ELF file can be mapped where it stands: it has pages of its own (libbaremetal/executable/map_text.c).
        alignment, end = (4096, ".balign 4096\\n") if data[:4] == b"\x7fELF" else (16, "")
        pieces.append(PIECE.format(number=number, file=escaped(escaped(file)), alignment=alignment, end=end))  # the assembler's string stands in one of C
        rows.append(f'    {{"{escaped(path)}", bm_file_{number}, {len(data)}, "{hashlib.sha256(data).hexdigest()[:16]}"}},\n')
    if not rows:
        raise EmbedError("no file was found to embed")
    return ("// The files that were put into this image.\n#include <baremetal/file.h>\n\n" + "".join(pieces) +
            "const struct bm_embedded_file bm_embedded_files[] = {\n" + "".join(rows) + "};\n"
            f"const size_t bm_embedded_file_count = {len(rows)};\n")


def main():
    if sys.argv[1:] in (["--help"], ["-h"]):
        print(__doc__)
        return 0
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            text = source(tuple(line.rstrip("\n").split("|", 1)) for line in file if line.strip())
    except EmbedError as error:
        sys.exit(f"error: baremetal_add_files: {error}.")
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(text)
    return 0
