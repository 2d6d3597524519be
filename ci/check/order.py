#!/usr/bin/env python3
# Checks that the functions of a packet's path lie next to each other: those that boot/image.ld names, in that order, and those with BM_HOT.
# SPDX-License-Identifier: MIT
"""Usage: order.py IMAGE.debug (of http_server, which holds them all)"""
import re
import subprocess
import sys

import tree

GAP_MAX = 64  # bytes between two of them: alignment


def marked():
    """Functions that BM_HOT or their section calls hot, with their files; a rename changes both."""
    for path in tree.files(".c", ".S"):
        # Our own TCP is in the images of BAREMETAL_TCP=own alone.
        if path.parts[0] in ("libbaremetal", "drivers", "net") and path.parts[:3] != ("net", "tcp", "own"):
            for name in re.findall(r"^(?:static )?BM_HOT [^;(]*?(\w+)\(|^ *\.section \.text\.hot\.(\w+)", tree.text(path), re.MULTILINE):
                yield name[0] or name[1], path


def functions(image):
    said = subprocess.run(["nm", "-S", "--defined-only", image], check=True, capture_output=True, text=True).stdout
    for words in map(str.split, said.splitlines()):
        if len(words) == 4 and words[2] in "tT":
            yield int(words[0], 16), int(words[1], 16), words[3]


def area(places, names):
    """The longest run of functions with these names that follow each other. Of several static functions of one name any may be meant."""
    longest, run = [], []
    for address, size, name in sorted(place for place in places if place[2] in names):
        if run and not 0 <= address - sum(run[-1][:2]) <= GAP_MAX:
            run = []
        run.append((address, size, name))
        longest = max(longest, run, key=len)
    return [name for _, _, name in longest]


def check(listed, hot, places):
    found, there = area(places, {*listed, *hot}), {name for _, _, name in places}
    problems = [f"boot/image.ld names .text.{name}, and the image has no such function; it may have another name now"
                for name in listed if name not in there]
    problems += [f"{path}: {name} has BM_HOT and is not in the image" for name, path in hot.items() if name not in there]
    problems += [f"{name} does not follow the function before it of a packet's path (boot/image.ld, BM_HOT)" for name in {*listed, *hot} & there if name not in found]
    kept = [name for name in found if name in listed]
    if not problems and kept != listed:
        problems.append(f"these do not follow each other as in boot/image.ld: {' '.join(kept)}")
    if not listed and not hot:
        problems.append("boot/image.ld names no function, and no source has BM_HOT")
    return problems


def main():
    listed, hot = re.findall(r"\*\(\.text\.(\w+)\)", tree.text("boot/image.ld")), dict(marked())
    tree.finish(check(listed, hot, list(functions(sys.argv[1]))), f"{len(listed) + len(hot)} functions in their places")


if __name__ == "__main__":
    main()
