#!/usr/bin/env python3
# 2 MiB to the echo server and back arrive intact over a wire that drops, duplicates, reorders and corrupts frames.
# SPDX-License-Identifier: MIT
"""Usage: net_faults.py IMAGE PORT [SEED…]"""

import hashlib
import random
import sys
import threading
import time

from harness import Guest, TestFailure
from network import Faults, ProxyNetwork, connect, enter_namespace, receive_exactly

SIZE = 2 << 20
LIMIT = 150  # seconds for one transfer


def transfer(address, seed):
    """Sends 2 MiB and reads the echo at the same time; returns the seconds that it took."""
    data = random.Random(seed).randbytes(SIZE)
    began = time.monotonic()
    with connect(address, 60) as connection:
        connection.settimeout(LIMIT)
        sender = threading.Thread(target=connection.sendall, args=(data,), daemon=True)
        sender.start()
        echo = receive_exactly(connection, SIZE)
        sender.join(LIMIT)
    if hashlib.sha256(echo).digest() != hashlib.sha256(data).digest():
        wrong = next(i for i in range(SIZE) if echo[i] != data[i])
        raise TestFailure(f"the echo differs from byte {wrong} on")
    return time.monotonic() - began


def run(image, port, seed, faults):
    with ProxyNetwork(faults) as network, \
            Guest(image, machine="q35", append=network.append, devices=["virtio-rng-pci"],
                  arguments=network.arguments) as guest:
        try:
            took = transfer(network.address(port), seed)
            if not guest.alive():
                raise TestFailure("the machine ended")
        except (TestFailure, OSError, EOFError) as error:
            raise (guest.hang if guest.alive() else guest.failure)(f"{error}; the wire: {faults.counts}") from error
    print(f"ok: seed {seed}, {took:.1f} s, the wire: {faults.counts}", flush=True)


def main():
    enter_namespace()
    image, port = sys.argv[1], int(sys.argv[2])
    seeds = [int(word) for word in sys.argv[3:]] or [1, 2, 3]
    try:
        run(image, port, 0, Faults(0))
        for seed in seeds:
            faults = Faults(seed, drop=0.01, duplicate=0.01, reorder=0.02, corrupt=0.01)
            run(image, port, seed, faults)
            if min(faults.counts.values()) == 0:
                raise TestFailure(f"the wire did not do all that it should: {faults.counts}")
    except TestFailure as failure:
        print(f"FAILED: {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
