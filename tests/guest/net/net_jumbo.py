#!/usr/bin/env python3
# Jumbo frames, with all offloads and with none, and of cards that are asked for them: streams and datagrams arrive intact, and segments have the size that the
# MTUs of both sides allow.
# SPDX-License-Identifier: MIT
"""Usage: net_jumbo.py IMAGE PORT (echo_server)"""

import os
import socket
import sys
import threading

from harness import TestFailure, judge
from harness.network import MAC, NO_OFFLOAD, PATIENCE, TapNetwork, connect, enter_namespace, guest_on, receive_exactly

SIZE, DATAGRAM = 1 << 20, 8000
MTU = 9000


def check_stream(address):
    """Returns the size of segments."""
    data = os.urandom(SIZE)
    with connect(address) as connection:
        connection.settimeout(60 * PATIENCE)
        sender = threading.Thread(target=connection.sendall, args=(data,), daemon=True)
        sender.start()
        if receive_exactly(connection, SIZE) != data:
            raise TestFailure("the stream comes back changed")
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)


def check_datagram(address, size):
    """It is echoed whole; whether in one packet or in fragments is the MTUs' affair."""
    data = os.urandom(size)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(20 * PATIENCE)
        datagrams.sendto(data, address)
        if datagrams.recv(65536) != data:
            raise TestFailure(f"a datagram of {size} bytes comes back changed")


def check(mtu, properties, words="", device="virtio-net-pci"):
    network, image, port = TapNetwork(properties=properties, mtu=MTU, device=device), sys.argv[1], int(sys.argv[2])
    with guest_on(network, image, f"{device} {properties} {words}: ", append=f"{network.append} {words}") as guest:
        guest.expect("echo_server: ")
        address = network.address(port)
        segment = check_stream(address)
        if mtu > 1500:
            check_datagram(address, DATAGRAM)
        if segment not in (mtu - 40, mtu - 52):  # without and with timestamps
            raise TestFailure(f"an MTU of {mtu} gives segments of {segment} bytes")
    print(f"ok: MTU {mtu} ({device}, {properties or 'no properties'}, {words or 'no words'}): segments of {segment} bytes", flush=True)


def main():
    enter_namespace()
    check(9000, "host_mtu=9000")
    check(9000, f"host_mtu=9000,{NO_OFFLOAD}")
    check(4000, "host_mtu=9000", "mtu=4000")
    check(1500, "host_mtu=9000,mrg_rxbuf=off")  # its buffers hold one ordinary frame each
    check(9000, "", "mtu=9000", "e1000")
    check(9000, "", f"mtu={MAC}:9000", "e1000e")
    check(4000, "", "mtu=eth0:4000", "e1000e")
    check(9000, "", "mtu=9000", "vmxnet3")
    check(4000, "", "mtu=eth0:4000", "vmxnet3")  # whose neighbour says more
    check(1500, "", "mtu=eth1:9000", "e1000e")  # another's
    check(1500, "", "mtu=60000", "e1000")  # more than it carries


if __name__ == "__main__":
    sys.exit(judge(main))
