#!/usr/bin/env python3
# What the echo server sends back is intact over a wire that drops, duplicates, reorders and corrupts frames.
# SPDX-License-Identifier: MIT
"""Usage: net_faults.py IMAGE PORT [SEED…]"""

import hashlib
import random
import sys
import threading
import time

from harness import TestFailure, judge
from harness.network import Faults, OffloadProxyNetwork, ProxyNetwork, connect, enter_namespace, guest_on, receive_exactly

SIZE, MESSAGES, MESSAGE_MAX = 2 << 20, 300, 1400
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


def talk(address, seed):
    """Messages one after the other, each after the echo of the last."""
    chance = random.Random(seed)
    with connect(address, 60) as connection:
        connection.settimeout(LIMIT)
        for number in range(MESSAGES):
            message = chance.randbytes(chance.randrange(1, MESSAGE_MAX))
            connection.sendall(message)
            if receive_exactly(connection, len(message)) != message:
                raise TestFailure(f"the echo of message {number} differs")


def run(image, port, seed, network):
    faults = network.faults
    with guest_on(network, image, f"seed {seed}: ") as guest:
        try:
            took = transfer(network.address(port), seed)
            talk(network.address(port), seed)
        except (TestFailure, OSError, EOFError) as error:
            raise TestFailure(f"{error}; the wire: {faults.counts}") from error
        if not guest.alive():
            raise TestFailure("the machine ended")
    print(f"ok: seed {seed}, {took:.1f} s, the wire: {faults.counts}", flush=True)


def main():
    enter_namespace()
    image, port = sys.argv[1], int(sys.argv[2])
    seeds = [int(word) for word in sys.argv[3:]] or [1, 2, 3]
    run(image, port, 0, ProxyNetwork(Faults(0)))
    for seed in seeds:
        for network, corrupt in ((ProxyNetwork, 0.01), (OffloadProxyNetwork, 0)):
            faults = Faults(seed, drop=0.01, duplicate=0.01, reorder=0.02, corrupt=corrupt)
            run(image, port, seed, network(faults))
            if min(faults.counts[what] for what in ("dropped", "duplicated", "reordered")) == 0 or \
                    bool(corrupt) != bool(faults.counts["corrupted"]):
                raise TestFailure(f"the wire did not do what it should: {faults.counts}")


if __name__ == "__main__":
    sys.exit(judge(main))
