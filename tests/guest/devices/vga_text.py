#!/usr/bin/env python3
# What stands in VGA's text memory; machines without such a screen go on without it.
# SPDX-License-Identifier: MIT
"""Usage: vga_text.py SOURCE IMAGE"""

import re
import sys

from harness import PASSED, Guest, judge, status_name

COLUMNS, ROWS = 80, 25
GREY, RED, BLUE = 7, 12, 0x17


def memory(guest):
    words = re.findall(r"0x([0-9a-f]{4})(?![0-9a-f])", guest.monitor(f"xp /{COLUMNS * ROWS}hx 0xb8000"))
    if len(words) != COLUMNS * ROWS:
        raise guest.failure(f"{len(words)} characters in QEMU's answer")
    return [int(word, 16) for word in words]


def line(words, row):
    return bytes(word & 255 for word in words[row * COLUMNS:(row + 1) * COLUMNS]).decode("cp437").rstrip()


def check(image, machine, words, says):
    with Guest(image, machine=machine, append=words, devices=["VGA"]) as guest:
        guest.expect("~")
        screen = memory(guest)
        wanted = {0: "grün red ─ blue", 1: "line 8", 22: "line 29", 23: " " * 79 + "x", 24: "end"}
        for row, text in wanted.items():
            if line(screen, row) != text:
                raise guest.failure(f"line {row}: '{line(screen, row)}', not '{text}'")
        for column, colour in ((0, GREY), (5, RED), (11, BLUE)):
            if screen[column] >> 8 != colour:
                raise guest.failure(f"colours at column {column}: {screen[column] >> 8:#x}, not {colour:#x}")
        if bool(guest.text().strip("~")) != says:
            raise guest.failure("the serial line is not what console= says")
        guest.send("go\n")
        status = guest.wait()
        if status != PASSED:
            raise guest.failure(f"exit status {status_name(status)}")


def main(image):
    check(image, "pc", "", True)
    check(image, "q35", "console=vga", False)
    check(image, "q35", "console=serial,vga", True)
    for machine, devices, words in (("q35", [], ""), ("microvm", [], ""), ("pc", ["VGA"], "console=serial")):
        with Guest(image, machine=machine, devices=devices, append=words) as guest:
            guest.expect("end")
            guest.send("go\n")
            if guest.wait() != PASSED:
                raise guest.failure(f"{machine} {devices}: the program did not end well")


if __name__ == "__main__":
    sys.exit(judge(lambda: main(sys.argv[2])))
