#!/usr/bin/env python3
# i6300esb: QEMU tells by an event that the watchdog has expired.
# SPDX-License-Identifier: MIT
"""Usage: watchdog_device.py SOURCE IMAGE"""

import sys

from harness import PASSED, Guest, Questions, judge, status_name

DEVICE = ["i6300esb"]


def expires(image, machine):
    with Guest(image, machine=machine, append="watchdog=1 -- hang", devices=DEVICE,
               arguments=["-action", "watchdog=pause"]) as guest:
        guest.expect("^ready$")
        with Questions(guest) as questions:
            guest.send("go\n")
            while questions.read().get("event") != "WATCHDOG":
                pass


def goes_on(image, machine, words):
    with Guest(image, machine=machine, append=words, devices=DEVICE) as guest:
        guest.expect("^PASS$")
        ended = guest.wait()
        if ended != PASSED:
            raise guest.failure(f"exit status {status_name(ended)}, not {status_name(PASSED)}")


def main(image):
    for machine in ("pc", "q35"):
        expires(image, machine)
    goes_on(image, "q35", "watchdog=1")
    with Guest(image, append="log=info", devices=DEVICE) as guest:
        guest.expect("i6300esb: not started: watchdog=SECONDS on the command line starts it$")


if __name__ == "__main__":
    sys.exit(judge(lambda: main(sys.argv[2])))
