#!/usr/bin/env python3
# A TCP connection outlives resets for which the network device asks; a device that is taken away is left alone.
# SPDX-License-Identifier: MIT
"""Usage: net_reset.py SOURCE IMAGE"""

import random
import sys

from harness import PATIENCE, TestFailure, judge, status_name
from harness.network import TapNetwork, connect, enter_namespace, guest_on, receive_exactly

PORT, RESETS = 7011, 3


def echo(stream, message):
    stream.sendall(message)
    if receive_exactly(stream, len(message)) != message:
        raise TestFailure("the echo differs")


def check(image, options):
    network = TapNetwork(properties="addr=5" + options)
    chance = random.Random(1)
    with guest_on(network, image, machine="pc") as guest:
        guest.expect("^ready$")
        with connect(network.address(PORT), 20 * PATIENCE) as stream:
            stream.settimeout(60 * PATIENCE)
            for _ in range(RESETS):
                echo(stream, b"e" + chance.randbytes(400))
                echo(stream, b"r" + chance.randbytes(400))
                guest.expect("device says that it needs a reset; it was switched off$")
                guest.expect("goes on after its reset$")
            stream.sendall(b"g")
            guest.expect("device (is gone|has forgotten that it was in use); it was switched off$")
            guest.expect("^silent$")
        status = guest.wait()
        if status != 33:
            raise TestFailure(f"QEMU's exit status is {status_name(status)}")
    print(f"ok: {RESETS} resets, then gone: virtio-net-pci{options}", flush=True)


def main():
    enter_namespace()
    packed = ",packed=on" if "packed" in sys.argv[1] else ""
    for options in ("", ",vectors=0"):
        check(sys.argv[2], packed + options)


if __name__ == "__main__":
    sys.exit(judge(main))
