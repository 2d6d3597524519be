#!/usr/bin/env python3
# pvpanic on PCI and as a port: QEMU tells by an event that the guest has panicked; an orderly end is none.
# SPDX-License-Identifier: MIT
"""Usage: pvpanic.py SOURCE IMAGE"""

import sys

from harness import PASSED, Guest, Questions, judge, status_name


def panics(image, machine, device):
    with Guest(image, machine=machine, append="-- panic", devices=[device],
               arguments=["-action", "panic=pause"]) as guest:
        guest.expect("^ready$")
        with Questions(guest) as questions:
            guest.send("go\n")
            while questions.read().get("event") != "GUEST_PANICKED":
                pass
        guest.expect("^panic: as wanted, on core 0$")


def ends(image, machine, devices):
    with Guest(image, machine=machine, devices=devices) as guest:
        guest.expect("^PASS$")
        ended = guest.wait()
        if ended != PASSED:
            raise guest.failure(f"exit status {status_name(ended)}, not {status_name(PASSED)}")


def main(image):
    for machine in ("pc", "q35"):
        for device in ("pvpanic", "pvpanic-pci"):
            panics(image, machine, device)
            ends(image, machine, [device])
    ends(image, "q35", [])
    ends(image, "microvm", [])


if __name__ == "__main__":
    sys.exit(judge(lambda: main(sys.argv[2])))
