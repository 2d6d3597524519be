#!/usr/bin/env python3
# Streams in, out and back arrive intact, with joined segments and without, whatever the device offers; also when
# whole frames get lost or come late.
# SPDX-License-Identifier: MIT
"""Usage: net_bulk.py SOURCE IMAGE"""

import array
import socket
import struct
import sys
import threading

from harness import PATIENCE, TestFailure, judge
from harness.network import GUEST4, NO_OFFLOAD, TapNetwork, connect, enter_namespace, guest_on, receive_exactly

GUEST6 = "fe80::5054:ff:fe12:3456%tap0"  # from its MAC
MIB = 1 << 20
LARGEST = 2 * MIB
LIMIT = 60 * PATIENCE  # seconds for one stream
PATTERN = array.array("Q", (number * 0x9E3779B97F4A7C15 & (1 << 64) - 1 for number in range(LARGEST // 8))).tobytes()

# What the device lacks, and the ways in which segments may then still be joined: IPv4 in and out, IPv6 in and out. IPv6
# is left out where it would show nothing else: the guest has to wait for its address.
DEVICES = {
    "": (True, True, True, True),
    "mrg_rxbuf=off": (False, True),
    "guest_csum=off": (False, True),
    "guest_tso4=off": (False, True),
    "guest_tso6=off": (True, True, False, True),
    "csum=off": (True, False),
    "host_tso4=off": (True, False),
    "host_tso6=off": (True, True, True, False),
    "rx_queue_size=256,tx_queue_size=256,event_idx=off": (True, True),
    NO_OFFLOAD: (False, False, False, False),
}


def stream(address, what, size):
    """One order; the stream is compared with the pattern by both sides."""
    with connect((address, 5001), 60) as connection:
        connection.settimeout(LIMIT)
        connection.sendall(struct.pack("<QQ", ord(what), size // 8))
        data = PATTERN[:size]
        sender = threading.Thread(target=connection.sendall, args=(data,), daemon=True)
        if what != "o":
            sender.start()
        if what == "i":
            if receive_exactly(connection, 1) != b"k":
                raise TestFailure("the guest did not acknowledge the stream")
        elif receive_exactly(connection, size) != data:
            raise TestFailure(f"a stream ({what}) of {size} bytes came back different")
        if what != "o":
            sender.join(LIMIT)
            connection.shutdown(socket.SHUT_WR)


def run(guest, address, what, size, may_join_in, may_join_out):
    stream(address, what, size)
    said = guest.expect(r"^joined: (\d+) in, (\d+) out; lost (\d+), late (\d+)$")
    joined_in, joined_out, lost, late = map(int, said.groups())
    for way, count, may, does in (("in", joined_in, may_join_in, what != "o"), ("out", joined_out, may_join_out, what != "i")):
        if count and not may:
            raise TestFailure(f"{count} frames {way} had joined segments, which the device does not offer")
        if does and may and not count:
            raise TestFailure(f"no frame {way} had joined segments")
    return lost, late


def check_device(image, properties, ways, memory="64"):
    name = f"device with {properties or 'everything'}, {memory} MiB"
    with guest_on(TapNetwork(properties=properties), image, f"{name}: ", memory=memory) as guest:
        for address, joins in ((GUEST4, ways[:2]), (GUEST6, ways[2:])):
            for what in "ioe" if joins else "":
                run(guest, address, what, MIB + 8 * 77, *joins)
    print(f"ok: {name}", flush=True)


def check_losses(image):
    network = TapNetwork()
    with guest_on(network, image, "lossy: ", append=network.append + " -- lossy") as guest:
        total = [0, 0]
        for address in (GUEST4, GUEST6):
            for what in "ioe":
                for index, count in enumerate(run(guest, address, what, LARGEST, True, True)):
                    total[index] += count
        if min(total) < 5:
            raise TestFailure(f"{total[0]} frames were lost and {total[1]} late: too few to tell anything")
    print(f"ok: {total[0]} frames were lost and {total[1]} late", flush=True)


def main():
    enter_namespace()
    image = sys.argv[2]
    check_losses(image)
    check_device(image, "", (False, True), memory="6")  # a queue that holds no large frame
    for properties, ways in DEVICES.items():
        check_device(image, properties, ways)


if __name__ == "__main__":
    sys.exit(judge(main))
