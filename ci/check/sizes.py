#!/usr/bin/env python3
# Checks that an image, stripped, is no larger than its budget.
# SPDX-License-Identifier: MIT
"""Usage: sizes.py IMAGE KIB"""
import pathlib
import subprocess
import sys
import tempfile


def main():
    image, budget = pathlib.Path(sys.argv[1]), int(sys.argv[2]) * 1024
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder) / image.name
        subprocess.run(["strip", "-s", "-o", str(stripped), str(image)], check=True)
        size = stripped.stat().st_size
    if size < 4096:
        sys.exit(f"{image.name} has {size} bytes: that is no image")
    if size > budget:
        sys.exit(f"{image.name} has {size} bytes, stripped; its budget is {budget}")
    print(f"ok: {image.name} has {size} bytes of {budget}")


if __name__ == "__main__":
    main()
