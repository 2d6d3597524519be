#!/usr/bin/env python3
# memcached-debug [OPTION…]: what memcached's tests start as the server: boots machine/memcached-debug and lets its ports be reached once it answers.
# SPDX-License-Identifier: MIT
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

IMAGE = pathlib.Path(__file__).resolve().parent / "machine" / "memcached-debug"
PATIENCE = 60  # seconds until it answers


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def answers(port):
    """QEMU takes connections before the machine does: only an answer says that it is there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as server:
            server.sendall(b"version\r\n")
            return bool(server.recv(1))
    except OSError:
        return False


def option(words, name):
    return words[words.index(name) + 1] if name in words[:-1] else None


def main(words):
    run = ["baremetal-run", "--memory", "256"]
    port, udp = option(words, "-p"), option(words, "-U")
    if not port:
        return subprocess.run([*run, IMAGE, *words], stdin=subprocess.DEVNULL, check=False).returncode
    with tempfile.TemporaryDirectory() as folder:
        early = free_port()
        environment = {**os.environ, "PORT": str(early), "GUEST_PORT": port, "QEMU_ARGS": f"-monitor unix:{folder}/monitor,server=on,wait=off"}
        process = subprocess.Popen([*run, IMAGE, *words], stdin=subprocess.DEVNULL, env=environment)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: process.terminate())
        end = time.monotonic() + PATIENCE
        while process.poll() is None and not answers(early) and time.monotonic() < end:
            time.sleep(0.02)
        if process.poll() is None:
            with socket.socket(socket.AF_UNIX) as monitor:
                monitor.connect(f"{folder}/monitor")
                for protocol, number in (("tcp", port), ("udp", udp)):
                    if number and number != "0":
                        monitor.sendall(f"hostfwd_add net0 {protocol}:127.0.0.1:{number}-:{number}\n".encode())
                monitor.shutdown(socket.SHUT_WR)
                while monitor.recv(4096):
                    pass
        return process.wait()


sys.exit(main(sys.argv[1:]))
