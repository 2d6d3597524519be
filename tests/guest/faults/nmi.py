#!/usr/bin/env python3
# NMIs by QEMU's monitor: where every core is, again and again; the machine goes on, or ends.
# SPDX-License-Identifier: MIT
"""Usage: nmi.py SOURCE IMAGE"""

import sys

from harness import FAULTED, PASSED, Guest, Questions, judge, status_name


def told(guest):
    """Whether core 1 was seen computing: it may be in a handler just then, behind which the trace does not see."""
    guest.expect("^nmi: where the cores are, seen from core 0$")
    computed = False
    for core in range(3):
        guest.expect(rf"^core {core}:$")
        if core == 1:
            computed = guest.expect(r"^  at .*(compute|interrupt)\+").group(1) == b"compute"
        else:
            guest.expect(r"^  at image\+")
    return computed


def ends(guest, status):
    if (found := guest.wait()) != status:
        raise guest.failure(f"exit status {status_name(found)}, not {status_name(status)}")


def main(image):
    for cpu, machine, words in (("max", "q35", ""), ("Nehalem,x2apic=off", "pc", "watchdog=60"), ("max", "microvm", "")):
        with Guest(image, cpu=cpu, machine=machine, smp="3,maxcpus=4", append=words) as guest:
            guest.expect("^ready$")
            with Questions(guest) as questions:
                computed = 0
                for _ in range(10):
                    questions.ask("inject-nmi")
                    computed += told(guest)
                    guest.expect("^nmi: going on$")
                if not computed:
                    raise guest.failure("no report shows what the core computes")
                for _ in range(20):  # whoever comes meanwhile is told with the rest, or once more
                    questions.ask("inject-nmi")
            guest.expect("^nmi: going on$")
            guest.send("go\n")
            ends(guest, PASSED)
        print(f"ok: {machine}, {cpu}", flush=True)
    with Guest(image, smp="3,maxcpus=4", append="nmi=end") as guest:
        guest.expect("^ready$")
        with Questions(guest) as questions:
            questions.ask("inject-nmi")
            told(guest)
            guest.expect("^panic: an NMI has come, and nmi=end, on core 0")
        ends(guest, FAULTED)
    with Guest(image, smp="3,maxcpus=4", append="nmi=ending") as guest:
        guest.expect("^error: nmi: nmi=ending is neither report nor end: it is report$")


if __name__ == "__main__":
    sys.exit(judge(lambda: main(sys.argv[2])))
