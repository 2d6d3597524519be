#!/usr/bin/env python3
# Two network devices in one network: each answers for its own address.
# SPDX-License-Identifier: MIT
"""Usage: net_two.py IMAGE (http_server)

QEMU's user networks are two wires that know nothing of each other: an answer on the wrong one is lost."""

import sys

from harness import TestFailure, judge
from harness.network import UserNetwork, connect, enter_namespace, guest_on, http_get

REQUESTS = 20


class TwoNetworks(UserNetwork):
    """A second device beside the first, with the same network, the same gateway and an address of its own."""

    def __init__(self):
        super().__init__(80)
        second = UserNetwork(80, options=",dhcpstart=10.0.2.40")
        self.addresses = [self.address(80), second.address(80)]
        self.arguments += [word.replace("net0", "net1").replace("12:34:56", "12:34:57") for word in second.arguments]


def main():
    enter_namespace(required=False)
    network = TwoNetworks()
    with guest_on(network, sys.argv[1]) as guest:
        for _ in network.addresses:
            guest.expect(r"^net: (eth0 10\.0\.2\.15|eth1 10\.0\.2\.40)/24 ")
        guest.position = 0
        guest.expect("http_server: serving")  # QEMU accepts connections before there is a server
        for address in network.addresses:
            connect(address).close()
        for _ in range(REQUESTS):
            for number, address in enumerate(network.addresses):
                status, _, body = http_get(address)
                if status != 200 or not body:
                    raise TestFailure(f"by eth{number}: status {status}, {len(body)} bytes")
    print(f"ok: {2 * REQUESTS} pages by two devices in one network")


if __name__ == "__main__":
    sys.exit(judge(main))
