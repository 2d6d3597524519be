#!/usr/bin/env python3
# http_server runs in 8 MiB: it serves, holds many connections, and takes a short load without a failed request.
# SPDX-License-Identifier: MIT
"""Usage: http_memory.py IMAGE [MIB]"""

import sys

from harness import TestFailure, judge
from http_soak import new_network, wrk
from network import connect, enter_namespace, guest_on, http_get


def check(guest, address):
    guest.expect("http_server: serving")
    connect(address).close()
    clients = [connect(address) for _ in range(100)]
    for _ in range(50):
        status, _, body = http_get(address)
        if status != 200 or not body:
            raise TestFailure(f"status {status}, {len(body)} bytes")
    for client in clients:
        client.close()
    wrk(address, 3)
    if http_get(address)[0] != 200 or not guest.alive():
        raise TestFailure("the server is gone after the load")


def main():
    enter_namespace(required=False)
    memory = sys.argv[2] if len(sys.argv) > 2 else "8"
    for machine in ("pc", "q35"):
        network = new_network()
        with guest_on(network, sys.argv[1], machine=machine, memory=memory) as guest:
            check(guest, network.address(80))
        print(f"ok: {memory} MiB on {machine}", flush=True)


if __name__ == "__main__":
    sys.exit(judge(main))
