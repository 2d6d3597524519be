#!/usr/bin/env python3
# Checks that docs/statistics.md lists every statistic of the system, and no other.
# SPDX-License-Identifier: MIT
import re

import tree

PAGE = "docs/statistics.md"
MACROS = {"BM_CORE_STATISTIC": "core_", "NETDEV_STATISTIC": "network_", "BLOCK_STATISTIC": "disk_"}  # and how the names begin


def declared():
    for path in tree.files(".c", ".h"):
        if path.parts[0] in ("libbaremetal", "drivers", "net"):
            text = tree.text(path)
            for name in re.findall(r"^ *BM_STATISTIC\((\w+)\) =", text, re.MULTILINE):
                yield name, path
            for macro, prefix in MACROS.items():
                for name in re.findall(rf"^ *{macro}\((\w+), \"", text, re.MULTILINE):
                    yield prefix + name, path


def listed_names():
    for names in re.findall(r"^\| (?:`baremetal::\w+` \| |\| )?((?:`\w+`(?:, )?)+) \| (?:counter|gauge) \|", tree.text(PAGE), re.MULTILINE):
        yield from re.findall(r"`(\w+)`", names)


def main():
    there = dict(declared())
    listed = set(listed_names())
    problems = [f"{path}: the statistic {name} is not in {PAGE}" for name, path in there.items() if name not in listed]
    problems += [f"{PAGE}: there is no statistic {name}" for name in sorted(listed - set(there))]
    if not there:
        problems.append("no statistic was found")
    tree.finish(problems, f"{len(there)} statistics")


if __name__ == "__main__":
    main()
