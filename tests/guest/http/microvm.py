#!/usr/bin/env python3
# http_server on QEMU's microvm: virtio over memory-mapped registers, with and without ACPI, both versions of the interface.
# SPDX-License-Identifier: MIT
"""Usage: microvm.py IMAGE"""

import sys

from harness import TestFailure, judge
from http_soak import ab, wrk
from harness.network import UserNetwork, enter_namespace, http_get, serving

MODERN = ["-global", "virtio-mmio.force-legacy=false"]
MACHINES = ("microvm", "microvm-bare", "microvm-noacpi")
ADDRESS = "ip=10.0.2.15/24,10.0.2.2"  # by DHCP, QEMU's network may look for the guest only every six seconds


def check(guest, address, load):
    status, _, body = http_get(address)
    if status != 200 or b"<html" not in body:
        raise TestFailure(f"status {status}, {len(body)} bytes")
    if load:
        wrk(address, 2)
        ab(address, 1000)
    for line in guest.text().splitlines():
        if line.startswith(("error:", "fault:", "panic:")) or "polled" in line:
            raise TestFailure(f"the console says: {line}")


def main():
    enter_namespace(required=False)
    for machine in MACHINES:
        for cores in ("1,maxcpus=2", "4"):
            for interface in (MODERN, []):
                title = f"{machine}, {cores} cores, version {2 if interface else 1}"
                with serving(UserNetwork(80, device="virtio-net-device"), sys.argv[1], f"{title}: ", machine=machine, smp=cores,
                             append=ADDRESS, devices=["virtio-rng-device"], arguments=interface) as (guest, address):
                    check(guest, address, interface and cores == "4")
                print(f"ok: {title}", flush=True)


if __name__ == "__main__":
    sys.exit(judge(main))
