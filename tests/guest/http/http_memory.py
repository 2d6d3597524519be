#!/usr/bin/env python3
# http_server runs in 8 MiB: it serves, holds many connections, and takes a short load without a failed request.
# SPDX-License-Identifier: MIT
"""Usage: http_memory.py IMAGE [MIB]"""

import sys

from harness import TestFailure, judge
from http_soak import wrk
from harness.network import connect, enter_namespace, http_get, new_network, serving


def check(address):
    clients = [connect(address) for _ in range(100)]
    for _ in range(50):
        status, _, body = http_get(address)
        if status != 200 or not body:
            raise TestFailure(f"status {status}, {len(body)} bytes")
    for client in clients:
        client.close()
    wrk(address, 3)


def main():
    enter_namespace(required=False)
    memory = sys.argv[2] if len(sys.argv) > 2 else "8"
    for machine in ("pc", "q35"):
        with serving(new_network(), sys.argv[1], machine=machine, memory=memory) as (_, address):
            check(address)
        print(f"ok: {memory} MiB on {machine}", flush=True)


if __name__ == "__main__":
    sys.exit(judge(main))
