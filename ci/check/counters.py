#!/usr/bin/env python3
# Checks that docs/statistics.md lists every statistic of the system, and no other.
# SPDX-License-Identifier: MIT
import re

import tree

PAGE = "docs/statistics.md"


def declared():
    for path in tree.files(".c", ".h"):
        if path.parts[0] in ("libbaremetal", "drivers", "net"):
            text = tree.text(path)
            for name in re.findall(r"^ *BM_STATISTIC\((\w+)\) =", text, re.MULTILINE):
                yield name, path
            for name in re.findall(r"^ *BM_CORE_STATISTIC\((\w+), \"", text, re.MULTILINE):
                yield "core_" + name, path


def main():
    there = dict(declared())
    listed = set(re.findall(r"^\| `(\w+)` \| (?:counter|gauge) \|", tree.text(PAGE), re.MULTILINE))
    problems = [f"{path}: the statistic {name} is not in {PAGE}" for name, path in there.items() if name not in listed]
    problems += [f"{PAGE}: there is no statistic {name}" for name in sorted(listed - set(there))]
    if not there:
        problems.append("no statistic was found")
    tree.finish(problems, f"{len(there)} statistics")


if __name__ == "__main__":
    main()
