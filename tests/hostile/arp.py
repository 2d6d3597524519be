#!/usr/bin/env python3
# Hostile and odd ARP.
# SPDX-License-Identifier: MIT
"""Usage: arp.py IMAGE [CASE...] (http_server)"""

import sys

from harness.frames import BROADCAST, TYPE_ARP, arp, echo, ethernet, ip
from harness.wire import GUEST, GUEST_MAC, TestFailure, guest_image, run_cases

BAD = b"\x02\0\0\0\0\x66"


def say(wire, operation, sender, hardware, target=GUEST, to=GUEST_MAC):
    wire.send_frame(ethernet(to, hardware, TYPE_ARP, arp(operation, hardware, sender, bytes(6), target)))


def strangers():
    """More addresses of the network than the table has places."""
    return [(ip(f"10.7.0.{i}"), bytes([6, 0, 0, 0, 0, i])) for i in range(10, 250)]


def floods(wire, _guest, host):
    """The entry of a neighbour that packets are sent to outlives those that anybody makes with addresses of nobody."""
    wire.forget()
    for _ in range(3):
        for address, hardware in strangers():
            say(wire, 1, address, hardware, to=BROADCAST)
        wire.settled(host)
    for address, hardware in strangers():
        wire.send(echo(address, GUEST, 1), hardware)
    wire.settled(host)
    if host in wire.asked:
        raise TestFailure("the guest has to ask for a neighbour that it sends to")
    wire.settled(wire.host("10.7.0.3", "02:00:00:00:00:03"))


def wrong_senders(wire, _guest, host):
    """RFC 826: a group has no hardware address to send to; what is shorter than an ARP packet is none."""
    say(wire, 2, host, b"\x03\0\0\0\0\x66")
    say(wire, 1, host, BROADCAST)
    wire.send_frame(ethernet(GUEST_MAC, BAD, TYPE_ARP, arp(2, BAD, host, GUEST_MAC, GUEST)[:20]))
    wire.forget()
    wire.settled(host)
    wire.send(echo(host, GUEST, 9))
    answer = wire.expect(lambda f: f.icmp and f.icmp.type == 0 and f.icmp.body[:2] == b"\0\x09", "an answer")
    if answer.destination_mac != wire.hosts[host]:
        raise TestFailure(f"the guest sends to {answer.destination_mac.hex()}")


def own_address_claimed(wire, guest, host):
    """RFC 5227 section 2.4: another host with our address is said, once, and changes nothing."""
    for operation, target in ((2, GUEST), (1, GUEST), (1, host), (2, host)):
        say(wire, operation, GUEST, BAD, target, BROADCAST)
    wire.settled(host)
    guest.expect("eth0: 02:00:00:00:00:66 claims an address of this machine")


CASES = [floods, wrong_senders, own_address_claimed]

if __name__ == "__main__":
    sys.exit(run_cases(CASES, guest_image(), together=True))
