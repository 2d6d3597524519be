#!/usr/bin/env python3
# Odd DHCP servers: the test is the server, from the first DISCOVER to a lease that ends.
# SPDX-License-Identifier: MIT
"""Usage: dhcp.py IMAGE [CASE...] (http_server). Section numbers are those of RFC 2131."""

import struct
import sys
import time

from harness.frames import BROADCAST, TYPE_IP4, UDP, echo, ethernet, ip, ip4, text, udp
from harness.wire import GUEST, GUEST_MAC, PATIENCE, Connection, TestFailure, Wire, guest_image, guest_on, judge

DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6
NETMASK, ROUTER, MTU, REQUESTED, LEASE, TYPE, SERVER_ID, PARAMETERS, T1, T2, ROUTES = 1, 3, 26, 50, 51, 53, 54, 55, 58, 59, 121
HOST, ROUTER2, SERVER = ip("10.7.0.1"), ip("10.7.0.9"), ip("10.7.0.5")
COOKIE = bytes([99, 130, 83, 99])
REQUEST_LINE = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"


def number(value):
    return struct.pack("!I", value)


def option(code, data):
    return bytes([code, len(data)]) + data


class Message:
    """A client's message."""

    def __init__(self, frame):
        data = frame.udp.data
        self.frame, self.xid, self.client, self.options, at = frame, data[4:8], data[12:16], {}, 240
        self.time = time.monotonic()
        while data[at] != 255:
            self.options[data[at]] = data[at + 2:at + 2 + data[at + 1]]
            at += 2 + data[at + 1]
        self.type = self.options[TYPE][0]
        self.unicast = frame.destination_mac != BROADCAST


class Server:
    """Answers what the test says, when it says it."""

    def __init__(self, wire, address=SERVER, vlan=None):
        self.wire, self.address, self.vlan = wire, address, vlan
        self.mac = wire.hosts[address]

    def expect(self, kind, timeout=10):
        frame = self.wire.expect(lambda f: f.udp is not None and f.udp.port == 67 and f.vlan == self.vlan,
                                 f"a message of type {kind} for the DHCP server", timeout)
        message = Message(frame)
        if message.type != kind:
            raise TestFailure(f"the DHCP client sends a message of type {message.type}, not {kind}")
        return message

    def answer(self, message, options, address=GUEST, end=b"\xff", xid=None, mac=GUEST_MAC):
        data = struct.pack("!BBBB", 2, 1, 6, 0) + (xid or message.xid) + b"\0" * 8 + address + b"\0" * 8 + mac + b"\0" * 202
        data += COOKIE + options + end
        packet = ip4(self.address, address, UDP, udp(self.address, address, 67, 68, data))
        self.wire.send_frame(ethernet(GUEST_MAC, self.mac, TYPE_IP4, packet, vlan=self.vlan))

    def lease(self, kind, message, seconds=3600, more=b"", **fields):
        self.answer(message, option(TYPE, bytes([kind])) + option(SERVER_ID, self.address) + option(LEASE, number(seconds)) +
                    option(NETMASK, ip("255.255.255.0")) + option(ROUTER, HOST) + more, **fields)

    def give(self, seconds=3600, more=b""):
        """The ordinary exchange."""
        self.lease(OFFER, self.expect(DISCOVER), seconds, more)
        self.lease(ACK, self.expect(REQUEST), seconds, more)


def expect_way(wire, source, router):
    """An echo request from beyond: the answer has to leave by that router."""
    wire.send(echo(source, GUEST, 7), hardware=wire.hosts[router])
    reply = wire.expect(lambda f: f.icmp and f.icmp.type == 0 and f.destination == source, "an answer to an echo request")
    if reply.destination_mac != wire.hosts[router]:
        raise TestFailure(f"the answer to {text(source)} goes to {reply.destination_mac.hex(':')}, not to {text(router)}")


def expect_served(connection):
    connection.send(REQUEST_LINE)
    if not connection.receive(100).startswith(b"HTTP/1.1 200 "):
        raise TestFailure("the server gives no page")


def odd_offers(wire, guest, server):
    """Wrong offers are passed over; one without server identifier and end mark, with a broken option, is taken."""
    asked = server.expect(DISCOVER)
    wanted = list(asked.options[PARAMETERS])
    if MTU not in wanted or ROUTES not in wanted or wanted.index(ROUTES) > wanted.index(ROUTER):
        raise TestFailure(f"the client asks for {wanted}: RFC 3442 wants routes before the router, RFC 2132 has the MTU")
    server.lease(OFFER, asked, seconds=0)
    server.lease(OFFER, asked, xid=b"\1\2\3\4")
    server.lease(OFFER, asked, mac=b"\2\0\0\0\0\7")
    server.lease(OFFER, asked, address=ip("224.0.0.1"))
    server.answer(asked, option(TYPE, bytes([OFFER])) + option(LEASE, number(3600)) + option(NETMASK, b"\xff\xff\xff") +
                  option(ROUTER, HOST)[:-2], end=b"")
    chosen = server.expect(REQUEST)
    if chosen.options.get(SERVER_ID) != SERVER or chosen.options.get(REQUESTED) != GUEST or chosen.xid != asked.xid:
        raise TestFailure(f"the client requests {chosen.options} (4.3.2)")
    server.answer(chosen, option(TYPE, bytes([NAK])) + option(SERVER_ID, SERVER))
    again = server.expect(DISCOVER)  # 3.1 step 5
    if again.time - chosen.time < 0.3:
        raise TestFailure(f"{again.time - chosen.time:.3f} s after a refusal the client asks again: a loop")
    routes = bytes([16, 10, 9]) + ROUTER2 + bytes([0]) + HOST
    more = option(ROUTES, routes[:5]) + option(T1, number(100)) + option(T2, number(50)) + option(MTU, struct.pack("!H", 1300)) + \
        option(ROUTES, routes[5:])  # RFC 3396: in two parts
    server.lease(OFFER, again, 6, option(ROUTER, ip("10.7.0.77")) + more)
    server.lease(ACK, server.expect(REQUEST), 6, option(ROUTER, ip("10.7.0.77")) + more)
    guest.expect(r"net: eth0 10\.7\.0\.2/24 gateway 10\.7\.0\.1")
    expect_way(wire, ip("10.9.1.1"), ROUTER2)
    expect_way(wire, ip("192.0.2.1"), HOST)
    connection = Connection(wire, HOST, 80, 40000)
    if connection.open().options[2] != struct.pack("!H", 1260):
        raise TestFailure("the MSS does not follow the MTU of 1300")
    for _ in range(2):  # 4.4.5: T1 is half of the lease, since the server's makes no sense
        renewal = server.expect(REQUEST)
        if not renewal.unicast or renewal.client != GUEST or SERVER_ID in renewal.options or REQUESTED in renewal.options:
            raise TestFailure(f"a renewal is unicast with the address in ciaddr (table 4), not {renewal.options}")
        server.lease(ACK, renewal, 6, more)
    expect_served(connection)
    last = renewal.time
    kinds = []
    while not kinds or kinds[-1] == REQUEST:  # silence: renewing, rebinding, the end
        message = Message(wire.expect(lambda f: f.udp is not None and f.udp.port == 67, "a message for the DHCP server"))
        kinds.append(message.type)
        if message.type == REQUEST and message.time - last > 5.4 * PATIENCE and message.unicast:
            raise TestFailure("behind T2 a request goes to one server still")
        broadcast = message.type == REQUEST and not message.unicast
    if len(kinds) < 3 or kinds[-1] != DISCOVER or message.time - last < 5.5:
        raise TestFailure(f"the lease of 6 s ends after {message.time - last:.1f} s with {kinds}, broadcast: {broadcast}")
    guest.expect("the DHCP server did not prolong the lease")
    if any(f.icmp for f in wire.kept):
        raise TestFailure("echo answers are left over")
    wire.send(echo(HOST, GUEST, 8))
    server.lease(OFFER, message, 3600)
    server.lease(ACK, server.expect(REQUEST), 3600)
    wire.settled(HOST)
    if wire.all(lambda f: f.icmp and f.icmp.type == 0 and f.icmp.body[:2] == b"\0\x08"):
        raise TestFailure("the address was used behind the lease's end (4.4.5)")
    expect_served_anew(wire)


def expect_served_anew(wire):
    connection = Connection(wire, HOST, 80, 40001)
    if connection.open().options[2] != struct.pack("!H", 1460):
        raise TestFailure("the MTU of the lease before is still there")
    expect_served(connection)


def bootp_answer(wire, guest, server):
    """An answer without message type is a BOOTP server's (RFC 1534 section 2): a lease for ever, if no DHCP server answers."""
    first = server.expect(DISCOVER)
    server.answer(first, option(NETMASK, ip("255.255.255.0")))
    second = server.expect(DISCOVER)
    if second.xid != first.xid or not 0.3 < second.time - first.time < 2 * PATIENCE:
        raise TestFailure(f"the second DISCOVER comes after {second.time - first.time:.2f} s")
    server.answer(second, option(NETMASK, ip("255.255.255.0")))
    guest.expect(r"net: eth0 10\.7\.0\.2/24")
    wire.settled(HOST)


def renewal_with_another_address(wire, guest, server):
    """A renewal that gives another address: the old one is gone, the new one is used."""
    server.give(2)
    guest.expect(r"net: eth0 10\.7\.0\.2/24")
    other = ip("10.7.0.3")
    server.lease(ACK, server.expect(REQUEST), address=other)
    guest.expect(r"net: eth0 10\.7\.0\.3/24")
    wire.settled(HOST, other)
    wire.send(echo(HOST, GUEST, 9))
    wire.settled(HOST, other)
    if wire.all(lambda f: f.icmp and f.source == GUEST):
        raise TestFailure("the old address still answers")


def link_comes_back(wire, guest, server):
    """The link was away: the client asks whether its address still is right (4.4.2); connections stand unless it is not."""
    server.give()
    guest.position = 0
    guest.expect("http_server: serving")
    connection = Connection(wire, HOST, 80, 40002)
    connection.open()
    for kind in (ACK, NAK):
        guest.monitor("set_link net0 off")
        guest.expect("link is down")
        guest.monitor("set_link net0 on")
        asked = server.expect(REQUEST)
        if asked.unicast or asked.client != b"\0" * 4 or asked.options.get(REQUESTED) != GUEST or SERVER_ID in asked.options:
            raise TestFailure(f"behind the link's return a REQUEST with {asked.options} (table 4: INIT-REBOOT)")
        if kind == ACK:
            server.lease(ACK, asked)
            wire.settled(HOST)
            expect_served(connection)
    server.answer(asked, option(TYPE, bytes([NAK])) + option(SERVER_ID, SERVER))
    guest.expect("the DHCP server refuses the address")
    server.expect(DISCOVER)


CASES = [odd_offers, bootp_answer, renewal_with_another_address, link_comes_back]


def run(cases, append, image):
    def test():
        for case in cases:
            if sys.argv[2:] and case.__name__ not in sys.argv[2:]:
                continue
            wire = Wire(append)
            for address, hardware in ((HOST, "02:00:00:00:00:01"), (ROUTER2, "02:00:00:00:00:09"), (SERVER, "02:00:00:00:00:05")):
                wire.host(address, hardware)
            with guest_on(wire, image) as guest:
                case(wire, guest, Server(wire))
            print(f"ok: {case.__name__}: {case.__doc__}", flush=True)
    return judge(test)


if __name__ == "__main__":
    sys.exit(run(CASES, "ip=dhcp", guest_image()))
