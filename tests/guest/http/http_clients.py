#!/usr/bin/env python3
# Slow and broken clients of http_server never stop the others.
# SPDX-License-Identifier: MIT
"""Usage: http_clients.py IMAGE"""

import contextlib
import errno
import random
import selectors
import socket
import sys
import threading
import time

from harness import PATIENCE, TestFailure, judge
from harness.network import TapNetwork, connect, enter_namespace, http_get, new_network, serving

PROMPT = 2.0  # seconds in which a good client has its answer, and besides those in which the host was busy with others
GOOD_REQUESTS = 40
SLOW_SECONDS = 12  # longer than the server waits for a head


slowest_answers = {}  # seconds, by what went on meanwhile


def check_good_clients(guest, address, what):
    """Good clients come one after the other; each is answered promptly."""
    slowest = 0.0
    for _ in range(GOOD_REQUESTS):
        began, starved = time.monotonic(), guest.starved()
        try:
            status, _, body = http_get(address)
        except (OSError, IndexError, ValueError) as error:
            raise TestFailure(f"{what}: a good client got no answer: {error}") from error
        took = time.monotonic() - began - (guest.starved() - starved)
        slowest = max(slowest, took)
        if status != 200 or not body:
            raise TestFailure(f"{what}: a good client got status {status} and {len(body)} bytes")
        if took > PROMPT:
            raise TestFailure(f"{what}: a good client waited {took:.1f} s")
    if what not in slowest_answers:
        print(f"ok: {what}", flush=True)
    slowest_answers[what] = max(slowest_answers.get(what, 0), slowest)


def open_many(address, count):
    """Opens connections without waiting for one another; returns those that were established."""
    opened, waiting = [], selectors.DefaultSelector()
    for _ in range(count):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(address)
        waiting.register(client, selectors.EVENT_WRITE)
    deadline = time.monotonic() + 20 * PATIENCE
    while waiting.get_map() and time.monotonic() < deadline:
        for key, _ in waiting.select(0.5):
            waiting.unregister(key.fileobj)
            # Reset: it stood, and the server has made room for another one since.
            if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in (0, errno.ECONNRESET):
                opened.append(key.fileobj)
            else:
                key.fileobj.close()
    for key in list(waiting.get_map().values()):
        key.fileobj.close()
    waiting.close()
    return opened


def close_all(clients):
    for client in clients:
        client.close()


def drip(clients, text, stop):
    """Sends the text at one byte a second, on every connection."""
    for byte in text:
        for client in clients:
            with contextlib.suppress(OSError):
                client.send(bytes([byte]))
        if stop.wait(1):
            return


def slow_clients(guest, address):
    clients = open_many(address, 30)
    stop = threading.Event()
    thread = threading.Thread(target=drip, args=(clients, b"GET / HTTP/1.1\r\nHost: slow\r\n", stop))
    thread.start()
    end = time.monotonic() + SLOW_SECONDS
    try:
        while time.monotonic() < end:
            check_good_clients(guest, address, f"{len(clients)} clients that send one byte a second")
    finally:
        stop.set()
        thread.join()
        close_all(clients)


def half_requests(guest, address):
    clients = open_many(address, 60)
    for number, client in enumerate(clients):
        request = b"POST /metrics HTTP/1.1\r\nHost: half\r\nContent-Length: 100\r\n\r\nhalf of it"
        with contextlib.suppress(OSError):
            client.send(request[:1 + number * len(request) // 60])
    check_good_clients(guest, address, f"{len(clients)} half requests")
    close_all(clients)


def slow_readers(guest, address):
    """Clients that ask for much and read nothing."""
    clients = open_many(address, 30)
    for client in clients:
        with contextlib.suppress(OSError):
            client.send(b"GET / HTTP/1.1\r\nHost: deaf\r\n\r\n" * 200)
    check_good_clients(guest, address, f"{len(clients)} clients that ask without reading")
    close_all(clients)


def large_headers(guest, address):
    for size in (8192, 60000):
        with connect(address) as client:
            client.settimeout(10 * PATIENCE)
            with contextlib.suppress(ConnectionError):
                client.sendall(b"GET / HTTP/1.1\r\nHost: large\r\nX-Filler: " + b"a" * size + b"\r\n\r\n")
            answer = b""
            with contextlib.suppress(ConnectionError):
                answer = client.recv(4096)
        wanted = (b"200", b"431") if size == 8192 else (b"431",)
        if answer and answer.split()[1] not in wanted:
            raise TestFailure(f"a header of {size} bytes was answered with {answer[:60]!r}")
        if size == 8192 and not answer:
            raise TestFailure("a header of 8 KiB was not answered")
    check_good_clients(guest, address, "headers of 8 KiB and more")


def binary_junk(guest, address):
    noise = random.Random(7)
    for number in range(60):
        with connect(address) as client, contextlib.suppress(ConnectionError):
            client.settimeout(10 * PATIENCE)
            client.sendall(noise.randbytes(1 + number * 50))
            client.shutdown(socket.SHUT_WR)
            answer = client.recv(4096)
            if answer and not answer.startswith(b"HTTP/1."):
                raise TestFailure(f"binary junk was answered with {answer[:60]!r}")
    check_good_clients(guest, address, "binary junk")


def resets(guest, address):
    """Connections that are reset at once, some of them with a request under way."""
    for number in range(300):
        client = connect(address)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if number % 2:
            client.send(b"GET / HTTP/1.1\r\nHost: gone\r\n\r\n")
        client.close()
    check_good_clients(guest, address, "300 reset connections")


def idle_connections(guest, address):
    clients = open_many(address, 1000)
    if len(clients) < 900:
        raise TestFailure(f"only {len(clients)} of 1,000 idle connections were established")
    check_good_clients(guest, address, f"{len(clients)} idle connections")
    close_all(clients)
    check_good_clients(guest, address, "after the idle connections")


def attack(image, network, options):
    with serving(network, image, append=network.append + options) as (guest, address):
        check_good_clients(guest, address, "nobody else")
        for abuse in (slow_clients, half_requests, slow_readers, large_headers, binary_junk, resets, idle_connections):
            abuse(guest, address)
            if not guest.alive():
                raise TestFailure(f"{abuse.__name__}: the machine ended")


def main():
    enter_namespace(required=False)
    if not isinstance(new_network(), TapNetwork):
        print("no namespace or tap here: the clients come through QEMU's user networking")
    for options in ("", " -- connections=300"):  # with room for all, and without
        attack(sys.argv[1], new_network(), options)
        for what, seconds in slowest_answers.items():
            print(f"slowest good answer with {what}{options}: {seconds * 1000:.0f} ms")
        slowest_answers.clear()


if __name__ == "__main__":
    sys.exit(judge(main))
