#!/usr/bin/env python3
# UDP: datagrams of every size come back whole, also in fragments; wrong checksums and cut fragments do not.
# SPDX-License-Identifier: MIT
"""Usage: net_udp.py SOURCE IMAGE"""

import os
import socket
import struct

from harness import PASSED, PATIENCE, TestFailure
from harness.network import GUEST4, tap_test

SIZES = [1, 2, 3, 100, 512, 1471, 1472, 1473, 2000, 4000]


def echo(client, size):
    data = os.urandom(size)
    client.sendto(data, (GUEST4, 7))
    answer = client.recv(65536)
    if answer != data:
        raise TestFailure(f"a datagram of {size} bytes came back as {len(answer)} bytes that differ")


def send_nonsense():
    """Raw IPv4 packets whose UDP part lies: length too long, too short, wrong checksum; a fragment without its rest."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for length, checksum, flags in ((200, 0x1234, 0), (3, 0x1234, 0), (16, 0x1234, 0), (16, 0, 0x2000), (16, 0, 0x1FFF)):
            body = struct.pack("!HHHH", 9, 7, length, checksum) + b"nonsense"
            header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 99, flags, 64, 17, 0,
                                 socket.inet_aton("10.7.0.1"), socket.inet_aton(GUEST4))
            raw.sendto(header + body, (GUEST4, 0))


def check(guest):
    guest.expect("^ready$")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10 * PATIENCE)
        for size in SIZES:
            echo(client, size)
        send_nonsense()
        for size in SIZES * 20:
            echo(client, size)
        client.sendto(b"end", (GUEST4, 7))
    count = int(guest.expect(r"^(\d+) datagrams$").group(1))
    if count != len(SIZES) * 21:
        raise TestFailure(f"the program saw {count} datagrams, {len(SIZES) * 21} were right")
    if guest.wait() != PASSED:
        raise TestFailure("the guest did not pass")


if __name__ == "__main__":
    tap_test(check, "datagrams came back, nonsense did not")
