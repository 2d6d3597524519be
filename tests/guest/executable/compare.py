#!/usr/bin/env python3
# Runs a Linux executable on the host and in its image, and wants the same output and exit status.
# SPDX-License-Identifier: MIT
"""Usage: compare.py IMAGE [--only MACHINE/CPU/CORES] [--verbose]

The executable is IMAGE.elf. Where Linux would do otherwise, or figures are wanted, REFUSED, CALL_MAX and CLOCK_MAX say what the image must print."""
import argparse
import difflib
import pathlib
import re
import subprocess
import sys

from harness import Guest, TestFailure

ARGUMENTS = ["one", "two words", "it's \"quoted\" \\"]
ENVIRONMENT = {"COLOUR": "blue", "WORDS": "some words", "HOME": "/"}
MACHINES = [("q35", "max", "2"), ("q35", "max", "1,maxcpus=2"), ("pc", "Nehalem", "1,maxcpus=2")]  # the last one has no XSAVE
COUNTED = ["-icount", "shift=0,sleep=off"]  # the time-stamp counter counts instructions
CALL_MAX = 60
CLOCK_MAX = 90
ABSENT = {"refused", "calls"}  # call what is not there
NETWORKED = {"go", "go_signals"}  # have sockets, in machines without a device
SKIPPED = 77

REFUSED = """mmap of executable memory: EACCES
mprotect of it: EACCES
mprotect of text: EACCES
mremap of text: EFAULT
ARCH_SET_GS: EINVAL
fork: ENOSYS
a process by clone: ENOSYS
execve: ENOSYS
exit: 0
"""


def on_host(image):
    ran = subprocess.run([image.name, *ARGUMENTS], executable=f"{image}.elf", env=ENVIRONMENT, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, timeout=300)
    return f"{ran.stdout}exit: {ran.returncode}\n"


def judge(image, text, guest):
    # What the log has of a machine without entropy, of absent calls, and of none but the machine's own network.
    for word in ["random", *(["linux"] if image.name in ABSENT else []), *(["net"] if image.name in NETWORKED else [])]:
        text = re.sub(rf"^warning: {word}: .*\n", "", text, flags=re.MULTILINE)
    if image.name == "getppid":
        found = re.fullmatch(r"getppid: (\d+) instructions\nclock_gettime: (\d+) instructions\nexit: 0\n", text)
        if not found or int(found[1]) > CALL_MAX or int(found[2]) > CLOCK_MAX:
            raise guest.failure(f"a call must take {CALL_MAX} instructions at most, a clock {CLOCK_MAX}")
        return
    wanted = REFUSED if image.name == "refused" else on_host(image)
    if text != wanted:
        lines = difflib.unified_diff(wanted.splitlines(), text.splitlines(), "wanted", "machine", n=1, lineterm="")
        raise guest.failure("the output and status differ\n" + "\n".join(lines))


def boot(image, machine, cpu, cores, verbose):
    counted = COUNTED if image.name == "getppid" else []
    with Guest(image, machine=machine, cpu=cpu, smp=cores, memory="256", arguments=counted) as guest:
        guest.wait(300)
        text = guest.text()
        if verbose:
            print(text)
        judge(image, text, guest)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("image", type=pathlib.Path)
    parser.add_argument("--only")
    parser.add_argument("--verbose", action="store_true")
    words = parser.parse_args()
    if not words.image.is_file():
        print(f"skipped: there is no compiler here for {words.image.name}")
        sys.exit(SKIPPED)
    for way in MACHINES:
        if words.only and words.only != "/".join(way):
            continue
        try:
            boot(words.image, *way, words.verbose)
        except TestFailure as failure:
            sys.exit(f"{'/'.join(way)}: {failure}")
        print(f"ok: {'/'.join(way)}")


if __name__ == "__main__":
    main()
