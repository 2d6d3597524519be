#!/usr/bin/env python3
# A pause of the machine leaves the date behind, which is logged once; a machine without a clock chip says so.
# SPDX-License-Identifier: MIT
"""Usage: date_pause.py SOURCE IMAGE"""

import sys
import time

from harness import PASSED, Guest, Questions, judge

PAUSE = 6  # seconds
NO_CHIP = "warning: time: this machine has no usable clock chip: the date begins at 1970-01-01"


def end(guest):
    if guest.wait() != PASSED:
        raise guest.failure("the program failed")


def paused(image):
    with Guest(image, machine="q35") as guest:
        guest.expect("^date ([0-9]+)$")
        with Questions(guest) as questions:
            questions.ask("stop")
            time.sleep(PAUSE)  # the pause itself
            questions.ask("cont")
        behind = int(guest.expect("^warning: time: the date is ([0-9]+) s behind the clock chip: was the machine paused[?]$").group(1))
        end(guest)
        if not PAUSE - 1 <= behind <= PAUSE + 3 or guest.text().count("behind the clock chip") != 1:
            raise guest.failure(f"a pause of {PAUSE} s was told as {behind} s")


def main():
    image = sys.argv[2]
    paused(image)
    print("ok: a pause is told", flush=True)
    with Guest(image, machine="microvm-bare") as guest:
        guest.expect("^" + NO_CHIP)
        guest.expect("^date [0-9]$")
        end(guest)
    print("ok: no clock chip", flush=True)


if __name__ == "__main__":
    sys.exit(judge(main))
