#!/usr/bin/env python3
# A disk that asks for a graphics mode gets it from the BIOS, and the kernel its framebuffer; its own command line arrives as well.
# SPDX-License-Identifier: MIT
"""Usage: disk_video.py SOURCE IMAGE: the image of framebuffer.c"""

import pathlib
import re
import subprocess
import sys
import tempfile

from harness.package import tool_of_package
from harness import PASSED, Guest, TestFailure

# QEMU's words for the screen, the size asked for, what the kernel says.
CASES = [
    ("VGA", ["-device", "VGA"], "1024x768", r"1024x768, 32 bits, pitch 4096, at 0x[1-9a-f]\w+"),
    ("VGA, another size", ["-device", "VGA"], "640x480", r"640x480, 32 bits, pitch 2560, at 0x[1-9a-f]\w+"),
    ("virtio-vga", ["-device", "virtio-vga"], "800x600", r"800x600, 32 bits, pitch 3200, at 0x[1-9a-f]\w+"),
    ("no such size", ["-device", "VGA"], "1234x567", "0x0, 0 bits"),
    ("no screen", [], "1024x768", "0x0, 0 bits"),
    ("not asked for", ["-device", "VGA"], None, "0x0, 0 bits"),
]


def check(case, image, folder):
    name, screen, size, wanted = case
    make_disk, loader = tool_of_package(image)
    disk = pathlib.Path(folder, "disk.img")
    video = ["--video", size] if size else []
    line = "env.GREETING=" + "x" * 900
    subprocess.run([make_disk, "raw", "--loader", loader, "--elf", image, "--command-line", line, *video, disk], check=True,
                   stdout=subprocess.DEVNULL)
    with Guest(image, boot="none", arguments=[*screen, "-drive", f"file={disk},format=raw,snapshot=on"]) as guest:
        if size and wanted.startswith("0x0"):
            guest.expect("warning: boot: there is no such graphics mode")
        guest.expect("^framebuffer: " + wanted)
        if not wanted.startswith("0x0"):
            guest.expect("^colours: red 8 at 16, green 8 at 8, blue 8 at 0$")
        guest.expect("^line: " + re.escape(line) + "$")
        if guest.wait() != PASSED:
            raise guest.failure("the program did not end well")


def main():
    failures = 0
    with tempfile.TemporaryDirectory(prefix="bm-video-") as folder:
        for case in CASES:
            try:
                check(case, sys.argv[2], folder)
                print(f"ok: {case[0]}", flush=True)
            except (TestFailure, subprocess.SubprocessError) as failure:
                failures += 1
                print(f"FAILED: {case[0]}: {failure}\n", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
