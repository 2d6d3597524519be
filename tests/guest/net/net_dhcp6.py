#!/usr/bin/env python3
# DHCPv6 by a router's advice: the test is router, servers and name server; an address from the first SOLICIT to refusal and
# renewal, and name servers alone.
# SPDX-License-Identifier: MIT
"""Usage: net_dhcp6.py SOURCE IMAGE (net_dhcp6.c). Section numbers are those of RFC 8415."""

import struct
import sys
import time

from harness.frames import UDP, ip, ip6, prefix_information, router_advertisement, text, udp
from harness.wire import GUEST6, GUEST_MAC, PATIENCE, TestFailure, Wire, guest_on, judge

SOLICIT, ADVERTISE, REQUEST, RENEW, REBIND, REPLY, INFORMATION = 1, 2, 3, 5, 6, 7, 11
CLIENT_ID, SERVER_ID, ADDRESSES, ADDRESS, WANTED, PREFERENCE, ELAPSED, STATUS, DNS, SOLICIT_MAX = 1, 2, 3, 5, 6, 7, 8, 13, 23, 82
NO_ADDRESS, NO_BINDING, FOREVER = 2, 3, 0xFFFFFFFF
ROUTER, SERVERS, PREFIX = ip("fe80::1"), ip("ff02::1:2"), ip("fd00:7::")
LEASED, OTHER, NAMES = ip("fd00:7::a"), ip("fd00:7::b"), ip("fd00:7::53")
ONE, TWO = b"\0\3\0\1\2\0\0\0\0\5", b"\0\2\0\0\1\x23two"
MANAGED, OTHERS, ON_LINK, AUTONOMOUS = 0x80, 0x40, 0x80, 0x40


def option(code, data):
    return struct.pack("!HH", code, len(data)) + data


def options_of(data):
    found = {}
    while data:
        code, length = struct.unpack("!HH", data[:4])
        found[code] = data[4:4 + length]
        data = data[4 + length:]
    return found


class Message:
    def __init__(self, frame):
        data = frame.udp.data
        self.type, self.xid, self.options, self.time = data[0], data[1:4], options_of(data[4:]), time.monotonic()
        self.address = None
        if ADDRESSES in self.options:
            inner = options_of(self.options[ADDRESSES][12:])
            self.address = inner[ADDRESS][:16] if ADDRESS in inner else None


class Servers:
    def __init__(self, wire):
        self.wire = wire

    def expect(self, kind, timeout=15):
        frame = self.wire.expect(lambda f: f.udp is not None and f.udp.port == 547 and f.destination == SERVERS,
                                 f"a DHCPv6 message of type {kind}", timeout)
        message = Message(frame)
        if message.type != kind or message.options[CLIENT_ID] != b"\0\3\0\1" + GUEST_MAC:
            raise TestFailure(f"the DHCPv6 client sends type {message.type} with {message.options}, not type {kind}")
        return message

    def answer(self, kind, message, options, server=ONE, client=None):
        data = bytes([kind]) + message.xid + option(CLIENT_ID, client or message.options[CLIENT_ID])
        data += (option(SERVER_ID, server) if server else b"") + options
        self.wire.send(ip6(ROUTER, GUEST6, UDP, udp(ROUTER, GUEST6, 547, 546, data)))

    @staticmethod
    def addresses(message, address=LEASED, preferred=600, valid=900, t1=0, t2=0, more=b""):
        return option(ADDRESSES, message.options[ADDRESSES][:4] + struct.pack("!II", t1, t2) + more +
                      option(ADDRESS, address + struct.pack("!II", preferred, valid)))


def status(code):
    return option(STATUS, struct.pack("!H", code) + b"no")


def advertise_router(wire, flags, prefix_flags):
    """Once the guest asks for one."""
    wire.expect(lambda f: f.icmp6 and f.icmp6.type == 133, "a router solicitation")
    wire.send(router_advertisement(ROUTER, prefix_information(PREFIX, 64, prefix_flags), flags=flags))


def answer_name(wire, guest):
    """The name server's part: one address for whatever is asked."""
    query = wire.expect(lambda f: f.udp is not None and f.udp.port == 53, "a question for the name server that was said")
    if query.destination != NAMES:
        raise TestFailure(f"the question goes to {text(query.destination)}")
    kind = query.udp.data[-4:-2]
    record = ip("192.0.2.7") if kind == b"\0\1" else ip("2001:db8::7")
    answer = query.udp.data[:2] + b"\x81\x80" + b"\0\1\0\1\0\0\0\0" + query.udp.data[12:] + b"\xc0\x0c" + kind + b"\0\1" + \
        struct.pack("!IH", 60, len(record)) + record
    wire.send(ip6(NAMES, query.source, UDP, udp(NAMES, query.source, 53, query.udp.source_port, answer)))
    return query.source


def stateful(wire, guest, servers):
    """An address: odd advertisements are passed over, the preferred server is asked, T1, T2 and a refusal count (18.2)."""
    advertise_router(wire, MANAGED, ON_LINK)
    asked = servers.expect(SOLICIT)
    wanted = asked.options[WANTED]
    if bytes([0, DNS]) not in wanted or bytes([0, SOLICIT_MAX]) not in wanted or asked.options[ELAPSED] != b"\0\0" or asked.address:
        raise TestFailure(f"a SOLICIT with {asked.options} (18.2.1)")
    best = option(PREFERENCE, b"\xff")
    servers.answer(ADVERTISE, asked, best + servers.addresses(asked), client=ONE)
    servers.answer(ADVERTISE, asked, best + servers.addresses(asked), server=None)
    servers.answer(ADVERTISE, asked, best + status(NO_ADDRESS))
    servers.answer(ADVERTISE, asked, best + servers.addresses(asked, ip("ff02::a")))
    servers.answer(ADVERTISE, asked, best + servers.addresses(asked, t1=5, t2=3))
    servers.answer(ADVERTISE, asked, best + servers.addresses(asked, preferred=9, valid=8))
    servers.answer(ADVERTISE, asked, best + option(ADDRESSES, asked.options[ADDRESSES][:8]))
    servers.answer(ADVERTISE, asked, servers.addresses(asked, OTHER))
    servers.answer(ADVERTISE, asked, option(PREFERENCE, b"\x0a") + servers.addresses(asked), TWO)
    request = servers.expect(REQUEST)
    if request.options[SERVER_ID] != TWO or request.address != LEASED or request.time - asked.time < 0.9:
        raise TestFailure(f"{request.time - asked.time:.2f} s later a REQUEST with {request.options} (18.2.2)")
    given = servers.addresses(request, preferred=6, valid=9, t1=2, t2=4) + option(DNS, NAMES)
    servers.answer(REPLY, request, given, TWO)
    began = time.monotonic()
    guest.expect(r"net: eth0 fd00:7::[aA]/64")
    if answer_name(wire, guest) != LEASED:
        raise TestFailure("the question comes from another address")
    guest.expect("name found")
    renew = servers.expect(RENEW)
    if renew.options[SERVER_ID] != TWO or renew.address != LEASED or not 1.5 < renew.time - began < 2.5 * PATIENCE:
        raise TestFailure(f"{renew.time - began:.1f} s behind the reply a RENEW with {renew.options} (18.2.4)")
    rebind = servers.expect(REBIND)
    if SERVER_ID in rebind.options or rebind.address != LEASED or rebind.time - began < 3.5:
        raise TestFailure(f"{rebind.time - began:.1f} s behind the reply a REBIND with {rebind.options} (18.2.5)")
    servers.answer(REPLY, rebind, servers.addresses(rebind, preferred=4, valid=60))
    again = servers.expect(RENEW)
    if again.options[SERVER_ID] != ONE or again.time - rebind.time < 1.5:
        raise TestFailure("T1 that the server leaves to the client is half of the preferred lifetime (14.2)")
    wire.settled(ROUTER, LEASED)
    servers.answer(REPLY, again, option(ADDRESSES, again.options[ADDRESSES][:4] + b"\0" * 8 + status(NO_BINDING)))
    asked = servers.expect(SOLICIT)
    servers.answer(ADVERTISE, asked, best + servers.addresses(asked, OTHER))
    refused = servers.expect(REQUEST)
    servers.answer(REPLY, refused, option(ADDRESSES, refused.options[ADDRESSES][:4] + b"\0" * 8 + status(NO_ADDRESS)))
    asked = servers.expect(SOLICIT)
    if asked.time - refused.time < 1.9:
        raise TestFailure(f"{asked.time - refused.time:.1f} s behind a second refusal it is asked again")
    servers.answer(ADVERTISE, asked, best + servers.addresses(asked, OTHER))
    request = servers.expect(REQUEST)
    if request.time - asked.time > 0.9 * PATIENCE or request.options[SERVER_ID] != ONE:
        raise TestFailure("a server of preference 255 is asked at once (18.2.1)")
    servers.answer(REPLY, request, servers.addresses(request, OTHER, FOREVER, FOREVER))
    guest.expect(r"net: eth0 fd00:7::[bB]/64")
    wire.settled(ROUTER, OTHER)


def stateless(wire, guest, servers):
    """Name servers alone, beside an address by autoconfiguration (18.2.6)."""
    advertise_router(wire, OTHERS, ON_LINK | AUTONOMOUS)
    asked = servers.expect(INFORMATION)
    if ADDRESSES in asked.options or bytes([0, DNS]) not in asked.options[WANTED]:
        raise TestFailure(f"an INFORMATION-REQUEST with {asked.options}")
    servers.answer(REPLY, asked, option(DNS, NAMES))
    answer_name(wire, guest)
    guest.expect("name found")


def main():
    for case in (stateful, stateless):
        wire = Wire("ip=dhcp")
        for address in (ROUTER, NAMES):
            wire.host(address, "02:00:00:00:00:01")
        with guest_on(wire, sys.argv[2]) as guest:
            case(wire, guest, Servers(wire))
        print(f"ok: {case.__name__}: {case.__doc__}", flush=True)


if __name__ == "__main__":
    sys.exit(judge(main))
