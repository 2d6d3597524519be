#!/usr/bin/env python3
# The virtio console shows what the serial one shows, takes keys, and a named port carries bytes both ways.
# SPDX-License-Identifier: MIT
"""Usage: virtio_console.py SOURCE IMAGE"""

import pathlib
import random
import re
import socket
import sys
import tempfile
import threading
import time

from harness import PASSED, PATIENCE, Guest, TestFailure, judge, status_name

NAME, SIZE = "org.example.port", 300000


class Console:
    """What the machine says on the console's socket."""

    def __init__(self, stream):
        self.stream, self.text, self.position = stream, "", 0

    def expect(self, pattern):
        """Reads until the pattern has come, behind what was found last."""
        while not (found := re.compile(pattern, re.MULTILINE).search(self.text, self.position)):
            try:
                part = self.stream.recv(65536)
            except OSError as error:
                raise TestFailure(f"{error}: without {pattern}: {self.text[-500:]}") from error
            if not part:
                raise TestFailure(f"the console ended without {pattern}: {self.text[-500:]}")
            self.text += part.decode().replace("\r", "")
        self.position = found.end()


def dial(path):
    """Waits until QEMU listens there: between the making of the name and that is a moment."""
    end = time.monotonic() + 30 * PATIENCE
    while True:
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(10 * PATIENCE)
        try:
            stream.connect(str(path))
            return stream
        except (FileNotFoundError, ConnectionRefusedError):
            stream.close()
            if time.monotonic() > end:
                raise


def bytes_both_ways(stream):
    data = bytes(byte or 1 for byte in random.Random(3).randbytes(SIZE)) + b"\0"
    sender = threading.Thread(target=stream.sendall, args=(data,), daemon=True)
    sender.start()
    echo = b""
    while len(echo) < len(data):
        part = stream.recv(65536)
        if not part:
            raise TestFailure(f"the port ended after {len(echo)} bytes")
        echo += part
    sender.join()
    if echo != data:
        raise TestFailure("the port's bytes differ")


def check(image, machine, kind, console, port, options=""):
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / name for name in ("c", "p")]
        arguments = ["-device", kind + options]
        for device, path in zip(("virtconsole,chardev=c", f"virtserialport,chardev=p,name={NAME}"), paths):
            arguments += ["-chardev", f"socket,id={path.name},path={path},server=on,wait=on", "-device", device]
        if not port:
            arguments = arguments[:-4]
        words = f"console={console}" + (f" -- {NAME}" if port else "")
        streams = []

        def connect():  # QEMU waits for both before it starts
            for path in paths[:1 + port]:
                streams.append(dial(path))

        dialler = threading.Thread(target=connect, daemon=True)
        dialler.start()
        with Guest(image, machine=machine, append=words, arguments=arguments) as guest:
            dialler.join(60 * PATIENCE)
            console_of = Console(streams[0])
            console_of.expect("^ready\n")
            streams[0].sendall(b"typed here\n")
            console_of.expect("^line: typed here\n")
            if port:
                console_of.expect(f"^open: {NAME}\n")
                bytes_both_ways(streams[1])
            console_of.expect("^exit: 0\n")
            lines = [line for line in console_of.text.split("\n") if "0123456789abc" in line]
            if lines != [f"{i:03} 0123456789abcdefghijklmnopqrstuvwxyz" for i in range(200)] or "\nPASS\n" not in console_of.text:
                raise TestFailure(f"lines are missing on the virtio console: {len(lines)} came")
            status = guest.wait()
            if status != PASSED:
                raise guest.failure(f"exit status {status_name(status)}")
            if ("PASS" in guest.text()) != ("serial" in console):
                raise guest.failure(f"the serial console, with console={console}")
        for stream in streams:
            stream.close()
    print(f"ok: {machine} {kind}{options} console={console}", flush=True)


def main():
    image = sys.argv[2]
    check(image, "q35", "virtio-serial-pci", "serial,virtio", True)
    check(image, "pc", "virtio-serial-pci", "virtio", True, ",vectors=0")
    check(image, "pc", "virtio-serial-pci", "virtio", False, ",max_ports=1")  # without control messages
    check(image, "microvm", "virtio-serial-device", "serial,virtio", True)


if __name__ == "__main__":
    sys.exit(judge(main))
