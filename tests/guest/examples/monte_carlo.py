#!/usr/bin/env python3
# monte_carlo: the same points on any number of cores, those that the host throws; the bar only grows.
# SPDX-License-Identifier: MIT
"""Usage: monte_carlo.py IMAGE"""

import re
import sys

from example import CORES, boot, equal, match, refuses, run

ITEMS = 256
MASK = 2**64 - 1


def mix(z):
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & MASK
    z = (z ^ z >> 27) * 0x94d049bb133111eb & MASK
    return z ^ z >> 31


def count_inside(points, seed):
    inside = 0
    for item in range(ITEMS):
        state = mix(mix(seed) + item & MASK)
        for _ in range(points // ITEMS + (item < points % ITEMS)):
            state = state + 0x9e3779b97f4a7c15 & MASK
            random = mix(state)
            inside += (random >> 33)**2 + (random & 0x7fffffff)**2 < 2**62
    return inside


def check_bar(text):
    shown = [int(percent) for percent in re.findall(r"\] +(\d+) %", text)]
    if not shown or shown != sorted(shown) or shown[-1] != 100:
        equal("percentages of the bar", shown, "rising, up to 100")
    match(text, r"\[#{40}\] 100 %  pi [\d.]+$")


def check(image):
    for points, seed in ((1, 1), (1000, 0), (100003, 2**64 - 1)):
        expected = count_inside(points, seed)
        for cores in CORES:
            text = boot(image, cores, f"points={points} seed={seed}")
            equal(f"seed {seed}, inside", match(text, rf"^inside: (\d+) of {points}, "), (str(expected),))
            equal("cores", match(text, r"^cores: (\d+), time: "), (str(cores),))
            check_bar(text)
        print(f"ok: {points} points, seed {seed}", flush=True)
    results = {match(boot(image, cores, "points=20000000"), r"^inside: (\d+) of 20000000, pi is about 3\.14") for cores in CORES}
    equal("different results of 20 million points", len(results), 1)
    print("ok: 20 million points", flush=True)
    for bad in ("points=", "points=0", "points=1000000000001", "points=1e6", "seed=18446744073709551616", "seed=-1", "pi"):
        refuses(image, bad, rf"'{bad}' is not known; known: points=n, 1 to 1000000000000, and seed=n$")
    print("ok: refusals")


if __name__ == "__main__":
    sys.exit(run(check))
