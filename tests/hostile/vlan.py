#!/usr/bin/env python3
# Frames with 802.1Q tags: priorities, and VLANs as interfaces.
# SPDX-License-Identifier: MIT
"""Usage: vlan.py IMAGE [CASE...] (http_server)"""

import sys

from dhcp import HOST, ROUTER2, Server, expect_way
from harness.frames import TYPE_VLAN, echo, ip
from harness.wire import GUEST, GUEST4, GUEST_MAC, Connection, TestFailure, Wire, guest_image, guest_on, judge

STATIC = f"ip={GUEST4}/24,10.7.0.1"
REQUEST = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"


class TaggedWire(Wire):
    """All that is sent has a tag: self.tag, None for none."""

    def __init__(self, append, tag):
        super().__init__(append)
        self.tag = tag

    def send_frame(self, frame):
        if self.tag is not None and frame[12:14] != TYPE_VLAN.to_bytes(2, "big"):
            frame = frame[:12] + TYPE_VLAN.to_bytes(2, "big") + self.tag.to_bytes(2, "big") + frame[12:]
        super().send_frame(frame)


def served(wire, port, address=GUEST):
    connection = Connection(wire, HOST, 80, port, address)
    connection.open()
    for _ in range(2):
        connection.send(REQUEST)
        if not connection.receive(100).startswith(b"HTTP/1.1 200 "):
            raise TestFailure("the server gives no page")


def unanswered(wire, tag, back):
    """An echo request with that tag, behind which another with the right one is answered."""
    wire.tag = tag
    wire.send(echo(HOST, GUEST, 99))
    wire.tag = back
    wire.settled(HOST)
    if wire.all(lambda f: f.icmp and f.icmp.body[:2] == b"\0\x63"):
        raise TestFailure(f"a frame with tag {tag} is answered")


def priorities():
    """Frames with priority tags (number 0) are the device's own; its answers have none (IEEE 802.1Q 6.9)."""
    wire = TaggedWire(STATIC, 6 << 13)
    with machine(wire):
        served(wire, 40000)
        wire.send_frame(b"\xff" * 6 + b"\2" * 6 + b"\x81\0")  # cut within the tag
        wire.send_frame(b"\xff" * 6 + b"\2" * 6 + b"\x81\0\0\0\x08\0")
        unanswered(wire, 5, 0)
        wire.tag = None
        served(wire, 40001)
        if any(f.vlan is not None for f in wire.kept):
            raise TestFailure("the machine puts tags on its frames")


def one_vlan():
    """vlan=5: the machine's network is VLAN 5 of its device, with DHCP, and nothing else reaches it."""
    wire = TaggedWire("vlan=5 hostname=tagged route=10.9.0.0/16,10.7.0.9", 5)
    with machine(wire, wait=False) as guest:
        Server(wire, HOST, vlan=5).give()
        guest.expect(r"net: eth0\.5 10\.7\.0\.2/24 gateway 10\.7\.0\.1")
        guest.position = 0
        guest.expect("http_server: serving")
        served(wire, 40000)
        for tag in (None, 0, 6, 0xFFF):
            unanswered(wire, tag, 5)
        expect_way(wire, ip("10.9.1.1"), ROUTER2)
        expect_way(wire, ip("192.0.2.1"), HOST)
        if any(f.vlan != 5 for f in wire.kept):
            raise TestFailure("frames without the tag of VLAN 5 leave the machine")


def several():
    """Two VLANs and the device itself, each with an address; wrong words are named, with what to write."""
    mac = GUEST_MAC.hex(":")
    wire = TaggedWire(f"vlan=5 vlan=eth0:6 vlan=6 vlan=0 ip=eth0:10.7.0.2/24,10.7.0.1 ip=eth0.6:10.7.6.2/24 ip={mac}:10.7.5.2/24 "
                      "ip=eth7:dhcp ip=eth0:10.7.0.300/24 mtu=9000 mtu=1400 route=10.1.0.0/33,10.7.0.9", None)
    with machine(wire) as guest:
        served(wire, 40000)
        for tag, address in ((5, "10.7.5.2"), (6, "10.7.6.2")):
            wire.tag = tag
            wire.host(f"10.7.{tag}.1", "02:00:00:00:00:51")
            wire.settled(ip(f"10.7.{tag}.1"), ip(address))
        for line in (r"vlan=6: it is there twice", r"vlan=0: a VLAN is a number from 1 to 4094; .*vlan=5",
                     r"ip=eth7:dhcp: there is no such network device", r"ip=eth0:10\.7\.0\.300/24: .*ip=10\.0\.2\.15/24",
                     r"mtu=9000: the device does not carry so much", r"route=10\.1\.0\.0/33,10\.7\.0\.9: .*0 to 32"):
            guest.position = 0
            guest.expect("error: .*" + line)


CASES = [priorities, one_vlan, several]


class machine:
    def __init__(self, wire, wait=True):
        self.wire, self.wait = wire, wait
        wire.host(HOST, "02:00:00:00:00:01")
        wire.host(ROUTER2, "02:00:00:00:00:09")

    def __enter__(self):
        self.context = guest_on(self.wire, guest_image())
        guest = self.context.__enter__()
        if self.wait:
            guest.expect("http_server: serving")
            self.wire.settled(HOST)
        return guest

    def __exit__(self, *rest):
        return self.context.__exit__(*rest)


def main():
    for case in CASES:
        if not sys.argv[2:] or case.__name__ in sys.argv[2:]:
            case()
            print(f"ok: {case.__name__}: {case.__doc__}", flush=True)


if __name__ == "__main__":
    sys.exit(judge(main))
