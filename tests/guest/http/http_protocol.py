#!/usr/bin/env python3
# http_server on the wire: methods, keep-alive, pipelining, conditional requests, and the right status for each wrong one.
# SPDX-License-Identifier: MIT
"""Usage: http_protocol.py IMAGE"""

import email.utils
import re
import sys
import time

from harness import PATIENCE, TestFailure, judge
from harness.http import Client, get
from harness.network import UserNetwork, enter_namespace, serving


def check(condition, what):
    if not condition:
        raise TestFailure(what)


def check_page(address):
    with Client(address) as client:
        began = time.time()
        client.send(get())
        status, headers, body = client.response()
        check(status == 200 and body, f"GET / gave {status} with {len(body)} bytes")
        check(headers.get("content-type", "").startswith("text/html"), f"type of / is {headers.get('content-type')}")
        date = email.utils.parsedate_to_datetime(headers["date"]).timestamp()
        check(began - 10 < date < time.time() + 10, f"Date is {headers['date']}")
        client.send(get(method="HEAD"))
        status, head_headers, _ = client.response(head_only=True)
        check(status == 200 and head_headers["content-length"] == str(len(body)), "HEAD / differs from GET /")
        tag = headers["etag"]
        check(re.fullmatch(r'(W/)?"[^"]+"', tag), f"ETag is {tag}")
        for condition, wanted in ((tag, 304), (f'"other", {tag}', 304), ("*", 304), ('"other"', 200)):
            client.send(get(headers=f"If-None-Match: {condition}\r\n"))
            status, _, _ = client.response()
            check(status == wanted, f"If-None-Match: {condition} gave {status}, not {wanted}")
    return body


def check_pipelining(address, page):
    with Client(address) as client:
        client.send((get() + get(method="HEAD") + get("/missing") + get("/metrics")) * 10)
        for _ in range(10):
            status, _, body = client.response()
            check(status == 200 and body == page, "a pipelined GET differs")
            check(client.response(head_only=True)[0] == 200, "a pipelined HEAD differs")
            check(client.response()[0] == 404, "a pipelined 404 differs")
            check(client.response()[0] == 200, "a pipelined /metrics differs")
    with Client(address) as client:  # the same requests in pieces of one byte
        for byte in get().encode():
            client.send(bytes([byte]))
        check(client.response()[2] == page, "a request byte by byte gave another page")


def check_connection(address, _):
    with Client(address) as client:
        client.send(get(headers="Connection: close\r\n"))
        check(client.response()[0] == 200 and client.at_end(), "Connection: close did not close")
    with Client(address) as client:
        client.send(get(version="1.0"))
        check(client.response()[0] == 200 and client.at_end(), "HTTP/1.0 did not close")
    with Client(address) as client:
        client.send(get(version="1.0", headers="Connection: keep-alive\r\n") * 2)
        check(client.response()[0] == 200 and client.response()[0] == 200, "HTTP/1.0 with keep-alive did not stay")


WRONG = [
    ("no version", "GET /\r\n\r\n", {400}),
    ("no host", "GET / HTTP/1.1\r\n\r\n", {400}),
    ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", {400}),
    ("a blank in a field name", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", {400}),
    ("a NUL", b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    ("two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", {400}),
    ("a negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", {400}),
    ("length and chunks", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    ("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", {400, 505}),
    ("a path out of the site", "GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", {400, 404}),
    ("an escaped path out of the site", "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", {400, 404}),
    ("a missing page", get("/missing"), {404}),
    ("POST of a page", get(method="POST", headers="Content-Length: 0\r\n"), {405}),
    ("DELETE", get(method="DELETE"), {405, 501}),
    ("an unknown method", get(method="BREW"), {501}),
    ("a large body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", {413}),
    ("a long path", get("/" + "a" * 20000), {414}),
    ("large headers", get(headers="X-Filler: " + "a" * 60000 + "\r\n"), {431}),
    ("many headers", get(headers="A: b\r\n" * 2000), {431}),
    ("an unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: brotli\r\n\r\n", {400, 501}),
]


def check_wrong(address, _):
    for what, request, wanted in WRONG:
        with Client(address) as client:
            try:
                client.send(request)
            except ConnectionError:
                pass  # the server has answered and closed already
            try:
                status, headers, _ = client.response()
            except OSError as error:
                raise TestFailure(f"{what}: {error}") from error
            check(status in wanted, f"{what} gave {status}, not one of {wanted}")
            check(status != 405 or "GET" in headers.get("allow", ""), f"{what}: 405 without Allow")


def check_time_out(address):
    """Half a head is answered with 408 after the two seconds that the command line gives it; an idle one is closed."""
    for sent in ("GET / HTTP/1.1\r\nHost: a\r\n", ""):
        with Client(address) as client:
            client.socket.settimeout(20 * PATIENCE)
            client.send(sent)
            if sent:
                check(client.response()[0] == 408, "half a head was not answered with 408")
            check(client.at_end(), "a connection that has timed out stays open")


def check_metrics(address, _):
    values = []
    for _ in range(2):
        with Client(address) as client:
            client.send(get("/metrics", headers="Connection: close\r\n"))
            status, headers, body = client.response()
            check(status == 200 and headers["content-type"].startswith("text/plain"), "/metrics is not text/plain")
            numbers = {}
            for line in body.decode().splitlines():
                found = re.fullmatch(r"([a-z_]+)(\{[^}]*\})? ([0-9.e+-]+)", line)
                check(found or line.startswith("# "), f"/metrics: '{line}' is not in Prometheus' text format")
                if found:
                    numbers[found.group(1)] = numbers.get(found.group(1), 0) + float(found.group(3))
            values.append(numbers)
    for word in ("requests", "connections", "memory", "uptime", "cores"):
        check(any(word in name for name in values[0]), f"/metrics has no figure of {word}")
    requests = next(name for name in values[0] if "requests" in name and name.endswith("total"))
    check(values[1][requests] == values[0][requests] + 1, f"{requests} did not grow by one")


def boot(image, options=""):
    network = UserNetwork(80)
    return serving(network, image, append=network.append + options)


def main():
    enter_namespace(required=False)
    with boot(sys.argv[1]) as (_, address):
        page = check_page(address)
        for step in (check_pipelining, check_connection, check_wrong, check_metrics):
            step(address, page)
            print(f"ok: {step.__name__}", flush=True)
    with boot(sys.argv[1], " -- idle=4 head=2") as (_, address):
        check_time_out(address)
    print("ok: every request got the answer that it deserves")


if __name__ == "__main__":
    sys.exit(judge(main))
