#!/usr/bin/env python3
# Hostile and odd multicast listener discovery.
# SPDX-License-Identifier: MIT
"""Usage: mld.py IMAGE [CASE...] (http_server)"""

import struct
import sys

from harness.frames import HOP_BY_HOP, ICMP6, icmp6, ip, ip6
from harness.wire import TestFailure, a_second, guest_image, run_cases

ALL = ip("ff02::1")


def query(source, delay=0, hop_limit=1):
    """A general query, with the router alert option in front."""
    message = icmp6(source, ALL, 130, 0, struct.pack("!HH", delay, 0) + bytes(16))
    return ip6(source, ALL, HOP_BY_HOP, bytes([ICMP6, 0, 5, 2, 0, 0, 1, 0]) + message, hop_limit=hop_limit)


def reports(wire):
    """Behind hop-by-hop options of 8 bytes: type 131, the group at 8."""
    found = wire.all(lambda f: f.protocol == HOP_BY_HOP and f.payload[8] == 131)
    return [frame.payload[16:32] for frame in found]


def queries(wire, _guest, host):
    """RFC 2710 section 3, RFC 3810 section 6.2: queries from afar are discarded; a flood brings one report a group at a time."""
    wire.ready6()
    router = wire.host("fe80::41", "02:00:00:00:00:41")
    wire.settled(router)
    a_second(wire, host)  # the reports of joining are over
    wire.forget()
    wire.send(query(router, hop_limit=64))
    wire.send(query(ip("2001:db8::1"), hop_limit=1), wire.hosts[router])
    a_second(wire, host)
    if reports(wire):
        raise TestFailure("a query from afar was answered")
    for _ in range(500):
        wire.send(query(router))
    wire.expect(lambda f: f.protocol == HOP_BY_HOP and f.payload[8] == 131, "a report")
    wire.settled(router)
    groups = reports(wire)
    if len(groups) > 50:
        raise TestFailure(f"500 queries brought {len(groups)} reports")


CASES = [queries]

if __name__ == "__main__":
    sys.exit(run_cases(CASES, guest_image(), together=True))
