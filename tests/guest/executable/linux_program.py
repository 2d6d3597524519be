#!/usr/bin/env python3
# The example linux_program: glibc's sockets and threads answer every request of several clients at once.
# SPDX-License-Identifier: MIT
"""Usage: linux_program.py IMAGE"""
import concurrent.futures
import sys

from harness import Questions, TestFailure, judge
from harness.network import UserNetwork, enter_namespace, guest_on, http_get

CLIENTS, REQUESTS = 8, 25  # each


def ask(address, cores):
    wanted = f"Hello from an executable for Linux on baremetal, which has {cores} cores.\n".encode()
    for _ in range(REQUESTS):
        status, _, body = http_get(address)
        if status != 200 or body != wanted:
            raise TestFailure(f"status {status}, {body!r}")


def main():
    enter_namespace(required=False)
    for cores, count in (("1,maxcpus=2", 1), ("2", 2)):
        network = UserNetwork(80)
        with guest_on(network, sys.argv[1], f"{count} cores: ", machine="q35", smp=cores, memory="256",
                      devices=["virtio-rng-pci"]) as guest:
            guest.expect("serving on port 80")
            address = network.address(80)
            with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
                list(pool.map(lambda _: ask(address, count), range(CLIENTS)))
            if "warning:" in guest.text() or not guest.alive():
                raise TestFailure(f"the console says: {guest.text()}")
            with Questions(guest) as questions:  # the power button is SIGTERM
                questions.send("system_powerdown")  # QEMU may end before it answers
                guest.expect("^signal: 15, SIGTERM ended the program$")
                guest.expect("^exit: 143$")
        print(f"ok: {count} cores", flush=True)


if __name__ == "__main__":
    sys.exit(judge(main))
