#!/usr/bin/env python3
# Floods of SYNs from addresses that never answer.
# SPDX-License-Identifier: MIT
"""Usage: tcp_flood.py IMAGE [CASE...] (http_server)"""

import random
import sys

from harness.exchange import HTTP, Exchange
from harness.frames import ACK, SYN, ip, mss, packet, tcp
from harness.frames import TCP as PROTOCOL_TCP
from harness.wire import GUEST, GUEST6, TestFailure, guest_image, run_cases

REQUEST = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"
ATTACKER = b"\x02\0\0\0\0\x66"
AT_ONCE = 100


def flood(wire, host, count, source):
    """So many SYNs, from source() each, as fast as the machine looks at them."""
    for i in range(count):
        sender = source()
        wire.send(packet(sender, GUEST6 if len(sender) == 16 else GUEST, PROTOCOL_TCP,
                         tcp(sender, GUEST6 if len(sender) == 16 else GUEST, random.randrange(1024, 65536), HTTP, SYN,
                             random.getrandbits(32), options=mss(1460))), hardware=ATTACKER)
        if i % AT_ONCE == AT_ONCE - 1:
            wire.settled(host)
            wire.forget()


def scattered():
    return bytes([random.randrange(11, 127), *random.randbytes(3)])


def one_network():
    return ip("198.51.100.0")[:3] + random.randbytes(1)


def one_network6():
    return ip("2001:db8::")[:8] + random.randbytes(8)


def served_in_spite_of(wire, host, count, source):
    """A client whose handshake takes as long as the flood is served; so is one behind it."""
    slow = Exchange(wire, host, HTTP)
    slow.segment(SYN, options=mss(1460), acknowledged=0)
    answer = slow.answer("a SYN-ACK", lambda s: s.flags & SYN)
    slow.next, slow.expected = slow.next + 1, answer.sequence + 1
    flood(wire, host, count, source)
    slow.segment(ACK)
    for client in (slow, Exchange.established(wire, host, HTTP)):
        client.send(REQUEST)
        if not client.receive(100).startswith(b"HTTP/1.1 200 "):
            raise TestFailure("the answer is another one")
        client.segment(ACK | 4)


def scattered_1100(wire, _guest, host):
    """1,100 SYNs from anywhere within a client's handshake do not end it"""
    served_in_spite_of(wire, host, 1100, scattered)


def scattered_5000(wire, _guest, host):
    """5,000 SYNs from anywhere within a client's handshake do not end it (64 MiB)"""
    served_in_spite_of(wire, host, 5000, scattered)


def one_network_8000(wire, _guest, host):
    """However many SYNs from one network: its own go, not those of others"""
    served_in_spite_of(wire, host, 8000, one_network)


def one_network6_5000(wire, _guest, host):
    """The same with IPv6, whose networks are /64"""
    served_in_spite_of(wire, host, 5000, one_network6)


CASES = [scattered_1100, scattered_5000, one_network_8000, one_network6_5000]

if __name__ == "__main__":
    sys.exit(run_cases(CASES, guest_image(), together=True))
