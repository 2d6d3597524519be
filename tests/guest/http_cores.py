#!/usr/bin/env python3
# http_server on several cores, where any idle core serves the network: a short load without a failed request.
# SPDX-License-Identifier: MIT
"""Usage: http_cores.py IMAGE"""

import sys

from harness import TestFailure, judge
from http_soak import ab, new_network, wrk
from network import connect, enter_namespace, guest_on, http_get


def check(guest, address):
    guest.expect("http_server: serving")
    connect(address).close()
    wrk(address, 3)
    ab(address, 2000)
    wrk(address, 3)
    if http_get(address)[0] != 200 or not guest.alive():
        raise TestFailure("the server is gone after the load")


def main():
    enter_namespace(required=False)
    for cores in (2, 4):
        network = new_network()
        with guest_on(network, sys.argv[1], f"{cores} cores: ", smp=str(cores)) as guest:
            check(guest, network.address(80))
        print(f"ok: {cores} cores", flush=True)


if __name__ == "__main__":
    sys.exit(judge(main))
