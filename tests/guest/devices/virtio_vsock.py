#!/usr/bin/env python3
# The virtio socket device, behind QEMU's vhost-user, with a host that keeps to the specification and minds its breaks.
# SPDX-License-Identifier: MIT
"""Usage: virtio_vsock.py SOURCE IMAGE"""

import os
import sys
import tempfile
import threading

from harness import PASSED, Guest, TestFailure, judge, status_name
from harness.vsock import BOTH, NO_SEND, REQUEST, RESET, SHUTDOWN, Host

ECHO, MANY, NOBODY, SILENT, NARROW, LAST = 5000, 6000, 6001, 6002, 6003, 6004
STEPS = NARROW  # of the other program
SIZE = 1 << 20
DATA = bytes((at * 7 + at // 251) & 0xff for at in range(SIZE))


def want(condition, what):
    if not condition:
        raise TestFailure(what)


def echo(host, room):
    stream = host.connect(ECHO, 1234, room)
    want(stream.connected, "nobody takes the connection")
    data = DATA[:200000]
    for at in range(0, len(data), 50000):  # both have room for that much
        stream.send(data[at:at + 50000])
        want(stream.receive_all(50000) == data[at:at + 50000], "the echo differs")
    stream.shutdown(NO_SEND)
    want(stream.receive_all() == b"done", "what follows the host's end differs")
    host.wait(lambda: stream.reset, "the end of both ways")
    with host.lock:
        del host.streams[stream.port, stream.guest_port]


def conversation(host, silent):
    echo(host, 65536)
    echo(host, 700)
    refused = host.connect(ECHO + 1, 99)
    want(refused.reset and not refused.connected, "a port where nobody listens has taken a connection")
    many = host.accept(MANY)
    many.send(DATA)
    many.shutdown(NO_SEND)
    host.wait(lambda: many.peer_shut == NO_SEND or many.reset, "the machine's shutdown")
    host.wait(lambda: many.reset, "the end of the connection")
    want(2 <= many.credits <= 1 + SIZE // 32768 + 5, f"the machine told of its room {many.credits} times")
    narrow = host.accept(NARROW)
    want(narrow.receive_all() == DATA, "what came with little room differs")
    last = host.accept(LAST)
    want(last.receive_all() == DATA, "what was sent before the program's end differs")
    host.wait(lambda: last.peer_shut == BOTH, "the end of the program's connection")
    for operation in (REQUEST, RESET) if silent else ():  # a time that has run out is told
        want(any(heard[0] == SILENT and heard[2] == operation for heard in host.heard), f"no packet {operation} to a silent port")
    want(any(heard[0] == NARROW and heard[2] == SHUTDOWN for heard in host.heard), "no end of the connection with little room")


def calls_conversation(host, guest):
    """What virtio_vsock_calls.c expects."""
    steps = host.accept(STEPS)
    want(steps.receive_all(1) == b"1", "the first byte differs")
    want(steps.peer_room == 4000, f"the machine gives room for {steps.peer_room} bytes")
    steps.send(b"first")
    want(steps.receive_all(1) == b"2", "the second byte differs")
    steps.send(b"second")
    steps.shutdown(NO_SEND)
    host.wait(lambda: steps.reset, "the end of both ways")
    want(len(host.accept(LAST).receive_all()) == 300000, "bytes are missing")
    guest.expect("^listening$")
    streams = [host.connect(ECHO, 2000 + number) for number in range(4)]

    def talk(stream):
        for at in range(0, 5 * 50000, 50000):
            data = DATA[at + stream.port:at + stream.port + 50000]
            stream.send(data)
            if stream.receive_all(50000) != data:
                faults.append(f"the echo of connection {stream.port} differs")
        stream.shutdown(NO_SEND)

    faults = []
    talkers = [threading.Thread(target=talk, args=(stream,)) for stream in streams]
    for talker in talkers:
        talker.start()
    for talker in talkers:
        talker.join()
    want(not faults, faults)


def check(image, machine, device, calls, words="", smp="1,maxcpus=2"):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "vhost")
        host = Host(path)
        host.answers = {STEPS: 4096, LAST: 20000} if calls else {MANY: 65536, NARROW: 8000, LAST: 200000}
        host.silent = {SILENT}
        arguments = host.options(path) + ["-device", device + ",chardev=vhost"]
        with Guest(image, machine=machine, smp=smp, append=words, arguments=arguments) as guest:
            guest.expect("^ready$")
            try:
                if calls:
                    calls_conversation(host, guest)
                else:
                    conversation(host, bool(words))
            except TestFailure as failure:
                raise guest.failure(f"{failure}; {host.failure}") from failure
            status = guest.wait()
            if status != PASSED:
                raise guest.failure(f"exit status {status_name(status)}")
    print(f"ok: {machine} {device} {smp}", flush=True)


def main():
    image, calls = sys.argv[2], "calls" in sys.argv[1]
    check(image, "q35", "vhost-user-vsock-pci", calls, "-- silent")
    if calls:
        check(image, "q35", "vhost-user-vsock-pci", calls, smp="2")
        return
    check(image, "pc", "vhost-user-vsock-pci,vectors=0", calls)
    check(image, "microvm", "vhost-user-vsock-device", calls)


if __name__ == "__main__":
    sys.exit(judge(main))
