#!/usr/bin/env python3
# Hostile and odd ICMPv6: path MTUs, neighbours, routers.
# SPDX-License-Identifier: MIT
"""Usage: nd.py IMAGE [CASE...] (http_server)"""

import sys

from frames import echo, packet_too_big
from wire import GUEST6, guest_image, run_cases


def path_mtu_below_1280(wire, _guest, _host):
    """RFC 8201 section 4: a path MTU below 1280 is ignored; the machine goes on answering."""
    attacker = wire.host("fe80::bad", "02:00:00:00:00:66")
    wire.ready6()
    wire.settled(attacker)
    wire.send(packet_too_big(attacker, GUEST6, 48, echo(GUEST6, attacker, 1)))
    wire.settled(attacker)


CASES = [path_mtu_below_1280]

if __name__ == "__main__":
    sys.exit(run_cases(CASES, guest_image()))
