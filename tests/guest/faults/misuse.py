#!/usr/bin/env python3
# Breaks one rule of the public headers a boot, in the checked build: each time the machine must end with the sentence of
# that rule and the name of the function that broke it.
# SPDX-License-Identifier: MIT
"""Usage: misuse.py SOURCES IMAGE [CASE…]

`// @misuse NAME SENTENCE` lines of SOURCES/*.c are the cases; with @misuse_within the caller lies within the kernel. Cases of thread.c are
in the image IMAGE_thread: a program that links threads has a main that is one."""

import collections
import pathlib
import re
import subprocess
import sys
import time

from harness import FAULTED, Guest, TestFailure, status_name

CASES_MIN = 30
SYMBOLIZE = pathlib.Path(__file__).resolve().parents[3] / "toolchain/tools/baremetal-symbolize"


def read_cases(folder):
    for path in sorted(pathlib.Path(folder).glob("*.c")):
        for found in re.finditer(r"^// @misuse(_within)? (\w+) (.*\n(?:// [^@].*\n)*)", path.read_text(encoding="utf-8"), re.MULTILINE):
            yield path.stem, found.group(2), re.sub(r"\s+(// )?", " ", found.group(3)).strip(), bool(found.group(1))


def callers(image, offsets):
    """For each of the places the functions there, the innermost first, by the tool that users have."""
    said = subprocess.run([SYMBOLIZE, image + ".debug", *map(hex, offsets)], check=True, capture_output=True, text=True).stdout
    return [(re.findall(r"(\w+)(?:\.\w+)* \(", line), line) for line in said.splitlines()]


def provoke(image, name, sentence):
    """Boots a case; returns the place that the panic names."""
    cores = 2 if name.endswith("_of_other_core") else 1
    with Guest(image, machine="microvm", smp=f"{cores},maxcpus=2", append=f"-- {name}") as guest:
        status = guest.wait(30)
        if status != FAULTED:
            raise guest.failure(f"QEMU's exit status is {status_name(status)}, not {status_name(FAULTED)}")
        found = re.search(r"^panic: (.*); called at image\+0x([0-9a-f]+).*, on core \d+(?:, in thread .*)?$", guest.text(), re.MULTILINE)
        if not found or found.group(1) != sentence:
            raise guest.failure(f"the panic is not '{sentence}'")
        if not re.search(r"^  at image\+0x", guest.text(), re.MULTILINE):
            raise guest.failure("there is no backtrace")
    return int(found.group(2), 16)


def main():
    folder, image, wanted = sys.argv[1], sys.argv[2], sys.argv[3:]
    cases = [case for case in read_cases(folder) if not wanted or case[1] in wanted]
    failures, places = 0, collections.defaultdict(list)
    for source, name, sentence, within in cases:
        began = time.monotonic()
        its_image = f"{image}_thread" if source == "thread" else image
        try:
            places[its_image].append((name, within, provoke(its_image, name, sentence)))
            print(f"ok: {name}: {sentence} ({time.monotonic() - began:.2f} s)")
        except TestFailure as failure:
            failures += 1
            print(f"FAILED: {name}: {failure}\n")
        sys.stdout.flush()
    for its_image, those in places.items():
        for (name, within, _), (names, said) in zip(those, callers(its_image, [place for _, _, place in those])):
            if not within and name not in names:
                failures += 1
                print(f"FAILED: {name}: the caller is said to be {said}")
    if not wanted and len(cases) < CASES_MIN:
        sys.exit(f"{len(cases)} cases, not {CASES_MIN}")
    print(f"{len(cases)} cases, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
