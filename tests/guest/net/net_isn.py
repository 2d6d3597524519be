#!/usr/bin/env python3
# TCP's initial sequence numbers cannot be guessed: they are spread over their whole range, from connection to connection.
# SPDX-License-Identifier: MIT
"""Usage: net_isn.py IMAGE (http_server)"""

import socket
import struct

from harness import TestFailure
from harness.network import connect, serving, tap_test

CONNECTIONS = 40
SYN_ACK = 0x12


def syn_acks(sniffer):
    """Sequence numbers of the SYN-ACK segments that have arrived."""
    numbers = {}
    while True:
        try:
            frame = sniffer.recv(2048)
        except BlockingIOError:
            return list(numbers.values())
        if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_TCP:
            continue
        tcp = 14 + (frame[14] & 15) * 4
        if frame[tcp + 13] & 0x3F == SYN_ACK:
            client_port, sequence = struct.unpack_from("!HI", frame, tcp + 2)
            numbers[client_port] = sequence


def check(_, address):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sniffer:
        sniffer.bind(("tap0", 0))
        sniffer.setblocking(False)
        for _ in range(CONNECTIONS):
            connect(address).close()
        numbers = syn_acks(sniffer)
    if len(numbers) < CONNECTIONS:
        raise TestFailure(f"only {len(numbers)} SYN-ACK segments were seen")
    steps = [(b - a) & 0xFFFFFFFF for a, b in zip(numbers, numbers[1:])]
    # Random steps: one in 256 is shorter than 2^24, so a fourth of 39 never is; a counter's steps nearly all are.
    small = sum(step < 1 << 24 for step in steps)
    sectors = len({number >> 28 for number in numbers})
    if small > len(steps) // 4 or sectors < 8:
        raise TestFailure(f"the sequence numbers can be guessed: {small} small steps, {sectors} of 16 sectors: {numbers}")


if __name__ == "__main__":
    tap_test(check, "initial sequence numbers are spread", serving)
