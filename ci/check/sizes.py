#!/usr/bin/env python3
# Checks that an image, stripped, is no larger than its budget.
# SPDX-License-Identifier: MIT
"""Usage: sizes.py IMAGE KIB [BYTES MORE]"""
import pathlib
import struct
import subprocess
import sys
import tempfile


def stripped_size(image):
    """Size without symbols and section headers that nothing needs; an image may come without them already."""
    sections = struct.unpack_from("<H", image.read_bytes(), 60)[0]  # e_shnum of the ELF header
    if sections == 0:
        return image.stat().st_size
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder) / image.name
        subprocess.run(["strip", "-s", "-o", str(stripped), str(image)], check=True)
        return stripped.stat().st_size


def main():
    image, budget = pathlib.Path(sys.argv[1]), int(sys.argv[2]) * 1024 + sum(map(int, sys.argv[3:]))
    size = stripped_size(image)
    if size < 4096:
        sys.exit(f"{image.name} has {size} bytes: that is no image")
    if size > budget:
        sys.exit(f"{image.name} has {size} bytes, stripped; its budget is {budget}")
    print(f"ok: {image.name} has {size} bytes of {budget}")


if __name__ == "__main__":
    main()
