# The first answer of a web server that is just starting, seen when it comes: a few connections wait for it.
# SPDX-License-Identifier: MIT
"""Frames to a guest whose driver is not up wait in the tap. QEMU holds the first of them, which is lost when the driver resets the
device; a Linux guest answers none of them. So connections are kept, and another one is
opened as soon as frames move (QEMU has fetched some, the guest has sent some) or one was refused. While nothing moves they are few."""
import errno
import os
import re
import select
import socket
import time

AGAIN = 0.002  # seconds from one try to the next, at least, while the machine gives signs of life
PART = 200     # … and at least this fraction (1/PART) of the elapsed time: each refused connection costs the guest work
QUIET = 2.0    # after a sign, tries become rarer: the interval is the time since then, multiplied by this,
LONGEST = 1.0  # and at most this many seconds
MOST = 4       # connections that wait at the same time: each costs the guest work when it comes up


def frames(interface):
    """How many frames have gone both ways; those to the guest are counted when QEMU fetches them."""
    with open("/proc/net/dev") as file:
        for line in file:
            name, _, numbers = line.partition(":")
            if name.strip() == interface:
                fields = numbers.split()
                return int(fields[1]) + int(fields[9])
    return 0


def parsed(data, ended):
    """(status, body) of an answer when it is whole, else None; ConnectionError when it has ended too early."""
    head, line, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length:\s*(\d+)", head, re.IGNORECASE)
    if line and (len(body) >= int(length[1]) if length else ended):
        words = head.split()
        return (int(words[1]) if len(words) > 1 and words[1].isdigit() else 0), body
    if ended:
        raise ConnectionError(f"the answer ended after {len(data)} bytes")
    return None


class Try:
    """One connection, and what came by it."""

    def __init__(self, address):
        self.data, self.connected, self.asked = b"", False, False
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.error = self.socket.connect_ex(address)

    def ask(self, request):
        self.asked = True
        self.socket.send(request)  # an empty buffer takes all of it

    def advance(self):
        """Takes what is there; (status, body) when the answer is whole, else None. OSError when there will be none."""
        if self.connected:
            piece = self.socket.recv(65536)
            self.data += piece
            return parsed(self.data, ended=not piece)
        if self.error == errno.EINPROGRESS:
            self.error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if self.error:
            raise OSError(self.error, os.strerror(self.error))
        self.connected = True
        return None


class Client:
    """Tries until there is an answer; one connection is asked, the next one when it ends. `signs` counts frames; `least` and `most`
    bound how often it tries and how many connections wait."""

    def __init__(self, address, page, signs=None, least=AGAIN, most=MOST):
        self.address, self.signs, self.least, self.most = address, signs, least, most
        self.request = f"GET {page} HTTP/1.1\r\nHost: guest\r\nConnection: close\r\n\r\n".encode()
        self.tries, self.opened, self.seen, self.said = [], 0, (0, 0), ""
        self.began = self.heard = time.monotonic()  # heard: the last sign of life
        self.last = self.began - LONGEST            # the last try

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.tries:
            one.socket.close()

    def again(self):
        """The least time between two tries."""
        return max(self.least, (self.last - self.began) / PART)

    def due(self):
        """When the next try comes. Who is connected was heard, and is given time."""
        if any(one.connected for one in self.tries):
            return self.last + LONGEST
        return self.last + max(self.again(), min(LONGEST, QUIET * (self.last - self.heard)))

    def drop(self, one):
        self.tries.remove(one)
        one.socket.close()

    def open(self):
        """Another try. The oldest one that is not connected makes room for it; where all are, none is opened."""
        self.last = time.monotonic()
        if len(self.tries) >= self.most:
            old = next((one for one in self.tries if not one.connected), None)
            if not old:
                return
            self.drop(old)
        self.tries.append(Try(self.address))
        self.opened += 1

    def listen(self):
        """Notes when more frames have moved than a new try makes move by itself."""
        signs, opened = self.signs() if self.signs else 0, self.opened
        if signs - self.seen[0] > opened - self.seen[1]:
            self.heard = time.monotonic()
        self.seen = signs, opened

    def ready(self, wait):
        poll = select.poll()
        for one in self.tries:
            poll.register(one.socket, select.POLLIN if one.connected else select.POLLOUT)
        found = {descriptor for descriptor, _ in poll.poll(wait * 1000)}
        return [one for one in self.tries if one.socket.fileno() in found]

    def attempt(self, one, step):
        """Runs a step of a connection; one that was refused, reset, or that ended too early is dropped."""
        try:
            return step()
        except OSError as error:
            self.said, self.heard = str(error), time.monotonic()
            self.drop(one)
            return None

    def take(self, wait):
        """Waits at most that long for what comes; (status, body) of a whole answer, or None."""
        for one in self.ready(wait):
            if answer := self.attempt(one, one.advance):
                return answer
        return None

    def look(self, longest=0.1):
        """Opens a connection when it is time for it, and waits a moment for what comes; (status, body) of a whole answer, or None."""
        self.listen()
        if time.monotonic() >= self.due():  # on a busy host long since: who has come meanwhile is heard first
            if answer := self.take(0):
                return answer
            if time.monotonic() >= self.due():
                self.open()
        wait = max(0, self.due() - time.monotonic())
        if answer := self.take(min(longest, wait, self.again() if self.signs else wait)):
            return answer
        connected = [one for one in self.tries if one.connected]
        if connected and not any(one.asked for one in connected):
            self.attempt(connected[0], lambda: connected[0].ask(self.request))
        return None
