#!/usr/bin/env python3
# Sustained load on http_server: wrk, ab without keep-alive, wrk again; nothing fails and nothing slows down.
# SPDX-License-Identifier: MIT
"""Usage: http_soak.py IMAGE [SECONDS OF ONE WRK RUN]"""

import os
import re
import subprocess
import sys

from harness import Guest, TestFailure
from network import TapNetwork, UserNetwork, connect, enter_namespace, have_namespace, http_get

SLOWER = 0.9  # the last rate may be this part of the first


def wrk(address, seconds):
    """One run of wrk; returns requests a second, or fails the test on any failed request."""
    said = subprocess.run(["wrk", "-t1", "-c30", f"-d{seconds}s", f"http://{address[0]}:{address[1]}/"], check=True,
                          capture_output=True, text=True, timeout=seconds + 60).stdout
    rate = float(re.search(r"Requests/sec:\s*([0-9.]+)", said).group(1))
    if "Socket errors" in said or "Non-2xx" in said or rate < 10:
        raise TestFailure("wrk saw failed requests:\n" + said)
    print(f"wrk: {rate:.0f} requests/s", flush=True)
    return rate


def ab(address, requests):
    """Connections without keep-alive."""
    result = subprocess.run(["ab", "-q", "-n", str(requests), "-c", "50", "-s", "30",
                             f"http://{address[0]}:{address[1]}/"], check=False, capture_output=True, text=True,
                            timeout=300)
    said = result.stdout + result.stderr
    complete = re.search(r"Complete requests:\s*(\d+)", said)
    failed = re.search(r"Failed requests:\s*(\d+)", said)
    if result.returncode or not complete or int(complete.group(1)) != requests or int(failed.group(1)) \
            or "Non-2xx" in said:
        raise TestFailure("ab saw failed requests:\n" + said)
    rate = float(re.search(r"Requests per second:\s*([0-9.]+)", said).group(1))
    print(f"ab: {rate:.0f} connections/s", flush=True)


def boot(image, network):
    return Guest(image, machine="q35", append=network.append, devices=["virtio-rng-pci"], arguments=network.arguments,
                 pass_fds=network.pass_fds)


def new_network():
    """A tap: the host's end of QEMU's user networking queues only one connection, so bursts of connections fail there
    whatever the guest does."""
    return TapNetwork() if have_namespace() and os.path.exists("/dev/net/tun") else UserNetwork(80)


def load(guest, address, seconds):
    """The whole programme; returns the first and the last rate of wrk."""
    guest.expect("http_server: serving")
    connect(address).close()
    first = [wrk(address, seconds) for _ in range(3)]
    ab(address, 20000)
    last = [wrk(address, seconds) for _ in range(3)]
    status, _, _ = http_get(address)
    if status != 200 or not guest.alive():
        raise TestFailure(f"after the load the server answers {status}")
    return first[0], last[-1]


def measure(image, seconds, action):
    """Boots a machine and runs action(guest, address, seconds)."""
    with new_network() as network, boot(image, network) as guest:
        try:
            return action(guest, network.address(80), seconds)
        except (TestFailure, OSError, subprocess.SubprocessError) as error:
            raise (guest.hang if guest.alive() else guest.failure)(str(error)) from error


def fresh(guest, address, seconds):
    guest.expect("http_server: serving")
    connect(address).close()
    return wrk(address, seconds)


def soak(image, seconds):
    first, last = measure(image, seconds, load)
    if last < first * SLOWER:
        # The host's speed changes, too: a machine that has just started tells the one from the other.
        now = measure(image, seconds, fresh)
        print(f"slower than at first; a fresh machine does {now:.0f} requests/s now")
        if last < now * SLOWER:
            raise TestFailure(f"from {first:.0f} to {last:.0f} requests/s; a fresh machine does {now:.0f}")


def main():
    enter_namespace(required=False)
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    try:
        soak(sys.argv[1], seconds)
    except TestFailure as failure:
        print(f"FAILED: {failure}")
        return 1
    print("ok: no request failed, no slowdown")
    return 0


if __name__ == "__main__":
    sys.exit(main())
