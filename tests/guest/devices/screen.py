#!/usr/bin/env python3
# What stands on the screen, read by the font that it was drawn with: on QEMU's displays, in modes of BIOS and UEFI.
# SPDX-License-Identifier: MIT
"""Usage: screen.py SOURCE IMAGE"""

import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time

from harness import PASSED, PATIENCE, Guest, Questions, TestFailure, judge, status_name
from harness.package import tool_of_package

TOP = pathlib.Path(__file__).resolve().parents[3]
sys.path.append(str(TOP / "tests/guest/firmware"))
import ovmf  # noqa: E402 its folder is not this one
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


def shows(guest, folder, glyphs, driver, mode=None):
    """A screen may follow a moment after the serial line."""
    header, *told = [group.decode() for group in guest.expect(rf"^(screen: (\d+)x(\d+) by {driver})", 60).groups()]
    guest.expect("red")
    mode = mode or tuple(map(int, told))
    deadline = time.monotonic() + 10 * PATIENCE
    while True:
        screen = Screen(guest, folder / "screen.ppm", glyphs)
        if (screen.width, screen.height) != mode:
            raise guest.failure(f"the screen has {screen.width} by {screen.height} pixels, not {mode}")
        problem = wrong(screen, header)
        if not problem:
            return
        if time.monotonic() > deadline:
            raise guest.failure(problem)


def ends_well(guest):
    guest.send("go\n")
    status = guest.wait()
    if status != PASSED:
        raise guest.failure(f"exit status {status_name(status)}")


def on_display(image, folder, glyphs, device, words, mode, machine="q35", driver="bochs_display"):
    with Guest(image, machine=machine, append=words, devices=[device]) as guest:
        shows(guest, folder, glyphs, driver, mode)
        ends_well(guest)
    print(f"ok: {device} {words}", flush=True)


def on_bios(image, folder, glyphs):
    make_disk, loader = tool_of_package(image)
    disk = folder / "disk.img"
    subprocess.run([make_disk, "raw", "--loader", loader, "--elf", image, "--video", "800x600", disk], check=True,
                   stdout=subprocess.DEVNULL)
    with Guest(image, boot="none", arguments=["-device", "VGA", "-drive", f"file={disk},format=raw,snapshot=on"]) as guest:
        shows(guest, folder, glyphs, "boot_framebuffer", (800, 600))
        ends_well(guest)
    print("ok: a mode of the BIOS", flush=True)


def scrolled(image, folder, glyphs):
    """Only the screen is a console; what was written last stands at its end."""
    with Guest(image, append="console=screen -- scroll", devices=["VGA"]) as guest:
        guest.expect("~")  # what the program writes past its consoles
        screen = Screen(guest, folder / "screen.ppm", glyphs)
        rows = 768 // HEIGHT
        for row in range(8, rows - 1):
            if screen.line(row) != f"line {1000 - rows + 1 + row}":
                raise guest.failure(f"line {row} is '{screen.line(row)}'")
        if guest.text() != "~":
            raise guest.failure("console=screen writes on the serial line")
    print("ok: scrolled", flush=True)


def on_uefi(image, folder, glyphs):
    """UEFI's graphics output, in the firmware's mode."""
    if not any((place / "OVMF_CODE_4M.fd").is_file() for place in ovmf.FIRMWARE):
        print("skipped: there is no firmware (package ovmf)", flush=True)
        return
    make_disk, _ = tool_of_package(image)
    efi = ovmf.make_efi(make_disk.parents[3], image, folder / "image.efi")
    with ovmf.Ovmf([{ovmf.BOOT_FILE: efi}], devices=["VGA"]) as guest:
        shows(guest, folder, glyphs, "boot_framebuffer")
        ends_well(guest)
    print("ok: UEFI", flush=True)


def window_resize(path, size):
    """Has a viewer of QEMU's ask for another size (The RFB Protocol, sections 7 and 7.5.10 of its community version)."""
    with socket.socket(socket.AF_UNIX) as viewer, viewer.makefile("rwb", 0) as stream:
        viewer.settimeout(30 * PATIENCE)
        viewer.connect(str(path))

        def take(count):
            data = b""
            while len(data) < count:
                piece = stream.read(count - len(data))
                if not piece:
                    raise TestFailure("QEMU's viewer port has closed")
                data += piece
            return data

        take(12)
        stream.write(b"RFB 003.008\n")
        take(take(1)[0])
        stream.write(b"\1")  # no authentication
        take(4)
        stream.write(b"\1")  # shared
        take(struct.unpack(">20xI", take(24))[0])
        stream.write(struct.pack(">BxHi", 2, 1, -308))  # ExtendedDesktopSize
        stream.write(struct.pack(">BBHHHH", 3, 0, 0, 0, 1, 1))
        take(4)  # an update
        stream.write(struct.pack(">BxHHBxIHHHHI", 251, *size, 1, 0, 0, 0, *size, 0))
        yield


def resized(image, folder, glyphs):
    """A window of the host's that changes shows the picture as it is, and what comes later."""
    port = folder / "viewer"
    with Guest(image, append="log=info", devices=["virtio-gpu-pci,xres=1280,yres=720"], arguments=["-vnc", f"unix:{port}"]) as guest:
        guest.expect("~")
        for _ in window_resize(port, (900, 500)):
            guest.expect("the host's window has changed: it shows the same picture$")
        deadline = time.monotonic() + 10 * PATIENCE
        while True:
            screen = Screen(guest, folder / "screen.ppm", glyphs)
            if (screen.width, screen.height) == (1280, 720) and screen.line(6).startswith("red"):
                break
            if time.monotonic() > deadline:
                raise guest.failure(f"the screen has {screen.width} by {screen.height} pixels, and line 6 is '{screen.line(6)}'")
        ends_well(guest)
    print("ok: resized", flush=True)


def reported(image, folder, glyphs):
    """A fault report is shown whole, though nobody serves the display afterwards."""
    with Guest(image, append="-- fault", devices=["virtio-gpu-pci,xres=1280,yres=800"], debug_exit=False,
               arguments=["-no-shutdown"]) as guest:
        guest.expect("^fault: ")
        deadline = time.monotonic() + 30 * PATIENCE
        with Questions(guest, 30) as questions:
            while questions.ask("query-status")["status"] != "shutdown":
                if time.monotonic() > deadline:
                    raise guest.failure("the machine does not end")
        screen = Screen(guest, folder / "screen.ppm", glyphs)
        lines = [screen.line(row) for row in range(screen.height // HEIGHT)]
        said = [line for line in guest.text().splitlines() if line.strip()]
        if not any(line.startswith("fault") for line in said) or said[-1] not in lines or said[-5] not in lines:
            raise guest.failure("the screen lacks the end of the report:\n" + "\n".join(lines))
    print("ok: a fault report", flush=True)


def main(image):
    with tempfile.TemporaryDirectory(prefix="bm-screen-") as name:
        folder = pathlib.Path(name)
        glyphs = font_read(folder / "font")
        on_display(image, folder, glyphs, "VGA", "", (1024, 768))
        on_display(image, folder, glyphs, "VGA", "video=640x480", (640, 480), machine="pc")
        on_display(image, folder, glyphs, "bochs-display", "video=1280x1024", (1280, 1024))
        for device, words, mode, machine in (("virtio-gpu-pci,xres=1280,yres=720", "", (1280, 720), "q35"),
                                             ("virtio-vga,xres=1920,yres=1080", "", (1920, 1080), "pc"),
                                             ("virtio-gpu-device", "video=640x480", (640, 480), "microvm"),
                                             ("virtio-gpu-pci,xres=16000,yres=16000,vectors=0", "", (1024, 768), "q35")):
            on_display(image, folder, glyphs, device, words, mode, machine, "virtio_gpu")
        on_bios(image, folder, glyphs)
        on_uefi(image, folder, glyphs)
        reported(image, folder, glyphs)
        resized(image, folder, glyphs)
        scrolled(image, folder, glyphs)
        with Guest(image, append="log=warn video=12x console=tv", devices=["VGA"]) as guest:
            guest.expect("console=tv: there is no such console; there are: serial, screen, vga, virtio$")
            guest.expect("^error: video: video=12x is no mode")
            guest.expect("^screen: 1024x768")
        with Guest(image) as guest:
            guest.expect("^no screen$")


if __name__ == "__main__":
    sys.exit(judge(lambda: main(sys.argv[2])))
