#!/usr/bin/env python3
# Clients that ask for much and take a byte now and then; whichever is given up comes again.
# SPDX-License-Identifier: MIT
"""Usage: readers.py HOST PORT COUNT ADDRESS…: COUNT connections, spread over the addresses of this host. A line "ready" says
that each was tried; the end of standard input ends it, with a line "opened lost"."""

import contextlib
import select
import socket
import sys
import time

ASK = b"GET /app.js HTTP/1.1\r\nHost: slow\r\n\r\n" * 40  # 200 KB
BYTE_EACH, AGAIN_AFTER, TICK = 3.0, 0.2, 0.05  # seconds
MSS = 88  # the least that Linux lets a program ask for


class Readers:
    def __init__(self, server, count, addresses):
        self.server, self.addresses = server, addresses
        self.poll = select.epoll()
        self.open, self.opened, self.lost = {}, 0, 0
        self.due = [(0.0, number) for number in range(count)]  # those to be opened, in order

    def connect(self, number):
        client = socket.socket()
        client.setblocking(False)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # becomes the kernel's least
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, MSS)
        client.bind((self.addresses[number % len(self.addresses)], 0))
        client.connect_ex(self.server)
        self.open[client.fileno()] = (client, number)
        self.poll.register(client, select.EPOLLOUT)
        self.opened += 1

    def lose(self, descriptor):
        client, number = self.open.pop(descriptor)
        client.close()
        self.lost += 1
        self.due.append((time.monotonic() + AGAIN_AFTER, number))

    def serve(self):
        for descriptor, event in self.poll.poll(TICK):
            client = self.open[descriptor][0]
            try:
                if event & (select.EPOLLERR | select.EPOLLHUP):
                    raise ConnectionError
                client.send(ASK)
                self.poll.modify(descriptor, 0)
            except OSError:
                self.lose(descriptor)

    def take(self):
        for descriptor, (client, _) in list(self.open.items()):
            try:
                if not client.recv(1):
                    self.lose(descriptor)
            except (BlockingIOError, InterruptedError):
                pass
            except OSError:
                self.lose(descriptor)

    def run(self):
        told, take_at = False, time.monotonic() + BYTE_EACH
        while not select.select([sys.stdin], [], [], 0)[0]:
            burst = 0
            while self.due and self.due[0][0] <= time.monotonic() and burst < 200:
                self.connect(self.due.pop(0)[1])
                burst += 1
            if not self.due and not told:
                told = print("ready", flush=True) is None
            self.serve()
            if time.monotonic() > take_at:
                take_at = time.monotonic() + BYTE_EACH
                self.take()


if __name__ == "__main__":
    readers = Readers((sys.argv[1], int(sys.argv[2])), int(sys.argv[3]), sys.argv[4:])
    with contextlib.suppress(KeyboardInterrupt):
        readers.run()
    print(readers.opened, readers.lost)
