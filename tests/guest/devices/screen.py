#!/usr/bin/env python3
# What stands on the screen, read by the font that it was drawn with: on QEMU's displays and in a mode of the BIOS.
# SPDX-License-Identifier: MIT
"""Usage: screen.py SOURCE IMAGE"""

import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from harness import PASSED, PATIENCE, Guest, Questions, judge, status_name
from harness.package import tool_of_package

TOP = pathlib.Path(__file__).resolve().parents[3]
WIDTH, HEIGHT = 8, 16
GREY, BLACK, GREEN, BLUE, WHITE, RED = (170,) * 3, (0,) * 3, (0, 170, 0), (0, 0, 170), (255,) * 3, (255, 0, 0)


def font_read(folder):
    """Characters by their pixels."""
    subprocess.run([TOP / "toolchain/build", "spleen", "--cc", "gcc", "--out", folder], check=True)
    glyphs = {}
    for code, rows in re.findall(r"\{(0x\w+), \{([\d, ]+)\}\}", (folder / "font_glyphs.c").read_text()):
        glyphs.setdefault(bytes(map(int, rows.split(","))), chr(int(code, 16)))
    return glyphs


class Screen:
    """A picture of QEMU's, in cells."""

    def __init__(self, guest, path, glyphs):
        with Questions(guest, 30) as questions:
            questions.ask("screendump", filename=str(path))
        magic, size, _, self.pixels = path.read_bytes().split(b"\n", 3)
        if magic != b"P6":
            raise guest.failure("the picture of the screen has another form")
        self.width, self.height = map(int, size.split())
        self.glyphs = glyphs

    def pixel(self, x, y):
        at = (y * self.width + x) * 3
        return tuple(self.pixels[at:at + 3])

    def cell(self, column, row):
        """Its character, foreground and background; the foreground is None when it is blank."""
        colours = [[self.pixel(column * WIDTH + x, row * HEIGHT + y) for x in range(WIDTH)] for y in range(HEIGHT)]
        seen = sorted({colour for line in colours for colour in line})
        for background in seen:
            rows = bytes(sum((colour != background) << (7 - x) for x, colour in enumerate(line)) for line in colours)
            if rows in self.glyphs and len(seen) <= 2:
                return self.glyphs[rows], next((colour for colour in seen if colour != background), None), background
        return None, None, None

    def line(self, row):
        return "".join(self.cell(column, row)[0] or "\0" for column in range(self.width // WIDTH)).rstrip()


def wrong(screen, header):
    """What is not as it should be on the screen, or None."""
    # What the font does not have is shown as a lozenge.
    wanted = [header, "grün: green, bright on blue, reverse.", "┌─┐ ▄░ ◆ ◆ tab  stop", "",
              " " * 9 + "plL", "right", "red"]
    for row, line in enumerate(wanted):
        if line is not None and screen.line(row) != line:
            return f"line {row}: '{screen.line(row)}', not '{line}'"
    colours = {(6, 1): (GREEN, BLACK), (13, 1): (WHITE, BLUE), (29, 1): (BLACK, GREY), (36, 1): (GREY, BLACK), (0, 6): (RED, BLACK),
               (3, 6): (None, (0, 0, 255))}
    for place, (foreground, background) in colours.items():
        found = screen.cell(*place)[1:]
        if found != (foreground, background):
            return f"colours at {place}: {found}"
    return None


def check(guest, folder, glyphs, mode, header):
    guest.expect("^screen: " + header)
    guest.expect("red")
    screen = Screen(guest, folder / "screen.ppm", glyphs)
    if (screen.width, screen.height) != mode:
        raise guest.failure(f"the screen has {screen.width} by {screen.height} pixels, not {mode}")
    return screen


def ends_well(guest):
    guest.send("go\n")
    status = guest.wait()
    if status != PASSED:
        raise guest.failure(f"exit status {status_name(status)}")


def on_display(image, folder, glyphs, device, words, mode, machine="q35"):
    header = f"screen: {mode[0]}x{mode[1]} by bochs_display"
    with Guest(image, machine=machine, append=words, devices=[device]) as guest:
        screen = check(guest, folder, glyphs, mode, header[8:])
        problem = wrong(screen, header)
        if problem:
            raise guest.failure(problem)
        ends_well(guest)
    print(f"ok: {device} {words}", flush=True)


def on_bios(image, folder, glyphs):
    make_disk, loader = tool_of_package(image)
    disk = folder / "disk.img"
    subprocess.run([make_disk, "raw", "--loader", loader, "--elf", image, "--video", "800x600", disk], check=True,
                   stdout=subprocess.DEVNULL)
    with Guest(image, boot="none", arguments=["-device", "VGA", "-drive", f"file={disk},format=raw,snapshot=on"]) as guest:
        header = "screen: 800x600 by boot_framebuffer"
        screen = check(guest, folder, glyphs, (800, 600), header[8:])
        problem = wrong(screen, header)
        if problem:
            raise guest.failure(problem)
        ends_well(guest)
    print("ok: a mode of the BIOS", flush=True)


def filled(guest, path, glyphs):
    """The screen once its last line has come: with no other console there is nothing else to wait for."""
    deadline = time.monotonic() + 30 * PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):  # QEMU is just starting
            screen = Screen(guest, path, glyphs)
            if screen.width == 1024 and screen.line(6).startswith("red"):
                return screen
        time.sleep(0.05)
    raise guest.failure("the screen does not fill")


def scrolled(image, folder, glyphs):
    """Only the screen is a console; what was written last stands at its end."""
    with Guest(image, append="console=screen -- scroll", devices=["VGA"]) as guest:
        screen = filled(guest, folder / "screen.ppm", glyphs)
        rows = 768 // HEIGHT
        for row in range(8, rows - 1):
            if screen.line(row) != f"line {1000 - rows + 1 + row}":
                raise guest.failure(f"line {row} is '{screen.line(row)}'")
        if guest.text().strip():
            raise guest.failure("console=screen writes on the serial line")
    print("ok: scrolled", flush=True)


def main(image):
    with tempfile.TemporaryDirectory(prefix="bm-screen-") as name:
        folder = pathlib.Path(name)
        glyphs = font_read(folder / "font")
        on_display(image, folder, glyphs, "VGA", "", (1024, 768))
        on_display(image, folder, glyphs, "VGA", "video=640x480", (640, 480), machine="pc")
        on_display(image, folder, glyphs, "bochs-display", "video=1280x1024", (1280, 1024))
        on_bios(image, folder, glyphs)
        scrolled(image, folder, glyphs)
        with Guest(image, append="video=12x console=tv", devices=["VGA"]) as guest:
            guest.expect("console=tv: there is no such console; there are: serial, screen, vga, virtio$")
            guest.expect("^error: video: video=12x is no mode")
            guest.expect("^screen: 1024x768")
        with Guest(image) as guest:
            guest.expect("^no screen$")


if __name__ == "__main__":
    sys.exit(judge(lambda: main(sys.argv[2])))
