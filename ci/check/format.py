#!/usr/bin/env python3
# Checks that the C sources have the form of .clang-format.
# SPDX-License-Identifier: MIT
import subprocess
import sys

import tree


def main():
    names = [str(path) for path in tree.files(".c", ".h")]
    result = subprocess.run(["clang-format", "--dry-run", "-Werror", *names], cwd=tree.TOP, capture_output=True, text=True,
                            check=False)
    wrong = sorted({line.split(":")[0] for line in result.stderr.splitlines() if ": error: " in line})
    if result.returncode != 0:
        for name in wrong:
            print(f"{name}: run clang-format -i on it")
        if not wrong:
            print(result.stderr)
        sys.exit(1)
    print(f"ok: {len(names)} files")


if __name__ == "__main__":
    main()
