#!/usr/bin/env python3
# parallel_sum: the right sum on 1, 2 and 4 cores, times for one core and all; unknown arguments are refused.
# SPDX-License-Identifier: MIT
"""Usage: parallel_sum.py IMAGE"""

import sys

from example import CORES, boot, equal, match, refuses, run


def check(image):
    for cores in CORES:
        # 1 and 6 end on and behind multiples; a count of one has nothing to add.
        for count in (1, 6, 1000003):
            text = boot(image, cores, f"count={count}")
            expected = sum(i for i in range(count) if i % 3 == 0 or i % 5 == 0)
            equal("sum", match(text, rf"below {count}: (\d+)$"), (str(expected),))
            equal("cores", match(text, r"^cores: (\d+)$"), (str(cores),))
        one, together, ratio = map(float, match(
            text, r"^one core: ([\d.]+) ms, all cores: ([\d.]+) ms, speed-up ([\d.]+) \(best of 3\)$"))
        if one <= 0 or together <= 0 or abs(one / together - ratio) > 0.02 + 0.1 * ratio:
            equal("speed-up", ratio, one / together)
        print(f"ok: {cores} cores, speed-up {ratio}", flush=True)
    for bad in ("count=", "count=0", "count=-1", "count=8000000001", "count=99999999999999999999", "count=5x", "sum"):
        refuses(image, bad, rf"'{bad}' is not known; known: count=n, 1 to 8000000000$")
    print("ok: refusals")


if __name__ == "__main__":
    sys.exit(run(check))
