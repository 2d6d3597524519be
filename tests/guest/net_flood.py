#!/usr/bin/env python3
# A flood of SYNs from addresses that never answer does not lock out those that do.
# SPDX-License-Identifier: MIT
"""Usage: net_flood.py IMAGE (http_server)"""

import random
import socket
import struct

from harness import PATIENCE, TestFailure
from network import GUEST4, connect, http_get, serving, tap_test

ROUNDS, SYNS = 20, 600  # more than a listener's backlog, each round


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def syn(source, destination):
    """An IPv4 packet with a SYN for port 80."""
    tcp = struct.pack("!HHIIBBHHH", random.randrange(1024, 65536), 80, random.getrandbits(32), 0, 5 << 4, 2, 65535, 0, 0)
    pseudo = source + destination + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, socket.IPPROTO_TCP, 0) + source + destination
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + tcp


def flood(wire, header, destination):
    for _ in range(SYNS):
        source = bytes([198, 18, random.randrange(256), random.randrange(1, 255)])
        wire.send(header + syn(source, destination))


def check(_, address):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)) as wire:
        wire.bind(("tap0", 0))
        wire.settimeout(10 * PATIENCE)
        with connect(address) as client:  # a frame of the guest tells its address on the wire
            client.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n")
            while True:
                frame = wire.recv(2048)
                if frame[26:30] == socket.inet_aton(GUEST4):
                    break
        header = frame[6:12] + frame[0:6] + b"\x08\x00"
        for number in range(ROUNDS):
            flood(wire, header, socket.inet_aton(GUEST4))
            status = http_get(address, "/robots.txt")[0]
            if status != 200:
                raise TestFailure(f"round {number}: status {status}")


if __name__ == "__main__":
    random.seed(1)
    tap_test(check, f"pages between {ROUNDS * SYNS} SYNs", serving, memory="16")
