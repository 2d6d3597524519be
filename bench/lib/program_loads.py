# The clients of bench/lib/programs.py. Each load is a function that runs it and tells how many requests there were, and how many a second.
# SPDX-License-Identifier: MIT
import re
import selectors
import socket
import time

from . import tools

CONNECTIONS = 30
VALUE = b"v" * 100


def answers(address):
    """Whether somebody takes a connection."""
    try:
        socket.create_connection(address, timeout=1).close()
        return True
    except OSError:
        return False


def redis(program, address, amount):
    """SET and GET with a command under way in each connection, and with 16."""
    def load(test, pipeline):
        requests = amount * (4 if pipeline > 1 else 1)
        said = tools.run([program, "-h", address, "-c", CONNECTIONS, "-n", requests, "-P", pipeline, "-t", test, "--csv"], timeout=600)
        rate = re.search(rf'^"{test.upper()}","([\d.]+)"', said, re.MULTILINE)
        if not rate:
            raise tools.BenchError(f"redis-benchmark's answer is not understood:\n{said}")
        return {"requests": requests, "rate": float(rate[1])}

    return lambda _: [(f"{test}, {pipeline} under way", lambda test=test, pipeline=pipeline: load(test, pipeline))
                      for test in ("set", "get") for pipeline in (1, 16)]


def web(address, amount, pages):
    """Requests by wrk on connections that stay."""
    from . import web as wrk_of  # it imports what imports this

    def load(page):
        run = wrk_of.wrk(page, CONNECTIONS, max(1, amount // 10000), address)
        if run["errors"]:
            raise tools.BenchError(f"wrk: {run['errors']}")
        return run

    return lambda make: [(f"keep-alive, {CONNECTIONS} at once", lambda: load(pages.get(make, "/")))]


def memcached(address, amount):
    """`get` of a value of 100 bytes."""
    def store(connection):
        connection.sendall(b"set key 0 0 %d\r\n%s\r\n" % (len(VALUE), VALUE))
        if connection.recv(100) != b"STORED\r\n":
            raise tools.BenchError("memcached did not store a value")

    def load():
        connections = [socket.create_connection((address, 11211), timeout=30) for _ in range(CONNECTIONS)]
        store(connections[0])
        expected = b"VALUE key 0 %d\r\n%s\r\nEND\r\n" % (len(VALUE), VALUE)
        seconds = exchange(connections, b"get key\r\n", expected, amount)
        for connection in connections:
            connection.close()
        return {"requests": amount, "rate": amount / seconds}

    return lambda _: [(f"get, {CONNECTIONS} at once", load)]


def exchange(connections, question, expected, amount):
    """Sends the question on each connection, and again when the answer is whole, until `amount` have been asked; returns the seconds."""
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        missing = {connection: len(expected) for connection in connections}
        asked = answered = 0
        began = time.monotonic()
        for connection in connections:
            connection.sendall(question)
            asked += 1
        while answered < amount:
            events = selector.select(30)
            if not events:
                raise tools.BenchError(f"no answer for 30 s, after {answered} of {amount}")
            for key, _ in events:
                connection = key.fileobj
                data = connection.recv(missing[connection])
                if not data or not expected.endswith(data) and len(data) == missing[connection]:
                    raise tools.BenchError(f"a wrong answer: {data[:60]!r}")
                missing[connection] -= len(data)
                if not missing[connection]:
                    answered += 1
                    missing[connection] = len(expected)
                    if asked < amount:
                        connection.sendall(question)
                        asked += 1
        return time.monotonic() - began
