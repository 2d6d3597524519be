#!/usr/bin/env python3
# Checks ci/demo from outside: what it refuses and how, what --check prints, and that Ctrl-C leaves no machine behind.
# SPDX-License-Identifier: MIT
import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import tree

DEMO = str(tree.TOP / "ci/demo")


def fail(what, said=""):
    sys.exit(f"FAILED: {what}\n{said}")


def run(*words, timeout=1000, **environment):
    result = subprocess.run([DEMO, *words], env={**os.environ, **environment}, capture_output=True, text=True,
                            timeout=timeout, check=False, stdin=subprocess.DEVNULL)
    return result.returncode, result.stdout, result.stderr


def free_port():
    """A port below those that the kernel gives to clients: a client must not find itself there."""
    while True:
        port = random.randrange(10000, 30000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return str(port)


def check_refusal(what, pattern, *words, **environment):
    """One clear sentence on standard error, nothing built, and a failing status."""
    status, _, errors = run(*words, timeout=100, **environment)
    if status == 0 or len(errors.strip().splitlines()) != 1 or not re.search(pattern, errors):
        fail(f"{what}: status {status}, not one sentence with /{pattern}/:", errors)
    print(f"ok: {what}: {errors.strip()}")


def check_refusals():
    check_refusal("an unknown example", "no_such.*http_server", "no_such")
    check_refusal("a path for an example", "no example.*http_server", "../examples/hello")
    check_refusal("an unknown option", "--fast", "--fast")
    check_refusal("two examples", "one example", "hello", "http_server")
    for port in ("0", "65536", "eighty", "-1", "80 80", "99999999999999999999"):
        check_refusal(f"PORT='{port}'", "not a port number", PORT=port)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        check_refusal("a taken port", f"{port}.*taken", "--check", PORT=port)


def check_answers():
    status, said, errors = run("--check", PORT=free_port())
    if status != 0 or "HTTP/1.1 200" not in said or "<html" not in said.lower():
        fail(f"ci/demo --check: status {status}", said + errors)
    print("ok: ci/demo --check")
    for example in ("hello", "echo_server", "mandelbrot"):
        status, said, errors = run("--check", example, PORT=free_port())
        if status != 0:
            fail(f"ci/demo --check {example}: status {status}", said + errors)
        print(f"ok: ci/demo --check {example}")


def fetch(url, said):
    """The machine is just booting: asks again until it answers, for two minutes."""
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30) as page:
                return page.read()
        except OSError as error:
            if time.monotonic() > deadline:
                fail(f"no page came: {error}", said)


def await_url(demo, port):
    """Reads what ci/demo prints up to the line with the URL."""
    said = ""
    for line in demo.stdout:
        said += line
        if f"open http://localhost:{port}/" in line:
            return said
    fail("ci/demo ended by itself", said)
    return said


def check_interrupt(signal_number, wanted):
    """Waits for the URL and a page, then interrupts, as Ctrl-C does, the whole foreground group."""
    port = free_port()
    with subprocess.Popen([DEMO], env={**os.environ, "PORT": port}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, start_new_session=True, stdin=subprocess.DEVNULL) as demo:
        try:
            said = await_url(demo, port)
            fetch(f"http://127.0.0.1:{port}/", said)
            os.killpg(demo.pid, signal_number)
            demo.stdout.read()
            status = demo.wait(100)
        finally:
            if demo.poll() is None:
                os.killpg(demo.pid, signal.SIGTERM)
    if status != wanted:
        fail(f"after {signal_number!r} ci/demo ended with {status}", said)
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", int(port))) == 0:
            fail("the machine still answers after ci/demo has ended")
    print(f"ok: {signal_number.name} ends the machine, too")


def main():
    check_refusals()
    check_answers()
    check_interrupt(signal.SIGINT, 130)
    check_interrupt(signal.SIGTERM, 143)


if __name__ == "__main__":
    main()
