#!/usr/bin/env python3
# An idle machine takes no measurable time of the host's processors, on 1 to 16 cores.
# SPDX-License-Identifier: MIT
"""Usage: idle.py SOURCE IMAGE

The guest prints `idle` and sleeps; what QEMU has used is looked at when that line has come and when the next one comes. On a busy
host QEMU may still be at what it could not do before: the guest then sleeps again, and the least of up to MOST_WINDOWS counts."""

import pathlib
import sys
import time

from harness import PASSED, Guest, judge, status_name

MOST_WINDOWS = 8
CORES = {1: "1,maxcpus=2", 2: "2", 4: "4", 16: "16"}
# Of the time that passes, how much QEMU may use, without and with a network. A machine that is stopped takes 0.01 %, one that
# halts 0.25 %, with a network 0.4 %; with timers of 100 ms, which wake main's core and the one that serves the devices,
# 0.7 %. A core that wakes up each millisecond takes 5 %, one that polls 70 % and more.
SHARES = {False: 0.01, True: 0.015}
NETWORK = ("-netdev", "user,id=net0,restrict=on", "-device", "virtio-net-pci,netdev=net0,romfile=")


def times(guest):
    """Seconds so far: on the host's clock, and on a processor, by the process clock of all of QEMU's threads."""
    return time.monotonic(), time.clock_gettime(~guest.process.pid << 3 | 2)  # CPUCLOCK_SCHED of that process


def watch(guest):
    """One sleep: QEMU's part of a processor; the seconds that it used, of how many."""
    guest.expect("^idle$")
    began = times(guest)
    guest.expect("^slept$")
    took, used = (after - before for after, before in zip(times(guest), began))
    return used / took, used, took


def check(image, cores, network):
    with Guest(image, machine="q35", smp=CORES[cores], append="ip=10.0.2.15/24,10.0.2.2" if network else "",
               arguments=NETWORK if network else ()) as guest:
        share, used, took = watch(guest)
        for _ in range(1, MOST_WINDOWS):
            if share > SHARES[network]:
                guest.send("again\n")
                share, used, took = min((share, used, took), watch(guest))
        guest.send("\n")
        status = guest.wait()
        if status != PASSED:
            raise guest.failure(f"QEMU's exit status is {status_name(status)}")
        text = f"{cores} cores: {used * 1000:.1f} ms of processor time in {took:.2f} s"
        if share > SHARES[network]:
            raise guest.failure(f"{text}; an idle machine takes at most {SHARES[network] * took * 1000:.0f} ms")
        print(f"ok: {text}", flush=True)


def main():
    source, image = sys.argv[1:]
    network = "// @link net" in pathlib.Path(source).read_text(encoding="utf-8")
    for cores in CORES:
        check(image, cores, network)


if __name__ == "__main__":
    sys.exit(judge(main))
