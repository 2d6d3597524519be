#!/usr/bin/env python3
# Clients of http_server that are slow to take their answers: honest ones get them whole, others lock nobody out.
# SPDX-License-Identifier: MIT
"""Usage: http_slow.py IMAGE"""

import contextlib
import re
import select
import socket
import subprocess
import threading
import time

from harness import PATIENCE, TestFailure
from harness.http import Client, get
from harness.network import GUEST4, TapNetwork, http_get, serving, tap_test

LIMIT, LATE = 200, 10            # the server's connections=, progress=
GOOD = 5                         # connections of honest clients at most
OTHER = "10.7.0.9"               # the slow readers' address
RATE, PIECE, ANSWERS = 25000, 2500, 24  # bytes a second of the honest one, bytes at a time, answers (118 KB)


class Options(TapNetwork):
    """A tap with two addresses at the host's end."""

    def __init__(self):
        super().__init__()
        self.append += f" -- connections={LIMIT} progress={LATE}"

    def __enter__(self):
        super().__enter__()
        subprocess.run(["ip", "addr", "add", OTHER + "/32", "dev", self.name], check=True)
        return self


def connect_small(address, source=""):
    """A connection with as small a window as the host's kernel allows."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(20 * PATIENCE)
    client.bind((source, 0))
    client.connect(address)
    return client


def honest_client(address, found):
    """Takes at RATE what is closed behind it; `found` gets what came."""
    with connect_small(address) as client, contextlib.suppress(ConnectionError):
        client.sendall((get("/app.js") * (ANSWERS - 1) + get("/app.js", headers="Connection: close\r\n")).encode())
        began = time.monotonic()
        while piece := client.recv(PIECE):
            found += piece
            time.sleep(max(0, began + len(found) / RATE - time.monotonic()))  # as slow as a line


def check_honest_client(found, page):
    heads = bytes(found).count(b"HTTP/1.1 200 OK\r\n")
    if heads != ANSWERS or not found.endswith(page) or len(found) < ANSWERS * len(page):
        raise TestFailure(f"a client at {RATE} bytes a second got {len(found)} bytes of {ANSWERS} answers of {len(page)}")


def check_good_clients(address, kept, what):
    for number in range(5):
        try:
            status, _, body = http_get(address)
            kept.send(get())
            again = kept.response()
        except (OSError, IndexError) as error:
            raise TestFailure(f"{what}: good client {number} got no answer: {error}") from error
        if status != 200 or not body or again[0] != 200:
            raise TestFailure(f"{what}: good client {number} got {status}, {again[0]}")


def open_connections(kept):
    kept.send(get("/metrics"))
    return int(re.search(rb"^http_connections_open (\d+)$", kept.response()[2], re.MULTILINE).group(1))


def check(_, address):
    page = http_get(address, "/app.js")[2]
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(Client(address))
        found = bytearray()
        honest = threading.Thread(target=honest_client, args=(address, found))
        honest.start()
        told, readers = select.poll(), 0
        for _ in range(LIMIT):
            with contextlib.suppress(ConnectionError):  # of the last ones some are refused at once
                reader = stack.enter_context(connect_small((GUEST4, 80), OTHER))
                told.register(reader, 0)  # POLLERR and POLLHUP: of a reset
                readers += 1
                reader.sendall((get("/app.js") * 40).encode())
        check_good_clients(address, kept, f"{LIMIT} slow readers")
        deadline = time.monotonic() + 10 * LATE * PATIENCE
        while (left := open_connections(kept)) > GOOD:
            check_good_clients(address, kept, f"{left} slow readers that are left")
            if time.monotonic() > deadline:
                raise TestFailure(f"{left} of {LIMIT} connections are still there")
            time.sleep(0.1)
        if len(told.poll(0)) < readers or readers < LIMIT * 3 // 4:
            raise TestFailure(f"only {len(told.poll(0))} of {readers} slow readers were told that they were given up")
        honest.join()
        check_honest_client(found, page)


if __name__ == "__main__":
    tap_test(check, "slow readers lock nobody out, and an honest one gets all", lambda _, image: serving(Options(), image))
