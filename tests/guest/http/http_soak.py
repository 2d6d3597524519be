#!/usr/bin/env python3
# Sustained load on http_server: wrk, ab without keep-alive, wrk again; nothing fails and nothing slows down.
# SPDX-License-Identifier: MIT
"""Usage: http_soak.py IMAGE [SECONDS OF ONE WRK RUN]"""

import re
import subprocess
import sys

from harness import PATIENCE, TestFailure, judge
from harness.network import enter_namespace, new_network, serving

SLOWER = 0.9  # the last rate may be this part of the first
PAIRS = 7


def wrk(address, seconds):
    """One run of wrk; returns requests a second, or fails the test on any failed request."""
    said = subprocess.run(["wrk", "-t1", "-c30", f"-d{seconds}s", f"--timeout={2 * PATIENCE}s", f"http://{address[0]}:{address[1]}/"], check=True,
                          capture_output=True, text=True, timeout=seconds + 60 * PATIENCE).stdout
    rate = float(re.search(r"Requests/sec:\s*([0-9.]+)", said).group(1))
    if "Socket errors" in said or "Non-2xx" in said or rate < 10:
        raise TestFailure("wrk saw failed requests:\n" + said)
    print(f"wrk: {rate:.0f} requests/s", flush=True)
    return rate


def ab(address, requests):
    """Connections without keep-alive."""
    result = subprocess.run(["ab", "-q", "-n", str(requests), "-c", "50", "-s", str(30 * PATIENCE),
                             f"http://{address[0]}:{address[1]}/"], check=False, capture_output=True, text=True,
                            timeout=300 * PATIENCE)
    said = result.stdout + result.stderr
    complete = re.search(r"Complete requests:\s*(\d+)", said)
    failed = re.search(r"Failed requests:\s*(\d+)", said)
    if result.returncode or not complete or int(complete.group(1)) != requests or int(failed.group(1)) \
            or "Non-2xx" in said:
        raise TestFailure("ab saw failed requests:\n" + said)
    rate = float(re.search(r"Requests per second:\s*([0-9.]+)", said).group(1))
    print(f"ab: {rate:.0f} connections/s", flush=True)


def same_speed(image, old, seconds):
    """The host's speed changes, too: a machine that has just started runs in turns with the old one. Slower is what is slower
    each time."""
    ratios = []
    with serving(new_network(1), image) as (_, fresh):
        for _ in range(PAIRS):
            ratios.append(wrk(old, seconds) / wrk(fresh, seconds))
            if ratios[-1] >= SLOWER:
                return
    raise TestFailure("against a fresh machine, in turns: " + ", ".join(f"{ratio:.2f}" for ratio in ratios))


def load(image, address, seconds):
    """The whole programme; fails when a request does, or when the machine is slower afterwards."""
    first = [wrk(address, seconds) for _ in range(3)][0]
    ab(address, 20000)
    last = [wrk(address, seconds) for _ in range(3)][-1]
    if last < first * SLOWER:
        print(f"slower than at first: {first:.0f}, {last:.0f} requests/s")
        same_speed(image, address, min(seconds, 3))


def soak():
    image, seconds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10
    enter_namespace(required=False)
    with serving(new_network(), image) as (_, address):
        load(image, address, seconds)
    print("ok: no request failed, no slowdown")


if __name__ == "__main__":
    sys.exit(judge(soak))
