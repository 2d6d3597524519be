# What the installed package tells baremetal-cc: words for the compiler, the linker, and where the libraries are.
# SPDX-License-Identifier: MIT
"""BaremetalInstall.cmake writes flags-<libc>.txt from what CMake's own targets use; CMake's checks link by the same file."""

import os
import shutil
import struct
import subprocess

TRIPLES = {"musl": "x86_64-baremetal-linux-musl"}
TRIPLE = "x86_64-baremetal-elf"  # of the other C libraries
LIBCS = ("musl", "picolibc", "newlib")


class PackageError(Exception):
    """What is missing, as a sentence."""


class Package:
    """One C library of the package that the tools are installed with."""

    def __init__(self, libc=None, tools=None):
        self.tools = tools or os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
        self.root = os.path.normpath(os.path.join(self.tools, "..", "..", "baremetal"))
        self.libc = libc or os.environ.get("BAREMETAL_LIBC") or "musl"
        if self.libc not in LIBCS:
            raise PackageError(f"there is no C library '{self.libc}'; known are: {', '.join(LIBCS)}")
        self.words = {}
        try:
            with open(os.path.join(self.tools, f"flags-{self.libc}.txt"), encoding="utf-8") as file:
                for line in file:
                    use, _, word = line.rstrip("\n").partition(" ")
                    self.words.setdefault(use, []).append(word.replace("@/", self.root + "/"))
        except FileNotFoundError:
            raise PackageError(f"the package in {self.tools} has no {self.libc} (the commands work from an installed package)") from None

    def triple(self):
        return TRIPLES.get(self.libc, TRIPLE)

    def folder(self):
        """The C library's own libraries."""
        return os.path.join(self.root, self.libc, "lib")

    def compiler(self):
        name = os.environ.get("BAREMETAL_COMPILER") or self.words["compiler"][0]
        if not shutil.which(name):
            raise PackageError(f"the C compiler '{name}' is missing (BAREMETAL_COMPILER names another one)")
        return name

    def compile_words(self, compiler):
        """What stands before the user's words, and what stands behind them."""
        own = said_by(compiler, "-print-file-name=include")
        if not os.path.isdir(own):
            raise PackageError(f"the compiler '{compiler}' does not tell where its own headers are (got '{own}')")
        folders = [word for folder in self.words["header"] if os.path.isdir(folder) for word in ("-isystem", folder)]
        quiet = ["-Wno-unused-command-line-argument"] if is_clang(compiler) else []
        return [*self.words["compile"], *quiet, "-isystem", own], folders


def is_clang(compiler):
    return "clang" in os.path.basename(compiler)


def said_by(compiler, question):
    if is_clang(compiler) and question == "-print-file-name=include":
        return os.path.join(said_by(compiler, "-print-resource-dir"), "include")
    return subprocess.run([compiler, question], stdout=subprocess.PIPE, text=True, check=False).stdout.strip()


def defined_in(archive):
    """The names in the symbol index of an archive (the member "/": a big-endian count, as many offsets, names that end in NUL)."""
    try:
        with open(archive, "rb") as file:
            if file.read(8) != b"!<arch>\n":
                return frozenset()
            header = file.read(60)
            if header[:2] != b"/ ":
                return frozenset()
            data = file.read(int(header[48:58]))
    except (OSError, ValueError):
        return frozenset()
    count, = struct.unpack_from(">I", data) if len(data) >= 4 else (0,)
    return frozenset(name.decode(errors="replace") for name in data[4 + 4 * count:].split(b"\0")[:count])
