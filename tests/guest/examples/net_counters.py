#!/usr/bin/env python3
# net_counters: what was sent to the machine is counted, and words that cannot be are refused.
# SPDX-License-Identifier: MIT
"""Usage: net_counters.py IMAGE"""

import re
import socket
import sys

from example import match, refuses
from harness import PASSED, TestFailure, judge
from harness.network import GUEST4, TapNetwork, enter_namespace, guest_on

COUNT, SIZE = 100, 500


def check(image, card):
    network = TapNetwork(device=card)
    with guest_on(network, image, f"{card}: ", append=network.append + " -- seconds=3") as guest:
        guest.expect(r"^eth0: \w+, 52:54:00:12:34:56, MTU 1500, 1 queue")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for _ in range(COUNT):
                client.sendto(bytes(SIZE), (GUEST4, 9))
        if guest.wait(60) != PASSED:
            raise guest.failure("the program did not end as it should")
        lines = re.findall(r"^eth0 in (\d+) \(\+(\d+)\), (\d+) bytes, 0 dropped; out (\d+) \(\+\d+\), (\d+) bytes, 0 refused", guest.text(), re.MULTILINE)
        if len(lines) != 3:
            raise TestFailure(f"{len(lines)} lines of figures, expected 3:\n{guest.text()}")
        frames, size, sent = (int(lines[-1][i]) for i in (0, 2, 3))
        if frames < COUNT or size < COUNT * (SIZE + 42) or sent == 0:
            raise TestFailure(f"{COUNT} datagrams of {SIZE} bytes came, and the counters say {lines[-1]}")
        if sum(int(line[1]) for line in lines) != frames:
            raise TestFailure(f"the differences are not those of the counters: {lines}")
    print(f"ok: {card}: {frames} frames", flush=True)


def main():
    enter_namespace()
    for card in ("virtio-net-pci", "e1000e"):
        check(sys.argv[1], card)
    for words in ("seconds=0", "seconds=x", "seconds=86401", "one two"):
        refuses(sys.argv[1], words, r"^net_counters: write seconds=1")
    refuses(sys.argv[1], "seconds=1", r"^net_counters: this machine has no network device")


if __name__ == "__main__":
    sys.exit(judge(main))
