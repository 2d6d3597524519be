#!/usr/bin/env python3
# Checks that a C++ program can include every public header, alone and with all others, and links C functions by it.
# SPDX-License-Identifier: MIT
import shutil
import subprocess
import sys

import tree

FOLDERS = ("libbaremetal/include", "net/include")
FLAGS = ["-std=c++17", "-fsyntax-only", "-ffreestanding", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-Werror", "-x", "c++", "-"]


def compiles(compiler, headers):
    """What the compiler says against a program that includes these headers; nothing when it is content."""
    command = [compiler, *(f"-I{tree.TOP / folder}" for folder in FOLDERS), *FLAGS]
    source = "".join(f"#include <{header}>\n" for header in headers)
    return subprocess.run(command, input=source, capture_output=True, text=True).stderr


def main():
    compiler = shutil.which("g++") or shutil.which("clang++")
    if not compiler:
        print("skipped: there is no C++ compiler")
        sys.exit(77)
    paths = [path for folder in FOLDERS for path in tree.files(".h", under=f"{folder}/baremetal/")]
    names = [f"baremetal/{path.name}" for path in paths]
    problems = [f"{path}: its functions have no extern \"C\"" for path in paths if "(" in tree.text(path) and 'extern "C" {' not in tree.text(path)
                and path.name != "compiler.h"]
    problems += [said for said in [compiles(compiler, [name]) for name in names] + [compiles(compiler, names)] if said]
    if not paths:
        problems.append("no public header was found")
    tree.finish(problems, f"{len(names)} headers")


if __name__ == "__main__":
    main()
