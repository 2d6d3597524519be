#!/usr/bin/env python3
# Counts the segments that corked writes leave in.
# SPDX-License-Identifier: MIT
"""Usage: net_cork.py SOURCE IMAGE"""

import socket
import struct

from harness import PASSED, TestFailure
from harness.network import GUEST4, connect, receive_exactly, tap_test

# What comes, and in how many segments.
STEPS = [(b"one two three", 1), (b"four five", 1), (b"x" * 2000 + b"six", 2), (b"late", 1), (b"bye", 1)]


def segments(sniffer):
    """Lengths of the guest's TCP data in the frames that have come."""
    lengths = []
    while True:
        try:
            frame = sniffer.recv(65536)
        except BlockingIOError:
            return lengths
        if frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_TCP or frame[26:30] != socket.inet_aton(GUEST4):
            continue
        header = (frame[14] & 15) * 4
        length = struct.unpack_from("!H", frame, 16)[0] - header - (frame[14 + header + 12] >> 4) * 4
        if length:
            lengths.append(length)


def check(guest):
    guest.expect("^ready$")
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sniffer, connect((GUEST4, 7)) as client:
        sniffer.bind(("tap0", 0))
        sniffer.setblocking(False)
        for expected, count in STEPS:
            client.sendall(b".")
            data = receive_exactly(client, len(expected))
            if data != expected:
                raise TestFailure(f"{data!r} came, not {expected!r}")
            found = segments(sniffer)
            if sum(found) != len(expected) or len(found) != count:
                raise TestFailure(f"{expected[:20]!r} came in segments of {found} bytes, {count} were wanted")
        if client.recv(1):
            raise TestFailure("more came behind the end")
    if guest.wait() != PASSED:
        raise TestFailure("the guest did not pass")


if __name__ == "__main__":
    tap_test(check, f"{len(STEPS)} corked writes in {sum(count for _, count in STEPS)} segments")
