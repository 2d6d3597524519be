#!/usr/bin/env python3
# QEMU's balloon: its size as the host says and hears it, its statistics, and who gets memory when it ends.
# SPDX-License-Identifier: MIT
"""Usage: virtio_balloon.py SOURCE IMAGE"""

import sys
import time

from harness import PASSED, PATIENCE, Guest, Questions, TestFailure, judge, status_name

MIB = 1 << 20
MEMORY = 128


def until(questions, command, wanted, **arguments):
    """Asks QEMU until the answer is what is wanted: it hears of the guest's size later."""
    end = time.monotonic() + 30 * PATIENCE
    while not wanted(answer := questions.ask(command, **arguments)):
        if time.monotonic() > end:
            raise questions.guest.hang(f"{command} still answers {answer}")
        time.sleep(0.02)
    return answer


def statistics_judge(questions, held):
    place = "/machine/peripheral/balloon"
    questions.ask("qom-set", path=place, property="guest-stats-polling-interval", value=1)
    # What the machine said first is from before there was anything in the balloon.
    answer = until(questions, "qom-get", lambda said: 0 < said["stats"]["stat-total-memory"] <= (MEMORY - held) * MIB,
                   path=place, property="guest-stats")
    total, free = (answer["stats"][f"stat-{word}-memory"] for word in ("total", "free"))
    if total < (MEMORY - held) * MIB * 0.9 or not 0 < free < total:
        raise TestFailure(f"with {held} MiB in the balloon the machine's memory is {total}, {free} free")


def follows(guest, questions):
    """The balloon is filled and emptied as the host says, who hears of it."""
    questions.ask("balloon", value=(MEMORY - 40) * MIB)
    guest.expect("^full: 40 MiB$")
    until(questions, "query-balloon", lambda said: said["actual"] == (MEMORY - 40) * MIB)
    statistics_judge(questions, 40)
    questions.ask("balloon", value=MEMORY * MIB)
    guest.expect("^empty$")
    until(questions, "query-balloon", lambda said: said["actual"] == MEMORY * MIB)


def check(image, machine, device, gives, whole=True):
    options = f"{device},id=balloon" + (",deflate-on-oom=on" if gives else "")
    with Guest(image, machine=machine, memory=str(MEMORY), devices=[options], append="-- " + ("gives" if gives else "keeps")) as guest:
        guest.expect("^ready$")
        with Questions(guest) as questions:
            if whole:
                follows(guest, questions)
            questions.ask("balloon", value=MIB)  # more than there is
            guest.expect("^at the reserve$")
            until(questions, "query-balloon", lambda said: said["actual"] < 64 * MIB)
            guest.send("go\n")
            guest.expect("^taken: (more|the rest)$")
            questions.ask("balloon", value=MEMORY * MIB)
            status = guest.wait()
        if status != PASSED:
            raise guest.failure(f"exit status {status_name(status)}")
    print(f"ok: {machine} {options}", flush=True)


def main():
    image = sys.argv[2]
    if "mmap" in sys.argv[1]:
        check(image, "q35", "virtio-balloon-pci", True, whole=False)
        return
    check(image, "q35", "virtio-balloon-pci", True)
    check(image, "pc", "virtio-balloon-pci", False)
    check(image, "pc", "virtio-balloon-pci,disable-modern=on", True)
    check(image, "microvm", "virtio-balloon-device", True)


if __name__ == "__main__":
    sys.exit(judge(main))
