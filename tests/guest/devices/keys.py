#!/usr/bin/env python3
# Keys that are pressed by QEMU's monitor arrive as typed, by the layouts us, de and fr, from PS/2 and from USB keyboards.
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


# The numbers of those that type nothing: QEMU's keyboards keep a few keys only, so each is waited for.
SILENT = {"num_lock": "53", "caps_lock": "39", "print": "46", "pause": "48", "shift": "e1", "equal": "2e", "grave_accent": "35",
          "bracket_left": "2f"}


def press(questions, names):
    """All in one command: a key that a busy host holds for long would come again."""
    keys = [{"type": "qcode", "data": name} for name in names.split("-")]
    events = [{"type": "key", "data": {"down": down, "key": key}} for down in (True, False) for key in (keys if down else keys[::-1])]
    questions.ask("input-send-event", events=events)


def typed(guest, names, text):
    """Waits for the bytes, each of which has a line. One too many is found by the next key."""
    for byte in text.encode():
        found = guest.expect(r"^byte (\w\w)$")
        if int(found.group(1), 16) != byte:
            raise guest.failure(f"{names}: {found.group().decode()}, not {byte:02x} of {text!r}")


def layout(image, machine, words, keys, devices=()):
    with Guest(image, machine=machine, append=words, devices=devices) as guest:
        guest.expect("^ready$")
        if devices:
            guest.expect(": a keyboard$")
        with Questions(guest) as questions:
            for names, text in keys:
                press(questions, names)
                typed(guest, names, text)
                if not text:
                    guest.expect(f"^key {SILENT[names.rpartition('-')[2]]} down")
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


def key(questions, name, down):
    questions.ask("input-send-event", events=[{"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": name}}}])


def usb_plugged(image, machine):
    """Hubs and keyboards come and go; who goes lets its keys go; a key that is held comes again."""
    with Guest(image, machine=machine, append="log=info", devices=["qemu-xhci,id=xhci"]) as guest:
        guest.expect("^ready$")
        with Questions(guest) as questions:
            questions.ask("device_add", driver="usb-hub", bus="xhci.0", port="2", id="outer")
            guest.expect(r": port \d: a hub$")
            questions.ask("device_add", driver="usb-hub", bus="xhci.0", port="2.3", id="inner")
            guest.expect(": port 3 of a hub: a hub$")
            questions.ask("device_add", driver="usb-mouse", bus="xhci.0", port="2.4", id="mouse")
            guest.expect(": port 4 of a hub: neither a keyboard nor a hub$")
            for port in ("2.3.1", "1", "2.1"):
                questions.ask("device_add", driver="usb-kbd", bus="xhci.0", port=port, id="keyboard")
                guest.expect(f": port .*{'of a hub' if '.' in port else ''}: a keyboard$")
                key(questions, "shift", True)
                guest.expect("^key e1 down 202 0$")
                key(questions, "a", True)
                guest.expect("^key 04 down 202 41$")
                guest.expect("^key 04 again 202 41$")
                guest.expect("^key 04 again 202 41$")
                if port != "1":
                    key(questions, "a", False)
                    guest.expect("^key 04 up 202 0$")
                questions.ask("device_del", id="keyboard")
                guest.expect("^key e1 up 200 0$")
                if port == "1":
                    guest.expect("^key 04 up 200 0$")
            for _ in range(20):  # more than there is room for at once
                questions.ask("device_add", driver="usb-kbd", bus="xhci.0", port="2.3.2", id="keyboard")
                guest.expect(": port 2 of a hub: a keyboard$")
                questions.ask("device_del", id="keyboard")
            questions.ask("device_add", driver="usb-kbd", bus="xhci.0", port="2.3.2", id="keyboard")
            guest.expect(": port 2 of a hub: a keyboard$")
            key(questions, "b", True)
            guest.expect("^key 05 down 200 62$")
            questions.ask("device_del", id="outer")  # with all that hangs on it
            guest.expect("^key 05 up 200 0$")
            questions.ask("device_add", driver="usb-kbd", bus="xhci.0", port="1", id="last")
            guest.expect(r": port \d: a keyboard$")
            for name in "quit":
                questions.send("send-key", keys=[{"type": "qcode", "data": name}])
            status = guest.wait()
        said = guest.text()
        if status != PASSED or re.search(r"^(warning|error):", said, re.MULTILINE):
            raise guest.failure(f"exit status {status_name(status)}")


def main(image):
    layout(image, "q35", "log=info", US, ["qemu-xhci", "usb-kbd"])
    layout(image, "pc", "log=info keymap=de", DE, ["nec-usb-xhci,msi=off,msix=off", "usb-hub,port=1", "usb-kbd,port=1.1"])
    usb_plugged(image, "q35")
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
