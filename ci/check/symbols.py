#!/usr/bin/env python3
# Checks that every global symbol of the project's archives starts with bm_ (behind the linker's __wrap_, too) or is allowed by name.
# SPDX-License-Identifier: MIT
"""Usage: symbols.py PREFIX

Reads the archives of the installed package. symbols.allowed lists, a line each, archive pattern and symbol pattern
(both as the shell matches names): names that the C library, POSIX, lwIP or the compiler demand."""
import fnmatch
import pathlib
import subprocess
import sys

import tree

FOREIGN = ("libc.a", "libm.a", "libg.a", "liblwip*.a", "libbaremetal-lwip.a", "libbaremetal-mimalloc-*.a", "libgcc*.a", "libnosys.a", "libllhttp*.a")


def allowed_rules():
    lines = (tree.TOP / "ci/check/symbols.allowed").read_text().splitlines()
    return [line.split() for line in lines if line.strip() and not line.startswith("#")]


def symbols(archive):
    """Names that the archive defines for others: external, and not hidden in an object only by `static`."""
    said = subprocess.run(["nm", "--defined-only", "--extern-only", "--format=posix", str(archive)],
                          check=True, capture_output=True, text=True).stdout
    for line in said.splitlines():
        words = line.split()
        if len(words) >= 2 and not line.endswith(":"):
            yield words[0]


def main():
    prefix = pathlib.Path(sys.argv[1])
    rules = allowed_rules()
    problems, count, used = [], 0, set()
    archives = [path for path in sorted(prefix.rglob("*.a")) + sorted(prefix.rglob("*.o"))
                if not any(fnmatch.fnmatch(path.name, pattern) for pattern in FOREIGN)]
    for archive in archives:
        for symbol in symbols(archive):
            count += 1
            if symbol.startswith(("bm_", "__start_bm_", "__stop_bm_", "__wrap_bm_")):
                continue
            matching = [index for index, (where, what) in enumerate(rules)
                        if fnmatch.fnmatch(archive.name, where) and fnmatch.fnmatch(symbol, what)]
            used.update(matching)
            if not matching:
                problems.append(f"{archive.relative_to(prefix)}: {symbol} lacks the prefix bm_ and is not in ci/check/symbols.allowed")
    problems += [f"ci/check/symbols.allowed: the line '{' '.join(rule)}' allows nothing that exists"
                 for index, rule in enumerate(rules) if index not in used]
    if count == 0:
        problems.append(f"no archive of the project was found under {prefix}")
    tree.finish(problems, f"{count} symbols of {len(archives)} archives")


if __name__ == "__main__":
    main()
