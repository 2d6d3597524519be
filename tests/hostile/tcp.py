#!/usr/bin/env python3
# Hostile and odd TCP segments.
# SPDX-License-Identifier: MIT
"""Usage: tcp.py IMAGE [CASE...] (http_server)"""

import sys

from harness.wire import Connection, TestFailure, guest_image, run_cases

REQUEST = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"


def ordinary_exchange(wire, _guest, host):
    """The bench itself: a handshake, a request, its answer."""
    connection = Connection(wire, host, 80, 40000)
    connection.open()
    connection.send(REQUEST)
    data = connection.receive(100)
    if not data.startswith(b"HTTP/1.1 200 "):
        raise TestFailure(f"the answer is {data}")


CASES = [ordinary_exchange]

if __name__ == "__main__":
    sys.exit(run_cases(CASES, guest_image()))
