#!/usr/bin/env python3
# @image echo_server
# TCP's header and options: right, wrong, malformed.
# SPDX-License-Identifier: MIT
"""Usage: tcp_options.py IMAGE [CASE...] (echo_server)"""

import sys

from harness.exchange import Exchange, check
from harness.frames import ACK, PSH, SACK_PERMITTED, SYN, mss, timestamps, window_scale
from harness.wire import guest_image, run_cases

NOP, END = b"\x01", b"\0"
MSS, SCALE, SACK_OK, SACK, STAMPS = 2, 3, 4, 5, 8
TEXT = bytes(range(256)) * 16


def lengths_of(wire, source, options, size=1500):
    """Of the segments that data comes back in, to a peer whose SYN has those options."""
    c = Exchange.established(wire, source, options=options)
    c.send(TEXT)
    return c.arrives(size)


def mss_without(wire, _guest, host):
    """RFC 9293 3.7.1, MUST-15: without the option segments have at most 536 bytes"""
    lengths = lengths_of(wire, host, b"")
    check(max(lengths) == 536, f"segments have {lengths}")


def mss_without_6(wire, _guest, _host):
    """RFC 9293 3.7.1, MUST-15: without the option segments have at most 1,220 bytes by IPv6"""
    wire.ready6()
    source = wire.host("fe80::7", "02:00:00:00:00:77")
    wire.settled(source)
    lengths = lengths_of(wire, source, b"")
    check(max(lengths) == 1220, f"segments have {lengths}")


def mss_of_peer(wire, _guest, host):
    """RFC 9293 3.7.1, MUST-16: segments are no larger than the peer's MSS"""
    for value in (1000, 64, 65535):
        lengths = lengths_of(wire, host, mss(value), min(1500, 2 * value))
        check(max(lengths) == min(value, 1460), f"MSS {value}: segments have {lengths}")


def mss_too_small(wire, _guest, host):
    """A peer whose MSS is next to nothing gets segments of 64 bytes nevertheless"""
    for value in (0, 1, 63):
        lengths = lengths_of(wire, host, mss(value), 128)
        check(min(lengths) >= 64, f"MSS {value}: segments have {lengths}")


def scale_offered(wire, _guest, host):
    """RFC 7323 1.3, RFC 2018 2: options are in a SYN-ACK only if they were in the SYN"""
    c = Exchange(wire, host)
    c.segment(SYN, options=mss(1460), acknowledged=0)
    answer = c.answer("a SYN-ACK")
    check(set(answer.options) == {MSS}, f"the SYN had MSS alone, the SYN-ACK has {answer.options}")
    c = Exchange(wire, host)
    c.segment(SYN, options=mss(1460) + SACK_PERMITTED + timestamps(1, 0) + NOP + window_scale(7), acknowledged=0)
    answer = c.answer("a SYN-ACK")
    check({MSS, SCALE, SACK_OK} <= set(answer.options), f"the SYN-ACK has {answer.options}")


def in_flight(wire, host, options, window, later=b"", wanted=1):
    """How much comes without an acknowledgement, if the window field has that number. What is wanted is waited for: the program may
    take its time. More than that would be on the way before an answer to another connection of the same program."""
    c = Exchange(wire, host)
    c.window = window
    c.open(options)
    c.segment(ACK, options=later)
    c.send(TEXT)
    came = sum(c.arrives(wanted))
    Exchange.established(wire, host).echoed()
    wire.settled(host)
    return came + sum(len(segment.data) for segment in c.segments() if (segment.sequence - c.expected) & 0xFFFFFFFF < len(TEXT))


def scale_counts(wire, _guest, host):
    """RFC 7323 2.2: windows are shifted by the scale of the SYN"""
    few, many = in_flight(wire, host, mss(100), 40), in_flight(wire, host, mss(100) + window_scale(7), 40, wanted=41)
    check(few <= 40 < many, f"windows of 40: {few} bytes unscaled, {many} scaled by 7")


def scale_above_14(wire, _guest, host):
    """RFC 7323 2.3: a scale above 14 is 14"""
    came = in_flight(wire, host, mss(1000) + window_scale(255), 1, wanted=2000)
    check(2000 <= came <= 16384, f"a window of 1 scaled by 255: {came} bytes")


def scale_outside_of_syn(wire, _guest, host):
    """RFC 7323 2.2: the option counts in SYN only"""
    came = in_flight(wire, host, mss(100), 40, later=window_scale(7))
    check(came <= 40, f"a window of 40, a scale in a later segment: {came} bytes")


def unknown(wire, _guest, host):
    """RFC 9293 3.1, MUST-6: unknown options are passed over by their length"""
    lengths = lengths_of(wire, host, bytes([253, 6, 1, 2, 3, 4, 254, 2]) + NOP + mss(700))
    check(max(lengths) == 700, f"an MSS of 700 behind unknown options: segments have {lengths}")


def end_of_list(wire, _guest, host):
    """RFC 9293 3.1: nothing counts behind the end of the list"""
    lengths = lengths_of(wire, host, NOP + END + mss(700))
    check(max(lengths) == 536, f"an MSS of 700 behind the end: segments have {lengths}")


def malformed(wire, _guest, host):
    """RFC 9293 3.1, MUST-7: lengths that are impossible hurt nobody, nor do options that end in their middle"""
    for options in (bytes([MSS, 0]), bytes([MSS, 1]), bytes([MSS, 3, 1]), bytes([MSS, 5, 1, 1, 1]), bytes([MSS, 255, 5, 180]),
                    NOP * 3 + bytes([MSS]), NOP * 2 + bytes([MSS, 4]), NOP + bytes([MSS, 4, 5]), NOP * 3 + bytes([SCALE]),
                    NOP * 2 + bytes([SCALE, 3]), bytes([254, 0, 9, 9]), bytes([254, 1, 9, 9]), bytes([254, 200, 9, 9]),
                    NOP * 3 + bytes([254]), bytes([SACK_OK, 10, 0, 0]), NOP * 40):
        c = Exchange.established(wire, host, options=options)
        c.echoed()


def malformed_later(wire, _guest, host):
    """RFC 9293 3.1, MUST-7: the same in segments of a connection"""
    c = Exchange.established(wire, host)
    for options in (bytes([MSS, 0]), bytes([SACK, 255, 1, 1]), NOP * 3 + bytes([MSS]), bytes([SACK, 10] + [255] * 8), NOP * 40):
        c.segment(ACK | PSH, b"data", options=options)
        c.next += 4
        check(c.receive(4) == b"data", f"data behind options {options} is lost")


def not_negotiated(wire, _guest, host):
    """RFC 7323 3.2: timestamps that were not agreed on are ignored, their segment is taken"""
    c = Exchange.established(wire, host)
    c.segment(ACK | PSH, b"data", options=NOP * 2 + timestamps(1, 2))
    c.next += 4
    check(c.receive(4) == b"data", "data behind timestamps is lost")


def data_offset(wire, _guest, host):
    """A data offset below 5, or beyond the segment, drops it"""
    c = Exchange.established(wire, host)
    for words in (0, 1, 4, 6, 15):
        c.segment(ACK, words=words)
        c.segment(ACK | PSH, b"abc", words=words)
    c.silence("such segments are dropped")
    c.echoed()


def wrong_checksum(wire, _guest, host):
    """RFC 9293 3.1, MUST-3: a segment with a wrong checksum is dropped"""
    c = Exchange.established(wire, host)
    c.segment(ACK | PSH, b"wrong", check=0x1234)
    c.silence("it is dropped")
    c.echoed()


def selective(wire, _guest, host):
    """RFC 2018 3, 4: data out of order is named, the latest first, if the peer's SYN has asked for it; and only then"""
    for options, expected in ((mss(1460), False), (mss(1460) + SACK_PERMITTED, True)):
        c = Exchange.established(wire, host, options=options)
        for ahead in (10, 30):
            c.segment(ACK | PSH, b"0123456789", sequence=c.next + ahead)
            answer = c.acknowledgement("the answer to data out of order")
            named = answer.options.get(SACK)
            blocks = None if named is None else [int.from_bytes(named[i:i + 4], "big") - c.next for i in range(0, len(named), 4)]
            right = None if not expected else [10, 20] if ahead == 10 else [30, 40, 10, 20]
            check(blocks == right, f"with {options.hex()} data {ahead} ahead is named by {blocks}")


CASES = [mss_without_6, mss_without, mss_of_peer, mss_too_small, scale_offered, scale_counts, scale_above_14, scale_outside_of_syn,
         unknown, end_of_list, malformed, malformed_later, not_negotiated, data_offset, wrong_checksum, selective]

if __name__ == "__main__":
    sys.exit(run_cases(CASES, guest_image(), "echo_server: port", together=True))
