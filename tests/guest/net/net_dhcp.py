#!/usr/bin/env python3
# Addresses: from DHCP by default, fixed by ip=, and a clear word when the line is wrong or there is no network.
# SPDX-License-Identifier: MIT
"""Usage: net_dhcp.py IMAGE (http_server)"""

import sys

from harness import TestFailure, judge
from harness.network import TapNetwork, UserNetwork, connect, enter_namespace, guest_on, have_namespace, http_get


def check(image, what, append, machine, expected=(), network=None, serve=True):
    network = network or UserNetwork(80)
    with guest_on(network, image, f"{what}: ", machine=machine, append=append) as guest:
        for pattern in expected:
            guest.expect(pattern, 20)
        if serve:
            guest.position = 0
            guest.expect("http_server: serving")  # QEMU accepts connections before there is a server
            connect(network.address(80)).close()
            status, _, body = http_get(network.address(80))
            if status != 200 or not body:
                raise TestFailure(f"status {status}, {len(body)} bytes")
        if not guest.alive():
            raise TestFailure("the machine ended")
    print(f"ok: {what} on {machine}", flush=True)


def main():
    enter_namespace(required=False)
    image = sys.argv[1]
    for machine in ("pc", "q35"):
        check(image, "DHCP by default", "", machine, [r"10\.0\.2\.15"])
        check(image, "DHCP by name", "ip=dhcp", machine, [r"10\.0\.2\.15"])
        check(image, "a fixed address", "ip=10.0.2.15/24,10.0.2.2", machine, [r"10\.0\.2\.15"])
        check(image, "a wrong address", "ip=10.0.2.300/24", machine, [r"(warning|error): .*10\.0\.2\.300", r"10\.0\.2\.15"])
        check(image, "a wrong prefix", "ip=10.0.2.15/40", machine, [r"(warning|error): .*10\.0\.2\.15/40", r"10\.0\.2\.15/24"])
    if have_namespace():
        check(image, "a fixed address on a tap", TapNetwork().append, "q35", network=TapNetwork())


if __name__ == "__main__":
    sys.exit(judge(main))
