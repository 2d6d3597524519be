#!/usr/bin/env python3
# A program of BareMetal's C interface, with a disk, two interfaces on one wire, a screen, keys, two cores.
# SPDX-License-Identifier: MIT
"""Usage: exokernel.py SOURCE IMAGE"""

import pathlib
import sys
import tempfile
import time

from harness import PASSED, PATIENCE, Guest, Questions, judge, status_name

SECTOR = 4096


def check(image, display):
    with tempfile.TemporaryDirectory(prefix="bm-exokernel-") as name:
        disk, dump = pathlib.Path(name, "disk"), pathlib.Path(name, "screen.ppm")
        content = bytearray(256 * SECTOR)
        content[SECTOR], content[2 * SECTOR - 1] = b"Dd"
        disk.write_bytes(content)
        wire = [word for i in (0, 1) for word in ("-netdev", f"hubport,hubid=0,id=n{i}", "-device",
                                                  f"virtio-net-pci,netdev=n{i},mac=02:00:00:00:00:0{i + 1}")]
        with Guest(image, machine="q35", smp="2", memory="128",
                   arguments=["-device", display, "-drive", f"if=none,id=d,format=raw,file={disk}", "-device",
                              "virtio-blk-pci,drive=d", *wire]) as guest:
            guest.expect("^FEDCBA9876543210")
            guest.expect("^30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66\n67$")
            guest.expect("^type$")
            with Questions(guest, 30) as questions:
                deadline, pixels = time.monotonic() + 10 * PATIENCE, b""
                while pixels != bytes((0x12, 0x34, 0x56)) * 1024 * 768:
                    if time.monotonic() > deadline:
                        raise guest.failure("the screen is not what the program drew")
                    questions.ask("screendump", filename=str(dump))
                    pixels = dump.read_bytes().split(b"\n", 3)[3]
                for key in ("h", "i"):
                    questions.ask("send-key", keys=[{"type": "qcode", "data": key}])
            guest.expect("^hi")
            guest.send(" there\n")
            guest.expect(" there\nPASS$")
            status = guest.wait()
            if status != PASSED:
                raise guest.failure(f"exit status {status_name(status)}")
        content[2 * SECTOR:4 * SECTOR] = bytes(i * 7 & 255 for i in range(2 * SECTOR))
        if disk.read_bytes() != content:
            raise SystemExit("FAILED: the disk is not what the program wrote")


def main(image):
    for display in ("VGA", "virtio-gpu-pci,xres=1024,yres=768"):
        check(image, display)


if __name__ == "__main__":
    sys.exit(judge(lambda: main(sys.argv[2])))
