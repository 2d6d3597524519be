#!/usr/bin/env python3
# Each network card for long: load, floods of frames of every length, a wire that loses and changes frames, a link that flaps. No byte gets lost.
# SPDX-License-Identifier: MIT
"""Usage: nic_soak.py HTTP_SERVER ECHO_SERVER SECONDS [CARD…] (images with all drivers; SECONDS are those of each card)"""

import os
import random
import socket
import sys
import threading
import time

from harness import TestFailure, judge
from harness.network import GUEST4, MAC, Faults, ProxyNetwork, TapNetwork, enter_namespace, guest_on, http_get, serving
from net_cards import datagrams, echo, flap

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from http_soak import ab, wrk  # noqa: E402

# Card: what it is told for jumbo frames, and its longest frame without a CRC.
CARDS = {
    "virtio-net-pci": ("host_mtu=9000", "", 9014),
    "virtio-net-pci,disable-modern=on,disable-legacy=off": ("", "", 1514),
    "e1000": ("", "mtu=9000", 9014),
    "e1000e": ("", "mtu=9000", 9014),
    "vmxnet3": ("", "mtu=9000", 9014),
}
STREAM, LOSSY = 8 << 20, 128 << 10
FRAMES_ENOUGH = 3000  # for each fault of one in a hundred to have come
WRONG = ("error:", "fault:", "panic:")


def console_is_quiet(guest):
    for line in guest.text().splitlines():
        if line.startswith(WRONG) or "is reset" in line or "polled" in line:
            raise TestFailure(f"the console says: {line}")


def frame(chance, length):
    """One that nobody waits for: to the guest, to everybody, to a group or to somebody else; of an unknown protocol, or a datagram to a
    closed port that says a wrong length."""
    target = chance.choice((bytes.fromhex(MAC.replace(":", "")), b"\xff" * 6, b"\x33\x33\0\0\0\1", b"\1\0\x5e\0\0\xfb", b"\2\0\0\0\0\x99"))
    kind = chance.choice((b"\x88\xb5", b"\x08\x00", b"\x86\xdd", b"\x08\x06", b"\x81\x00"))
    head = target + b"\2\0\0\0\0\1" + kind
    if kind == b"\x08\x00" and length >= 42:
        head += bytes.fromhex("4500") + chance.randrange(65536).to_bytes(2, "big") + chance.randbytes(4) + bytes.fromhex("40110000") + \
            socket.inet_aton("10.7.0.1") + socket.inet_aton(GUEST4)
    return (head + chance.randbytes(length))[:length]


def flood(seconds, longest, chance):
    """Frames of all lengths from the shortest to the longest, in bursts; every length comes at least once."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind(("tap0", 0))
        lengths, sent, end = list(range(60, longest + 1)), 0, time.monotonic() + seconds
        while sent < len(lengths) or time.monotonic() < end:
            length = lengths[sent] if sent < len(lengths) else chance.choice((60, 64, 1514, longest, chance.randrange(60, longest + 1)))
            try:
                wire.send(frame(chance, length))
                sent += 1
            except OSError:  # the tap's queue is full: the guest has to take some
                time.sleep(0.001)
    return sent


def check_load(card, image, seconds):
    """wrk, ab, and wrk while frames of all lengths flood in."""
    properties, words, longest = CARDS[card]
    chance, sent = random.Random(card), []
    network = TapNetwork(properties=properties, mtu=longest - 14, device=card)
    network.append += " " + words
    with serving(network, image, f"{card}: ") as (guest, address):
        wrk(address, max(1, int(seconds / 3)))
        ab(address, max(200, int(seconds * 100)))
        flooding = threading.Thread(target=lambda: sent.append(flood(seconds / 3, longest, chance)), daemon=True)
        flooding.start()
        pages = 0
        while flooding.is_alive():
            status, _, body = http_get(address)
            if status != 200 or not body:
                raise TestFailure(f"in the flood: status {status}, {len(body)} bytes")
            pages += 1
        if not sent:
            raise TestFailure("the flood ended early")
        console_is_quiet(guest)
    print(f"ok: {card}: load; {pages} pages while {sent[0]} frames of 60 to {longest} bytes came", flush=True)


def check_streams(card, image, seconds):
    """A link that flaps under streams and datagrams, then streams until the time is over."""
    properties, words, longest = CARDS[card]
    chance, count = random.Random(card), 0
    network = TapNetwork(properties=properties, mtu=longest - 14, device=card)
    network.append += f" {words} log=info"
    with guest_on(network, image, f"{card}, streams: ") as guest:
        guest.expect("echo_server: ")
        end = time.monotonic() + seconds
        while not count or time.monotonic() < end:
            flap(guest, 7, chance)
            echo((GUEST4, 7), chance.randbytes(STREAM if seconds > 10 else STREAM // 8))
            datagrams(7, chance)
            count += 1
    print(f"ok: {card}: {count} rounds of flaps, streams and datagrams", flush=True)


def check_faults(card, image, seconds):
    """The wire of seed 0, 1 …, each with losses, doubles, wrong orders and flipped bits."""
    end, seed, total = time.monotonic() + seconds, 0, {}
    while not seed or time.monotonic() < end:
        faults = Faults(f"{card} {seed}", drop=0.01, duplicate=0.01, reorder=0.02, corrupt=0.04)
        with guest_on(ProxyNetwork(faults, card.replace("virtio-net-pci", "virtio-net-pci,csum=off,guest_csum=off,gso=off")), image,
                      f"{card}, wire {seed}: ") as guest:
            guest.expect("echo_server: ")
            for _ in range(4 if seconds > 10 else 1):
                echo((GUEST4, 7), random.Random(seed).randbytes(LOSSY))
        for name, value in faults.counts.items():
            total[name] = total.get(name, 0) + value
        seed += 1
    if total["frames"] >= FRAMES_ENOUGH and min(total.values()) == 0:
        raise TestFailure(f"the wire did not do what it should: {total}")
    print(f"ok: {card}: {seed} wires: {total}", flush=True)


def main():
    http, echo_image, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    enter_namespace()
    for card in sys.argv[4:] or CARDS:
        if card not in CARDS:
            raise TestFailure(f"'{card}' is none of {', '.join(CARDS)}")
        check_load(card, http, seconds / 2)
        check_streams(card, echo_image, seconds / 4)
        check_faults(card, echo_image, seconds / 4)


if __name__ == "__main__":
    sys.exit(judge(main))
