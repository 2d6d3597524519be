# Names functions and lines of addresses that an image printed, and unwinds its stack.
# SPDX-License-Identifier: MIT
"""Resolves addresses of a fault report.

  baremetal-symbolize hello.debug 0x1a2b 0x3c4d   one line for each offset from the image's first byte
  baremetal-symbolize hello.debug < report        copies its input and puts function and line behind "image+0x…"

A report's own backtrace follows frame pointers, which C libraries, lwIP and leaf functions have not. Where the call frame
information of the debug file (DWARF 5, section 6.4) tells more, the calls follow the report.
"""

import bisect
import os
import re
import subprocess
import sys

from . import elf

PLACE = re.compile(rb"^\s+at image\+0x([0-9a-f]+)")
CALLER = re.compile(rb"^panic: .*; called at image\+0x([0-9a-f]+)")  # a rule was broken (docs/checks.md)
OUTSIDE = re.compile(rb"^\s+at 0x[0-9a-f]+ \(not in the image\), called from")
IMAGE = re.compile(rb"^\s+image ([0-9a-f]{1,8})\s*$")
STACK = re.compile(rb"^\s+stack: rbp:")
WORD = re.compile(rb"\b(rbp|0x[0-9a-f]+):(image|rsp)\+0x([0-9a-f]+)")
WORDS = re.compile(rb"^(\s+0x[0-9a-f]+:(image|rsp)\+0x[0-9a-f]+)+\s*$")
DEPTH_MAX = 64


def fail(text):
    sys.exit(f"error: baremetal-symbolize: {text}")


class Symbols:
    """Asks addr2line; image offsets count from the link address of the first byte."""

    def __init__(self, path):
        if not os.path.isfile(path):
            fail(f"there is no file {path}; it stands beside the image that was linked")
        self.path = path
        self.base, self.image_id = self.read()

    def run(self, *words):
        try:
            return subprocess.run(words, env={**os.environ, "LC_ALL": "C"}, capture_output=True, encoding="utf-8", errors="replace",
                                  check=True).stdout
        except FileNotFoundError:
            fail(f"'{words[0]}' is missing (package binutils)")
        except subprocess.CalledProcessError as error:
            fail(f"{words[0]} cannot read {self.path}: {error.stderr.strip()}")

    def read(self):
        """The link address of the image's first byte, and the image's number."""
        try:
            with open(self.path, "rb") as file:
                image = elf.Elf(file.read())
            return image.values("bm_image_begin")[0], image.image_id()
        except elf.ElfError as error:
            fail(f"{self.path} {error}; is it the .debug file of an image?")

    def place(self, offset):
        found = self.run("addr2line", "-f", "-i", "-C", "-e", self.path, hex(self.base + offset)).splitlines()
        pairs = list(zip(found[0::2], found[1::2]))
        return " < ".join(f"{name} ({self.short(line)})" for name, line in pairs)

    @staticmethod
    def short(line):
        line = re.sub(r" \(discriminator \d+\)", "", line)
        return "no line" if line.startswith("??") else "/".join([part for part in line.split("/") if part != "."][-2:])


class Frames:
    """How to get from a function's frame to its caller's, as readelf reads it from the debug file."""

    def __init__(self, symbols):
        self.starts, self.rows = [], []
        columns, end = [], 0
        for line in symbols.run("readelf", "--debug-dump=frames-interp", symbols.path).splitlines():
            words = line.split()
            found = re.search(r" FDE .*pc=[0-9a-f]+\.\.([0-9a-f]+)", line)
            if found:
                end = int(found.group(1), 16)
            elif " CIE " in line:
                end = 0
            elif words[:2] == ["LOC", "CFA"]:
                columns = words[1:]
            elif end and len(words) == len(columns) + 1:
                self.rows.append((int(words[0], 16), end, dict(zip(columns, words[1:]))))
        self.rows.sort(key=lambda row: row[0])
        self.starts = [row[0] for row in self.rows]

    def rules(self, address):
        at = bisect.bisect_right(self.starts, address) - 1
        return self.rows[at][2] if at >= 0 and address < self.rows[at][1] else None


class Report:
    """What one report holds. Places on the stack are counted from rsp at the fault."""

    def __init__(self):
        self.places, self.words = [], {}
        self.outside = False  # a call to nowhere has pushed its return address, and no more

    def unwind(self, frames, base):
        """The calls, innermost first, as offsets within the image."""
        registers = {"rsp": 8 if self.outside else 0, "rbp": self.words.get("rbp", ("", None))[1]}
        calls = self.places[:1]
        while calls and len(calls) < DEPTH_MAX:
            rules = frames.rules(base + calls[-1])
            if not rules and len(calls) == 1:
                rules = {"CFA": "rsp+8", "ra": "c-8"}  # assembly without a description: a leaf, most likely
            found = re.fullmatch(r"(rsp|rbp)\+(\d+)", rules["CFA"]) if rules else None
            if not found or registers[found.group(1)] is None or rules.get("ra") != "c-8":
                break
            frame = registers[found.group(1)] + int(found.group(2))
            kind, value = self.words.get(frame - 8, ("", 0))
            if kind != "image":
                break
            calls.append(value - 1)
            saved = re.fullmatch(r"c-(\d+)", rules.get("rbp", "u"))
            if saved:
                kind, value = self.words.get(frame - int(saved.group(1)), ("", 0))
                registers["rbp"] = value if kind == "rsp" else None
            registers["rsp"] = frame
        return calls


class Reader:
    """Looks at the lines of the input, and knows what to add to each."""

    def __init__(self, symbols):
        self.symbols = symbols
        self.frames = None
        self.report = Report()
        self.foreign = False  # the report is of another image

    def check_image(self, number):
        """The warning about a report of another image than the .debug file's, whose names would be wrong."""
        self.foreign = number != (self.symbols.image_id or number)
        if not self.foreign:
            return ""
        return (f"  warning: this report is of image {number:x}, and {self.symbols.path} belongs to image {self.symbols.image_id:x}; "
                "no names are put in. Take the .debug file of the build that was running.\n")

    def line(self, line):
        """Returns what is to be put at the line's end, and what behind the line."""
        place = PLACE.match(line)
        if found := IMAGE.match(line):
            return "", self.check_image(int(found.group(1), 16))
        if place and not self.foreign:
            offset = int(place.group(1), 16)
            self.report.places.append(offset)
            return f"  {self.symbols.place(offset)}", ""
        caller = CALLER.match(line)
        if caller:
            return f"  {self.symbols.place(int(caller.group(1), 16))}", ""
        if STACK.match(line) or WORDS.match(line):
            if STACK.match(line):
                self.report = Report()
            for where, kind, value in WORD.findall(line):
                self.report.words["rbp" if where == b"rbp" else int(where, 16)] = kind.decode(), int(value, 16)
        elif OUTSIDE.match(line):
            self.report.outside = True
        elif self.report.places:
            return "", self.end()
        return "", ""

    def end(self):
        """The calls of the report that has ended, when its own backtrace does not show them all."""
        report, self.report = self.report, Report()
        if not report.words or not report.places:
            return ""
        self.frames = self.frames or Frames(self.symbols)
        calls = report.unwind(self.frames, self.symbols.base)
        if calls == report.places[: len(calls)]:
            return ""
        return "  all calls, by the debug information:\n" + "".join(f"    {self.symbols.place(call)}\n" for call in calls)


def copy_input(symbols):
    """Passes everything on at once; when a line turns out to be a place, its name follows on the same line's end."""
    reader = Reader(symbols)
    line = b""
    while True:
        piece = os.read(0, 65536)
        if not piece:
            break
        for part in piece.splitlines(keepends=True):
            line += part
            if not line.endswith(b"\n"):
                os.write(1, part)
                continue
            name, more = reader.line(line)
            end = len(part) - len(part.rstrip(b"\r\n"))
            os.write(1, (part[: len(part) - end] + name.encode() + b"\n" if name else part) + more.encode())
            line = b""
    os.write(1, reader.end().encode())


def main():
    if sys.argv[1:] in (["--help"], ["-h"]):
        print(__doc__)
        return 0
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    symbols = Symbols(sys.argv[1])
    if len(sys.argv) == 2:
        try:
            copy_input(symbols)
        except (KeyboardInterrupt, BrokenPipeError):
            pass
        return
    for word in sys.argv[2:]:
        try:
            offset = int(word.removeprefix("image+"), 16)
        except ValueError:
            fail(f"'{word}' is not an offset such as 0x1a2b")
        print(f"{hex(offset)} {symbols.place(offset)}")
