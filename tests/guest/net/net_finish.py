#!/usr/bin/env python3
# What a program has sent arrives although it ends at once; a peer that does not read holds the end up for seconds only.
# SPDX-License-Identifier: MIT
"""Usage: net_finish.py SOURCE IMAGE"""

import socket
import sys

from harness import PASSED, PATIENCE, TestFailure, judge, status_name
from harness.network import HOST4, TapNetwork, enter_namespace, guest_on, receive_exactly

PORT, SIZE, DATAGRAMS = 7008, 100000, 20
WINDOW = 4096  # the host takes little at a time, so most of the data is still in the guest when its program ends
DATA = bytes((i * 7 + i // 251) & 0xFF for i in range(SIZE))


def finish(guest):
    status = guest.wait()
    if status != PASSED:
        raise TestFailure(f"QEMU's exit status is {status_name(status)}")


def receive_all(guest, stream, datagrams):
    guest.expect("^PASS$")
    if receive_exactly(stream, SIZE) != DATA:
        raise TestFailure("the data differs")
    if stream.recv(1) != b"":
        raise TestFailure("there is more than was sent")
    found = [datagrams.recv(100)[0] for _ in range(DATAGRAMS)]
    if found != list(range(DATAGRAMS)):
        raise TestFailure(f"datagrams came as {found}")
    finish(guest)


def receive_nothing(guest, *_):
    guest.expect("^warning: net: the program ended; connections whose data was not acknowledged within 5 s: 1$")
    finish(guest)


def check(image, peer, words):
    network = TapNetwork()
    with guest_on(network, image, append=network.append + words) as guest, socket.socket() as listener, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        for end in (listener, datagrams):
            end.settimeout(20 * PATIENCE)
            end.bind((HOST4, PORT))
        listener.listen()
        guest.expect("^ready$")
        guest.send("\n")
        with listener.accept()[0] as stream:
            stream.settimeout(20 * PATIENCE)
            peer(guest, stream, datagrams)
    print(f"ok: {peer.__name__} {words}", flush=True)


def main():
    enter_namespace()
    for peer in (receive_all, receive_nothing):
        for words in ("", " -- service"):  # sockets that are descriptors, and those that are none
            check(sys.argv[2], peer, words)


if __name__ == "__main__":
    sys.exit(judge(main))
