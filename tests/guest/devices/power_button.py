#!/usr/bin/env python3
# system_powerdown reaches the program: by its handler of SIGTERM, or as its end.
# SPDX-License-Identifier: MIT
"""Usage: power_button.py SOURCE IMAGE"""

import sys

from harness import FAILED, PASSED, Guest, Questions, judge, status_name

TERMINATED = "exit: 143"  # 128 + SIGTERM, as a shell tells it


def run(image, machine, words, status, lines, **options):
    with Guest(image, machine=machine, append=words, **options) as guest:
        guest.expect("^waiting$")
        with Questions(guest) as questions:
            questions.send("system_powerdown")  # QEMU may end before it answers
            for line in lines:
                guest.expect(line)
        ended = guest.wait()
        if ended != status:
            raise guest.failure(f"{words}: exit status {status_name(ended)}, not {status_name(status)}")


def main(image):
    for machine in ("pc", "q35"):
        run(image, machine, "-- handle", PASSED, ["^PASS$", "^exit: 0$"])
        run(image, machine, "log=info", FAILED, ["power_button: pressed", f"^{TERMINATED}$"])
        run(image, machine, "log=info", FAILED, [f"^{TERMINATED}$"], smp="1,maxcpus=2")
    with Guest(image, machine="microvm", append="log=info") as guest:  # its button is a device of AML
        guest.expect("power_button: this machine has no power button in ACPI's fixed hardware$")
        guest.expect("^waiting$")


if __name__ == "__main__":
    sys.exit(judge(lambda: main(sys.argv[2])))
