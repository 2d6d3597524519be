#!/usr/bin/env python3
# Two network devices with a gateway each: the default route leaves by the first of them that has a link, in the order of the devices or
# of the command line's ip= words, and comes back when it has one again.
# SPDX-License-Identifier: MIT
"""Usage: net_ways.py SOURCE IMAGE"""

import contextlib
import socket
import subprocess
import sys
import threading

from harness import PASSED, judge
from harness.network import PATIENCE, TapNetwork, enter_namespace, guest_on

FAR = "192.0.2.1"  # in neither network
FLAPS = 3


class TwoTaps:
    """eth0 in 10.7.0.0/24, eth1 in 10.7.1.0/24; the far host is behind the gateways of both."""

    def __init__(self, order):
        self.taps = [TapNetwork(0), TapNetwork(1)]
        self.order = order

    def __enter__(self):
        for tap in self.taps:
            tap.__enter__()
        self.arguments = self.taps[0].arguments + [
            word.replace("net0", "net1").replace("12:34:56", "12:34:57") for word in self.taps[1].arguments]
        self.pass_fds = tuple(fd for tap in self.taps for fd in tap.pass_fds)
        self.append = " ".join(f"ip=eth{number}:{self.taps[number].append[3:]}" for number in self.order) + f" log=info -- {FAR}"
        subprocess.run(["ip", "addr", "add", f"{FAR}/32", "dev", "lo"], check=True)
        self.listener = socket.create_server((FAR, 7))
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, (address, _) = self.listener.accept()
                with connection:
                    connection.sendall(address.encode())

    def __exit__(self, *rest):
        self.listener.shutdown(socket.SHUT_RDWR)  # or accept() keeps it
        self.listener.close()
        subprocess.run(["ip", "addr", "del", f"{FAR}/32", "dev", "lo"], check=True)
        for tap in self.taps:
            tap.__exit__(*rest)


def check(image, order):
    first, second = order
    with guest_on(TwoTaps(order), image, f"{order}: ") as guest:
        def leaves_by(number):
            guest.send("\n")
            guest.expect(rf"net_ways: by 10\.7\.{number}\.2$", 30 * PATIENCE)

        def link(number, state, said):
            guest.monitor(f"set_link net{number} {state}")
            guest.expect(f"eth{number}: link is {said}", 30 * PATIENCE)

        guest.expect("net_ways: ready")
        leaves_by(first)
        for _ in range(FLAPS):
            link(first, "off", "down")
            leaves_by(second)
            link(first, "on", "up")
            leaves_by(first)
        link(second, "off", "down")
        leaves_by(first)
        guest.send("q\n")
        if guest.wait(30 * PATIENCE) != PASSED:
            raise guest.failure("the program failed")
    print(f"ok: eth{first} before eth{second}, {FLAPS} times", flush=True)


def main():
    enter_namespace()
    for order in ((0, 1), (1, 0)):
        check(sys.argv[2], order)


if __name__ == "__main__":
    sys.exit(judge(main))
