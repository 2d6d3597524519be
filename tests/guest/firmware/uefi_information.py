#!/usr/bin/env python3
# UEFI's memory map with RAM above 4 GiB, a large image, ACPI's root, and a screen of which the colours are looked at.
# SPDX-License-Identifier: MIT
"""Usage: uefi_information.py SOURCE IMAGE"""

import pathlib
import sys

import ovmf
from harness.package import tool_of_package
from harness import PASSED, status_name


def read_ppm(path):
    """Width, height and pixels of QEMU's screen dump."""
    magic, size, depth, pixels = pathlib.Path(path).read_bytes().split(b"\n", 3)
    assert magic == b"P6" and depth == b"255", (magic, depth)
    width, height = [int(word) for word in size.split()]
    return width, height, pixels


def check_screen(guest, folder, told):
    dump = pathlib.Path(folder) / "screen.ppm"
    guest.monitor(f"screendump {dump}")
    width, height, pixels = read_ppm(dump)
    if told != (width, height):
        raise guest.failure(f"the screen is {width}x{height}; the kernel was told {told[0]}x{told[1]}")
    for band, colour in enumerate((b"\xff\0\0", b"\0\xff\0", b"\0\0\xff")):
        for y in (band * height // 3 + 2, (band + 1) * height // 3 - 2):
            row = pixels[3 * width * y:3 * width * (y + 1)]
            if row != colour * width:
                raise guest.failure(f"row {y} of the screen is not {colour.hex()} throughout: {row[:12].hex()}…")


def test(_, image, folder):
    make_disk, _ = tool_of_package(image)
    efi = ovmf.make_efi(make_disk.parents[3], image, pathlib.Path(folder) / "image.efi")
    with ovmf.Ovmf([{ovmf.BOOT_FILE: efi}], memory="6G", devices=["VGA"]) as guest:
        found = guest.expect(r"memory: (\d+) MiB below 4 GiB, (\d+) MiB above, (\d+) regions", 60)
        low, high, regions = [int(group) for group in found.groups()]
        # q35 has 2 GiB below 4 GiB. OVMF keeps some MiB for itself.
        if not 2048 - 48 <= low <= 2048 or high != 4096 or regions > 64:
            raise guest.failure("of 2048 and 4096 MiB in at most 64 regions")
        place = int(guest.expect("image: at 0x([0-9a-f]+)$").group(1), 16)
        if place < 9 << 20:
            raise guest.failure("an image of 24 MiB is at its own address; nothing was relocated")
        guest.expect("acpi: told")
        found = guest.expect(r"screen: (\d+)x(\d+), 32 bits")
        guest.expect("drawn", 60)
        check_screen(guest, folder, tuple(int(group) for group in found.groups()))
        guest.send("\n")
        status = guest.wait()
        if status != PASSED:
            raise guest.failure(f"QEMU's exit status is {status_name(status)}")
    print(f"ok: {low} + {high} MiB in {regions} regions, the image at {place:#x}, the colours are right")


if __name__ == "__main__":
    sys.exit(ovmf.main(test))
