#!/usr/bin/env python3
# A flood of SYNs from addresses that never answer does not lock out those that do.
# SPDX-License-Identifier: MIT
"""Usage: net_flood.py IMAGE (http_server)"""

import random
import socket
import struct

from harness import PATIENCE, TestFailure
from harness.network import GUEST4, connect, http_get, serving, tap_test

ROUNDS, SYNS = 20, 600  # more than a listener's backlog, each round
SYN, RST, ACK = 2, 4, 16


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def segment(source, destination, port, flags, sequence=0, acknowledged=0, data=b"", window=65535):
    """An IPv4 packet with a TCP segment to port 80."""
    tcp = struct.pack("!HHIIBBHHH", port, 80, sequence, acknowledged, 5 << 4, flags, window, 0, 0) + data
    pseudo = source + destination + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp + b"\0" * (len(tcp) % 2))) + tcp[18:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, socket.IPPROTO_TCP, 0) + source + destination
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + tcp


def flood(wire, header, destination):
    for _ in range(SYNS):
        source = bytes([198, 18, random.randrange(256), random.randrange(1, 255)])
        wire.send(header + segment(source, destination, random.randrange(1024, 65536), SYN, random.getrandbits(32)))


def answer_to(wire, address):
    """The guest's next TCP segment to that address: (flags, sequence number, data)."""
    while True:
        frame = wire.recv(2048)
        if frame[12:14] == b"\x08\x00" and frame[30:34] == address:
            tcp = frame[34:14 + int.from_bytes(frame[16:18], "big")]
            return tcp[13], int.from_bytes(tcp[4:8], "big"), tcp[(tcp[12] >> 4) * 4:]


def check_early_client(wire, header, destination):
    """One whose answer comes after more SYNs than a backlog holds is not forgotten."""
    source, port, request = bytes([198, 19, 0, 1]), 5000, b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"
    wire.send(header + segment(source, destination, port, SYN, 999))
    flags, sequence, _ = answer_to(wire, source)
    if flags != SYN | ACK:
        raise TestFailure(f"a SYN was answered with the flags {flags:#x}")
    flood(wire, header, destination)
    wire.send(header + segment(source, destination, port, ACK, 1000, sequence + 1, request))
    data = b""
    while not data:
        flags, _, data = answer_to(wire, source)
        if flags & RST:
            raise TestFailure("a client that answered late was reset")
    if not data.startswith(b"HTTP/1.1 200 "):
        raise TestFailure(f"a client that answered late got {data}")


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
        check_early_client(wire, header, socket.inet_aton(GUEST4))


if __name__ == "__main__":
    random.seed(1)
    tap_test(check, f"pages between {ROUNDS * SYNS} SYNs, and for a client older than {SYNS}", serving, memory="16")
