#!/usr/bin/env python3
# Keys that are pressed by QEMU's monitor arrive as typed, by the layouts us, de and fr.
# SPDX-License-Identifier: MIT
"""Usage: keys.py SOURCE IMAGE"""

import re
import sys

from harness import PASSED, Guest, Questions, judge, status_name

# QEMU's names of the keys that are pressed together, and what they type.
US = [("a", "a"), ("shift-a", "A"), ("1", "1"), ("shift-1", "!"), ("ret", "\r"), ("spc", " "), ("backspace", "\x7f"), ("tab", "\t"),
      ("ctrl-c", "\x03"), ("ctrl-spc", "\0"), ("alt-x", "\x1bx"), ("semicolon", ";"), ("shift-apostrophe", '"'), ("backslash", "\\"),
      ("shift-slash", "?"), ("esc", "\x1b"), ("up", "\x1b[A"), ("down", "\x1b[B"), ("left", "\x1b[D"), ("right", "\x1b[C"),
      ("home", "\x1b[H"), ("end", "\x1b[F"), ("pgup", "\x1b[5~"), ("pgdn", "\x1b[6~"), ("insert", "\x1b[2~"), ("delete", "\x1b[3~"),
      ("f1", "\x1bOP"), ("f5", "\x1b[15~"), ("f12", "\x1b[24~"), ("kp_7", "7"), ("kp_divide", "/"), ("kp_enter", "\r"),
      ("kp_decimal", "."), ("num_lock", ""), ("kp_7", "\x1b[H"), ("kp_decimal", "\x1b[3~"), ("num_lock", ""), ("caps_lock", ""), ("b", "B"),
      ("shift-b", "b"), ("2", "2"), ("caps_lock", ""), ("b", "b"), ("print", ""), ("pause", ""), ("shift", ""), ("less", "\\")]
DE = [("z", "y"), ("y", "z"), ("bracket_left", "ü"), ("shift-semicolon", "Ö"), ("minus", "ß"), ("alt_r-q", "@"), ("alt_r-e", "€"),
      ("alt_r-less", "|"), ("equal", ""), ("e", "é"), ("shift-equal", ""), ("a", "à"), ("grave_accent", ""), ("o", "ô"), ("equal", ""),
      ("x", "´x"), ("equal", ""), ("equal", "´´"), ("grave_accent", ""), ("spc", "^"), ("caps_lock", ""), ("apostrophe", "Ä"),
      ("caps_lock", ""), ("ctrl-y", "\x1a"), ("kp_decimal", ",")]
FR = [("q", "a"), ("w", "z"), ("semicolon", "m"), ("1", "&"), ("shift-1", "1"), ("2", "é"), ("alt_r-0", "@"), ("bracket_left", ""),
      ("e", "ê"), ("shift-bracket_left", ""), ("i", "ï"), ("m", ","), ("shift-comma", ".")]


def press(questions, names):
    keys = [{"type": "qcode", "data": name} for name in names.split("-")]
    for down in (True, False):
        for key in keys if down else reversed(keys):
            questions.ask("input-send-event", events=[{"type": "key", "data": {"down": down, "key": key}}])


def typed(guest, names, text):
    """Waits for the bytes, each of which has a line. One too many is found by the next key."""
    for byte in text.encode():
        found = guest.expect(r"^byte (\w\w)$")
        if int(found.group(1), 16) != byte:
            raise guest.failure(f"{names}: {found.group().decode()}, not {byte:02x} of {text!r}")


def layout(image, machine, words, keys):
    with Guest(image, machine=machine, append=words) as guest:
        guest.expect("^ready$")
        with Questions(guest) as questions:
            for names, text in keys:
                press(questions, names)
                typed(guest, names, text)
            for name in "auit" if "fr" in words else "quit":
                questions.send("send-key", keys=[{"type": "qcode", "data": name}])  # QEMU ends before it answers to all
            status = guest.wait()
        if status != PASSED:
            raise guest.failure(f"{words}: exit status {status_name(status)}")
        return guest.text()


def events(image):
    """Keys as such: down, again by the keyboard itself, up."""
    with Guest(image) as guest:
        guest.expect("^ready$")
        with Questions(guest) as questions:
            key = {"type": "qcode", "data": "shift"}
            questions.ask("input-send-event", events=[{"type": "key", "data": {"down": True, "key": key}}])
            guest.expect("^key e1 down 202 0$")
            press(questions, "a")
            guest.expect("^key 04 down 202 41$")
            guest.expect("^key 04 up 202 0$")
            questions.ask("input-send-event", events=[{"type": "key", "data": {"down": True, "key": key}}])
            guest.expect("^key e1 again 202 0$")
            questions.ask("input-send-event", events=[{"type": "key", "data": {"down": False, "key": key}}])
            guest.expect("^key e1 up 200 0$")
            press(questions, "pause")
            guest.expect("^key 48 down")


def main(image):
    for machine in ("pc", "q35"):
        said = layout(image, machine, "", US)
        if re.search(r"^(warning|error):", said, re.MULTILINE):
            raise SystemExit(f"FAILED: {said}")
    layout(image, "q35", "keymap=de", DE)
    layout(image, "q35", "keymap=fr", FR)
    events(image)
    with Guest(image, append="keymap=xx") as guest, Questions_after_ready(guest) as questions:
        press(questions, "a")
        guest.expect("keymap=xx: there is no such layout; there are: us, de, fr$")
    with Guest(image, machine="microvm", append="log=info") as guest:
        guest.expect("ps2_keyboard: this machine has no keyboard controller$")


def Questions_after_ready(guest):
    guest.expect("^ready$")
    return Questions(guest)


if __name__ == "__main__":
    sys.exit(judge(lambda: main(sys.argv[2])))
