#!/usr/bin/env python3
# A second core answers ping and UDP while main computes and never waits.
# SPDX-License-Identifier: MIT
"""Usage: net_busy.py SOURCE IMAGE"""

import socket

from harness import PASSED, PATIENCE, TestFailure
from net_ipv6 import ping
from harness.network import GUEST4, tap_test

ROUNDS = 50


def check(guest):
    guest.expect("^2 cores$")
    guest.expect("^ready$")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(3 * PATIENCE)
        for number in range(ROUNDS):
            data = b"datagram %d" % number
            client.sendto(data, (GUEST4, 7))
            if client.recv(65536) != data:
                raise TestFailure(f"datagram {number} came back different")
        for _ in range(5):
            ping(socket.AF_INET, GUEST4, 56)
        client.sendto(b"end", (GUEST4, 7))
    count = int(guest.expect(r"^(\d+) answered$").group(1))
    if count != ROUNDS:
        raise TestFailure(f"{count} datagrams were answered, {ROUNDS} were sent")
    if guest.wait() != PASSED:
        raise TestFailure("the guest did not pass")


if __name__ == "__main__":
    tap_test(check, "answered while main computed", smp="2")
