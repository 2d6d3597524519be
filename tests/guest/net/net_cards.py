#!/usr/bin/env python3
# Network cards that are not virtio 1.0's: streams, datagrams and groups, a link that flaps, a wire that loses frames.
# SPDX-License-Identifier: MIT
"""Usage: net_cards.py IMAGE PORT [CARD…] (echo_server)"""

import random
import socket
import sys
import threading

from harness import TestFailure, judge
from harness.network import GUEST4, PATIENCE, Faults, ProxyNetwork, TapNetwork, connect, enter_namespace, guest_on, receive_exactly

CARDS = ("e1000", "e1000-82544gc", "e1000-82545em", "e1000e", "vmxnet3")
OLD_VIRTIO = "virtio-net-pci,disable-modern=on,disable-legacy=off"
GUEST6 = "fe80::5054:ff:fe12:3456%tap0"  # from its MAC
SIZE, LOSSY_SIZE, LIMIT = 1 << 20, 256 << 10, 60 * PATIENCE
DATAGRAMS, FLAPS = 200, 5


def echo(address, data):
    """Sends data and compares what comes back at the same time."""
    with connect(address, 60) as connection:
        connection.settimeout(LIMIT)
        sender = threading.Thread(target=connection.sendall, args=(data,), daemon=True)
        sender.start()
        back = receive_exactly(connection, len(data))
        sender.join(LIMIT)
    if back != data:
        wrong = next(i for i in range(len(data)) if back[i] != data[i])
        raise TestFailure(f"the echo differs from byte {wrong} on")


def datagrams(port, chance):
    """Of every length that a frame holds, and fragments; one at a time, so that none gets lost."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(LIMIT)
        client.connect((GUEST4, port))
        for size in (0, 1, 2, 17, 18, 19, 1471, 1472, 1473, 8000, *(chance.randrange(2000) for _ in range(DATAGRAMS))):
            data = chance.randbytes(size)
            client.send(data)
            if client.recv(65536) != data:
                raise TestFailure(f"a datagram of {size} bytes comes back changed")


def flap(guest, port, chance):
    """Takes the cable out and puts it in again while datagrams keep coming, of which those get lost, and while a stream comes and goes,
    of which no byte does: connections outlive the cable."""
    done, failures = threading.Event(), []

    def flood():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            while not done.is_set():
                client.sendto(bytes(1000), (GUEST4, port))

    def stream():
        try:
            with connect((GUEST4, port), 60) as connection:
                connection.settimeout(LIMIT)
                while not done.is_set():
                    data = chance.randbytes(50000)
                    connection.sendall(data)
                    if receive_exactly(connection, len(data)) != data:
                        raise TestFailure("a stream comes back changed")
        except (OSError, TestFailure) as error:
            failures.append(error)

    threads = [threading.Thread(target=flood), threading.Thread(target=stream)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(FLAPS):
            guest.monitor("set_link net0 off")
            guest.expect("eth0: link is down")
            guest.monitor("set_link net0 on")
            guest.expect("eth0: link is up")
    finally:
        done.set()
        for thread in threads:
            thread.join()
    if failures:
        raise TestFailure(f"a stream did not outlive the flaps: {failures[0]!r}")


def check_card(card, machine, image, port):
    chance = random.Random(card + machine)
    network = TapNetwork(device=card)
    with guest_on(network, image, f"{card} on {machine}: ", machine=machine, append=network.append + " log=info") as guest:
        guest.expect("echo_server: ")
        for address in (GUEST4, GUEST6):
            echo((address, port), chance.randbytes(SIZE + 77))
        datagrams(port, chance)
        flap(guest, port, chance)
        echo((GUEST4, port), chance.randbytes(SIZE))
        echo((GUEST6, port), chance.randbytes(SIZE))
    print(f"ok: {card} on {machine}: streams, datagrams, {FLAPS} flaps of the link", flush=True)


def check_losses(card, image, port):
    faults = Faults(card, drop=0.01, duplicate=0.01, reorder=0.02, corrupt=0.04)
    with guest_on(ProxyNetwork(faults, card), image, f"{card}, lossy: ") as guest:
        guest.expect("echo_server: ")
        echo((GUEST4, port), random.Random(card).randbytes(LOSSY_SIZE))
    if min(faults.counts.values()) == 0:
        raise TestFailure(f"the wire did not do what it should: {faults.counts}")
    print(f"ok: {card}, the wire: {faults.counts}", flush=True)


def main():
    enter_namespace()
    image, port = sys.argv[1], int(sys.argv[2])
    for card in sys.argv[3:] or CARDS:
        for machine in ("q35", "pc"):
            check_card(card, machine, image, port)
        check_losses(card, image, port)
    if not sys.argv[3:]:
        check_card(OLD_VIRTIO, "q35", image, port)
        check_card(OLD_VIRTIO + ",mrg_rxbuf=off", "pc", image, port)


if __name__ == "__main__":
    sys.exit(judge(main))
