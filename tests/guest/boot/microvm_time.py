#!/usr/bin/env python3
# From the start of QEMU's microvm to hello's first byte and to http_server's first response, beside a program of ten instructions.
# SPDX-License-Identifier: MIT
"""Usage: microvm_time.py HELLO HTTP_SERVER [ROUNDS]

Each round boots all three, one after the other; the program of ten instructions, which prints at once, shows what QEMU and its firmware take
on this host. Wall-clock times are printed. What fails the test is QEMU's processor time, which other load on the host moves little: the
fastest boot may take MOST milliseconds of it more than the fastest of the ten instructions, or as much more as these take longer than
USUAL on a slow host. There are more rounds while it takes more, and at most MORE times as many."""

import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from harness import Guest, TestFailure, judge
from harness.network import UserNetwork, enter_namespace, http_get

MACHINE = "microvm,pit=off,pic=off,rtc=off"
MOST, USUAL = {"hello": 20, "http_server": 40}, 25
MORE = 5
AT_ONCE = r"""
        .code32
        .section .text
        .global start
start:  movw $0x3f8, %dx
        movb $'H', %al
        outb %al, %dx
        movb $10, %al
        outb %al, %dx
        movw $0xf4, %dx
        movl $0x10, %eax
        outl %eax, %dx
1:      hlt
        jmp 1b
        .section .note.Xen, "a", @note
        .long 4, 4, 18
        .asciz "Xen"
        .long start
        .section .note.GNU-stack, "", @progbits
"""


def build_at_once(folder):
    source, program = pathlib.Path(folder) / "at_once.S", pathlib.Path(folder) / "at_once"
    source.write_text(AT_ONCE)
    subprocess.run(["gcc", "-m64", "-nostdlib", "-static", "-no-pie", "-Wl,-Ttext=0x100000", "-Wl,--build-id=none",
                    "-Wl,-z,max-page-size=4096", "-Wl,-e,start", "-o", str(program), str(source)], check=True)
    return program


def processor_time():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (used.ru_utime + used.ru_stime)


def to_first_byte(image):
    """Milliseconds to the first byte, and of processor time to the end."""
    before = processor_time()
    with Guest(image, machine=MACHINE, memory="64") as guest:
        guest.expect("H", 30)
        guest.wait()
    return 1000 * (guest.arrivals[0][1] - guest.started), processor_time() - before


def to_first_response(image):
    before = processor_time()
    with UserNetwork(80, device="virtio-net-device") as network, \
            Guest(image, machine=MACHINE, memory="64", append="ip=10.0.2.15/24,10.0.2.2",
                  arguments=["-global", "virtio-mmio.force-legacy=false", *network.arguments]) as guest:
        guest.expect("http_server: serving", 30)
        status, _, _ = http_get(network.address(80))
        took = 1000 * (time.monotonic() - guest.started)
        if status != 200:
            raise guest.failure(f"the answer is {status}")
    return took, processor_time() - before


def problems_of(times):
    least = {name: min(cpu for _, cpu in values) for name, values in times.items()}
    at_once = least.pop("ten instructions")
    for name, value in least.items():
        allowed = MOST[name] * max(1, at_once / USUAL)
        if value - at_once > allowed:
            yield f"{name} takes {value - at_once:.0f} ms of processor time more than ten instructions; {allowed:.0f} ms are allowed"


def main():
    enter_namespace(required=False)
    hello, http_server, *rest = sys.argv[1:]
    rounds = int(rest[0]) if rest else 7
    times = {"ten instructions": [], "hello": [], "http_server": []}
    with tempfile.TemporaryDirectory(prefix="bm-time-") as folder:
        at_once = build_at_once(folder)
        while len(times["hello"]) < rounds or (any(problems_of(times)) and len(times["hello"]) < MORE * rounds):
            times["ten instructions"].append(to_first_byte(at_once))
            times["hello"].append(to_first_byte(hello))
            times["http_server"].append(to_first_response(http_server))
    for name, values in times.items():
        walls = [wall for wall, _ in values]
        print(f"{name}: fastest {min(walls):.0f} ms, median {statistics.median(walls):.0f} ms; {min(cpu for _, cpu in values):.0f} ms of processor time")
    if problems := list(problems_of(times)):
        raise TestFailure("; ".join(problems))
    print(f"ok: {len(times['hello'])} rounds")


if __name__ == "__main__":
    sys.exit(judge(main))
