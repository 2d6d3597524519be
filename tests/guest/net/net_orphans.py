#!/usr/bin/env python3
# Connections that a program has closed, but whose peers announce a window of 0, take a bounded share of memory.
# SPDX-License-Identifier: MIT
"""Usage: net_orphans.py SOURCE IMAGE"""

import random
import socket
import time

from harness import PASSED, PATIENCE, TestFailure, status_name
from net_flood import ACK, SYN, segment
from harness.network import GUEST4, connect, tap_test

CLIENTS, AT_ONCE = 3000, 50


def header_of_guest(wire):
    """Ethernet's header of frames to the guest, whose address on the wire is asked for by the host's own connection."""
    connect((GUEST4, 80)).close()
    while True:
        frame = wire.recv(2048)
        if frame[12:14] == b"\x08\x00" and frame[26:30] == socket.inet_aton(GUEST4):
            return frame[6:12] + frame[0:6] + b"\x08\x00"


def open_some(wire, header, first, count):
    """Handshakes of clients that want nothing."""
    guest = socket.inet_aton(GUEST4)
    waiting = {bytes([198, 18, number >> 8, number & 255]): random.randrange(1024, 65536) for number in range(first, first + count)}
    for source, port in waiting.items():
        wire.send(header + segment(source, guest, port, SYN, 999, window=0))
    deadline = time.monotonic() + 10 * PATIENCE
    while waiting:
        frame = wire.recv(2048)
        if time.monotonic() > deadline:
            raise TestFailure(f"{len(waiting)} of {count} SYNs were not answered")
        port = waiting.get(frame[30:34])
        if port and frame[12:14] == b"\x08\x00" and frame[47] == SYN | ACK:
            sequence = int.from_bytes(frame[38:42], "big")
            wire.send(header + segment(frame[30:34], guest, port, ACK, 1000, sequence + 1 & 0xFFFFFFFF, window=0))
            del waiting[frame[30:34]]


def check(guest):
    guest.expect("^ready$")
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)) as wire:
        wire.bind(("tap0", 0))
        wire.settimeout(10 * PATIENCE)
        header = header_of_guest(wire)
        for first in range(0, CLIENTS, AT_ONCE):
            open_some(wire, header, first, AT_ONCE)
        print("ok: " + guest.expect("^closed connections keep .*$").group().decode())
    status = guest.wait()
    if status != PASSED:
        raise TestFailure(f"QEMU's exit status is {status_name(status)}")


if __name__ == "__main__":
    random.seed(1)
    tap_test(check, "closed connections are bounded", memory="32")
