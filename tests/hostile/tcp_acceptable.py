#!/usr/bin/env python3
# @image echo_server
# TCP segments that are no part of their connection change nothing.
# SPDX-License-Identifier: MIT
"""Usage: tcp_acceptable.py IMAGE [CASE...] (echo_server)"""

import sys

from harness.exchange import Exchange, check
from harness.frames import ACK, FIN, PSH, RST, SYN, URG, mss
from harness.wire import guest_image, run_cases

FAR = 0x40000000
TEXT = bytes(range(256)) * 12


def blind_window(wire, _guest, host):
    """RFC 9293 3.10.7.4: a window in a segment outside of the receive window is not taken"""
    c = Exchange.established(wire, host)
    c.segment(ACK, sequence=c.next + FAR, window=0)
    c.acknowledgement("the answer to a sequence number far ahead")
    c.echoed(TEXT)


def blind_mss(wire, _guest, host):
    """RFC 9293 3.7.1: the MSS option counts in SYN only, whether its segment is acceptable or not"""
    c = Exchange.established(wire, host)
    c.segment(ACK, sequence=c.next + FAR, options=mss(1))
    c.segment(ACK, options=mss(64))
    c.send(TEXT)
    lengths = c.arrives(1500)  # the rest may wait (RFC 9293 3.7.4, Nagle)
    check(max(lengths) > 1000, f"the peer's MSS is 1,460, yet the segments have {lengths}")


def old_acknowledgement(wire, _guest, host):
    """RFC 5961 5.2: an acknowledgement older than the largest window refuses the segment and its data"""
    c = Exchange.established(wire, host)
    c.segment(ACK | PSH, b"injected", acknowledged=c.expected - 50_000_000)
    c.acknowledgement("the answer to an acknowledgement 50 MB old")
    c.silence("data with a refused acknowledgement is none")
    c.echoed()


def recent_acknowledgement(wire, _guest, host):
    """RFC 5961 5.2: an acknowledgement that is older by less than the largest window does not refuse the data"""
    c = Exchange.established(wire, host)
    c.echoed(TEXT)
    c.segment(ACK | PSH, b"delayed", acknowledged=c.expected - 1000)
    c.next += 7
    check(c.receive(7) == b"delayed", "data with an older acknowledgement is lost")


def old_acknowledgement_has_no_window(wire, _guest, host):
    """RFC 9293 3.10.7.4: a window counts only with an acknowledgement that is not older than the last"""
    c = Exchange.established(wire, host)
    c.echoed(TEXT)
    c.segment(ACK | PSH, b"0123456789", acknowledged=c.expected - 1000, window=0)
    c.next += 10
    segment = c.answer("the echo", lambda s: s.data)  # to a window of 0 goes nothing
    check(segment.data == b"0123456789", f"a window of an old acknowledgement is taken: {segment.data}")


def acknowledgement_of_what_was_not_sent(wire, _guest, host):
    """RFC 9293 3.10.7.4: SEG.ACK > SND.NXT is answered by an acknowledgement, and the segment dropped"""
    c = Exchange.established(wire, host)
    c.segment(ACK | PSH, b"dropped", acknowledged=c.expected + 1000)
    c.acknowledgement("the answer to an acknowledgement of what was not sent")
    c.silence("its data is dropped")
    c.echoed()


def no_acknowledgement(wire, _guest, host):
    """RFC 9293 3.10.7.4: a segment without ACK is dropped without an answer"""
    c = Exchange.established(wire, host)
    c.segment(PSH, b"dropped")
    c.segment(0, b"dropped")
    c.segment(FIN)
    c.silence("segments without ACK are dropped")
    c.echoed()


def reset_outside(wire, _guest, host):
    """RFC 5961 3.2: a reset outside of the window is dropped without an answer"""
    c = Exchange.established(wire, host)
    for sequence in (c.next - 1, c.next - FAR, c.next + 200_000, c.next + FAR):
        c.segment(RST | ACK, sequence=sequence)
        c.segment(RST, sequence=sequence)
    c.silence("resets outside of the window are dropped")
    c.echoed()


def reset_inside(wire, _guest, host):
    """RFC 5961 3.2: a reset within the window, but not at its start, is challenged"""
    c = Exchange.established(wire, host)
    c.segment(RST | ACK, sequence=c.next + 1)
    c.acknowledgement("the challenge to a reset within the window")
    c.echoed()


def reset_exact(wire, _guest, host):
    """RFC 9293 3.10.7.4, RFC 5961 3.2: a reset at the next sequence number ends the connection, and is not answered"""
    c = Exchange.established(wire, host)
    c.echoed()
    c.segment(RST)
    c.silence("a reset is not answered")
    c.gone("it was reset")


def syn_inside(wire, _guest, host):
    """RFC 5961 4.2: a SYN within the window is challenged, not obeyed"""
    c = Exchange.established(wire, host)
    c.segment(SYN, sequence=c.next + 5)
    c.acknowledgement("the challenge to a SYN")
    c.echoed()


def syn_outside(wire, _guest, host):
    """RFC 5961 4.2: a SYN outside of the window is challenged, too"""
    c = Exchange.established(wire, host)
    c.segment(SYN, sequence=c.next + FAR, options=mss(64))
    c.acknowledgement("the challenge to a SYN")
    c.echoed(TEXT)


def syn_with_others(wire, _guest, host):
    """SYN together with FIN, RST or URG means nothing: dropped without an answer, whatever the sequence number"""
    c = Exchange.established(wire, host)
    for others in (FIN, RST, URG, FIN | PSH | URG, RST | ACK, 0x3F & ~SYN):
        for sequence in (c.next, c.next - 1, c.next + FAR):
            c.segment(SYN | others, sequence=sequence)
    c.silence("SYN with FIN, RST or URG is dropped")
    c.echoed()


def answers_are_few(wire, _guest, host):
    """RFC 5961 7: 300 segments outside of the window bring a handful of acknowledgements"""
    c = Exchange.established(wire, host)
    for i in range(100):
        c.segment(ACK, sequence=c.next + FAR + i)
        c.segment(ACK | PSH, b"dropped", sequence=c.next + FAR + i)
        c.segment(SYN, sequence=c.next + 5 + i)
    wire.settled(host)
    came = c.segments()
    check(1 <= len(came) < 20, f"300 segments bring {len(came)} answers")
    c.echoed()


def answers_are_few_together(wire, _guest, host):
    """RFC 5961 7: 3,000 segments for connections of a server bring less answers than segments"""
    several = [Exchange.established(wire, host) for _ in range(10)]
    for i in range(300):
        for c in several:
            c.segment(ACK, sequence=c.next + FAR + i)
        if i % 50 == 0:
            wire.settled(host)
    wire.settled(host)
    came = sum(len(c.segments()) for c in several)
    check(10 <= came < 200, f"3,000 segments bring {came} answers")
    for c in several:
        c.echoed()
        c.segment(RST)


def twice_the_same(wire, _guest, host):
    """RFC 9293 3.10.7.4: what was received is acknowledged when it comes again, and given to the program once"""
    c = Exchange.established(wire, host)
    c.echoed(b"once")
    c.segment(ACK | PSH, b"once", sequence=c.next - 4)
    c.acknowledgement("the answer to data that came before")
    c.silence("data that came before is not data")
    c.echoed()


def partly_new(wire, _guest, host):
    """RFC 9293 3.10.7.4: of a segment that begins before the window the part within it is taken"""
    c = Exchange.established(wire, host)
    c.echoed(b"before")
    c.segment(ACK | PSH, b"beforeafter", sequence=c.next - 6)
    c.next += 5
    check(c.receive(5) == b"after", "the new part is lost")


def beyond_the_window(wire, _guest, host):
    """RFC 9293 3.10.7.4: data beyond the window is not taken, not even later; it is answered"""
    c = Exchange.established(wire, host)
    c.segment(ACK | PSH, b"beyond", sequence=c.next + 200_000)
    c.acknowledgement("the answer to data beyond the window")
    c.echoed()


def keepalive(wire, _guest, host):
    """RFC 9293 3.8.4: a keep-alive segment, one number before the next, with or without a byte, is acknowledged"""
    for data in (b"", b"\0"):
        c = Exchange.established(wire, host)
        c.segment(ACK, data, sequence=c.next - 1)
        c.acknowledgement("the answer to a keep-alive")
        c.echoed()


def sequence_numbers_wrap(wire, _guest, host):
    """RFC 9293 3.4: numbers are compared modulo 2^32: a stream over the end of them is whole"""
    c = Exchange.established(wire, host, sequence=0xFFFFFFFF - 1000)
    for _ in range(3):
        c.echoed(b"0123456789" * 70)
    c.segment(ACK, sequence=c.next + FAR, window=0)
    c.acknowledgement("the answer to a sequence number far ahead")


CASES = [blind_window, blind_mss, old_acknowledgement, recent_acknowledgement, old_acknowledgement_has_no_window,
         acknowledgement_of_what_was_not_sent, no_acknowledgement, reset_outside, reset_inside, reset_exact, syn_inside, syn_outside,
         syn_with_others, answers_are_few, answers_are_few_together, twice_the_same, partly_new, beyond_the_window, keepalive,
         sequence_numbers_wrap]

if __name__ == "__main__":
    sys.exit(run_cases(CASES, guest_image(), "echo_server: port", together=True))
