#!/usr/bin/env python3
# Boots an image from a GRUB disc by Multiboot2, with SeaBIOS, on pc and q35; the command line arrives.
# SPDX-License-Identifier: MIT
"""Usage: grub.py IMAGE TEXT THAT IT PRINTS"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

from harness import PASSED, Guest, TestFailure, judge, status_name

MENU = """serial --unit=0 --speed=115200
terminal_output serial
set timeout=0
menuentry test {
    multiboot2 /boot/image %s
    boot
}
"""


def make_disc(folder, image, command_line):
    boot = pathlib.Path(folder) / "disc" / "boot"
    (boot / "grub").mkdir(parents=True)
    shutil.copy(image, boot / "image")
    (boot / "grub" / "grub.cfg").write_text(MENU % command_line)
    disc = pathlib.Path(folder) / "disc.iso"
    result = subprocess.run(["grub-mkrescue", "-o", str(disc), str(boot.parent)], capture_output=True, text=True, check=False)
    if result.returncode or not disc.exists():
        raise TestFailure("grub-mkrescue failed:\n" + result.stdout + result.stderr)
    return disc


def main():
    image, text = sys.argv[1], sys.argv[2]
    with tempfile.TemporaryDirectory(prefix="bm-grub-") as folder:
        disc = make_disc(folder, image, "sillyword=1")
        for machine in ("pc", "q35"):
            for cpu in ("max", "Nehalem"):
                with Guest(disc, machine=machine, cpu=cpu, boot="cdrom") as guest:
                    guest.expect("(?i)warning: .*sillyword", 60)
                    guest.expect(text)
                    status = guest.wait()
                    if status != PASSED:
                        raise guest.failure(f"QEMU's exit status is {status_name(status)}")
                print(f"ok: GRUB on {machine}/{cpu}", flush=True)


if __name__ == "__main__":
    sys.exit(judge(main))
