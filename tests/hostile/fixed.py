#!/usr/bin/env python3
# Fixed IPv6 addresses and gateways of the command line, in a network without a router's advertisement.
# SPDX-License-Identifier: MIT
"""Usage: fixed.py IMAGE (http_server)"""

import sys

from harness.frames import echo, ip
from harness.wire import GUEST4, TestFailure, Wire, guest_image, guest_on, judge

ROUTER, NEIGHBOUR, FAR, MINE = ip("fe80::1"), ip("fd00:7::1"), ip("fd00:8::9"), ip("fd00:7::2")


def test():
    wire = Wire(f"ip={GUEST4}/24 ip=eth0:fd00:7::2/64,fe80::1")
    wire.host(ROUTER, "02:00:00:00:00:01")
    wire.host(NEIGHBOUR, "02:00:00:00:00:02")
    with guest_on(wire, guest_image()) as guest:
        guest.expect("net: eth0 fd00:7::2/64")
        wire.settled(NEIGHBOUR, MINE)
        wire.send(echo(FAR, MINE, 7), hardware=wire.hosts[ROUTER])
        reply = wire.expect(lambda f: f.icmp6 and f.icmp6.type == 129 and f.destination == FAR, "an answer by the gateway")
        if reply.destination_mac != wire.hosts[ROUTER]:
            raise TestFailure("the answer does not go to the gateway")
    print("ok: a fixed IPv6 address with its gateway")


if __name__ == "__main__":
    sys.exit(judge(test))
