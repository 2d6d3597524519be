#!/usr/bin/env python3
# Breaks one rule of the public headers a boot, in the checked build: each time the machine must end with the sentence of
# that rule and the name of the function that broke it.
# SPDX-License-Identifier: MIT
"""Usage: misuse.py SOURCES IMAGE [CASE…]

`// @misuse NAME SENTENCE` lines of SOURCES/*.c are the cases; with @misuse_within the caller lies within the kernel."""

import pathlib
import re
import subprocess
import sys
import time

from harness import FAULTED, Guest, TestFailure, status_name

CASES_MIN = 30


def read_cases(folder):
    for path in sorted(pathlib.Path(folder).glob("*.c")):
        for found in re.finditer(r"^// @misuse(_within)? (\w+) (.*\n(?:// [^@].*\n)*)", path.read_text(encoding="utf-8"), re.MULTILINE):
            yield found.group(2), re.sub(r"\s+(// )?", " ", found.group(3)).strip(), bool(found.group(1))


def callers(image, offset):
    """The functions at that place, the innermost first, by the tool that users have."""
    said = subprocess.run([symbolizer(image), image + ".debug", hex(offset)], check=True, capture_output=True, text=True).stdout
    return re.findall(r"(\w+)(?:\.\w+)* \(", said), said.strip()


def symbolizer(image):
    cache = next(path / "CMakeCache.txt" for path in pathlib.Path(image).resolve().parents if (path / "CMakeCache.txt").exists())
    prefix = re.search(r"^CMAKE_PREFIX_PATH:\w+=(.*)$", cache.read_text(encoding="utf-8"), re.MULTILINE).group(1)
    return pathlib.Path(prefix) / "bin/baremetal-symbolize"


def check(image, name, sentence, within):
    with Guest(image, machine="microvm", append=f"-- {name}") as guest:
        status = guest.wait(30)
        if status != FAULTED:
            raise guest.failure(f"QEMU's exit status is {status_name(status)}, not {status_name(FAULTED)}")
        found = re.search(r"^panic: (.*); called at image\+0x([0-9a-f]+).*, on core \d+$", guest.text(), re.MULTILINE)
        if not found or found.group(1) != sentence:
            raise guest.failure(f"the panic is not '{sentence}'")
        names, said = callers(image, int(found.group(2), 16))
        if not within and name not in names:
            raise guest.failure(f"the caller is said to be {said}, not {name}")
        if not re.search(r"^  at image\+0x", guest.text(), re.MULTILINE):
            raise guest.failure("there is no backtrace")


def main():
    folder, image, wanted = sys.argv[1], sys.argv[2], sys.argv[3:]
    failures = count = 0
    for name, sentence, within in read_cases(folder):
        if wanted and name not in wanted:
            continue
        count += 1
        began = time.monotonic()
        try:
            check(image, name, sentence, within)
            print(f"ok: {name}: {sentence} ({time.monotonic() - began:.2f} s)")
        except TestFailure as failure:
            failures += 1
            print(f"FAILED: {name}: {failure}\n")
        sys.stdout.flush()
    if not wanted and count < CASES_MIN:
        sys.exit(f"{count} cases, not {CASES_MIN}")
    print(f"{count} cases, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
