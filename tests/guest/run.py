#!/usr/bin/env python3
# Runs one guest test: boots its image as the directives of its source say and judges what it printed.
# SPDX-License-Identifier: MIT
"""Usage: run.py SOURCE IMAGE [--only MACHINE/CPU] [--long] [--verbose]

README.md in this folder explains the directives (`// @key value` lines)."""

import argparse
import re
import subprocess
import sys
import time

from harness import PASSED, Guest, TestFailure, end_with_parent, status_name

MACHINES = ["pc", "q35"]
CPUS = ["max", "Nehalem"]
DRAWS = 4  # boots that show whether a value is random
LISTS = {"expect", "forbid", "device", "argument", "input", "wall_clock", "interval", "differs"}
WORDS = {"status", "append", "memory", "smp", "timeout", "machines", "cpus", "power_off", "boots", "finish",
         "host_load", "long"}
BUILD = {"link", "symbols", "file", "cmdline", "script", "wrap", "variants"}  # read by CMake


class Run:
    """One way to boot the image, and what must come of it."""

    def __init__(self, name, base=None):
        self.name = name
        self.lists = {key: list(base.lists[key]) if base else [] for key in LISTS}
        self.words = dict(base.words) if base else {}

    def add(self, key, value):
        if key in LISTS:
            self.lists[key].append(value)
        else:
            self.words[key] = value

    def word(self, key, otherwise):
        return self.words.get(key, otherwise)


def parse(path):
    """Reads the directives of a source. Those before the first @run hold for every run."""
    common = Run("")
    runs = []
    with open(path, encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            found = re.match(r"// @(\w+)\s*(.*?)\s*$", line)
            if not found:
                continue
            key, value = found.groups()
            if key == "run":
                runs.append(Run(value, common))
            elif key in LISTS or key in WORDS:
                (runs[-1] if runs else common).add(key, value)
            elif key not in BUILD:
                raise SystemExit(f"{path}:{number}: unknown directive @{key}")
    return runs or [common]


def expand(text):
    """Writes out repetitions: {a*5} becomes aaaaa."""
    return re.sub(r"\{(\w+)\*(\d+)\}", lambda found: found.group(1) * int(found.group(2)), text)


def check_console(guest, run, status):
    wanted = int(run.word("status", PASSED))
    text = guest.text()
    if status != wanted:
        raise guest.failure(f"QEMU's exit status is {status_name(status)}, not {status_name(wanted)}")
    position = 0
    for pattern in run.lists["expect"]:
        found = re.compile(pattern, re.MULTILINE).search(text, position)
        if not found:
            behind = " behind what was found before" if position else ""
            raise guest.failure(f"/{pattern}/ is not on the console{behind}")
        position = found.end()
    for pattern in run.lists["forbid"]:
        if re.search(pattern, text, re.MULTILINE):
            raise guest.failure(f"/{pattern}/ must not be on the console")
    if wanted == PASSED and run.word("finish", "PASS") == "PASS" and not ("\n" + text).endswith("\nPASS\nexit: 0\n"):
        raise guest.failure("the console does not end in the lines PASS and exit: 0")


def check_wall_clock(guest, run, began):
    """@wall_clock: seconds since 1970 that the guest printed, somewhere between its start and now."""
    now = time.time()
    for pattern in run.lists["wall_clock"]:
        found = re.search(pattern, guest.text(), re.MULTILINE)
        if not found or not began - 5 <= int(found.group(1)) <= now + 5:
            raise guest.failure(f"/{pattern}/ is not within 5 s of the host's {int(began)} to {int(now)}")


def answer(guest, run, deadline):
    """@input REGEX => TEXT, one after the other. @interval REGEX => LEAST MOST: from the answer to such a line to the next
    line takes so many seconds. They begin before the guest can, and end behind it: what the host does meanwhile can only
    make them longer, and what QEMU had to wait for a processor is allowed for."""
    intervals = dict(rule.split(" => ") for rule in run.lists["interval"])
    for rule in run.lists["input"]:
        prompt, _, text = rule.partition(" => ")
        guest.expect(prompt, deadline - time.monotonic())
        began, starved = time.monotonic(), guest.starved()
        guest.send(expand(text).encode().decode("unicode_escape"))
        if prompt in intervals:
            least, most = [float(word) for word in intervals[prompt].split()]
            guest.position = guest.expect("\n[^\n]+$", deadline - time.monotonic()).start()  # it may be the next prompt
            took, starved = guest.arrivals[-1][1] - began, guest.starved() - starved
            if not least <= took <= most + starved:
                raise guest.failure(f"the line after /{prompt}/ came after {took:.2f} s, not {least} to {most} s; for "
                                    f"{starved:.2f} s the host was busy")


class Load:
    """Busy processes on the host, so that the machine's time passes in jumps."""

    def __init__(self, count):
        self.count = count

    def __enter__(self):
        self.processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"], preexec_fn=end_with_parent)
                          for _ in range(self.count)]

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()


def boot_once(run, image, machine, cpu):
    timeout = float(run.word("long", run.word("timeout", 60)))
    acpi = run.word("power_off", "") == "acpi"
    guest = Guest(image, machine=machine, cpu=cpu, smp=run.word("smp", "1,maxcpus=2"),
                  memory=run.word("memory", "64"), append=expand(run.word("append", "")), devices=run.lists["device"],
                  arguments=[word for line in run.lists["argument"] for word in line.split()],
                  debug_exit=not acpi)
    began = time.time()
    with Load(int(run.word("host_load", 0))), guest:
        deadline = time.monotonic() + timeout
        answer(guest, run, deadline)
        status = guest.wait(deadline - time.monotonic())
        if acpi:
            if status != 0:
                raise guest.failure(f"the machine was not powered off: QEMU's exit status is {status_name(status)}")
            status = PASSED
        check_console(guest, run, status)
        check_wall_clock(guest, run, began)
        return guest


def check_differences(run, guests):
    """@differs REGEX: what its group holds is another one at each boot. Once in a while two draws are the same (one of 5,000
    sets of four, of 15 bits); three in a row, or two pairs, are no accident."""
    for pattern in run.lists["differs"]:
        values = []
        for guest in guests:
            found = re.search(pattern, guest.text(), re.MULTILINE)
            if not found:
                raise TestFailure(f"/{pattern}/ is not on the console:\n{guest.text()}")
            values.append(found.group(1))
        if len(set(values)) < len(values) - 1:
            raise TestFailure(f"/{pattern}/ gave the same values at several boots: {' '.join(values)}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("source")
    arguments.add_argument("image")
    arguments.add_argument("--only", help="one machine and CPU, such as q35/max")
    arguments.add_argument("--long", action="store_true", help="the runs marked @long, instead of the others")
    arguments.add_argument("--verbose", action="store_true", help="print the console of runs that pass, too")
    options = arguments.parse_args()
    failures = 0
    for run in parse(options.source):
        if ("long" in run.words) != options.long:
            continue
        boots = DRAWS if run.lists["differs"] else int(run.word("boots", 1))
        for machine in run.word("machines", " ".join(MACHINES)).split():
            for cpu in run.word("cpus", " ".join(CPUS)).split():
                label = f"{machine}/{cpu}"
                if options.only and label != options.only:
                    continue
                title = f"{run.name + ' ' if run.name else ''}on {label}"
                began = time.monotonic()
                try:
                    guests = [boot_once(run, options.image, machine, cpu) for _ in range(boots)]
                    check_differences(run, guests)
                    print(f"ok: {title} ({time.monotonic() - began:.2f} s)")
                    if options.verbose:
                        print(guests[-1].text())
                except TestFailure as failure:
                    failures += 1
                    print(f"FAILED: {title}: {failure}\n")
                sys.stdout.flush()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
