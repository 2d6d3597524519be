#!/usr/bin/env python3
# paint: what keys draw is on the screen, by a PS/2 and by a USB keyboard, on two kinds of screens.
# SPDX-License-Identifier: MIT
"""Usage: paint.py IMAGE"""

import pathlib
import sys
import tempfile
import time

from harness import FAILED, PASSED, PATIENCE, Guest, Questions, TestFailure, judge, status_name

PAPER, RED, BLUE, GREEN, INK, GREY = (250, 248, 240), (200, 40, 40), (40, 110, 200), (60, 160, 70), (32, 32, 32), (120, 120, 120)
BAR, PEN, STEP = 32, 8, 8


def press(questions, *names):
    questions.ask("input-send-event", events=[{"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": name}}}
                                              for down in (True, False) for name in (names if down else names[::-1])])


class Picture:
    def __init__(self, questions, path):
        questions.ask("screendump", filename=str(path))
        _, size, _, self.pixels = path.read_bytes().split(b"\n", 3)
        self.width, self.height = map(int, size.split())

    def pixel(self, x, y):
        at = (y * self.width + x) * 3
        return tuple(self.pixels[at:at + 3])


class Pen:
    """Where it has to be. QEMU's keyboards keep a few keys only, so each one is waited for where it shows."""

    def __init__(self, questions, path, x, y):
        self.questions, self.path, self.x, self.y, self.size, self.colour = questions, path, x, y, PEN, INK

    def press(self, key, times=1, step=STEP):
        for _ in range(times):
            press(self.questions, *(["shift"] if step == 1 else []), key)
            self.x += {"right": step}.get(key, 0)
            self.y += {"down": step, "up": -step}.get(key, 0)
            self.size += 2 * (key == "equal")
            self.colour = {"2": RED, "6": BLUE, "5": GREEN}.get(key, self.colour)
            self.wait()

    def wait(self):
        deadline = time.monotonic() + 10 * PATIENCE
        while time.monotonic() < deadline:
            picture, end = Picture(self.questions, self.path), self.size + 1
            if picture.pixel(self.x - 2, self.y - 2) == self.colour == picture.pixel(self.x + end, self.y + end):
                return
        raise TestFailure(f"the pen does not come to {(self.x, self.y)}")


def draw(pen):
    """A red line to the right, a blue one down, its end once more as large; what is lifted leaves nothing."""
    for key, times in (("2", 1), ("spc", 1), ("right", 10), ("6", 1), ("down", 5), ("spc", 1), ("5", 1), ("right", 3),
                       ("spc", 1), ("equal", 1), ("spc", 1)):
        pen.press(key, times)
    pen.press("up", 4, 1)


def wrong(picture, x, y):
    """What is not as it should be; the pen began at x, y."""
    wanted = {(x + 2, y + 2): RED, (x + 40, y): RED, (x + 40, y + PEN - 1): RED, (x + 40, y + PEN): PAPER,
              (x + 78, y + 4): RED, (x + 82, y + 30): BLUE, (x + 80, y + 47): BLUE, (x + 80, y + 48): PAPER,
              (x + 98, y + 44): PAPER, (x + 105, y + 45): GREEN, (x + 113, y + 49): GREEN, (x + 114, y + 49): PAPER,
              (x - 20, y): PAPER, (picture.width * 9 // 16, picture.height - BAR // 2): GREEN, (0, picture.height - 1): GREY,
              (x + 102, y + 34): GREEN}  # the pen itself
    for place, colour in wanted.items():
        if picture.pixel(*place) != colour:
            return f"the pixel at {place} is {picture.pixel(*place)}, not {colour}; the pen began at {(x, y)}"
    return None


def paint(image, folder, devices, size):
    with Guest(image, machine="q35", devices=devices, append="log=info") as guest:
        found = guest.expect(r"^paint: (\d+) by (\d+) pixels")
        width, height = (int(group) for group in found.groups())
        if (width, height + BAR) != size:
            raise guest.failure(f"{width} by {height} pixels, not {size} with the bar")
        if "usb-kbd" in devices:
            guest.position = 0
            guest.expect(": a keyboard$")
        with Questions(guest, 30) as questions:
            draw(Pen(questions, folder / "pen.ppm", width // 2, height // 2))
            deadline = time.monotonic() + 10 * PATIENCE
            while (problem := wrong(Picture(questions, folder / "picture.ppm"), width // 2, height // 2)):
                if time.monotonic() > deadline:
                    raise guest.failure(problem)
            questions.send("send-key", keys=[{"type": "qcode", "data": "esc"}])
            status = guest.wait()
        if status != PASSED:
            raise guest.failure(f"exit status {status_name(status)}")
    print(f"ok: paint with {' '.join(devices)}", flush=True)


def main(image):
    with tempfile.TemporaryDirectory(prefix="bm-paint-") as name:
        paint(image, pathlib.Path(name), ["VGA"], (1024, 768))
        paint(image, pathlib.Path(name), ["virtio-gpu-pci,xres=800,yres=600", "qemu-xhci", "usb-kbd"], (800, 600))
    with Guest(image) as guest:
        guest.expect("^paint: this machine has no screen")
        if guest.wait() != FAILED:
            raise guest.failure("without a screen it does not fail")


if __name__ == "__main__":
    sys.exit(judge(lambda: main(sys.argv[1])))
