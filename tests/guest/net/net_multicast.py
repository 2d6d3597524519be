#!/usr/bin/env python3
# Multicast groups, by each card: datagrams to them arrive, a router's queries are answered, leaving is told.
# SPDX-License-Identifier: MIT
"""Usage: net_multicast.py SOURCE IMAGE"""

import socket
import struct
import sys
import time

from harness import PASSED, PATIENCE, TestFailure, judge
from net_ipv6 import LINK_LOCAL, internet_checksum, ping
from harness.network import GUEST4, HOST4, MAC, ROUTER6, TapNetwork, enter_namespace, guest_on

GROUP4, OTHER4, GROUP6, OTHER6, PORT = "239.7.7.7", "239.7.7.8", "ff15::7", "ff15::8", 7007
CARDS = ("virtio-net-pci", "e1000", "e1000e", "vmxnet3")  # each has to hand groups on
ETHERNET, QUERIES, TIMEOUT = 14, 3, 20 * PATIENCE
# RFC 2236 section 2.1, RFC 2710 section 3: types of messages
IGMP_QUERY, IGMP_REPORT, IGMP_LEAVE = 0x11, 0x16, 0x17
MLD_QUERY, MLD_REPORT, MLD_DONE = 130, 131, 132
ROUTER_ALERT6 = bytes((0, 0, 5, 2, 0, 0, 1, 0))  # hop-by-hop option header, RFC 2711


class Wire:
    """Every frame that the guest sends."""

    def __enter__(self):
        self.packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # ETH_P_ALL
        self.packets.bind(("tap0", 0))
        return self

    def __exit__(self, *_):
        self.packets.close()

    def await_message(self, found, what):
        deadline = time.monotonic() + TIMEOUT
        while (left := deadline - time.monotonic()) > 0:
            self.packets.settimeout(left)
            try:
                frame = self.packets.recv(65536)
            except TimeoutError:
                break
            if frame[6:12] == bytes.fromhex(MAC.replace(":", "")) and found(frame):
                return
        raise TestFailure(f"no {what} within {TIMEOUT} s")


def link_local():
    return ROUTER6, 0, 0, socket.if_nametoindex("tap0")


def igmp(kind):
    """Whether a frame is such a message about our group; IPv4 with a router alert (RFC 2236 section 2)."""
    def found(frame):
        header = (frame[ETHERNET] & 15) * 4
        message = frame[ETHERNET + header:]
        return frame[12:14] == b"\x08\x00" and frame[ETHERNET + 9] == socket.IPPROTO_IGMP and header == 24 and \
            message[0] == kind and message[4:8] == socket.inet_aton(GROUP4)
    return found


def mld(kind):
    def found(frame):
        message = frame[ETHERNET + 48:]
        return frame[12:14] == b"\x86\xdd" and frame[ETHERNET + 6] == 0 and frame[ETHERNET + 40] == socket.IPPROTO_ICMPV6 \
            and message[0] == kind and message[8:24] == socket.inet_pton(socket.AF_INET6, GROUP6)
    return found


def query4():
    unsummed = struct.pack("!BBH4s", IGMP_QUERY, 5, 0, bytes(4))  # to be answered within 0.5 s
    message = unsummed[:2] + struct.pack("!H", internet_checksum(unsummed)) + unsummed[4:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP) as raw:
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(HOST4))
        raw.sendto(message, ("224.0.0.1", 0))


def query6():
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, link_local()[3])
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_HOPOPTS, ROUTER_ALERT6)
        raw.bind(link_local())
        raw.sendto(struct.pack("!BBHHH16s", MLD_QUERY, 0, 0, 500, 0, bytes(16)), ("ff02::1", 0))


def check_datagrams(family, group, other):
    """What goes to the group comes back, what goes to another group does not."""
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(TIMEOUT)
        if family == socket.AF_INET:
            client.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(HOST4))
        else:
            client.bind(link_local())  # the guest has no other address
            client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, link_local()[3])
        for text in (b"first", b"leave"):
            client.sendto(b"to others", (other, PORT))
            client.sendto(text, (group, PORT))
            data = client.recv(2000)
            if data != text:
                raise TestFailure(f"'{data}' came back from {group}, not '{text}'")


def check(guest, wire):
    guest.expect("^ready$")
    for _ in range(QUERIES):
        query4()
        wire.await_message(igmp(IGMP_REPORT), "IGMP report")
        query6()
        wire.await_message(mld(MLD_REPORT), "MLD report")
    check_datagrams(socket.AF_INET, GROUP4, OTHER4)
    ping(socket.AF_INET6, LINK_LOCAL + "%tap0", 56)  # duplicate address detection is over
    check_datagrams(socket.AF_INET6, GROUP6, OTHER6)
    wire.await_message(igmp(IGMP_LEAVE), f"IGMP leave message from {GUEST4}")
    wire.await_message(mld(MLD_DONE), "MLD done message")
    guest.send("\n")
    if guest.wait() != PASSED:
        raise TestFailure("the guest did not pass")


def main():
    enter_namespace()
    for card in CARDS:
        with guest_on(TapNetwork(device=card), sys.argv[2], f"{card}: ") as guest, Wire() as wire:
            check(guest, wire)
        print(f"ok: {card}: {QUERIES} queries answered, datagrams to two groups, both left", flush=True)


if __name__ == "__main__":
    sys.exit(judge(main))
