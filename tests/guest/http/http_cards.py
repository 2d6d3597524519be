#!/usr/bin/env python3
# One image of http_server on every network card, on memory-mapped virtio and behind virtio's old interface: wrk and ab lose no request.
# SPDX-License-Identifier: MIT
"""Usage: http_cards.py IMAGE (one with all drivers)"""

import sys

from harness import TestFailure, judge
from harness.network import TapNetwork, enter_namespace, http_get, serving
from http_soak import ab, wrk

CARDS = {"e1000": "pc", "e1000e": "q35", "vmxnet3": "q35", "virtio-net-pci,disable-modern=on,disable-legacy=off": "pc",
         "virtio-net-pci,disable-legacy=on": "q35", "virtio-net-device": "microvm"}


def main():
    enter_namespace()
    for card, machine in CARDS.items():
        random = "virtio-rng-device" if machine == "microvm" else "virtio-rng-pci"
        with serving(TapNetwork(device=card), sys.argv[1], f"{card}: ", machine=machine, devices=(random,)) as (guest, address):
            wrk(address, 1)
            ab(address, 300)
            status, _, body = http_get(address)
            if status != 200 or b"<html" not in body:
                raise TestFailure(f"status {status} and {len(body)} bytes after the load")
            for line in guest.text().splitlines():
                if line.startswith(("error:", "fault:", "panic:")) or "polled" in line or "reset" in line:
                    raise TestFailure(f"the console says: {line}")
        print(f"ok: {card} on {machine}", flush=True)


if __name__ == "__main__":
    sys.exit(judge(main))
