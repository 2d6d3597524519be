#!/usr/bin/env python3
# Hostile and odd fragments, of IPv4 and IPv6.
# SPDX-License-Identifier: MIT
"""Usage: fragments.py IMAGE [CASE...] (http_server)"""

import itertools
import struct
import sys

from harness.frames import DESTINATION, ECHO6, ECHO_REPLY6, FRAGMENT, ICMP, ICMP6, icmp4, icmp6, ip4, ip6
from harness.wire import GUEST, GUEST6, TestFailure, guest_image, run_cases

numbers = itertools.count(1)


def message(host, number, size):
    """An echo request of that many bytes, without its IP header."""
    body = struct.pack("!HH", 0x0F0F, number) + bytes(i * 7 & 255 for i in range(size - 8))
    return icmp4(8, 0, body) if len(host) == 4 else icmp6(host, GUEST6, ECHO6, 0, body)


def fragment(host, number, data, start, end, more, front=b""):
    """data[start:end] as a fragment; `front` is a destination options header in front of IPv6's."""
    if len(host) == 4:
        return ip4(host, GUEST, ICMP, data[start:end], identification=number, fragment=(0x2000 if more else 0) | start // 8)
    header = struct.pack("!BBHI", ICMP6, 0, start | more, number)
    return ip6(host, GUEST6, DESTINATION if front else FRAGMENT, front + header + data[start:end])


def send_parts(wire, host, parts, size, front=b""):
    """Parts are (start, end, more) of one echo request. Returns its number."""
    number = next(numbers)
    data = message(host, number, size)
    for start, end, more in parts:
        wire.send(fragment(host, number, data, start, end, more, front))
    return number


def answer(wire, host, number):
    """The answer's bytes, when all that was sent has been looked at; None: there is none."""
    wire.settled(host)

    def is_it(frame):
        m = frame.icmp or frame.icmp6
        return m and frame.destination == host and m.type in (0, ECHO_REPLY6) and m.body[:4] == struct.pack("!HH", 0x0F0F, number)
    frame = wire.take(is_it)
    return frame.payload if frame else None


def expect_answer(wire, host, parts, size, what, front=b""):
    number = send_parts(wire, host, parts, size, front)
    got = answer(wire, host, number)
    if got is None or got[4:] != message(host, number, size)[4:]:
        raise TestFailure(f"{what}: the answer is {got}")


def expect_silence(wire, host, parts, size, what, front=b""):
    number = send_parts(wire, host, parts, size, front)
    if answer(wire, host, number) is not None:
        raise TestFailure(f"{what}: answered")


def both(wire, host):
    """Hosts of either version."""
    wire.ready6()
    return host, wire.host("fe80::21", "02:00:00:00:00:21")


def in_order(size, step):
    return [(at, min(at + step, size), at + step < size) for at in range(0, size, step)]


def whole_datagrams(wire, _guest, host):
    """RFC 8200 section 4.5, RFC 791: fragments in any order, twice, small and many, are put together as they were."""
    options = bytes([FRAGMENT, 1, 1, 12]) + bytes(12)
    for source in both(wire, host):
        parts = in_order(200, 80)
        for order in (parts, parts[::-1], parts[1:] + parts[:1], [parts[1], parts[1], parts[0], parts[0], parts[2]]):
            expect_answer(wire, source, order, 200, f"{order}")
        expect_answer(wire, source, in_order(480, 8), 480, "60 fragments of 8 bytes")
    expect_answer(wire, source, parts, 200, "with options in front", options)


def overlaps(wire, _guest, host):
    """RFC 8200 section 4.5, RFC 5722: a datagram whose fragments overlap is dropped as a whole."""
    _, source = both(wire, host)
    for wrong in ((56, 120, 1), (0, 72, 1), (8, 64, 1), (32, 48, 1), (56, 200, 0)):
        expect_silence(wire, source, [(0, 64, 1), wrong, (64, 120, 1), (120, 200, 0)], 200, f"{wrong} overlaps")
    expect_silence(wire, source, [(64, 120, 1), (8, 72, 1), (0, 64, 1), (120, 200, 0)], 200, "an overlap from the front")
    expect_answer(wire, source, in_order(200, 80), 200, "after the overlaps")


def beyond_the_end(wire, _guest, host):
    """RFC 8200 section 4.5, RFC 791: no bytes behind the last fragment, none beyond 65,535, none at all in a fragment."""
    options = bytes([FRAGMENT, 49, 1, 254]) + bytes(254) + bytes([1, 140]) + bytes(140)
    for source in both(wire, host):
        expect_silence(wire, source, [(64, 128, 0), (128, 192, 1), (0, 64, 1)], 192, "bytes behind the last fragment")
        expect_silence(wire, source, [(128, 192, 1), (64, 128, 0), (0, 64, 1)], 192, "a last fragment in the middle")
        expect_answer(wire, source, [(0, 0, 1), *in_order(192, 64)], 192, "a fragment without bytes in front")
        longest = in_order(65535, 1400)
        expect_silence(wire, source, longest, 65535, "65,535 bytes and a header")
        expect_silence(wire, source, [(65528, 66928, 0), *longest[:-1]], 66928, "a fragment beyond 65,535")
    expect_silence(wire, source, in_order(65488, 1400)[:-1] + [(64400, 65488, 0)], 65488, "65,488 bytes behind options", options)


def shares(wire, _guest, host):
    """A source that leaves datagrams unfinished takes no other's place."""
    for source, other in zip(both(wire, host), (wire.host("10.7.0.9", "02:00:00:00:00:09"),
                                                 wire.host("fe80::29", "02:00:00:00:00:29"))):
        number = next(numbers)
        data = message(source, number, 200)
        wire.send(fragment(source, number, data, 0, 80, 1))
        for _ in range(200):
            send_parts(wire, other, [(0, 80, 1)], 200)
        wire.send(fragment(source, number, data, 80, 200, 0))
        if answer(wire, source, number) is None:
            raise TestFailure("another's fragments took the place of a datagram that was under way")


CASES = [whole_datagrams, overlaps, beyond_the_end, shares]

if __name__ == "__main__":
    sys.exit(run_cases(CASES, guest_image(), together=True))
