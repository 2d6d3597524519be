#!/usr/bin/env python3
# Checks that the functions which boot/image.ld names for their place are there, in that order and next to each other.
# SPDX-License-Identifier: MIT
"""Usage: order.py IMAGE.debug (of http_server, which holds them all)"""
import pathlib
import re
import subprocess
import sys

import tree

GAP_MAX = 64  # bytes between two of them: alignment


def main():
    script = pathlib.Path(__file__).resolve().parents[2] / "boot" / "image.ld"
    names = re.findall(r"\*\(\.text\.(\w+)\)", script.read_text())
    said = subprocess.run(["nm", "-S", "--defined-only", sys.argv[1]], check=True, capture_output=True, text=True).stdout
    places = {}
    for words in map(str.split, said.splitlines()):
        if len(words) == 4 and words[2] in "tT":
            places.setdefault(words[3], []).append((int(words[0], 16), int(words[1], 16)))
    problems, end = [], None
    for name in names:
        # Of several static functions of one name any may be meant.
        found = [place for place in places.get(name, []) if end is None or 0 <= place[0] - end <= GAP_MAX]
        if name not in places:
            problems.append(f"boot/image.ld names .text.{name}, and the image has no such function; it may have another name now")
        elif not found:
            problems.append(f"{name} does not follow the function that boot/image.ld names before it")
        else:
            end = sum(found[0])
    if not names:
        problems.append("boot/image.ld names no function")
    tree.finish(problems, f"{len(names)} functions in their places")


if __name__ == "__main__":
    main()
