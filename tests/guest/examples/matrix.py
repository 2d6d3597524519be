#!/usr/bin/env python3
# matrix: right products on 1, 2 and 4 cores, by AVX2 where the CPU has it and by SSE elsewhere.
# SPDX-License-Identifier: MIT
"""Usage: matrix.py IMAGE"""

import sys

from example import CORES, boot, equal, match, refuses, run

# The fast way needs both AVX2 and FMA; Nehalem has neither.
CPUS = (("max", "AVX2"), ("Nehalem", "SSE"), ("max,fma=off", "SSE"), ("max,avx2=off", "SSE"))


def check(image):
    for cpu, way in CPUS:
        for cores in CORES:
            for size in (65,) if "off" in cpu else (1, 65, 300):
                text = boot(image, cores, f"size={size}", cpu=cpu)
                found = match(text, r"^matrix: (\S+), cores: (\d+), (\w+): [\d.]+ s, ([\d.]+) GFLOP/s \(best of 3\)$")
                equal("size, cores and way", found[:3], (f"{size}x{size}", str(cores), way))
                if size > 1 and float(found[3]) <= 0:
                    equal("GFLOP/s", found[3], "more than 0")
                match(text, r"^matrix: 2000 elements are right$")
        print(f"ok: {way} on {cpu}", flush=True)
    for bad in ("size=", "size=0", "size=8193", "size=100000", "size=5x", "size=-1", "large"):
        refuses(image, bad, rf"'{bad}' is not known; known: size=n, 1 to 8192$")
    refuses(image, "size=8192", r"no memory for three matrices of 8192x8192; start the machine with more$")
    print("ok: refusals")


if __name__ == "__main__":
    sys.exit(run(check))
