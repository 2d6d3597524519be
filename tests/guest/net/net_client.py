#!/usr/bin/env python3
# The host's side of net_client.c: an echo on port 7, nothing on port 9, resets on port 11.
# SPDX-License-Identifier: MIT
"""Usage: net_client.py SOURCE IMAGE"""

import contextlib
import socket
import struct
import sys
import threading

from harness import PASSED, TestFailure, judge
from harness.network import HOST4, TapNetwork, enter_namespace, guest_on

ports = []  # of the guest, in the order of its connections


def check_ports():
    """RFC 6056: the next port cannot be guessed from the last."""
    steps = [(b - a) % 65536 for a, b in zip(ports, ports[1:])]
    small = sum(step < 64 for step in steps)
    if len(ports) < 300 or small > len(steps) // 4:
        raise TestFailure(f"the guest's ports can be guessed: {small} of {len(steps)} steps are below 64: {ports[:20]} ...")


def echo(connection):
    with connection, contextlib.suppress(OSError):
        while data := connection.recv(65536):
            connection.sendall(data)


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def serve(listener, what):
    with contextlib.suppress(OSError):
        while True:
            connection, (_, port) = listener.accept()
            ports.append(port)
            threading.Thread(target=what, args=(connection,), daemon=True).start()


class Peer(TapNetwork):
    """A tap with the servers that the guest connects to."""

    def __enter__(self):
        super().__enter__()
        self.append += f" -- {HOST4}"
        self.listeners = [socket.create_server((HOST4, 7), backlog=64), socket.create_server((HOST4, 11))]
        for listener, what in zip(self.listeners, (echo, reset)):
            threading.Thread(target=serve, args=(listener, what), daemon=True).start()
        return self

    def __exit__(self, *rest):
        for listener in self.listeners:
            listener.close()
        super().__exit__(*rest)


def check(guest):
    guest.expect("^PASS$", 60)
    if guest.wait() != PASSED:
        raise TestFailure("the guest did not pass")
    check_ports()


def main():
    enter_namespace()
    with guest_on(Peer(), sys.argv[2]) as guest:
        check(guest)
    print("ok: the guest's own connections")


if __name__ == "__main__":
    sys.exit(judge(main))
