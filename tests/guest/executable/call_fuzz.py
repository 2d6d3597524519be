#!/usr/bin/env python3
# Random system calls by the threads of a Linux executable, a boot for each seed: no fault of the kernel's, no hang, no failed assertion.
# SPDX-License-Identifier: MIT
"""Usage: call_fuzz.py IMAGE [--seconds N] [--seed FIRST] [--trace THREAD]

A seed decides how many cores there are and what CPU they are, too. What failed is run again by --seed alone; --trace prints the calls of a thread."""
import argparse
import re
import sys
import time

from harness import PASSED, Guest, TestFailure, judge

WAYS = [("q35", "max", "2", 4), ("q35", "max", "1,maxcpus=2", 3), ("q35", "max", "4", 8), ("pc", "Nehalem", "2", 4)]  # the last one has no XSAVE
BOOT = 10  # seconds of calls in one
LIMIT = 60  # seconds more until it has ended; the program itself tells of a call that does not end


def run(image, seed, seconds, trace):
    machine, cpu, cores, threads = WAYS[seed % len(WAYS)]
    words = f"log=error -- {seed} {seconds} {threads}" + ("" if trace is None else f" {trace}")
    with Guest(image, machine=machine, cpu=cpu, smp=cores, memory="256", append=words, devices=["virtio-rng-pci"]) as guest:
        status = guest.wait(seconds + LIMIT)
        text = guest.text()
        if trace is not None:
            print(text)
        made = re.search(r"^calls: (\d+)$", text, re.MULTILINE)
        if status != PASSED or not made or int(made[1]) == 0:
            raise guest.failure(f"seed {seed} on {machine}/{cpu}/{cores}: run it again by --seed {seed} --seconds {seconds}")
    return int(made[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("image")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trace", type=int)
    words = parser.parse_args()
    end, seed, calls = time.monotonic() + words.seconds, words.seed, 0
    try:
        while (left := end - time.monotonic()) > 0:
            calls += run(words.image, seed, min(BOOT, max(2, int(left))), words.trace)
            seed += 1
    except TestFailure as failure:
        raise TestFailure(f"{calls} calls before were answered; {failure}") from None
    print(f"ok: {calls} calls, seeds {words.seed} to {seed - 1}")


if __name__ == "__main__":
    sys.exit(judge(main))
