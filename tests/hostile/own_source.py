#!/usr/bin/env python3
# Packets from the wire that claim to be the machine's own: answered, they would go round in it for ever.
# SPDX-License-Identifier: MIT
# @image echo_server
"""Usage: own_source.py IMAGE [CASE...] (echo_server)"""

import sys

from harness.frames import SYN, TCP, TYPE_IP4, UDP, ethernet, ip, packet, tcp, udp
from harness.wire import GUEST, GUEST4, GUEST6, HOST4, PREFIX4, TestFailure, guest_image, run_cases

ECHO, LOOKS = 7, 200
OTHER = "10.8.0.2"  # of the machine's VLAN
APPEND = f"vlan=5 ip=eth0:{GUEST4}/{PREFIX4},{HOST4} ip=eth0.5:{OTHER}/24"


def is_idle(guest):
    """Whether the machine halts now and then; one that talks to itself never does."""
    return any("HLT=1" in guest.monitor("info registers") for _ in range(LOOKS))


def goes_round(wire, guest, source, destination):
    wire.send(packet(source, destination, UDP, udp(source, destination, ECHO, ECHO, b"round")))
    wire.settled(next(iter(wire.hosts)))
    if not is_idle(guest):
        raise TestFailure("the machine does not come to rest any more")


def own(wire, guest, _host):
    """RFC 1122 section 3.2.1.3: a packet from the machine's own address is dropped"""
    goes_round(wire, guest, GUEST, GUEST)


def own_other(wire, guest, _host):
    """RFC 1122 section 3.2.1.3: so is one from the address of another of its interfaces"""
    goes_round(wire, guest, ip(OTHER), GUEST)


def loopback(wire, guest, _host):
    """RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3: and one from a loopback address, of IPv4 and IPv6"""
    wire.ready6()
    goes_round(wire, guest, ip("127.0.0.1"), GUEST)
    goes_round(wire, guest, ip("::1"), GUEST6)


def to_everybody_by_frame(wire, _guest, host):
    """RFC 9293 section 3.9.2.3: a SYN in a frame to everybody is not answered, whatever its IP address"""
    segment = packet(host, GUEST, TCP, tcp(host, GUEST, 4000, ECHO, SYN, 1))
    wire.send_frame(ethernet(b"\xff" * 6, wire.hosts[host], TYPE_IP4, segment))
    wire.settled(host)
    if wire.take(lambda frame: frame.tcp and frame.tcp.port == 4000):
        raise TestFailure("the SYN was answered")


CASES = [own, own_other, loopback, to_everybody_by_frame]

if __name__ == "__main__":
    sys.exit(run_cases(CASES, guest_image(), "echo_server: port", append=APPEND, together=True))
