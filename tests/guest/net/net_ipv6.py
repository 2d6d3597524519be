#!/usr/bin/env python3
# IPv6: the guest takes an address from a router advertisement, answers pings over both protocols, and serves.
# SPDX-License-Identifier: MIT
"""Usage: net_ipv6.py IMAGE (http_server)"""

import os
import select
import socket
import struct
import sys
import time

from harness import PATIENCE, TestFailure, judge
from harness.network import GUEST4, GUEST6, PREFIX6, ROUTER6, TapNetwork, connect, enter_namespace, guest_on, http_get

ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT = 133, 134
LINK_LOCAL = "fe80::5054:ff:fe12:3456"


def advertisement():
    """RFC 4861 section 4.2: hop limit 64, lifetime 1800 s, one prefix for autoconfiguration; the kernel adds the
    checksum."""
    prefix = struct.pack("!BBBBIII16s", 3, 4, 64, 0xC0, 86400, 14400, 0, socket.inet_pton(socket.AF_INET6, PREFIX6))
    return struct.pack("!BBHBBHII", ROUTER_ADVERTISEMENT, 0, 0, 64, 0, 1800, 0, 0) + prefix


def open_router():
    router = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    router.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"tap0")
    index = socket.if_nametoindex("tap0")
    router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)
    router.bind((ROUTER6, 0, 0, index))  # RFC 4861 section 6.1.2: the source must be link-local
    group = socket.inet_pton(socket.AF_INET6, "ff02::2") + struct.pack("@I", index)
    router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    return router


class RoutedNetwork(TapNetwork):
    """A tap with a router, which is there before the guest asks for one: it asks three times at most."""

    def __enter__(self):
        super().__enter__()
        self.router = open_router()
        return self

    def __exit__(self, *rest):
        self.router.close()
        super().__exit__(*rest)


def answer_solicitation(router, timeout):
    """Waits for the guest's router solicitation and advertises."""
    timeout *= PATIENCE
    deadline = time.monotonic() + timeout
    while select.select([router], [], [], max(0, deadline - time.monotonic()))[0]:
        message, _ = router.recvfrom(2048)
        if message[0] == ROUTER_SOLICITATION:
            router.sendto(advertisement(), ("ff02::1", 0))
            return
    raise TestFailure(f"no router solicitation came within {timeout} s")


def internet_checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ping(family, address, size, timeout=10 * PATIENCE):
    """One echo request of that many bytes of data; the answer must carry the same."""
    body = os.urandom(size)
    if family == socket.AF_INET:
        protocol, request, reply = socket.IPPROTO_ICMP, 8, 0
        unsummed = struct.pack("!BBHHH", request, 0, 0, 77, 1) + body
        packet = unsummed[:2] + struct.pack("!H", internet_checksum(unsummed)) + unsummed[4:]
    else:
        protocol, request, reply = socket.IPPROTO_ICMPV6, 128, 129
        packet = struct.pack("!BBHHH", request, 0, 0, 77, 1) + body
    with socket.socket(family, socket.SOCK_RAW, protocol) as pinger:
        pinger.sendto(packet, (address, 0))
        deadline = time.monotonic() + timeout
        while select.select([pinger], [], [], max(0, deadline - time.monotonic()))[0]:
            message, (sender, *_) = pinger.recvfrom(70000)
            if family == socket.AF_INET:
                message = message[(message[0] & 15) * 4:]
            if sender.split("%")[0] == address.split("%")[0] and message[0] == reply and message[8:] == body:
                return
    raise TestFailure(f"no answer to a ping of {size} bytes to {address}")


def lower_path_mtu(router):
    """RFC 8201: a connection goes on when it hears of a smaller path MTU while it has larger segments to send."""
    with socket.socket(socket.AF_INET6) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 6000)
        client.settimeout(20 * PATIENCE)
        client.connect((GUEST6, 80))
        request = b"GET / HTTP/1.1\r\nHost: x\r\n"
        client.sendall((request + b"\r\n") * 9 + request + b"Connection: close\r\n\r\n")
        select.select([client], [], [], 20 * PATIENCE)
        addresses = [socket.inet_pton(socket.AF_INET6, end) for end in (GUEST6, client.getsockname()[0])]
        quoted = struct.pack("!IHBB", 6 << 28, 1440, socket.IPPROTO_TCP, 64) + b"".join(addresses) + bytes(20)
        router.sendto(struct.pack("!BBHI", 2, 0, 0, 1280) + quoted, (GUEST6, 0))
        size = 0
        while data := client.recv(65536):
            size += len(data)
    if size < 10 * 2500:
        raise TestFailure(f"behind a Packet Too Big only {size} bytes came")


def check(guest, router):
    answer_solicitation(router, 20)
    connect((GUEST4, 80)).close()
    # Duplicate address detection takes a second before the address answers.
    connect((GUEST6, 80), 20).close()
    for address in (GUEST4, GUEST6):
        status, _, body = http_get((address, 80))
        if status != 200 or not body:
            raise TestFailure(f"http over {address}: status {status}, {len(body)} bytes")
    for size in (0, 56, 1400):
        ping(socket.AF_INET, GUEST4, size)
        ping(socket.AF_INET6, GUEST6, size)
    ping(socket.AF_INET6, LINK_LOCAL + "%tap0", 56)
    lower_path_mtu(router)
    ping(socket.AF_INET6, GUEST6, 1400)
    if not guest.alive():
        raise TestFailure("the machine ended")


def main():
    enter_namespace()
    network = RoutedNetwork()
    with guest_on(network, sys.argv[1]) as guest:
        check(guest, network.router)
    print("ok: SLAAC address, pings and pages over IPv4 and IPv6")


if __name__ == "__main__":
    sys.exit(judge(main))
