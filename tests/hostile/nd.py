#!/usr/bin/env python3
# Hostile and odd ICMPv6: path MTUs, neighbours, routers.
# SPDX-License-Identifier: MIT
"""Usage: nd.py IMAGE [CASE...] (http_server)"""

import random
import sys

from harness.frames import (ECHO6, FRAGMENT, ICMP6, NA, NS, echo, icmp6, ip, ip6, link_local, mtu_option, nd_option,
                    neighbour_advertisement, neighbour_solicitation, packet_too_big, prefix_information, redirect,
                    router_advertisement, source_link, target_link)
from harness.wire import GUEST6, TestFailure, guest_image, run_cases

BIG = 1400  # bytes of an echo request that the link takes whole
MAC_1, MAC_BAD = "02:00:00:00:00:11", "02:00:00:00:00:66"


def ready(wire, address="fe80::11", hardware=MAC_1):
    """A neighbour that the guest has heard of."""
    host = wire.host(address, hardware)
    wire.ready6()
    wire.settled(host)
    return host


def parts_of_a_big_answer(wire, host):
    """The frames of the answer to a large echo request."""
    wire.forget()
    wire.send(echo(host, GUEST6, 7, 7, bytes(BIG)))
    wire.settled(host)
    return wire.all(lambda f: f.source == GUEST6 and f.destination == host and len(f.ip) > 200 or f.protocol == FRAGMENT)


def expect_whole(wire, host):
    sizes = [len(frame.ip) for frame in parts_of_a_big_answer(wire, host)]
    if sizes != [BIG + 48]:
        raise TestFailure(f"an echo request of {BIG} bytes was answered in packets of {sizes}")


def expect_none(wire, wanted, what):
    found = wire.all(wanted)
    if found:
        raise TestFailure(f"{what}: {len(found)}")


def is_na(frame):
    return frame.icmp6 is not None and frame.icmp6.type == NA


def answer_to(wire, host):
    """The next answer to an echo request that is not of settled()."""
    return wire.expect(lambda f: f.destination == host and f.icmp6 and f.icmp6.type == ECHO6 + 1 and f.icmp6.body[:1] == b"\0",
                       "an answer to an echo request")


def path_mtu_below_1280(wire, _guest, _host):
    """RFC 8201 section 4: a path MTU below 1280 is ignored; the machine goes on answering."""
    attacker = ready(wire, "fe80::bad", MAC_BAD)
    for mtu in (48, 55, 0, 1, 60, 1279):
        wire.send(packet_too_big(attacker, GUEST6, mtu, echo(GUEST6, attacker, 1)))
    expect_whole(wire, attacker)


def path_mtu_of_others(wire, _guest, _host):
    """RFC 8201 section 4: what quotes a packet that is not ours is ignored, and none raises the path MTU."""
    host = ready(wire, "fe80::12", "02:00:00:00:00:12")
    wire.send(packet_too_big(host, GUEST6, 1300, echo(ip("fe80::5"), host, 1)))
    expect_whole(wire, host)
    for mtu in (1280, 65535, 0x10000 + 1400, 0xFFFFFFFF):
        wire.send(packet_too_big(host, GUEST6, mtu, echo(GUEST6, host, 1)))
    parts = parts_of_a_big_answer(wire, host)
    if len(parts) != 2 or max(len(part.ip) for part in parts) > 1280:
        raise TestFailure(f"the path MTU is not 1280: {[len(part.ip) for part in parts]}")


def own_address_claimed(wire, guest, _host):
    """RFC 4862 section 5.4: only a tentative address is given up; a claim to another is ignored, and said once."""
    host = ready(wire)
    for _ in range(3):
        wire.send(neighbour_advertisement(ip("fe80::bad"), ip("ff02::1"), GUEST6, b"\x02\0\0\0\0\x66", flags=0x20), b"\x02\0\0\0\0\x66")
        wire.send(neighbour_advertisement(ip("fe80::bad"), GUEST6, GUEST6, b"\x02\0\0\0\0\x66"), b"\x02\0\0\0\0\x66")
    wire.settled(host)
    guest.expect("eth0: 02:00:00:00:00:66 claims an address of this machine")


def redirects(wire, _guest, _host):
    """RFC 4861 section 8.1: a redirect of a host that is no router is ignored; so are all others here."""
    host = ready(wire)
    bad = ip("fe80::bad")
    for source in (bad, host):
        wire.send(redirect(source, GUEST6, bad, host, target_link(b"\x02\0\0\0\0\x66")), b"\x02\0\0\0\0\x66")
    expect_whole(wire, host)
    wire.send(echo(host, GUEST6, 9))
    if answer_to(wire, host).destination_mac != wire.hosts[host]:
        raise TestFailure("the guest sends where a redirect says")


def solicitations(wire, _guest, _host):
    """RFC 4861 section 7.1.1, RFC 6980: solicitations that are discarded, and some that are not."""
    host = ready(wire)
    hardware = wire.hosts[host]
    any_address, group = bytes(16), ip("ff02::1:ff00:0")[:13] + GUEST6[13:]

    def solicit(source=host, options=source_link(hardware), destination=group, target=GUEST6, code=0, hop_limit=255):
        message = icmp6(source, destination, NS, code, bytes(4) + target + options)
        return ip6(source, destination, ICMP6, message, hop_limit=hop_limit)

    whole = solicit()
    split = [ip6(host, group, FRAGMENT, bytes([ICMP6, 0]) + word.to_bytes(2, "big") + bytes(4) + part, hop_limit=255)
             for word, part in ((1, whole[40:56]), (16, whole[56:]))]
    wire.forget()
    for wrong in (solicit(options=bytes(8)), solicit(options=source_link(hardware) + b"\x0e\0" + bytes(6)),
                  solicit(options=b"\x01\x02" + hardware), solicit(options=b"\x01"), solicit(hop_limit=254), solicit(code=1),
                  solicit(target=ip("ff02::1")), solicit(source=any_address), solicit(options=b""), *split,
                  solicit(source=any_address, destination=GUEST6, options=b"")):
        wire.send(wrong, hardware)
    wire.settled(host)
    expect_none(wire, is_na, "advertisements for wrong solicitations")
    for right in (whole, solicit(destination=GUEST6, options=b""), solicit(source=any_address, options=b""),
                  solicit(options=nd_option(14, b"nonce!") + source_link(hardware))):
        wire.send(right, hardware)
        wire.expect(is_na, "an advertisement")


def advertisements(wire, _guest, _host):
    """RFC 4861 sections 7.1.2, 7.2.5: what an advertisement without our asking, or a wrong one, does to a neighbour."""
    host = ready(wire)
    other = b"\x02\0\0\0\0\x66"
    body = b"\x60\0\0\0" + host
    for flags, options, destination, hop_limit in (
            (0x60, b"\x0e\0" + bytes(6) + target_link(other), GUEST6, 255), (0x60, source_link(other), GUEST6, 255),
            (0x60, target_link(other), ip("ff02::1"), 255), (0x60, target_link(other), GUEST6, 64),
            (0x60, target_link(b"\x03\0\0\0\0\x66"), GUEST6, 255), (0x40, target_link(other), GUEST6, 255)):
        message = icmp6(host, destination, NA, 0, bytes([flags]) + body[1:] + options)
        wire.send(ip6(host, destination, ICMP6, message, hop_limit=hop_limit), other)
        wire.forget()
        wire.settled(host)
        wire.send(echo(host, GUEST6, 9))
        if answer_to(wire, host).destination_mac != wire.hosts[host]:
            raise TestFailure(f"{flags:#x} {options.hex()} to {destination.hex()} took the neighbour's address away")


def router_numbers(wire, _guest, _host):
    """RFC 4861 sections 4.6, 6.1.2, 6.2.1, RFC 4862 section 5.5.3: numbers of routers that are ignored."""
    host = ready(wire)
    one = ip("2001:db8:1::")
    for options in (mtu_option(68), mtu_option(1279), mtu_option(9000), mtu_option(0xFFFFFFFF), b"\x05\0" + bytes(6),
                    nd_option(25, bytes(6) + bytes(16)), nd_option(25, b"\0\0\xff\xff\xff\xff"), b"\x03\x01" + bytes(6),
                    prefix_information(one, 63), prefix_information(one, 129), prefix_information(one, 255),
                    prefix_information(one, 64, valid=5, preferred=6), prefix_information(one, 64, valid=0, preferred=0),
                    prefix_information(ip("ff02::"), 64), prefix_information(ip("fe80::"), 64), prefix_information(bytes(16), 64),
                    prefix_information(one, 64) + b"\x0e\0" + bytes(6)):
        for reachable, retransmit in ((1, 1), (0xFFFFFFFF, 0xFFFFFFFF)):
            wire.send(router_advertisement(host, options, reachable=reachable, retransmit=retransmit, hop_limit=1))
    wire.send(router_advertisement(ip("2001:db8:1::1"), prefix_information(one, 64)))
    expect_whole(wire, host)
    wire.send(router_advertisement(host, prefix_information(ip("2001:db8:2::"), 64) + mtu_option(1280)))
    good = wire.expect(lambda f: f.icmp6 and f.icmp6.type == NS and not any(f.source), "duplicate address detection")
    if good.icmp6.body[4:20] != ip("2001:db8:2::")[:8] + GUEST6[8:]:
        raise TestFailure(f"an address of a wrong prefix: {good.icmp6.body[4:20].hex()}")
    far = wire.host("2001:db8:2::5", "02:00:00:00:00:15")
    if len(parts_of_a_big_answer(wire, far)) != 2:
        raise TestFailure("an MTU option of 1280 is ignored")


def strangers(count, seed):
    """Link-local addresses of nobody, with their hardware addresses."""
    chance = random.Random(seed)
    for _ in range(count):
        hardware = b"\x06" + chance.randbytes(5)
        yield link_local(hardware), hardware


def neighbour_floods(wire, _guest, _host):
    """A neighbour that answers keeps its entry, whatever comes from addresses of nobody."""
    host = ready(wire)
    wire.forget()
    for address, hardware in strangers(1000, "silent"):
        wire.send(echo(address, GUEST6, 1), hardware)
    for address, hardware in strangers(1000, "asking"):
        wire.send(neighbour_solicitation(address, GUEST6, source_link(hardware)), hardware)
    wire.settled(host)
    if host in wire.asked:
        raise TestFailure("the guest has to ask for a neighbour that had answered")
    late = wire.host("fe80::13", "02:00:00:00:00:13")
    wire.settled(late)


def answered_by(wire, router, number):
    """A packet from far away comes through the router; the answer goes back to it."""
    far = ip("2001:db8:ffff::66")
    wire.send(echo(far, GUEST6, number), wire.hosts[router])
    return answer_to(wire, far).destination_mac == wire.hosts[router]


def router_floods(wire, _guest, _host):
    """A router that answers is taken among false ones that do not, and stays (RFC 4861 section 6.3.6)."""
    router = wire.host("fe80::1:1", "02:00:00:00:01:01")
    wire.ready6()
    for address, hardware in strangers(50, "first"):
        wire.send(router_advertisement(address, source_link(hardware), lifetime=65535), hardware)
    for _ in range(2):  # the first makes the guest ask for it, at the latest
        wire.send(router_advertisement(router, source_link(wire.hosts[router])))
        wire.settled(router)
    if not answered_by(wire, router, 1):
        raise TestFailure("a false router was chosen before one that answers")
    for address, hardware in strangers(1000, "second"):
        wire.send(router_advertisement(address, source_link(hardware), lifetime=65535), hardware)
    if not answered_by(wire, router, 2):
        raise TestFailure("a flood of false routers took a good one's place")


# The last leaves an MTU option behind.
CASES = [path_mtu_below_1280, path_mtu_of_others, own_address_claimed, redirects, solicitations, advertisements,
         neighbour_floods, router_floods, router_numbers]

if __name__ == "__main__":
    sys.exit(run_cases(CASES, guest_image(), together=True))
