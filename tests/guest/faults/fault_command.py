#!/usr/bin/env python3
# Provokes a fault in an image without symbols, runs the command that the report names, and looks for the functions of `@calls`.
# SPDX-License-Identifier: MIT
"""Usage: fault_command.py SOURCE IMAGE (its package's bin folder is searched for the command)"""

import os
import pathlib
import re
import shlex
import subprocess
import sys

from harness import FAULTED, Guest, TestFailure, status_name


def command_of(guest, report, image):
    """The line `names: COMMAND`, with the image's name put in, ready to run with the report as its input."""
    found = re.search(r"^\s*names: (\S+) (\S+) < this report$", report, re.MULTILINE)
    if not found:
        raise guest.failure("the report names no command that finds names")
    program, argument = found.groups()
    prefix = pathlib.Path(image).parents[1] / "prefix"
    places = [str(path.parent) for path in prefix.rglob(program)]
    if not places:
        raise guest.failure(f"the package holds no command {program}")
    os.environ["PATH"] = os.pathsep.join(places + [os.environ["PATH"]])
    return [program, argument.replace("<image>", str(image))]


def calls_of(source):
    """The functions that the source's `@calls` names, innermost first."""
    return re.search(r"^// @calls (.*)$", pathlib.Path(source).read_text(encoding="utf-8"), re.MULTILINE).group(1).split()


def check_calls(said, calls, command):
    """The list of all calls where there is one, else the report's own backtrace: one call a line, the names in order, none between."""
    lines = said.partition("all calls")[2].splitlines()[1:] or re.findall(r"^\s+at image\+0x\w+ +(.*)$", said, re.MULTILINE)
    names = [name for line in lines for name in re.findall(r"(\w+) \([^)]*\)", line)]
    if names[: len(calls)] != calls:
        raise TestFailure(f"'{command}' does not name {calls} but {names}:\n{said}")


def check_foreign(report, command, image):
    """With the .debug file of another image the command says so, and names nothing."""
    other = next(path for path in sorted(pathlib.Path(image).parent.glob("*.debug")) if path.name != f"{pathlib.Path(image).name}.debug")
    said = subprocess.run([command[0], other], input=report, capture_output=True, text=True, check=False).stdout
    found = re.search(r"^  image (\w+)\n  warning: this report is of image \1, and .+ belongs to image (\w+); no names", said, re.MULTILINE)
    if not found or found[1] == found[2]:
        raise TestFailure(f"with {other.name} '{command[0]}' does not say that the report is of another image:\n{said}")
    if re.search(r"^\s+at image\+0x\w+ +\w", said, re.MULTILINE) or "all calls" in said:
        raise TestFailure(f"names of {other.name} were put into a report of another image:\n{said}")


def main():
    image = sys.argv[2]
    calls = calls_of(sys.argv[1])
    with Guest(image) as guest:
        try:
            status = guest.wait()
            report = guest.text()
            if status != FAULTED:
                raise guest.failure(f"QEMU's exit status is {status_name(status)}")
            if calls[-2] in report:
                raise guest.failure("the report has names already: the test shows nothing")
            command = command_of(guest, report, image)
            result = subprocess.run(command, input=report, capture_output=True, text=True, check=False)
            check_calls(result.stdout + result.stderr, calls, shlex.join(command))
            check_foreign(report, command, image)
        except TestFailure as failure:
            print(f"FAILED: {failure}")
            return 1
    print("ok: " + shlex.join(command))
    return 0


if __name__ == "__main__":
    sys.exit(main())
