#!/usr/bin/env python3
# What may be answered by ICMP, and how often.
# SPDX-License-Identifier: MIT
"""Usage: icmp.py IMAGE [CASE...] (http_server)"""

import struct
import sys
import time

from harness.frames import (BROADCAST, DESTINATION, ECHO6, HOP_BY_HOP, ICMP6, ROUTING, TYPE_IP4, UDP, ethernet, icmp6, ip, ip6, packet,
                    solicited_node, udp)
from harness.wire import GUEST, GUEST6, GUEST_MAC, TestFailure, a_second, guest_image, run_cases

SHARE, MANY = 20, 1000  # errors a second to one place; more than that in any case
GROUP4, GROUP6 = ip("224.0.0.1"), ip("ff02::1")


def closed(source, destination, port=9):
    """A datagram to a port that nobody listens at."""
    return packet(source, destination, UDP, udp(source, destination, 5000, port, b"x"))


def is_error(frame):
    return (frame.icmp is not None and frame.icmp.type in (3, 4, 11, 12)) or (frame.icmp6 is not None and frame.icmp6.type < 128)


def errors_have_a_rate(wire, _guest, host):
    """RFC 1812 section 4.3.2.8, RFC 4443 section 2.4 (f): errors have a rate, and one source does not use up another's."""
    wire.ready6()
    pairs = [(host, wire.host("10.7.0.9", "02:00:00:00:00:09")),
             (wire.host("fe80::31", "02:00:00:00:00:31"), wire.host("fe80::32", "02:00:00:00:00:32"))]
    for source, other in pairs:
        a_second(wire, host)  # what there is for all has been saved up again
        wire.settled(source)
        wire.settled(other)
        wire.forget()
        start = time.monotonic()
        for port in range(MANY):
            wire.send(closed(source, GUEST if len(source) == 4 else GUEST6, 1000 + port))
        wire.settled(source)
        count = len(wire.all(is_error))
        most = SHARE * (2 + int(time.monotonic() - start))
        if not 0 < count <= most:
            raise TestFailure(f"{MANY} datagrams brought {count} errors, at most {most} are due")
        wire.send(closed(other, GUEST if len(source) == 4 else GUEST6))
        wire.expect(lambda f: is_error(f) and f.destination == other, "an error to another host")


def groups(wire, _guest, host):
    """RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e): no error about what was sent to many, none to who has no address."""
    wire.ready6()
    source = wire.host("fe80::33", "02:00:00:00:00:33")
    wire.settled(source)
    options = bytes([ICMP6, 0, 0xC1, 4]) + bytes(4)  # unknown: discard, and an error unless to a group
    for destination in (GROUP4, ip("10.7.0.255"), ip("255.255.255.255")):
        wire.send(closed(host, destination), to=BROADCAST)
        wire.send(packet(host, destination, 200, b"x" * 20), to=BROADCAST)
    wire.send_frame(ethernet(BROADCAST, wire.hosts[host], TYPE_IP4, closed(host, GUEST)))
    wire.send(closed(source, GROUP6))
    wire.send(ip6(source, GROUP6, DESTINATION, options))
    wire.send(ip6(source, GROUP6, 200, bytes(8)))
    unsaid = solicited_node(GUEST6)
    wire.send(ip6(bytes(16), unsaid, HOP_BY_HOP, bytes([ICMP6, 0, 0x81, 4]) + bytes(4)))
    wire.settled(host)
    wire.settled(source)
    wrong = [f"to {f.destination.hex()}: {f.payload[:2].hex()}" for f in wire.all(is_error)]
    if wrong:
        raise TestFailure(f"errors: {wrong}")


def routing_headers(wire, _guest, _host):
    """RFC 8200 section 4.4, RFC 5095: segments left, of a type that is not known: discarded, with a Parameter Problem."""
    wire.ready6()
    source = wire.host("fe80::34", "02:00:00:00:00:34")
    wire.settled(source)
    for kind in (0, 2, 3, 4, 200):
        for following in (HOP_BY_HOP, ROUTING):
            echo = icmp6(source, GUEST6, ECHO6, 0, struct.pack("!HH", 1, kind))
            header = bytes([ICMP6, 2, kind, 1]) + bytes(4) + GUEST6
            front = bytes([ROUTING, 0, 1, 4]) + bytes(4) if following == HOP_BY_HOP else b""
            wire.send(ip6(source, GUEST6, following, front + header + echo))
            error = wire.expect(is_error, f"a Parameter Problem for type {kind}")
            if error.icmp6.type != 4 or int.from_bytes(error.icmp6.body[:4], "big") != 42 + len(front):
                raise TestFailure(f"type {kind}: {error.icmp6}")
    if wire.all(lambda f: f.icmp6 and f.icmp6.type == ECHO6 + 1 and f.icmp6.body[:2] == b"\0\1"):
        raise TestFailure("an echo request with segments left was answered")


def short_extension_headers(wire, _guest, _host):
    """RFC 8200 section 4: headers that are not whole, or end in the middle of an option: discarded."""
    wire.ready6()
    source = wire.host("fe80::35", "02:00:00:00:00:35")
    for following in (HOP_BY_HOP, DESTINATION, ROUTING, 44):
        for header in (b"", bytes([following]), bytes([ICMP6, 255, 1, 4, 0, 0, 0, 0]), bytes([following, 0, 1, 255, 0, 0, 0, 0]),
                       bytes([DESTINATION, 0, 0, 0, 0, 0, 0, 0]) * 180, bytes([ICMP6, 31]) + bytes(254), bytes(7)):
            wire.send(ip6(source, GUEST6, following, header))
    wire.send_frame(ethernet(GUEST_MAC, wire.hosts[source], 0x86DD, ip6(source, GUEST6, 0, b"")[:20]))
    wire.settled(source)


CASES = [groups, routing_headers, short_extension_headers, errors_have_a_rate]

if __name__ == "__main__":
    sys.exit(run_cases(CASES, guest_image(), together=True))
