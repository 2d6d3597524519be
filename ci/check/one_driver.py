#!/usr/bin/env python3
# Checks by map files that a program with one driver carries that one and what it stands on, and nothing of the others.
# SPDX-License-Identifier: MIT
"""Usage: one_driver.py FOLDER (of the built tests/consumer/one_driver)"""
import pathlib
import re
import sys

import tree

# Archives that several drivers share, and whose they are.
SHARED = {"gigabit": {"e1000", "e1000e"}, "advanced": {"igb", "ixgbe"}, "virtio": {"virtio_pci", "virtio_mmio", "virtio_legacy"}}


def carried(text):
    """Words of the archives of drivers of which the map says that a member is in the image."""
    return set(re.findall(r"libbaremetal-(?:driver-)?(\w+)\.a\(", text)) - {"kernel"}


def problems_of(name, allowed, text):
    archives = {word for word in carried(text) if f"libbaremetal-driver-{word}.a(" in text or word in SHARED}
    driver = name.removeprefix("one_")
    if driver not in archives:
        yield f"{name}.map does not show {driver}, which the program links"
    for word in sorted(archives):
        if word not in allowed and not (word in SHARED and SHARED[word] & allowed):
            yield f"{name} carries a part of {word}, which it does not link"


def main():
    folder, problems, count = pathlib.Path(sys.argv[1]), [], 0
    for path in sorted(folder.glob("*.drivers")):
        allowed = set(path.read_text().split())
        problems += problems_of(path.stem, allowed, path.with_suffix(".map").read_text())
        count += 1
    if count < 10:
        problems.append(f"{folder} has {count} programs; there should be one for each driver")
    tree.finish(problems, f"{count} programs with one driver each carry no other")


if __name__ == "__main__":
    main()
