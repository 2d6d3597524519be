#!/usr/bin/env python3
# @image echo_server
# How TCP connections begin: listening, half open, closed.
# SPDX-License-Identifier: MIT
"""Usage: tcp_open.py IMAGE [CASE...] (echo_server)"""

import sys

from harness.exchange import ECHO, Exchange, check
from harness.frames import ACK, BROADCAST, FIN, PSH, RST, SYN, URG, ip, mss, packet, tcp
from harness.frames import TCP as PROTOCOL_TCP
from harness.wire import GUEST, guest_image, run_cases

CLOSED_PORT = 9


def half_open(wire, host):
    """A connection whose SYN-ACK has come."""
    c = Exchange(wire, host)
    c.segment(SYN, options=mss(1460), acknowledged=0)
    answer = c.answer("a SYN-ACK", lambda s: s.flags & SYN)
    check(answer.flags & ACK and answer.acknowledged == c.next + 1, f"a SYN is answered by {answer}")
    c.next, c.expected = c.next + 1, (answer.sequence + 1) & 0xFFFFFFFF
    return c


def handshake(wire, _guest, host):
    """RFC 9293 3.5: SYN, SYN-ACK, ACK; then data goes both ways"""
    c = half_open(wire, host)
    c.segment(ACK)
    c.silence("the handshake is over")
    c.echoed()


def syn_with_others(wire, _guest, host):
    """A SYN with FIN, RST or URG opens nothing and is not answered"""
    c = Exchange(wire, host)
    for others in (FIN, RST, URG, FIN | RST, PSH | URG | FIN):
        c.segment(SYN | others, options=mss(1460), acknowledged=0)
    c.silence("SYN with FIN, RST or URG is dropped")


def acknowledgement_to_listener(wire, _guest, host):
    """RFC 9293 3.10.7.2: an acknowledgement in LISTEN is reset, with its own number"""
    for flags in (ACK, ACK | FIN, ACK | PSH, SYN | ACK):
        c = Exchange(wire, host)
        c.segment(flags, acknowledged=4711)
        c.reset("the reset of an acknowledgement to a listener", 4711)


def reset_to_listener(wire, _guest, host):
    """RFC 9293 3.10.7.2: a reset in LISTEN is ignored; so is what is neither SYN, ACK nor RST"""
    c = Exchange(wire, host)
    for flags in (RST, RST | ACK, 0, FIN, PSH):
        c.segment(flags)
    c.silence("they are ignored")


def closed_port(wire, _guest, host):
    """RFC 9293 3.10.7.1: without a listener, SYN is reset at 0 with its number acknowledged, ACK at its number, RST never"""
    c = Exchange(wire, host, CLOSED_PORT)
    c.segment(SYN, options=mss(1460), acknowledged=0)
    answer = c.reset("the reset of a SYN to a closed port", 0)
    check(answer.flags & ACK and answer.acknowledged == c.next + 1, f"it acknowledges {answer.acknowledged}")
    c.segment(ACK | PSH, b"data", acknowledged=4711)
    c.reset("the reset of data to a closed port", 4711)
    c.segment(RST)
    c.segment(RST | ACK)
    c.silence("resets are not answered")


def data_with_syn(wire, _guest, host):
    """RFC 9293 3.10.7.2: data may come with a SYN; it is given to the program once, now or when it comes again"""
    c = Exchange(wire, host)
    c.segment(SYN, b"early", options=mss(1460), acknowledged=0)
    answer = c.answer("a SYN-ACK", lambda s: s.flags & SYN)
    check(answer.acknowledged in (c.next + 1, c.next + 6), f"it acknowledges {answer.acknowledged}")
    c.next, c.expected = c.next + 1, (answer.sequence + 1) & 0xFFFFFFFF
    c.segment(ACK | PSH, b"early")
    c.next += 5
    check(c.receive(5) == b"early", "data of the SYN is lost")
    c.echoed()


def syn_again(wire, _guest, host):
    """RFC 9293 3.10.7.4: a SYN that comes again gets the same SYN-ACK"""
    c = half_open(wire, host)
    c.segment(SYN, options=mss(1460), sequence=c.next - 1, acknowledged=0)
    answer = c.answer("the SYN-ACK once more")
    check(answer.flags & SYN and answer.sequence + 1 == c.expected and answer.acknowledged == c.next, f"it is {answer}")
    c.segment(ACK)
    c.echoed()


def other_syn(wire, _guest, host):
    """RFC 9293 3.10.7.4, RFC 5961 4: another SYN for a half-open connection is challenged, and does not disturb it"""
    c = half_open(wire, host)
    c.segment(SYN, options=mss(64), sequence=c.next + 0x40000000, acknowledged=0)
    c.acknowledgement("the challenge to another SYN")
    c.segment(ACK)
    c.echoed(bytes(1400))


def reset_of_half_open(wire, _guest, host):
    """RFC 9293 3.10.7.4: a reset at the next number ends a half-open connection; another number does not"""
    c = half_open(wire, host)
    c.segment(RST, sequence=c.next - 0x1000000)
    c.silence("a reset outside of the window is dropped")
    c.segment(RST)
    c.silence("a reset is not answered")
    c.gone("it was reset")


def wrong_acknowledgement(wire, _guest, host):
    """RFC 9293 3.10.7.4: a wrong acknowledgement in SYN-RECEIVED is reset; the right one still counts"""
    c = half_open(wire, host)
    c.segment(ACK, acknowledged=c.expected + 100)
    c.reset("the reset of a wrong acknowledgement", c.expected + 100)
    c.segment(ACK, acknowledged=c.expected - 1)
    c.reset("the reset of a wrong acknowledgement", c.expected - 1)
    c.segment(ACK)
    c.echoed()


def unacceptable_acknowledgement(wire, _guest, host):
    """RFC 9293 3.10.7.4: the right acknowledgement at a wrong number does not open the connection"""
    c = half_open(wire, host)
    c.segment(ACK, sequence=c.next + 0x40000000)
    c.acknowledgement("the answer to a sequence number outside of the window")
    c.segment(ACK)
    c.echoed()


def data_with_acknowledgement(wire, _guest, host):
    """RFC 9293 3.10.7.4: data and FIN may come with the handshake's acknowledgement"""
    c = half_open(wire, host)
    c.send(b"at once")
    check(c.receive(7) == b"at once", "data with the acknowledgement is lost")
    c = half_open(wire, host)
    c.segment(ACK | PSH | FIN, b"and gone")
    c.next += 9
    check(c.receive(8) == b"and gone", "data with FIN is lost")
    c.answer("the FIN of the server", lambda s: s.flags & FIN)
    c.expected += 1
    c.segment(ACK)
    c.gone("both sides have ended it")


def syn_ack_again(wire, _guest, host):
    """RFC 6298 2.1, 5: without an answer the SYN-ACK comes again, after a second or so"""
    c = half_open(wire, host)
    answer = c.answer("the SYN-ACK once more", lambda s: s.flags & SYN, timeout=10)
    check(answer.sequence + 1 == c.expected, "it has another sequence number")
    c.segment(ACK)
    c.echoed()


def initial_numbers(wire, _guest, host):
    """RFC 6528: initial sequence numbers of different ports have nothing in common"""
    numbers = sorted(half_open(wire, host).expected for _ in range(8))
    check(len({number >> 24 for number in numbers}) > 3, f"initial sequence numbers are {numbers}")


def to_everybody(wire, _guest, host):
    """RFC 9293 3.9.2.3, MUST-57: a segment to a broadcast or multicast address is dropped"""
    c = Exchange(wire, host)
    for address in ("255.255.255.255", "10.7.0.255", "224.0.0.1"):
        destination = ip(address)
        wire.send(packet(host, destination, PROTOCOL_TCP, tcp(host, destination, c.source_port, ECHO, SYN, options=mss(1460))),
                  to=BROADCAST)
    c.silence("they are dropped")


def from_everybody(wire, _guest, host):
    """RFC 9293 3.9.2.3, MUST-63: a SYN from a broadcast or multicast address, or from the machine itself, is not answered"""
    for source in (ip("255.255.255.255"), ip("10.7.0.255"), ip("224.0.0.1"), ip("127.0.0.1"), GUEST):
        wire.send(packet(source, GUEST, PROTOCOL_TCP, tcp(source, GUEST, 7000, ECHO, SYN, options=mss(1460))))
    wire.settled(host)
    came = wire.all(lambda frame: frame.tcp and frame.tcp.port == 7000)
    check(not came, f"they are answered by {[frame.tcp for frame in came]}")


CASES = [handshake, syn_with_others, acknowledgement_to_listener, reset_to_listener, closed_port, data_with_syn, syn_again, other_syn,
         reset_of_half_open, wrong_acknowledgement, unacceptable_acknowledgement, data_with_acknowledgement, syn_ack_again,
         initial_numbers, to_everybody, from_everybody]

if __name__ == "__main__":
    sys.exit(run_cases(CASES, guest_image(), "echo_server: port", together=True))
