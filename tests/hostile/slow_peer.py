#!/usr/bin/env python3
# Peers of http_server that take little of their answers, or nothing.
# SPDX-License-Identifier: MIT
"""Usage: slow_peer.py IMAGE [CASE...] (http_server)"""

import sys

from harness.frames import ACK, FIN, RST
from harness.wire import GUEST4, HOST4, PREFIX4, Connection, TestFailure, guest_image, run_cases

APPEND = f"ip={GUEST4}/{PREFIX4},{HOST4} -- progress=2"
ASK = b"GET /app.js HTTP/1.1\r\nHost: x\r\n\r\n"
LENGTH = 5000  # of the answer, at least
SEGMENT_MIN = 64


def small_window(wire, _guest, host):
    """A window of two bytes does not make the server prepare segments of one byte each."""
    connection = Connection(wire, host, 80, 40001)
    connection.window = 2
    connection.open()
    connection.send(ASK)
    wire.settled(host)
    connection.window = 65535
    connection.segment(ACK)
    data, count = b"", 0
    while len(data) < LENGTH:
        data += connection.receive(1)
        count += 1
    if count > LENGTH / SEGMENT_MIN + 10:
        raise TestFailure(f"{len(data)} bytes came in {count} segments")


def end_with_window_closed(wire, _guest, host):
    """A peer that ends its side and takes nothing is given up, with a reset that it must accept (RFC 5961 section 3.2)."""
    connection = Connection(wire, host, 80, 40002)
    connection.window = 0
    connection.open()
    connection.send(ASK, flags=FIN | ACK)
    connection.next += 1
    reset = connection.answer("a reset", lambda segment: segment.flags & RST)
    if reset.sequence != connection.expected:
        raise TestFailure(f"the reset's number is {reset.sequence - connection.expected} off")


if __name__ == "__main__":
    sys.exit(run_cases([small_window, end_with_window_closed], guest_image(), together=True, append=APPEND))
