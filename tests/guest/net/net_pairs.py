#!/usr/bin/env python3
# Several pairs of queues against QEMU's own: a tap with four queues, whose host end echoes datagrams.
# SPDX-License-Identifier: MIT
"""Usage: net_pairs.py SOURCE IMAGE"""

import os
import socket
import subprocess
import sys
import threading

from harness import PASSED, Guest, TestFailure, judge
from harness.network import GUEST4, IFF_VNET_HDR, MAC, enter_namespace, open_tap, set_up_tap

PAIRS, ECHO_PORT = 4, 7000
IFF_MULTI_QUEUE = 0x0100
HOST_MAC = "52:54:00:00:00:01"  # as net_pairs.c addresses it


def echo(server):
    while True:
        data, sender = server.recvfrom(2048)
        if data == b"end":
            return
        server.sendto(data, sender)


def run(image, machine):
    taps = [open_tap("tap0", IFF_VNET_HDR | IFF_MULTI_QUEUE) for _ in range(PAIRS)]
    set_up_tap("tap0")
    # The guest has no stack that would answer ARP.
    subprocess.run(["ip", "link", "set", "tap0", "address", HOST_MAC], check=True)
    subprocess.run(["ip", "neigh", "replace", GUEST4, "lladdr", MAC, "dev", "tap0", "nud", "permanent"], check=True)
    fds = ":".join(map(str, taps))
    arguments = ["-netdev", f"tap,id=net0,fds={fds}", "-device",
                 f"virtio-net-pci,netdev=net0,romfile=,mac={MAC},mq=on,vectors={2 * PAIRS + 2}"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("", ECHO_PORT))
        thread = threading.Thread(target=echo, args=(server,))
        thread.start()
        try:
            with Guest(image, machine=machine, smp=str(PAIRS), arguments=arguments, pass_fds=taps) as guest:
                guest.expect("^ready$")
                for pair in range(PAIRS):
                    guest.expect(rf"^pair {pair}: (\d+) of \1 came back, 0 strange$")
                if guest.wait() != PASSED:
                    raise TestFailure("the guest did not pass")
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stop:
                stop.sendto(b"end", ("127.0.0.1", ECHO_PORT))
            thread.join()
            for tap in taps:
                os.close(tap)


def test():
    enter_namespace()
    for machine in ("q35", "pc"):
        run(sys.argv[2], machine)
    print("ok: every flow came back by its own pair, on its own core")


if __name__ == "__main__":
    sys.exit(judge(test))
