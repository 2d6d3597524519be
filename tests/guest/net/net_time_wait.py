#!/usr/bin/env python3
# A client that comes back at once with the same port is served, though the guest still keeps its last connection in TIME_WAIT.
# SPDX-License-Identifier: MIT
"""Usage: net_time_wait.py IMAGE (http_server)"""

import errno
import socket
import time

from harness import PATIENCE, TestFailure
from harness.network import HOST4, serving, tap_test

CONNECTIONS, PORT = 100, 40001


def reconnect(address):
    """A new connection from PORT, as soon as this host has forgotten the last one."""
    limit = time.monotonic() + 10 * PATIENCE
    while True:
        client = socket.socket()
        client.settimeout(10 * PATIENCE)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            client.bind((HOST4, PORT))
            client.connect(address)
            return client
        except OSError as error:
            client.close()
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EADDRINUSE) or time.monotonic() > limit:
                raise
            time.sleep(0.001)


def fetch(address):
    with reconnect(address) as client:
        client.sendall(b"GET /robots.txt HTTP/1.0\r\n\r\n")  # the guest closes first and so waits
        answer = b""
        while data := client.recv(65536):
            answer += data
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise TestFailure(f"the answer is {answer[:60]!r}")


def check(_, address):
    for _ in range(CONNECTIONS):
        fetch(address)


if __name__ == "__main__":
    tap_test(check, f"{CONNECTIONS} connections from one port", serving)
