# The attacks: frames that are sent at a rate, or clients that are slow.
# SPDX-License-Identifier: MIT
"""Each attack is a context: it goes on in the block, and tells behind it what it did in `said`."""

import contextlib
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
from harness.frames import (ACK, FIN, ICMP6, PSH, RS, RST, SYN, TCP, TYPE_IP4, TYPE_IP6, ethernet, icmp6, ip, ip4, ip6, link_local, mac,
                    mss, mtu_option, multicast_mac, nd_option, neighbour_advertisement, neighbour_solicitation,
                    prefix_information, router_advertisement, source_link, tcp)
from harness import TestFailure, end_with_parent
from harness.network import GUEST4, MAC

GUEST, GUEST_MAC = ip(GUEST4), mac(MAC)
GUEST6 = link_local(GUEST_MAC)
ALL_NODES, ALL_ROUTERS = ip("ff02::1"), ip("ff02::2")
OTHER = "10.7.0.9"  # address of other clients
READERS4 = "10.8.0.0/16"  # addresses of slow readers: all of them are this host's


def compile_sender():
    folder = tempfile.TemporaryDirectory(prefix="bm-sender-")
    program = pathlib.Path(folder.name) / "sender"
    subprocess.run(["gcc", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-o", program, HERE / "sender.c"], check=True)
    return folder, program


class Frames:
    """Sends `frames` at `rate` to the tap."""

    def forget(self):
        pass

    def __init__(self, sender, what, rate, frames):
        self.sender, self.what, self.rate = sender, f"{rate:,} {what}", rate
        self.frames = frames
        self.said, self.connections = "", 0

    @contextlib.contextmanager
    def on(self, interface, seconds):
        with tempfile.TemporaryFile() as file:
            for frame in self.frames:
                file.write(struct.pack("=H", len(frame)) + frame)
            file.seek(0)
            process = subprocess.Popen([self.sender, interface, str(self.rate), str(seconds)], stdin=file,
                                       stdout=subprocess.PIPE, text=True, preexec_fn=end_with_parent)
            try:
                yield
            finally:
                said, _ = process.communicate()
        if process.returncode:
            raise TestFailure(f"the sender of {self.what} failed")
        tried, sent, took = said.split()
        self.said = f"{int(tried) / float(took):,.0f}/s, {int(sent) / int(tried):.0%} taken by the tap"


def silence(what):
    """Nothing leaves this host from the readers' addresses."""
    subprocess.run(["ip", "rule", what, "from", READERS4, "blackhole"], check=True)


class Readers:
    """`count` slow readers from so many addresses."""

    def forget(self):
        silence("del")

    def __init__(self, count, addresses):
        self.what = f"{count:,} slow readers from {addresses} address" + ("es" if addresses > 1 else "")
        self.connections = count
        self.addresses = [f"10.8.{number >> 8}.{number & 255}" for number in range(1, addresses + 1)]
        self.said = ""

    @contextlib.contextmanager
    def on(self, _interface, _seconds):
        process = subprocess.Popen([sys.executable, "-B", HERE / "readers.py", GUEST4, "80", str(self.connections), *self.addresses],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=end_with_parent)
        try:
            if process.stdout.readline() != "ready\n":
                raise TestFailure("the slow readers failed")
            yield
        finally:
            silence("add")  # they vanish: nothing of them is heard any more
            said, _ = process.communicate("end\n")
        opened, lost = said.split()
        self.said = f"{int(opened):,} connections opened, {int(lost):,} lost"


def add_addresses(interface):
    for words in (f"route add local {READERS4} dev lo", f"addr add {OTHER}/32 dev {interface}"):
        subprocess.run(["ip", *words.split()], check=True)


def syns(count):
    chance = random.Random(1)
    return [ethernet(GUEST_MAC, mac("02:00:00:00:00:01"), TYPE_IP4, ip4(source, GUEST, TCP, tcp(
        source, GUEST, chance.randrange(1024, 65536), 80, SYN, chance.getrandbits(32), options=mss(1460))))
            for source in (bytes([198, 18 + chance.getrandbits(1), chance.getrandbits(8), chance.randrange(1, 255)])
                           for _ in range(count))]


def bad_segments(count, ends):
    """To the connections of this host that have these addresses and ports, with numbers at random."""
    chance = random.Random(2)

    def one():
        flags, options, data = chance.choice([(ACK, b"", b""), (ACK | PSH, b"", b"GET / HTTP/1.1\r\n\r\n"), (RST, b"", b""),
                                              (RST | ACK, b"", b""), (SYN, mss(1), b""), (ACK, mss(1), b""),
                                              (FIN | ACK, b"", b"")])
        source, port = chance.choice(ends)
        return ethernet(GUEST_MAC, mac("02:00:00:00:00:02"), TYPE_IP4, ip4(ip(source), GUEST, TCP, tcp(
            ip(source), GUEST, port, 80, flags, chance.getrandbits(32), chance.getrandbits(32),
            window=chance.choice([0, 1, 65535]), options=options, data=data)))
    return [one() for _ in range(count)]


def random_link_local(chance):
    hardware = bytes([2]) + chance.randbytes(5)
    return hardware, link_local(hardware)


def neighbours(count):
    """Solicitations for the guest and advertisements that nobody asked for, each from a neighbour of its own."""
    chance = random.Random(3)
    found = []
    for number in range(count):
        hardware, source = random_link_local(chance)
        if number % 2:
            packet = neighbour_solicitation(source, GUEST6, source_link(hardware))
        else:
            target = chance.choice([source, GUEST6, ip("fd00:7::")[:8] + chance.randbytes(8)])
            packet = neighbour_advertisement(source, ALL_NODES, target, hardware)
        found.append(ethernet(multicast_mac(packet[24:40]), hardware, TYPE_IP6, packet))
    return found


def routers(count):
    """Advertisements of routers, prefixes and name servers that do not exist, and solicitations, which are not for a host."""
    chance = random.Random(4)
    found = []
    for number in range(count):
        hardware, source = random_link_local(chance)
        if number % 2:
            options = source_link(hardware) + mtu_option(chance.choice([0, 68, 1280, 1500, 9000])) + \
                prefix_information(ip("2001:db8::")[:4] + chance.randbytes(4) + bytes(8), 64) + \
                nd_option(25, struct.pack("!HI", 0, chance.getrandbits(32)) + chance.randbytes(16))
            packet = router_advertisement(source, options, lifetime=chance.getrandbits(16))
        else:
            packet = ip6(source, ALL_ROUTERS, ICMP6, icmp6(source, ALL_ROUTERS, RS, 0, bytes(4) + source_link(hardware)),
                         hop_limit=255)
        found.append(ethernet(multicast_mac(packet[24:40]), hardware, TYPE_IP6, packet))
    return found
