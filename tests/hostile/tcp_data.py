#!/usr/bin/env python3
# @image echo_server
# TCP's streams: order, windows, acknowledgements, what is sent again.
# SPDX-License-Identifier: MIT
"""Usage: tcp_data.py IMAGE [CASE...] (echo_server)"""

import sys
import time

from harness.exchange import Exchange, check
from harness.frames import ACK, FIN, PSH, RST, URG, mss
from harness.wire import guest_image, run_cases

TEXT = bytes(range(256)) * 16
PIECE = 1000


def out_of_order(wire, _guest, host):
    """RFC 9293 3.10.7.4: segments in any order, some twice, are one stream"""
    c = Exchange.established(wire, host)
    pieces = [(at, TEXT[at:at + PIECE]) for at in range(0, 4000, PIECE)]
    for at, data in [pieces[i] for i in (3, 1, 3, 2, 1, 0)]:
        c.segment(ACK | PSH, data, sequence=c.next + at)
    c.next += 4000
    check(c.receive(4000) == TEXT[:4000], "the stream is another one")


def overlapping(wire, _guest, host):
    """RFC 9293 3.10.7.4: segments that overlap, in any order, are one stream"""
    c = Exchange.established(wire, host)
    for at, end in ((3000, 4000), (1500, 2600), (2500, 3100), (1000, 1600), (900, 3300), (0, 1000)):
        for start in range(at, end, 1400):
            c.segment(ACK | PSH, TEXT[start:min(end, start + 1400)], sequence=c.next + start)
    c.next += 4000
    check(c.receive(4000) == TEXT[:4000], "the stream is another one")


def duplicates_at_once(wire, _guest, host):
    """RFC 5681 3.2, 4.2: data out of order is acknowledged at once, each time"""
    c = Exchange.established(wire, host)
    for ahead in (100, 200, 300):
        c.segment(ACK | PSH, b"later", sequence=c.next + ahead)
        c.acknowledgement("the answer to data out of order")


def end_out_of_order(wire, _guest, host):
    """RFC 9293 3.10.7.4: a FIN counts when all before it has come"""
    c = Exchange.established(wire, host)
    c.segment(ACK | FIN, b"end", sequence=c.next + 5)
    c.acknowledgement("the answer to data out of order")
    c.segment(ACK | PSH, b"start")
    c.next += 9
    check(c.receive(8) == b"startend", "the stream is another one")
    c.answer("the FIN of the server", lambda s: s.flags & FIN and s.acknowledged == c.next)


def stuck(wire, host):
    """A connection whose program reads no more: we take nothing, and it sends back all it reads."""
    c = Exchange(wire, host)
    c.open()
    c.window = 0
    window = 65535
    while window > 1400:  # two segments are acknowledged at once
        c.send(TEXT[:2800] if window > 4200 else TEXT[:700])
        window = c.answer("an acknowledgement", lambda s: s.acknowledged == c.next & 0xFFFFFFFF).window
        wire.forget()
    return c, window


def window_of_out_of_order(wire, _guest, host):
    """RFC 9293 3.10.7.4: data out of order is cut at the end of the window; when the gap closes the window is 0, not beyond"""
    c, window = stuck(wire, host)
    c.segment(ACK | PSH, bytes(1400), sequence=c.next + window - 100)
    c.acknowledgement("the answer to data out of order")
    wire.forget()
    c.segment(ACK | PSH, bytes(window - 100))
    c.next += window
    # The window itself may lie a little beyond what was announced of it (section 3.8.6.2.2).
    beyond = range(1300 + 1)
    answer = c.answer("the answer to data that closes the gap", lambda s: (s.acknowledged - c.next) & 0xFFFFFFFF in beyond)
    check(answer.window < 1460, f"its window is {answer.window}")
    c.next = answer.acknowledged
    c.segment(RST)


def window_of_zero(wire, _guest, host):
    """RFC 9293 3.8.6.1: a probe of a window of 0 is acknowledged and its data not taken; the window's end never goes back"""
    c, window = stuck(wire, host)
    end = c.next + window
    c.segment(ACK | PSH, bytes(window))
    c.next += window
    check(c.acknowledgement("the answer to data that fills the window").window == 0, "the window is not 0")
    # The window itself may lie a little beyond what was announced of it (section 3.8.6.2.2).
    for _ in range(1460):
        c.segment(ACK | PSH, b"?")
        answer = c.answer("the answer to a probe", lambda s: (s.acknowledged - end) & 0xFFFFFFFF <= 1)
        check(answer.window == 0, f"a probe moves the window: {answer}")
        if answer.acknowledged == end & 0xFFFFFFFF:
            break
        c.next = end = answer.acknowledged
    else:
        check(False, "every probe is taken")
    c.segment(RST)


def probes(wire, _guest, host):
    """RFC 9293 3.8.6.1: a peer's window of 0 is probed, and data that it sends acknowledged with a number that it accepts; when it opens all comes"""
    c = Exchange(wire, host)
    c.open()
    c.window = 0
    c.send(b"0123456789")
    c.answer("a probe of the window", lambda s: not s.data and s.sequence == (c.expected - 1) & 0xFFFFFFFF)
    c.segment(ACK | PSH, b"more")
    c.next += 4
    answer = c.answer("the answer to data behind a probe", lambda s: s.acknowledged == c.next)
    check(answer.sequence == c.expected, f"an acknowledgement beyond the window: {answer}")
    c.window = 65535
    c.segment(ACK)
    check(c.receive(14) == b"0123456789more", "the stream is another one")


def window_shrinks(wire, _guest, host):
    """RFC 9293 3.8.6: a window that shrinks is obeyed and survived"""
    c = Exchange.established(wire, host)
    c.window = 3000
    start = c.expected
    c.send(TEXT)
    c.arrives(2000)
    c.window = 10
    c.expected = start  # nothing of it is acknowledged
    c.segment(ACK)
    wire.settled(host)
    c.window = 65535
    c.segment(ACK)
    c.wire.forget()
    check(c.receive(len(TEXT)) == TEXT, "the stream is another one")


def never_beyond(wire, _guest, host):
    """RFC 9293 3.8.6: no more is sent than the peer's window allows"""
    c = Exchange(wire, host)
    c.window = 1000
    c.open(mss(300))
    c.send(TEXT)
    taken = 0
    while taken < len(TEXT):
        start = c.expected
        taken += len(c.receive(1, acknowledge=False))
        wire.settled(host)
        more = c.segments()
        beyond = [s for s in more if s.data and (s.sequence + len(s.data) - start) & 0xFFFFFFFF > 1000]
        check(not beyond, f"beyond the window comes {beyond}")
        for segment in sorted(more, key=lambda s: (s.sequence - start) & 0xFFFFFFFF):
            if segment.data and segment.sequence == c.expected:
                c.expected = (c.expected + len(segment.data)) & 0xFFFFFFFF
                taken += len(segment.data)
        c.segment(ACK)


def urgent(wire, _guest, host):
    """RFC 9293 3.8.5: urgent data is part of the stream, whatever the pointer says (that it is urgent is told to nobody)"""
    c = Exchange.established(wire, host)
    for pointer in (0, 1, 3, 9, 65535):
        c.segment(ACK | PSH | URG, b"urgent", urgent=pointer)
        c.next += 6
        check(c.receive(6) == b"urgent", f"with pointer {pointer} the stream is another one")


def acknowledged_soon(wire, _guest, host):
    """RFC 9293 3.8.6.3: an acknowledgement is delayed by less than 0.5 s, and the second full segment has one at once"""
    c = Exchange.established(wire, host)
    c.echoed(b"x")
    c.window = 0
    c.segment(ACK)
    c.segment(ACK, bytes(1460))
    c.segment(ACK, bytes(1460), sequence=c.next + 1460)
    c.next += 2920
    wire.settled(host)
    check(any(s.acknowledged == c.next for s in c.segments()), "two full segments have no acknowledgement at once")
    c.segment(ACK | PSH, b"y")
    c.next += 1
    start = time.monotonic()
    c.acknowledgement("the delayed acknowledgement")
    check(time.monotonic() - start < 5, "the acknowledgement came late, even for a busy host")


def sent_again(wire, _guest, host):
    """RFC 6298 5: what is not acknowledged comes again, each time after twice the time"""
    c = Exchange.established(wire, host)
    c.send(b"once more")
    times = []
    for _ in range(4):
        segment = c.answer("the segment", lambda s: s.data)
        check(segment.sequence == c.expected and segment.data == b"once more", f"it is {segment}")
        times.append(time.monotonic())
    first, second, third = (after - before for before, after in zip(times, times[1:]))
    check(third > 1.3 * first, f"it came after {first:.2f}, {second:.2f}, {third:.2f} s")
    c.expected += 9
    c.segment(ACK)
    c.echoed()


def sent_again_at_once(wire, _guest, host):
    """RFC 5681 3.2: after three acknowledgements of the same the next segment comes again at once"""
    c = Exchange.established(wire, host)
    start = c.expected
    c.send(TEXT)
    c.arrives(2000)
    c.segments()
    c.expected = start
    for _ in range(3):
        c.segment(ACK)
    wire.settled(host)
    again = [s for s in c.segments() if s.data]
    check(again and again[0].sequence == c.expected, f"after three acknowledgements comes {again}")
    check(c.receive(len(TEXT)) == TEXT, "the stream is another one")


def identifications(wire, _guest, host):
    """RFC 6864 4, RFC 7739 3: identifications of IPv4 do not count what the machine sends"""
    c = Exchange.established(wire, host)
    seen = []
    for i in range(12):
        c.segment(ACK | PSH, bytes([i]))
        c.next += 1
        frame = wire.expect(lambda f: c.is_mine(f) and f.tcp.data, "an echo")
        c.expected += 1
        c.segment(ACK)
        seen.append((frame.identification, frame.fragment))
    steps = [(after - before) & 0xFFFF for (before, _), (after, _) in zip(seen, seen[1:])]
    check(sum(0 < step < 64 for step in steps) < 4 and 0 not in steps, f"they are {seen}")


CASES = [out_of_order, overlapping, duplicates_at_once, end_out_of_order, window_of_out_of_order, window_of_zero, probes,
         window_shrinks, never_beyond, urgent, acknowledged_soon, sent_again, sent_again_at_once, identifications]

if __name__ == "__main__":
    sys.exit(run_cases(CASES, guest_image(), "echo_server: port", together=True))
