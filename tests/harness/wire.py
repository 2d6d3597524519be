# A wire whose other end is the test: raw Ethernet frames to and from a guest, and hosts that exist only there.
# SPDX-License-Identifier: MIT
"""Wire is a network for guest_on() of network.py: QEMU's dgram back-end over unix sockets, so that no namespace is
needed and nothing leaves the machine. Hosts are added by host(); a thread answers ARP and neighbour solicitations for
them and keeps all other frames for expect(). settled() is the way to know that all frames sent before have been looked
at: the guest takes frames in order, so its answer to an echo request comes behind all that they caused at once."""

import contextlib
import os
import shutil
import socket
import sys
import tempfile
import threading
import time

from .frames import (ACK, BROADCAST, ECHO_REPLY6, NS, RS, RST, SYN, TYPE_ARP, TYPE_IP4, TYPE_IP6, arp, echo, ethernet, ip, link_local,
                    mac, mss, neighbour_advertisement, packet, parse, tcp, text)
from .frames import TCP as PROTOCOL_TCP
from .guest import PATIENCE, TestFailure, judge
from .network import GUEST4, HOST4, MAC, NO_OFFLOAD, PREFIX4, guest_on

GUEST, GUEST_MAC = ip(GUEST4), mac(MAC)
GUEST6 = link_local(GUEST_MAC)
FRAME_MAX = 1 << 17


class Wire:
    """append: the guest's command line; device: more words for the virtio-net device."""

    def __init__(self, append=f"ip={GUEST4}/{PREFIX4},{HOST4}", device=NO_OFFLOAD):
        self.append, self.device, self.pass_fds = append, device, ()
        self.hosts = {}  # address -> hardware address
        self.kept = []  # parsed frames that nothing has asked for yet
        self.asked = []  # addresses of our hosts whose hardware address the guest asked for, and got
        self.arrived = threading.Condition()
        self.has_address6 = threading.Event()
        self.echoes = 0
        self.guest_mac = GUEST_MAC

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="bm-wire-")
        self.path = self.folder + "/guest"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.folder + "/host")
        self.arguments = [
            "-netdev", f"dgram,id=net0,local.type=unix,local.path={self.path},remote.type=unix,remote.path={self.folder}/host",
            "-device", f"virtio-net-pci,netdev=net0,romfile=,mac={MAC}" + ("," + self.device if self.device else "")]
        self.stopping = False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as self_call:
            self_call.sendto(b"", self.folder + "/host")
        self.thread.join(10)
        self.socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def host(self, address, hardware):
        """A host on the wire: `address` as text or bytes, hardware address as text or bytes. Returns the address as bytes."""
        address = ip(address) if isinstance(address, str) else address
        self.hosts[address] = mac(hardware) if isinstance(hardware, str) else hardware
        return address

    def _answer(self, frame):
        if frame.arp and frame.arp.operation == 1 and frame.arp.target in self.hosts:
            mine = self.hosts[frame.arp.target]
            self.asked.append(frame.arp.target)
            self.send_frame(ethernet(frame.source_mac, mine, TYPE_ARP,
                                     arp(2, mine, frame.arp.target, frame.arp.sender_mac, frame.arp.sender)))
        elif frame.icmp6 and frame.icmp6.type == NS and frame.icmp6.body[4:20] in self.hosts and any(frame.source):
            target = frame.icmp6.body[4:20]
            mine = self.hosts[target]
            self.asked.append(target)
            self.send_frame(ethernet(frame.source_mac, mine, TYPE_IP6,
                                     neighbour_advertisement(target, frame.source, target, mine)))
        else:
            return False
        return True

    def _read(self):
        while not self.stopping:
            data = self.socket.recv(FRAME_MAX)
            if len(data) < 14:
                continue
            frame = parse(data)
            if frame.icmp6 and frame.icmp6.type == RS and frame.source == GUEST6:
                self.has_address6.set()
            if not self._answer(frame):
                with self.arrived:
                    self.kept.append(frame)
                    self.arrived.notify_all()

    def send_frame(self, frame):
        """As it is; shorter than 60 bytes is padded by nobody."""
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):  # QEMU is not there yet, or no more
            self.socket.sendto(frame, self.path)

    def send(self, datagram, hardware=None, to=None):
        """An IP packet, in a frame from the host that it names as its source (or from `hardware`) to the guest (or `to`)."""
        kind = TYPE_IP6 if datagram[0] >> 4 == 6 else TYPE_IP4
        source = datagram[8:24] if kind == TYPE_IP6 else datagram[12:16]
        self.send_frame(ethernet(to or self.guest_mac, hardware or self.hosts.get(source, b"\x02" + b"\0" * 4 + b"\x01"), kind, datagram))

    def take(self, wanted):
        """The first kept frame that wanted(frame) is true for; it is kept no more. None: there is none."""
        with self.arrived:
            for i, frame in enumerate(self.kept):
                if wanted(frame):
                    return self.kept.pop(i)
        return None

    def expect(self, wanted, what, timeout=10):
        """Waits for a frame; the next call looks behind it as well as before it."""
        deadline = time.monotonic() + PATIENCE * timeout
        while True:
            with self.arrived:
                found = self.take(wanted)
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TestFailure(f"{PATIENCE * timeout} s went by without {what}; kept: {[brief(f) for f in self.kept[-20:]]}")
                self.arrived.wait(left)

    def forget(self):
        with self.arrived:
            self.kept.clear()
            self.asked.clear()

    def all(self, wanted):
        """Takes every kept frame that is wanted, in order."""
        with self.arrived:
            found = [frame for frame in self.kept if wanted(frame)]
            self.kept = [frame for frame in self.kept if not wanted(frame)]
            return found

    def settled(self, source, destination=None, timeout=10):
        """Returns when the guest has looked at all that was sent before. Both addresses as bytes; IPv4 and IPv6 work. An answer may be
        lost where thousands of others are on their way: it is asked for again."""
        tries = 5
        for left in reversed(range(tries)):
            try:
                return self._settled(source, destination or (GUEST if len(source) == 4 else GUEST6), timeout / tries)
            except TestFailure:
                if not left:
                    raise

    def _settled(self, source, destination, timeout):
        self.echoes += 1
        number = self.echoes
        self.send(echo(source, destination, 0x5E77, number))

        def is_answer(frame):
            message = frame.icmp if len(source) == 4 else frame.icmp6
            return message and message.type == (0 if len(source) == 4 else ECHO_REPLY6) and \
                message.body[:4] == bytes([0x5E, 0x77]) + number.to_bytes(2, "big")
        self.expect(is_answer, "an answer to an echo request: the machine hangs", timeout)

    def ready6(self):
        """Waits until the guest's link-local address is no longer tentative (RFC 4862 section 5.4): it then solicits routers."""
        if not self.has_address6.wait(PATIENCE * 10):
            raise TestFailure("no router solicitation came: the guest has no link-local address")


class Connection:
    """A TCP connection that the test drives segment by segment. No timer, nothing is acknowledged by itself."""

    def __init__(self, wire, source, port, source_port, destination=None, sequence=1000):
        self.wire, self.source, self.port, self.source_port = wire, source, port, source_port
        self.destination = destination or (GUEST if len(source) == 4 else GUEST6)
        self.next, self.expected = sequence, 0  # next sequence number of ours; of the guest's
        self.window = 65535

    def is_mine(self, frame):
        return frame.tcp is not None and frame.source == self.destination and frame.tcp.port == self.source_port and \
            frame.tcp.source_port == self.port

    def segment(self, flags, data=b"", **fields):
        """Sends one with today's numbers, each of which may be given: sequence, acknowledged, window, options, check …"""
        known = {"sequence": self.next, "acknowledged": self.expected, "window": self.window, "data": data, **fields}
        self.wire.send(packet(self.source, self.destination, PROTOCOL_TCP,
                              tcp(self.source, self.destination, self.source_port, self.port, flags, **known)))

    def answer(self, what="a segment", wanted=lambda segment: True, timeout=10):
        """The guest's next segment of this connection that is wanted; the numbers are not moved."""
        return self.wire.expect(lambda frame: self.is_mine(frame) and wanted(frame.tcp), what, timeout).tcp

    def segments(self):
        """All that came so far."""
        return [frame.tcp for frame in self.wire.all(self.is_mine)]

    def open(self, options=mss(1460)):
        """The three-way handshake; returns the SYN-ACK."""
        self.segment(SYN, options=options, acknowledged=0)
        answer = self.answer("a SYN-ACK", lambda segment: segment.flags & SYN)
        if answer.flags & RST or answer.acknowledged != (self.next + 1) & 0xFFFFFFFF:
            raise TestFailure(f"a SYN was answered by {answer}")
        self.next += 1
        self.expected = (answer.sequence + 1) & 0xFFFFFFFF
        self.segment(ACK)
        return answer

    def send(self, data, flags=ACK):
        self.segment(flags | 8, data)
        self.next = (self.next + len(data)) & 0xFFFFFFFF

    def receive(self, size, acknowledge=True, timeout=10):
        """The next bytes in order, at least `size`, each segment acknowledged if wanted."""
        data = b""
        while len(data) < size:
            segment = self.answer(f"{size} bytes after {len(data)}",
                                  lambda s: s.data and (self.expected - s.sequence) & 0xFFFFFFFF < len(s.data), timeout)
            fresh = segment.data[(self.expected - segment.sequence) & 0xFFFFFFFF:]
            data += fresh
            self.expected = (self.expected + len(fresh)) & 0xFFFFFFFF
            if acknowledge:
                self.segment(ACK)
        return data


def a_second(wire, host):
    """Until the guest's clock has gone on by about a second: a SYN-ACK that nobody acknowledges is sent twice."""
    wire.echoes += 1
    connection = Connection(wire, host, 80, 50000 + wire.echoes % 10000)
    connection.segment(SYN, acknowledged=0)
    for _ in range(2):
        connection.answer("a SYN-ACK")
    connection.segment(RST, sequence=connection.next + 1)


def brief(frame):
    if frame.arp:
        return f"ARP {frame.arp.operation}"
    if frame.tcp:
        return f"TCP {text(frame.source)}:{frame.tcp.source_port} > {frame.tcp.port} flags {frame.tcp.flags:#x} seq " \
            f"{frame.tcp.sequence} ack {frame.tcp.acknowledged} win {frame.tcp.window} data {len(frame.tcp.data)}"
    if frame.icmp6:
        return f"ICMPv6 {frame.icmp6.type}/{frame.icmp6.code} to {text(frame.destination)}"
    if frame.icmp:
        return f"ICMP {frame.icmp.type}/{frame.icmp.code} to {text(frame.destination)}"
    return f"type {frame.kind:#x} protocol {frame.protocol}, {len(frame.raw)} bytes"


def is_broadcast_of(kind):
    return lambda frame: frame.destination_mac == BROADCAST and frame.kind == kind


@contextlib.contextmanager
def hostile_guest(image, ready, append=None, device=NO_OFFLOAD, **options):
    """A guest on a wire, when its console has said `ready` and it answers to the host at its gateway's address.
    Gives (wire, guest, the host's address)."""
    wire = Wire(device=device) if append is None else Wire(append, device)
    with guest_on(wire, image, **options) as guest:
        host = wire.host(HOST4, "02:00:00:00:00:01")
        guest.expect(ready)
        wire.settled(host)
        yield wire, guest, host


def run_cases(cases, image, ready="http_server: serving", together=False, **options):
    """Each case, a function of (wire, guest, host) whose docstring says what is right, on a machine of its own, or `together` on
    one as long as all goes well; the exit status of the script. Words behind the image choose cases by their names."""
    def test():
        chosen = [case for case in cases if not sys.argv[2:] or case.__name__ in sys.argv[2:]]
        failures = []
        done = 0
        while done < len(chosen):
            case = chosen[done]
            try:
                with hostile_guest(image, ready, **{**options, **getattr(case, "options", {})}) as (wire, guest, host):
                    for case in chosen[done:] if together else [case]:
                        done += 1
                        wire.forget()
                        case(wire, guest, host)
                        wire.settled(host)
                        print(f"ok: {case.__name__}: {sentence_of(case)}", flush=True)
            except TestFailure as failure:
                print(f"FAILED: {case.__name__}: {sentence_of(case)}\n{failure}", flush=True)
                failures.append(case.__name__)
                done = max(done, 1 + chosen.index(case))
        if failures:
            raise TestFailure(f"{len(failures)} of {len(chosen)} cases failed: {', '.join(failures)}")
        print(f"ok: {len(chosen)} cases")
    return judge(test)


def sentence_of(case):
    return (case.__doc__ or case.__name__).split("\n", maxsplit=1)[0]


def guest_image():
    return os.path.abspath(sys.argv[1])
