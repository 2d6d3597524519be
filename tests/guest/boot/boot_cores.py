#!/usr/bin/env python3
# The way from the kernel's first C function to main is as long on 64 cores as on 2, by at most a tenth.
# SPDX-License-Identifier: MIT
"""Usage: boot_cores.py SOURCE IMAGE

Counted: with -icount, where the time-stamp counter counts the instructions of all cores, up to the step that calls the
other cores, behind which the way is the same. And timed up to main, in turns, without: there the host's load only adds to
boots, so the quickest of each kind are compared, of so many as it takes until they are close enough, and at most MOST_ROUNDS."""

import sys

from harness import PASSED, Guest, TestFailure, judge, status_name

LEAST_ROUNDS, MOST_ROUNDS = 5, 40
COUNTED_MAX, TIMED_MAX = 1.1, 2.5  # with 63 cores that start while main boots it is 5 and more; else 1.2, of QEMU
COUNT = ("-icount", "shift=0,sleep=off")


def ticks(image, cores, until, arguments=()):
    with Guest(image, machine="q35", smp=str(cores), memory="256", arguments=arguments) as guest:
        found = int(guest.expect(rf"^(\d+) ticks {until}$", 60).group(1))
        guest.expect(f"^{cores} cores$", 60)
        status = guest.wait(60)
        if status != PASSED:
            raise guest.failure(f"QEMU's exit status is {status_name(status)}")
        return found


def compare(image, what, until, arguments, most):
    few, many = [], []
    while len(few) < LEAST_ROUNDS or (min(many) > most * min(few) and len(few) < MOST_ROUNDS):
        few.append(ticks(image, 2, until, arguments))
        many.append(ticks(image, 64, until, arguments))
    ratio = min(many) / min(few)
    text = f"{what}: {min(few)} on 2 cores, {min(many)} on 64, {ratio:.3f} times as many, of {len(few)} boots each"
    if ratio > most:
        raise TestFailure(f"{text}; at most {most} times are allowed")
    print(f"ok: {text}", flush=True)


def main():
    image = sys.argv[2]
    compare(image, "instructions", "alone", COUNT, COUNTED_MAX)
    compare(image, "ticks of the clock", "to main", (), TIMED_MAX)


if __name__ == "__main__":
    sys.exit(judge(main))
