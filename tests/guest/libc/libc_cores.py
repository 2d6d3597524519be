#!/usr/bin/env python3
# Runs libc_cores.c on 1 to 64 cores and looks at every line that the cores printed: none is torn, none is lost.
# SPDX-License-Identifier: MIT
"""Usage: libc_cores.py SOURCE IMAGE [CORES…]"""

import re
import sys
import time

from harness import PASSED, Guest, TestFailure, status_name

LINES = 1280  # of all cores together, as in libc_cores.c


def wanted_line(core, number):
    if number % 2 == 0:
        return f"line {core} {number} {core + number / 8:.3f} printed at once"
    return f"line {core} {number:04} printed in pieces"


def check(guest, cores):
    status = guest.wait(120)
    if status != PASSED:
        raise guest.failure(f"QEMU's exit status is {status_name(status)}")
    text = guest.text()
    if not text.endswith("\nPASS\nexit: 0\n") or "FAILED" in text:
        raise guest.failure("the console does not end in the lines PASS and exit: 0, or something failed before")
    lines = [line for line in text.splitlines() if not re.match(r"\d+ cores$|\d+ of \d+ handlers ran$|PASS$|exit: 0$|$", line)]
    wanted = {wanted_line(core, number) for core in range(cores) for number in range(LINES // cores)}
    if len(lines) != len(wanted) or set(lines) != wanted:
        odd = [line for line in lines if line not in wanted]
        raise guest.failure(f"{len(lines)} lines instead of {len(wanted)}; torn: {odd[:3]}; lost: {sorted(wanted - set(lines))[:3]}")


def main():
    image = sys.argv[2]
    failures = 0
    for cores in [int(word) for word in sys.argv[3:]] or [1, 2, 4, 16, 64]:
        began = time.monotonic()
        try:
            with Guest(image, machine="q35", smp=f"{cores},maxcpus={max(2, cores)}", memory="256" if cores > 16 else "64") as guest:
                check(guest, cores)
            print(f"ok: {cores} cores ({time.monotonic() - began:.2f} s)")
        except TestFailure as failure:
            failures += 1
            print(f"FAILED: {cores} cores: {failure}\n")
        sys.stdout.flush()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
