#!/usr/bin/env python3
# http_server on network cards that are not virtio 1.0's: wrk and ab lose no request and no byte.
# SPDX-License-Identifier: MIT
"""Usage: http_cards.py IMAGE (one with all drivers)"""

import sys

from harness import TestFailure, judge
from harness.network import TapNetwork, enter_namespace, http_get, serving
from http_soak import ab, wrk

CARDS = {"e1000": "pc", "e1000e": "q35", "vmxnet3": "q35", "virtio-net-pci,disable-modern=on,disable-legacy=off": "pc"}


def main():
    enter_namespace()
    for card, machine in CARDS.items():
        with serving(TapNetwork(device=card), sys.argv[1], f"{card}: ", machine=machine) as (guest, address):
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
