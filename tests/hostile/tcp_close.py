#!/usr/bin/env python3
# How TCP connections end: either side first, both at once, and what comes afterwards.
# SPDX-License-Identifier: MIT
"""Usage: tcp_close.py IMAGE [CASE...] (http_server)"""

import sys

from harness.exchange import HTTP, Exchange, check
from harness.frames import ACK, FIN, PSH, RST, SYN, mss
from harness.wire import guest_image, run_cases

KEPT = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def answered(wire, host, request):
    """A connection that has had one answer, all of it acknowledged."""
    c = Exchange.established(wire, host, HTTP)
    c.send(request)
    c.receive(1)
    return c


def server_ended(wire, host):
    """The server has sent its FIN, which is acknowledged: FIN-WAIT-2."""
    c = Exchange.established(wire, host, HTTP)
    c.send(LAST)
    while True:
        segment = c.answer("the answer and FIN", lambda s: (s.data or s.flags & FIN) and s.sequence == c.expected)
        c.expected += len(segment.data) + (1 if segment.flags & FIN else 0)
        c.segment(ACK)
        if segment.flags & FIN:
            return c


def time_wait(wire, host):
    c = server_ended(wire, host)
    c.segment(ACK | FIN)
    c.next += 1
    c.acknowledgement("the answer to FIN")
    return c


def peer_first(wire, _guest, host):
    """RFC 9293 3.6 case 2: a FIN is acknowledged, the server sends its own; when that is acknowledged nothing is left"""
    c = answered(wire, host, KEPT)
    c.segment(ACK | FIN)
    c.next += 1
    answer = c.answer("the FIN of the server", lambda s: s.flags & FIN)
    check(answer.acknowledged == c.next, f"it is {answer}")
    c.expected += 1
    c.segment(ACK)
    c.gone("both sides have ended it")


def server_first(wire, _guest, host):
    """RFC 9293 3.6 case 1: the server's FIN, its acknowledgement, the peer's FIN, its acknowledgement"""
    time_wait(wire, host)


def both_at_once(wire, _guest, host):
    """RFC 9293 3.6 case 3: FINs that cross each other are both acknowledged"""
    c = Exchange.established(wire, host, HTTP)
    c.send(LAST)
    while True:
        segment = c.answer("the answer and FIN", lambda s: (s.data or s.flags & FIN) and s.sequence == c.expected)
        c.expected += len(segment.data)
        if segment.flags & FIN:
            break
        c.segment(ACK)
    c.segment(ACK | FIN)
    c.next += 1
    answer = c.answer("the answer to FIN", lambda s: s.acknowledged == c.next)
    check(not answer.flags & RST, f"it is {answer}")
    c.expected += 1
    c.segment(ACK)
    c.silence("both have ended it")
    c.segment(ACK | FIN, sequence=c.next - 1)
    c.acknowledgement("the answer to FIN in TIME-WAIT")


def half_closed(wire, _guest, host):
    """RFC 9293 3.6: who has sent FIN still receives"""
    c = Exchange.established(wire, host, HTTP)
    c.segment(ACK | PSH | FIN, KEPT)
    c.next += len(KEPT) + 1
    check(c.receive(100).startswith(b"HTTP/1.1 200 "), "the answer is another one")
    c.answer("the FIN of the server", lambda s: s.flags & FIN)


def data_behind_fin(wire, _guest, host):
    """RFC 9293 3.10.7.4: data behind a FIN is none"""
    c = Exchange.established(wire, host, HTTP)
    c.segment(ACK | FIN)
    c.next += 1
    c.answer("the FIN of the server", lambda s: s.flags & FIN)
    c.segment(ACK | PSH, KEPT)
    wire.settled(host)
    check(not any(s.data for s in c.segments()), "a request behind FIN is answered")


def fin_again_in_time_wait(wire, _guest, host):
    """RFC 9293 3.10.7.4: in TIME-WAIT a FIN that comes again is acknowledged"""
    c = time_wait(wire, host)
    c.segment(ACK | FIN, sequence=c.next - 1)
    c.acknowledgement("the answer to FIN in TIME-WAIT")


def reset_in_time_wait(wire, _guest, host):
    """RFC 1337 3: a reset does not end TIME-WAIT"""
    c = time_wait(wire, host)
    c.segment(RST)
    c.segment(RST | ACK)
    c.silence("resets in TIME-WAIT are ignored")
    c.segment(ACK | FIN, sequence=c.next - 1)
    c.acknowledgement("the answer to FIN in TIME-WAIT")


def syn_in_time_wait(wire, _guest, host):
    """RFC 9293 3.6.1, MAY-2: a SYN beyond the last number begins a new connection"""
    c = time_wait(wire, host)
    c.next += 1000
    answer = c.open()
    check(answer.acknowledged == c.next, f"it is {answer}")
    c.send(KEPT)
    check(c.receive(100).startswith(b"HTTP/1.1 200 "), "the answer is another one")


def old_syn_in_time_wait(wire, _guest, host):
    """RFC 9293 3.10.7.4, RFC 5961 4: an older SYN is answered by an acknowledgement and begins nothing"""
    c = time_wait(wire, host)
    c.segment(SYN, sequence=c.next - 1000, options=mss(1460), acknowledged=0)
    c.acknowledgement("the answer to an older SYN")
    c.segment(ACK | FIN, sequence=c.next - 1)
    wire.settled(host)
    check(not any(s.flags & (SYN | RST) for s in c.segments()), "TIME-WAIT has ended")


def strangers_in_time_wait(wire, _guest, host):
    """RFC 9293 3.10.7.4, RFC 5961 7: other segments in TIME-WAIT are answered, but seldom"""
    c = time_wait(wire, host)
    for i in range(100):
        c.segment(ACK | PSH, b"old", sequence=c.next - 1000 - i)
        c.segment(ACK, sequence=c.next + 0x40000000)
    wire.settled(host)
    came = c.segments()
    check(len(came) < 20 and not any(s.flags & RST for s in came), f"200 segments bring {len(came)} answers")


def reset_while_ending(wire, _guest, host):
    """RFC 9293 3.10.7.4: a reset at the next number ends a connection in FIN-WAIT-2; RFC 5961 3: one within the window does not"""
    c = server_ended(wire, host)
    c.segment(RST, sequence=c.next + 1)
    c.acknowledgement("the challenge to a reset within the window")
    c.segment(RST)
    c.silence("a reset is not answered")
    c.gone("it was reset")


def nothing_after_reset(wire, _guest, host):
    """RFC 9293 3.10.7.1: behind a connection that was reset, the same ports are free at once"""
    c = answered(wire, host, KEPT)
    c.segment(RST)
    c.next -= 100_000
    c.expected = 0
    c.open()
    c.send(KEPT)
    check(c.receive(100).startswith(b"HTTP/1.1 200 "), "the answer is another one")


CASES = [peer_first, server_first, both_at_once, half_closed, data_behind_fin, fin_again_in_time_wait, reset_in_time_wait,
         syn_in_time_wait, old_syn_in_time_wait, strangers_in_time_wait, reset_while_ending, nothing_after_reset]

if __name__ == "__main__":
    sys.exit(run_cases(CASES, guest_image(), together=True))
