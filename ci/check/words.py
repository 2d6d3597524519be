#!/usr/bin/env python3
# Checks what every file must have or must not hold: licence line, no loose ends, no machine's own paths, no huge files.
# SPDX-License-Identifier: MIT
import re

import tree

SOURCES = {".c", ".h", ".S", ".ld", ".py", ".cmake", ".sh"}
LOOSE_ENDS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
LINES_MAX = 600
# What is said otherwise: the field's own terms, and plain English. Each with its replacement, and where it is looked for.
EVERYWHERE = ("README.md", "CONTRIBUTING.md", "docs/", "cmake/", "toolchain/tools/", "ci/", "tests/", "bench/", "examples/")
BANNED = [(re.compile(pattern), instead, folders) for pattern, instead, folders in (
    (r"\b[Ss]hort" r" way\b", "fast path", ("",)),
    (r"\bby and" r" by\b", "in the background", EVERYWHERE),
    (r"\bturn by" r" turn\b", "in alternation", EVERYWHERE),
    (r"\bhalts" r" never\b", "never halts", EVERYWHERE),
    (r"\bas good" r" as always\b", "nearly always", EVERYWHERE),
    (r"\b(what|which \w+) (it|the kernel|the machine) (tells|told)\b", "what it prints, logs, reports or returns", EVERYWHERE),
    (r"\b[A-Z]\w*_MO" r"ST\b", "_MAX", ("",)),
    (r"\b[A-Z]\w*_LEA" r"ST\b", "_MIN", ("",)),
)]
# Names in C, outside of comments and strings.
NAMES = [(re.compile(r"\b(\w+_)?mo" r"st\b", re.I), "max"), (re.compile(r"\b(\w+_)?lea" r"st\b", re.I), "min")]
KERNEL = ("libbaremetal/", "net/", "drivers/", "boot/")


def code_of(line):
    return re.sub(r'"(\\.|[^"\\])*"|//.*|/\*.*', "", line)


def is_source(path):
    return path.suffix in SOURCES or path.name == "CMakeLists.txt" or tree.text(path).startswith("#!")


def check(path):
    lines = tree.text(path).splitlines()
    for number, line in enumerate(lines, 1):
        if LOOSE_ENDS.search(line):
            yield f"{path}:{number}: a loose end: {line.strip()}"
        for pattern, instead, folders in BANNED:
            if str(path).startswith(folders) and (found := pattern.search(line)):
                yield f"{path}:{number}: '{found[0]}' is said otherwise here: {instead}"
        if str(path).startswith(KERNEL) and path.suffix in (".c", ".h"):
            for pattern, instead in NAMES:
                if found := pattern.search(code_of(line)):
                    yield f"{path}:{number}: '{found[0]}' is said otherwise here: {instead}"
        if line != line.rstrip() and path.suffix != ".md":
            yield f"{path}:{number}: blanks at the end of the line"
    if is_source(path) and not any("SPDX-License-Identifier: MIT" in line for line in lines[:4]):
        yield f"{path}: the line 'SPDX-License-Identifier: MIT' is missing near the top"
    if path.suffix in (".c", ".h") and len(lines) > LINES_MAX:
        yield f"{path}: {len(lines)} lines; split what is longer than {LINES_MAX}"
    forwards = all(line.startswith(("//", "#include")) or not line.strip() for line in lines)
    if path.suffix == ".h" and not forwards and "#pragma once" not in lines:
        yield f"{path}: '#pragma once' is missing"
    limit = 60 if str(path) == "docs/README.md" else 40  # that one is the index by task
    if path.name == "README.md" and len(path.parts) > 1 and len(lines) > limit:
        yield f"{path}: {len(lines)} lines; it has {limit} at most"


def is_binary(path):
    return b"\0" in (tree.TOP / path).read_bytes()[:4096]


def main():
    problems = []
    count = 0
    for path in tree.files():
        if is_binary(path) or "corpus" in path.parts or str(path).startswith("tests/guest/files/tree/"):
            continue
        count += 1
        problems += check(path)
    tree.finish(problems, f"{count} files")


if __name__ == "__main__":
    main()
