#!/usr/bin/env python3
# mandelbrot with a screen: what QEMU shows is the picture that the host computes.
# SPDX-License-Identifier: MIT
"""Usage: mandelbrot_screen.py IMAGE"""

import pathlib
import subprocess
import sys
import tempfile

from harness.package import tool_of_package
from harness import PASSED, Guest, Questions, judge, status_name
from mandelbrot import picture

BLACK = (0, 0, 0)
# Screen, picture (as large as the screen when it is not said), arguments.
CASES = [((640, 480), (160, 120), "-- size=160x120"), ((320, 200), (320, 200), "")]


def screendump(guest, path):
    """Has QEMU write what is on the screen as a binary PPM; returns its size and its pixels."""
    with Questions(guest, 30) as questions:
        questions.ask("screendump", filename=str(path))
    magic, size, depth, pixels = path.read_bytes().split(b"\n", 3)
    if (magic, depth) != (b"P6", b"255"):
        raise guest.failure(f"the picture of the screen has another form: {magic} {depth}")
    return tuple(map(int, size.split())), pixels


def expected_pixels(screen, size):
    """The picture in the middle of the screen, on black."""
    values = picture(*size)
    left, top = ((screen[axis] - size[axis]) // 2 for axis in (0, 1))
    black = bytes(BLACK)
    rows = [black * screen[0]] * top
    for row in range(size[1]):
        middle = bytes(values[row * size[0] * 3:(row + 1) * size[0] * 3])
        rows.append(black * left + middle + black * (screen[0] - size[0] - left))
    return b"".join(rows + [black * screen[0]] * (screen[1] - size[1] - top))


def check(image, folder, screen, size, arguments):
    make_disk, loader = tool_of_package(image)
    disk, dump = folder / "disk.img", folder / "screen.ppm"
    mode = f"{screen[0]}x{screen[1]}"
    subprocess.run([make_disk, "raw", "--loader", loader, "--elf", image, "--command-line", arguments, "--video", mode, disk],
                   check=True, stdout=subprocess.DEVNULL)
    with Guest(image, boot="none", machine="q35", smp="2",
               arguments=["-device", "VGA", "-drive", f"file={disk},format=raw,snapshot=on"]) as guest:
        guest.expect(f"^mandelbrot: shown on {mode} with 32 bits a pixel", 120)
        found = screendump(guest, dump)
        guest.send("\n")
        status = guest.wait()
        if status != PASSED:
            raise guest.failure(f"QEMU's exit status is {status_name(status)}")
        if found[0] != screen:
            raise guest.failure(f"the screen has {found[0]} pixels, not {screen}")
        expected = expected_pixels(screen, size)
        wrong = [i // 3 for i, (a, b) in enumerate(zip(found[1], expected)) if a != b]
        if len(found[1]) != len(expected) or wrong:
            raise guest.failure(f"{len(wrong)} values are wrong; the first is that of pixel {wrong[:1]}")
    print(f"ok: {size[0]}x{size[1]} on a screen of {mode}", flush=True)


def main():
    with tempfile.TemporaryDirectory(prefix="bm-screen-") as folder:
        for screen, size, arguments in CASES:
            check(sys.argv[1], pathlib.Path(folder), screen, size, arguments)


if __name__ == "__main__":
    sys.exit(judge(main))
