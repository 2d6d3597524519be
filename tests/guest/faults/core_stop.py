#!/usr/bin/env python3
# After a fault every other core halts with interrupts off, and nothing of what they print gets into the report.
# SPDX-License-Identifier: MIT
"""Usage: core_stop.py SOURCE IMAGE

The machine has no isa-debug-exit, so the kernel switches it off by ACPI; `-no-shutdown` keeps it for a look at its cores."""

import re
import sys

from harness import Guest, Questions, judge

TIMEOUT = 60
INTERRUPTS_ON = 1 << 9  # in the flags


def registers_at_power_off(guest, questions):
    """Waits until the machine has gone off, reads its cores' registers and lets QEMU end."""
    try:
        questions.send("query-status")  # it may have been before
        while True:
            said = questions.read()
            if said.get("event") == "SHUTDOWN" or said.get("return", {}).get("status") == "shutdown":
                break
        questions.send("human-monitor-command", **{"command-line": "info registers -a"})
        while not isinstance(registers := questions.answer(), str):
            pass  # the status, when the event came first
        questions.send("quit")
    except (OSError, ValueError) as error:
        raise guest.failure(f"the machine was not powered off: {error}") from None
    guest.wait(TIMEOUT)  # what it printed has all arrived only when QEMU has ended
    return registers


def check_cores(guest, registers, cores, all_run):
    """No core idles with its interrupts on; when all of them ran, all but the one that reports stand still. (QEMU
    numbers them otherwise than the kernel, by their APICs.)"""
    found = re.findall(r"CPU#(\d+).*?[RE]FL=([0-9a-f]+).*?HLT=(\d)", registers, re.DOTALL)
    if len(found) != cores:
        raise guest.failure(f"{len(found)} cores are in QEMU's answer, not {cores}:\n{registers}")
    idle = [number for number, flags, halted in found if halted == "1" and int(flags, 16) & INTERRUPTS_ON]
    running = [number for number, flags, halted in found if halted != "1"]
    if idle:
        raise guest.failure(f"cores that idle, by QEMU's numbers: {' '.join(idle)}")
    if all_run and len(running) > 1:
        raise guest.failure(f"cores that run, by QEMU's numbers: {' '.join(running)}")


def check_report(guest):
    report = guest.text().partition("\nfault: ")[2]
    if not report:
        raise guest.failure("there is no report")
    if "#" in report or "\nfault:" in report:
        raise guest.failure("something got into the report")


def boot(image, cores, arguments):
    return Guest(image, machine="q35", smp=str(cores), memory="256", append=arguments, debug_exit=False,
                 arguments=["-no-shutdown"])


def check(image, cores, faulty):
    """A core faults while all others print."""
    with boot(image, cores, f"-- {faulty}") as guest:
        guest.expect("^ready$", TIMEOUT)
        with Questions(guest, TIMEOUT) as questions:
            guest.send("\n")
            registers = registers_at_power_off(guest, questions)
        check_report(guest)
        reporter = re.search(r"on core (\d+)$", guest.text(), re.MULTILINE)
        if not reporter or int(reporter.group(1)) != faulty:
            raise guest.failure(f"the report does not say that core {faulty} faulted")
        check_cores(guest, registers, cores, all_run=True)
    print(f"ok: core {faulty} of {cores}", flush=True)


def check_early(image, cores):
    """The first core faults while others are still on their way."""
    with boot(image, cores, "") as guest:
        guest.expect("^fault: ", TIMEOUT)
        with Questions(guest, TIMEOUT) as questions:
            registers = registers_at_power_off(guest, questions)
        check_report(guest)
        check_cores(guest, registers, cores, all_run=False)
    print(f"ok: early, {cores} cores", flush=True)


def main():
    for cores, faulty in ((2, 0), (2, 1), (4, 2), (64, 63)):
        for _ in range(3):
            check(sys.argv[2], cores, faulty)
    for _ in range(5):
        check_early(sys.argv[2], 64)


if __name__ == "__main__":
    sys.exit(judge(main))
