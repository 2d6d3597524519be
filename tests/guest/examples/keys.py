#!/usr/bin/env python3
# keys: each key with its number, what is held, and what it types.
# SPDX-License-Identifier: MIT
"""Usage: keys.py IMAGE"""

import sys

from harness import PASSED, Guest, Questions, judge, status_name
from paint import press


def main(image):
    with Guest(image, append="keymap=de") as guest:
        guest.expect("Press keys; Esc ends.$")
        with Questions(guest) as questions:
            press(questions, "shift", "semicolon")
            guest.expect("^key 0xe1 .*down.* .*Shift")
            guest.expect("^key 0x33 .*down.*Shift.*types .*Ö")
            guest.expect("^key 0x33 .*up")
            guest.expect("^key 0xe1 .*up")
            press(questions, "ret")
            guest.expect("^key 0x28 .*types 0x0d$")
            questions.send("send-key", keys=[{"type": "qcode", "data": "esc"}])
            status = guest.wait()
        if status != PASSED:
            raise guest.failure(f"exit status {status_name(status)}")
    print("ok: keys", flush=True)


if __name__ == "__main__":
    sys.exit(judge(lambda: main(sys.argv[1])))
