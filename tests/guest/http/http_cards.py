#!/usr/bin/env python3
# One file of http_server, with one SHA-256, on every network card (igb where QEMU has it), on memory-mapped virtio and behind virtio's old interface:
# wrk and ab lose no request.
# SPDX-License-Identifier: MIT
"""Usage: http_cards.py IMAGE (one with all drivers)"""

import hashlib
import pathlib
import subprocess
import sys

from harness import QEMU, TestFailure, judge
from harness.network import TapNetwork, enter_namespace, http_get, serving
from http_soak import ab, wrk

CARDS = {"e1000": "pc", "e1000e": "q35", "vmxnet3": "q35", "virtio-net-pci,disable-modern=on,disable-legacy=off": "pc",
         "virtio-net-pci,disable-legacy=on": "q35", "virtio-net-device": "microvm", "igb": "q35"}


def cards_of_qemu():
    """What this QEMU shows; igb is among it from 8.0 on."""
    return subprocess.run([QEMU, "-device", "help"], capture_output=True, text=True, check=True).stdout


def digest(image):
    return hashlib.sha256(pathlib.Path(image).read_bytes()).hexdigest()


def main():
    enter_namespace()
    known, first = cards_of_qemu(), digest(sys.argv[1])
    print(f"the image's SHA-256: {first}", flush=True)
    for card, machine in CARDS.items():
        if f'"{card.split(",")[0]}"' not in known:
            print(f"skipped: this QEMU has no {card}", flush=True)
            continue
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
    if digest(sys.argv[1]) != first:
        raise TestFailure("the image is another one than at first")


if __name__ == "__main__":
    sys.exit(judge(main))
