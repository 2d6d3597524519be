#!/usr/bin/env python3
# http_server on QEMU's microvm: virtio over memory-mapped registers, with and without ACPI, both versions of the interface.
# SPDX-License-Identifier: MIT
"""Usage: microvm.py IMAGE"""

import subprocess
import sys

from harness import Guest, TestFailure
from http_soak import ab, wrk
from network import UserNetwork, connect, enter_namespace, http_get

MODERN = ["-global", "virtio-mmio.force-legacy=false"]
MACHINES = ("microvm", "microvm-bare", "microvm-noacpi")
ADDRESS = "ip=10.0.2.15/24,10.0.2.2"  # by DHCP, QEMU's network may look for the guest only every six seconds


def check(guest, address, load):
    guest.expect("http_server: serving")
    connect(address).close()
    status, _, body = http_get(address)
    if status != 200 or b"<html" not in body:
        raise TestFailure(f"status {status}, {len(body)} bytes")
    if load:
        wrk(address, 2)
        ab(address, 1000)
    if http_get(address)[0] != 200 or not guest.alive():
        raise TestFailure("the server is gone after the load")
    for line in guest.text().splitlines():
        if line.startswith(("error:", "fault:", "panic:")) or "polled" in line:
            raise TestFailure(f"the console says: {line}")


def main():
    enter_namespace(required=False)
    for machine in MACHINES:
        for cores in ("1,maxcpus=2", "4"):
            for interface in (MODERN, []):
                title = f"{machine}, {cores} cores, version {2 if interface else 1}"
                with UserNetwork(80, device="virtio-net-device") as network, \
                        Guest(sys.argv[1], machine=machine, smp=cores, append=ADDRESS, devices=["virtio-rng-device"],
                              arguments=[*network.arguments, *interface]) as guest:
                    try:
                        check(guest, network.address(80), interface and cores == "4")
                    except (TestFailure, OSError, subprocess.SubprocessError) as error:
                        print(f"FAILED: {(guest.hang if guest.alive() else guest.failure)(f'{title}: {error}')}")
                        return 1
                print(f"ok: {title}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
