# What the tests of the examples of computing share: an image on 1, 2 and 4 cores, its text, its refusals.
# SPDX-License-Identifier: MIT
"""A test gives check(image) to run(); check calls boot() as often as it likes."""

import re
import sys

from harness import FAILED, PASSED, Guest, TestFailure, status_name

CORES = {1: "1,maxcpus=2", 2: "2", 4: "4"}


def boot(image, cores, arguments="", cpu="max", memory="64", status=PASSED, timeout=120):
    """Runs the image to its end and returns its console; another exit status than `status` is a failure."""
    with Guest(image, machine="q35", cpu=cpu, smp=CORES[cores], memory=memory, append="-- " + arguments) as guest:
        found = guest.wait(timeout)
        if found != status:
            raise guest.failure(f"QEMU's exit status is {status_name(found)}, expected {status_name(status)}")
        return guest.text()


def match(text, pattern):
    """The groups of a pattern that must be on the console."""
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        raise TestFailure(f"/{pattern}/ is not on the console:\n{text[-4000:]}")
    return found.groups()


def equal(what, found, expected):
    if found != expected:
        raise TestFailure(f"{what}: found {found}, expected {expected}")


def refuses(image, arguments, pattern, memory="64"):
    """Arguments that cannot be end in a failing status and an error that says what can."""
    match(boot(image, 1, arguments, memory=memory, status=FAILED), pattern)


def run(check):
    try:
        check(sys.argv[1])
    except TestFailure as failure:
        print(f"FAILED: {failure}")
        return 1
    return 0
