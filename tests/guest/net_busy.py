#!/usr/bin/env python3
# A second core answers ping and UDP while main computes and never waits.
# SPDX-License-Identifier: MIT
"""Usage: net_busy.py SOURCE IMAGE"""

import socket
import sys

from harness import PASSED, TestFailure, judge
from net_ipv6 import ping
from network import GUEST4, TapNetwork, enter_namespace, guest_on

ROUNDS = 50


def check(guest):
    guest.expect("^2 cores$")
    guest.expect("^ready$")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(3)
        for number in range(ROUNDS):
            data = b"datagram %d" % number
            client.sendto(data, (GUEST4, 7))
            if client.recv(65536) != data:
                raise TestFailure(f"datagram {number} came back different")
    for _ in range(5):
        ping(socket.AF_INET, GUEST4, 56, timeout=3)
    count = int(guest.expect(r"^(\d+) answered$").group(1))
    if count != ROUNDS:
        raise TestFailure(f"{count} datagrams were answered, {ROUNDS} were sent")
    if guest.wait() != PASSED:
        raise TestFailure("the guest did not pass")


def main():
    enter_namespace()
    with guest_on(TapNetwork(), sys.argv[2], smp="2") as guest:
        check(guest)
    print("ok: answered while main computed")


if __name__ == "__main__":
    sys.exit(judge(main))
