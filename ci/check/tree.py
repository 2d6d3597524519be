# The files of the repository, for the checks.
# SPDX-License-Identifier: MIT
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]


def files(*suffixes, under=""):
    """Files that git tracks or would track, as paths relative to the repository; all suffixes when none is named."""
    listed = subprocess.run(["git", "-C", str(TOP), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            check=True, capture_output=True, text=True).stdout.split("\0")
    for name in sorted(set(listed)):
        path = pathlib.PurePosixPath(name)
        if name and (TOP / name).is_file() and name.startswith(under) and (not suffixes or path.suffix in suffixes):
            yield path


def text(path):
    return (TOP / path).read_text(encoding="utf-8", errors="replace")


def finish(problems, what):
    """Prints the problems, one a line, and ends the program; a check that saw nothing has failed, too."""
    for problem in problems:
        print(problem)
    if problems:
        sys.exit(f"{len(problems)} problems")
    print(f"ok: {what}")
