# The network between a guest and the host: QEMU's user networking, or a tap in a namespace that no packet leaves.
# SPDX-License-Identifier: MIT
"""Tests call enter_namespace() first: the whole test then runs in a network namespace of its own, without any route
to the outside, so that ports never collide and nothing leaves the machine."""

import contextlib
import fcntl
import os
import random
import resource
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from .guest import PATIENCE, Guest, TestFailure, judge

SKIPPED = 77  # ctest's SKIP_RETURN_CODE
MAC = "52:54:00:12:34:56"
HOST4, GUEST4, PREFIX4 = "10.7.0.1", "10.7.0.2", 24
PREFIX6 = "fd00:7::"
ROUTER6 = "fe80::1"  # the host's link-local address
HOST6, GUEST6 = PREFIX6 + "1", PREFIX6 + "5054:ff:fe12:3456"  # the guest's is SLAAC's, from its MAC
STATIC = f"ip={GUEST4}/{PREFIX4},{HOST4}"

FRAME_MAX = 1 << 17
TUNSETIFF, TUNSETOFFLOAD = 0x400454CA, 0x400454D0
TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6 = 1, 2, 4
ETH_P_ALL, SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 3, 263, 15, 23
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000

NO_OFFLOAD = ("csum=off,gso=off,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off,"
              "host_tso4=off,host_tso6=off,host_ecn=off,host_ufo=off")


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(SKIPPED)


def have_namespace():
    return os.environ.get("BM_NAMESPACE") == "1"


def enter_namespace(required=True):
    """Runs this very program again in a network namespace of its own. Where that is not allowed: skips the test, or
    goes on outside when `required` is false (for tests that use 127.0.0.1 alone)."""
    if have_namespace():
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        raise_file_limit()
        return
    ways = [["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"]]
    for way in ways:
        probe = subprocess.run([*way, "ip", "link", "set", "lo", "up"], capture_output=True, check=False) \
            if shutil.which("unshare") and shutil.which("ip") else None
        if probe and probe.returncode == 0:
            sys.stdout.flush()
            os.environ["BM_NAMESPACE"] = "1"
            os.execvp(way[0], [*way, sys.executable, "-B", *sys.argv])
    if required:
        skip("this machine lets us make no network namespace (unshare --net)")
    raise_file_limit()


def raise_file_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def open_tap(name, flags=0):
    try:
        tap = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        skip(f"/dev/net/tun cannot be opened: {error}")
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | flags))
    return tap


def set_up_tap(name, host=HOST4):
    commands = [f"link set {name} addrgenmode none", f"addr add {host}/{PREFIX4} dev {name}"]
    if host == HOST4:
        commands += [f"addr add {HOST6}/64 dev {name} nodad", f"addr add {ROUTER6}/64 dev {name} nodad"]
    for words in (*commands, f"link set {name} up"):
        subprocess.run(["ip", *words.split()], check=True)


def free_port():
    """A port below those that the kernel gives to clients: a client must not find itself there."""
    while True:
        port = random.randrange(10000, 30000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


class UserNetwork:
    """QEMU's user networking: DHCP, and ports of 127.0.0.1 that lead into the guest."""

    def __init__(self, *guest_ports, protocol="tcp", options="", device="virtio-net-pci,romfile="):
        self.ports = {port: free_port() for port in guest_ports}
        forwards = "".join(f",hostfwd={protocol}:127.0.0.1:{host}-:{guest}" for guest, host in self.ports.items())
        self.arguments = ["-netdev", f"user,id=net0{forwards}{options}", "-device", f"{device},netdev=net0,mac={MAC}"]
        self.append = "ip=dhcp"
        self.pass_fds = ()

    def address(self, guest_port):
        return "127.0.0.1", self.ports[guest_port]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class TapNetwork:
    """A tap whose other end is the host's own stack in the namespace; the guest has a fixed address, and its device these
    properties. A second machine at the same time gets a tap with another number."""

    def __init__(self, number=0, properties="", mtu=1500, device="virtio-net-pci"):
        self.properties, self.mtu, self.device = properties, mtu, device
        self.name, self.host, self.guest = f"tap{number}", f"10.7.{number}.1", f"10.7.{number}.2"
        self.append = f"ip={self.guest}/{PREFIX4},{self.host}"

    def __enter__(self):
        self.tap = open_tap(self.name, IFF_VNET_HDR)
        set_up_tap(self.name, self.host)
        if self.mtu != 1500:
            subprocess.run(["ip", *f"link set {self.name} mtu {self.mtu}".split()], check=True)
        self.pass_fds = (self.tap,)
        rom = "" if self.device.startswith("virtio-net-device") else ",romfile="  # no PCI, no ROM
        self.arguments = ["-netdev", f"tap,id=net0,fd={self.tap}", "-device",
                          f"{self.device},netdev=net0{rom},mac={MAC}" + (self.properties and "," + self.properties)]
        return self

    def __exit__(self, *_):
        os.close(self.tap)

    def address(self, guest_port):
        return self.guest, guest_port


def new_network(number=0):
    """A tap where that can be: the host's end of QEMU's user networking queues only one connection, so bursts of connections
    fail there whatever the guest does."""
    return TapNetwork(number) if have_namespace() and os.access("/dev/net/tun", os.R_OK | os.W_OK) else UserNetwork(80)


class Faults:
    """What a wire does to frames: probabilities, and the random numbers, repeatable by their seed."""

    def __init__(self, seed, drop=0.0, duplicate=0.0, reorder=0.0, corrupt=0.0):
        self.random = {way: random.Random(f"{seed} {way}") for way in ("in", "out")}
        self.drop, self.duplicate, self.reorder, self.corrupt = drop, duplicate, reorder, corrupt
        self.held = {}
        self.counts = {"frames": 0, "dropped": 0, "duplicated": 0, "reordered": 0, "corrupted": 0}

    def _count(self, what):
        self.counts[what] += 1

    def _flip(self, chance, frame):
        """Flips one bit behind the Ethernet header of an IPv4 frame; ARP has no checksum, so it stays whole. So do fragments, into which
        QEMU's e1000e and vmxnet3 cut long segments where the wire knows no offloads: flips in two of one packet may cancel in its sum."""
        if len(frame) < 34 or frame[12:14] != b"\x08\x00" or int.from_bytes(frame[20:22], "big") & 0x3fff:
            return frame
        bit = chance.randrange(14 * 8, len(frame) * 8)
        changed = bytearray(frame)
        changed[bit // 8] ^= 1 << bit % 8
        self._count("corrupted")
        return bytes(changed)

    def apply(self, direction, frame):
        """Returns the frames to deliver now."""
        self._count("frames")
        chance = self.random[direction]
        late = self.held.pop(direction, None)
        if chance.random() < self.drop:
            self._count("dropped")
            delivered = []
        else:
            if chance.random() < self.corrupt:
                frame = self._flip(chance, frame)
            delivered = [frame]
            if chance.random() < self.duplicate:
                self._count("duplicated")
                delivered.append(frame)
        if late is not None:
            delivered.append(late)
        elif delivered and chance.random() < self.reorder:
            self._count("reordered")
            self.held[direction] = delivered.pop()
        return delivered


class ProxyNetwork:
    """A wire of this program's own between the guest (QEMU's dgram back-end) and a tap of the host: every frame passes
    through `faults`. All offloads are off, so each checksum is real."""

    def __init__(self, faults, device=f"virtio-net-pci,{NO_OFFLOAD}"):
        self.faults, self.device = faults, device
        self.append = STATIC
        self.pass_fds = ()

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="bm-wire-")
        self._open()
        self.stop_read, self.stop_write = os.pipe()
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        os.write(self.stop_write, b"x")
        self.thread.join()
        for descriptor in (self.tap, self.stop_read, self.stop_write):
            os.close(descriptor)
        self.wire.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, guest_port):
        return GUEST4, guest_port

    def _open(self):
        guest_path, host_path = self.folder + "/guest", self.folder + "/host"
        self.tap = open_tap("tap0")
        set_up_tap("tap0")
        self.wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.wire.bind(host_path)
        self.guest_path = guest_path
        self.arguments = [
            "-netdev", f"dgram,id=net0,local.type=unix,local.path={guest_path},remote.type=unix,remote.path={host_path}",
            "-device", f"{self.device},netdev=net0,romfile=,mac={MAC}"]

    def _carry(self):
        while True:
            # A frame that was held back leaves with the next one, or when the wire has been quiet for a while.
            ready, _, _ = select.select([self.tap, self.wire, self.stop_read], [], [], 0.02)
            if self.stop_read in ready:
                return
            if self.tap in ready:
                self._to_guest(self.faults.apply("in", os.read(self.tap, FRAME_MAX)))
            if self.wire in ready:
                self._to_host(self.faults.apply("out", self.wire.recv(FRAME_MAX)))
            if not ready:
                self._to_guest([frame for frame in [self.faults.held.pop("in", None)] if frame])
                self._to_host([frame for frame in [self.faults.held.pop("out", None)] if frame])

    def _to_guest(self, frames):
        for frame in frames:
            with contextlib.suppress(OSError):  # QEMU is not there yet, or no more
                self._send(frame)

    def _send(self, frame):
        self.wire.sendto(frame, self.guest_path)

    def _to_host(self, frames):
        for frame in frames:
            with contextlib.suppress(OSError):
                os.write(self.tap, frame)


class OffloadProxyNetwork(ProxyNetwork):
    """The same with all offloads: QEMU's tap is watched by a packet socket, and each frame carries the header of virtio-net
    that says what its checksum and its segments are. Such frames must not be corrupted: nothing would find out."""

    def _open(self):
        self.tap = open_tap("tap0", IFF_VNET_HDR)
        fcntl.ioctl(self.tap, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)
        set_up_tap("tap0")
        self.far_tap = open_tap("tap1", IFF_VNET_HDR)
        # Without ARP: the host's stack must not answer on this side, too.
        for words in ("link set tap1 addrgenmode none", "link set tap1 arp off", "link set tap1 up"):
            subprocess.run(["ip", *words.split()], check=True)
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.wire.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self.wire.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.wire.bind(("tap1", 0))
        self.pass_fds = (self.far_tap,)
        self.arguments = ["-netdev", f"tap,id=net0,fd={self.far_tap}",
                          "-device", f"virtio-net-pci,netdev=net0,romfile=,mac={MAC}"]

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        os.close(self.far_tap)

    def _send(self, frame):
        self.wire.send(frame)


@contextlib.contextmanager
def guest_on(network, image, what="", machine="q35", append=None, devices=("virtio-rng-pci",), arguments=(), **options):
    """A machine on that network. What goes wrong in the `with` block becomes a TestFailure that shows its console."""
    with network, Guest(image, machine=machine, append=network.append if append is None else append, devices=devices,
                        arguments=[*network.arguments, *arguments], pass_fds=network.pass_fds, **options) as guest:
        try:
            yield guest
        except (TestFailure, OSError, EOFError, LookupError, ValueError, subprocess.SubprocessError) as error:
            said = repr(error) if isinstance(error, LookupError) else error
            raise (guest.hang if guest.alive() else guest.failure)(f"{what}{said}") from error


@contextlib.contextmanager
def serving(network, image, what="", **options):
    """The same with http_server, when it serves: gives the machine and the server's address. Behind the `with` block it must
    still answer."""
    with guest_on(network, image, what, **options) as guest:
        guest.expect("http_server: serving")
        address = network.address(80)
        connect(address).close()
        yield guest, address
        status, _, body = http_get(address)
        if status != 200 or not body or not guest.alive():
            raise TestFailure(f"behind the test the server answers {status} with {len(body)} bytes")


def tap_test(check, done, machine_with=guest_on, **options):
    """A whole script: check() on a machine with a tap, whose image is the last argument of the script."""
    def test():
        enter_namespace()
        with machine_with(TapNetwork(), sys.argv[-1], **options) as given:
            check(*given if isinstance(given, tuple) else [given])
        print("ok: " + done)
    sys.exit(judge(test))


def connect(address, timeout=20):
    """Connects to a server that is just starting: tries again until it listens."""
    deadline = time.monotonic() + PATIENCE * timeout
    while True:
        try:
            return socket.create_connection(address, timeout=max(0.1, deadline - time.monotonic()))
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def receive_exactly(connection, size):
    data = bytearray()
    while len(data) < size:
        piece = connection.recv(min(65536, size - len(data)))
        if not piece:
            raise EOFError(f"the connection ended after {len(data)} of {size} bytes")
        data += piece
    return bytes(data)


def http_get(address, path="/", timeout=10 * PATIENCE, method="GET", headers=""):
    """One request on a connection of its own; returns (status, header text, body)."""
    with socket.create_connection(address, timeout=timeout) as connection:
        connection.settimeout(timeout)
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n".encode())
        data = bytearray()
        while piece := connection.recv(65536):
            data += piece
    head, _, body = bytes(data).partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode("latin-1"), body
