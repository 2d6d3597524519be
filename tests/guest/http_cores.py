#!/usr/bin/env python3
# http_server on several cores, where any idle core serves the network: a short load without a failed request.
# SPDX-License-Identifier: MIT
"""Usage: http_cores.py IMAGE"""

import subprocess
import sys

from harness import Guest, TestFailure
from http_soak import ab, new_network, wrk
from network import connect, enter_namespace, http_get


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
        with new_network() as network, \
                Guest(sys.argv[1], machine="q35", smp=str(cores), append=network.append, devices=["virtio-rng-pci"],
                      arguments=network.arguments, pass_fds=network.pass_fds) as guest:
            try:
                check(guest, network.address(80))
            except (TestFailure, OSError, subprocess.SubprocessError) as error:
                print(f"FAILED: {(guest.hang if guest.alive() else guest.failure)(f'{cores} cores: {error}')}")
                return 1
        print(f"ok: {cores} cores", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
