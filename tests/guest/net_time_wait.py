#!/usr/bin/env python3
# A client that comes back at once with the same port is served, though the guest still keeps its last connection in TIME_WAIT.
# SPDX-License-Identifier: MIT
"""Usage: net_time_wait.py IMAGE (http_server)"""

import errno
import socket
import sys
import time

from harness import Guest, TestFailure
from network import HOST4, TapNetwork, connect, enter_namespace

CONNECTIONS, PORT = 100, 40001


def reconnect(address):
    """A new connection from PORT, as soon as this host has forgotten the last one."""
    limit = time.monotonic() + 10
    while True:
        client = socket.socket()
        client.settimeout(10)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            client.bind((HOST4, PORT))
            client.connect(address)
            return client
        except OSError as error:
            client.close()
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EADDRINUSE) or time.monotonic() > limit:
                raise


def fetch(address):
    with reconnect(address) as client:
        client.sendall(b"GET /robots.txt HTTP/1.0\r\n\r\n")  # the guest closes first and so waits
        answer = b""
        while data := client.recv(65536):
            answer += data
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise TestFailure(f"the answer is {answer[:60]!r}")


def main():
    enter_namespace()
    with TapNetwork() as network, Guest(sys.argv[1], machine="q35", append=network.append, devices=["virtio-rng-pci"],
                                        arguments=network.arguments, pass_fds=network.pass_fds) as guest:
        done = 0
        try:
            guest.expect("http_server: serving")
            connect(network.address(80)).close()
            for done in range(CONNECTIONS):
                fetch(network.address(80))
        except (TestFailure, OSError) as error:
            print(f"FAILED: connection {done}: {(guest.hang if guest.alive() else guest.failure)(str(error))}")
            return 1
    print(f"ok: {CONNECTIONS} connections from one port")
    return 0


if __name__ == "__main__":
    sys.exit(main())
