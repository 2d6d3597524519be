#!/usr/bin/env python3
# Two network devices in one network, of one kind or of two: each answers for its own address, by DHCP or as ip= says by name and by MAC.
# SPDX-License-Identifier: MIT
"""Usage: net_two.py IMAGE [CARD CARD] (http_server)

QEMU's user networks are two wires that know nothing of each other: an answer on the wrong one is lost."""

import sys

from harness import TestFailure, judge
from harness.network import MAC, UserNetwork, connect, enter_namespace, guest_on, http_get

REQUESTS = 20


class TwoNetworks(UserNetwork):
    """A second device beside the first, with the same network, the same gateway and an address of its own."""

    def __init__(self, cards):
        super().__init__(80, device=cards[0] + ",romfile=")
        second = UserNetwork(80, options=",dhcpstart=10.0.2.40", device=cards[1] + ",romfile=")
        self.addresses = [self.address(80), second.address(80)]
        self.arguments += [word.replace("net0", "net1").replace("12:34:56", "12:34:57") for word in second.arguments]


def check(network, image, what):
    with guest_on(network, image, what + ": ", append=network.append) as guest:
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
    print(f"ok: {what}: {2 * REQUESTS} pages by two devices in one network", flush=True)


def main():
    enter_namespace(required=False)
    cards = sys.argv[2:] or ("virtio-net-pci", "virtio-net-pci")
    check(TwoNetworks(cards), sys.argv[1], "DHCP")
    network = TwoNetworks(cards)
    network.append = f"ip={MAC[:-1]}7:10.0.2.40/24,10.0.2.2 ip=eth0:10.0.2.15/24,10.0.2.2"
    check(network, sys.argv[1], "by MAC and by name")


if __name__ == "__main__":
    sys.exit(judge(main))
