# The world of `ci/bench wan`: guests, the wire with its paths, and the host's own stack as their client, in a namespace without a route.
# SPDX-License-Identifier: MIT
import contextlib
import hashlib
import json
import os
import pathlib
import queue
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

from . import linux
from . import tools
from .machine import Machine

from harness.guest import end_with_parent
from harness.network import NO_OFFLOAD, open_tap, set_up_tap

SOURCE = tools.BENCH / "wan"
TAP, NETWORK = "tap0", "10.7.0."
PATHS = range(101, 133)  # last bytes of the host's addresses, a path of the wire each
WIRE = ["wire", "path", "frame", "flow", "control", "transit"]
DISCARD, STREAM = 9, 19
CONGESTION = b"cubic"  # of the client; the Linux guest's own is CUBIC, too
BYTES_ACKED = 120  # offset in struct tcp_info of linux/tcp.h
PERIOD, PIECE = 65521, 1 << 18  # of the pattern, as in wan/wan.c; bytes that are received at once


def make_pattern():
    random, found = 1, bytearray()
    for _ in range(PERIOD):
        random = (random * 1664525 + 1013904223) & 0xffffffff
        found.append(random >> 24)
    return bytes(found) * (PIECE // PERIOD + 2)


PATTERN = make_pattern()


def folder():
    path = tools.BUILD / "wan"
    path.mkdir(parents=True, exist_ok=True)
    return path


def build_wire():
    """The program, built when it is older than a source."""
    sources = [SOURCE / f"{name}.c" for name in WIRE]
    program = folder() / "wire"
    if not program.exists() or any(source.stat().st_mtime > program.stat().st_mtime for source in SOURCE.glob("*.[ch]")):
        part = folder() / f"wire.{os.getpid()}"
        tools.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-o", part, *sources])
        part.rename(program)
    return program


class Server:
    """What is booted. `number` is the last byte of its addresses."""

    def __init__(self, number):
        self.number = number
        self.mac = f"52:54:00:12:34:{number:02x}"

    def address(self, six, port):
        return (f"fe80::5054:ff:fe12:34{self.number:02x}", port, 0, socket.if_nametoindex(TAP)) if six else \
            (NETWORK + str(self.number), port)

    def digest(self):
        """Changes with what is measured."""
        return hashlib.sha256(b"".join([self.append.encode(), *(file.read_bytes() for file in self.files())])).hexdigest()


class Ours(Server):
    name = "libbaremetal"

    def __init__(self, image):
        super().__init__(2)
        self.image = image
        self.append = f"ip={NETWORK}{self.number}/24,{NETWORK}1"

    def files(self):
        return [self.image]

    def machine(self, arguments):
        return Machine(self.image, append=self.append, arguments=arguments, devices=("virtio-rng-pci",))


class Linux(Server):
    name = "Linux"

    def __init__(self):
        super().__init__(3)
        self.append = f"{linux.APPEND} program=/wan address={NETWORK}{self.number}"
        self.kernel = linux.kernel()
        self.program = linux.folder() / "wan"
        tools.run(["gcc", "-O2", "-static", "-Wall", "-Wextra", "-Werror", "-o", self.program, SOURCE / "wan.c"])
        self.initrd = linux.guest("wan", {"/wan": self.program}, linux.modules("virtio_pci", "virtio_net"))

    def files(self):
        return [self.kernel, self.program]

    def machine(self, arguments):
        return Machine(self.kernel, memory="256", append=self.append, arguments=[*arguments, "-initrd", str(self.initrd)],
                       devices=("virtio-rng-pci",))


class World:
    """Used in a `with` statement, in a namespace: the wire runs and the servers serve."""

    def __init__(self, servers, wire):
        self.servers, self.wire = servers, wire
        self.lock = threading.Lock()

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        try:
            self.start()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_):
        self.stack.close()

    def start(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bm-wan-"))
        self.stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        set_up_host()
        tap = open_tap(TAP)
        self.stack.callback(os.close, tap)
        os.set_blocking(tap, False)
        set_up_addresses()
        self.start_wire(tap)
        self.control = self.stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.control.bind(str(self.folder / "client"))
        self.control.settimeout(60)
        self.machines = [self.stack.enter_context(server.machine(self.network(server))) for server in self.servers]
        for machine in self.machines:
            machine.guest.expect("wan: serving", 60)
        self.paths = queue.Queue()
        for path in PATHS:
            self.paths.put(path)

    def start_wire(self, tap):
        words = [f"{server.mac}={self.folder}/guest{server.number}={self.folder}/host{server.number}" for server in self.servers]
        process = subprocess.Popen([self.wire, str(tap), self.folder / "control", *words], stdout=subprocess.PIPE, pass_fds=(tap,),
                                   preexec_fn=end_with_parent)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        self.stack.callback(process.stdout.close)
        if process.stdout.readline() != b"ready\n":
            raise tools.BenchError("the wire does not start; what it says stands above.")

    def network(self, server):
        return ["-netdev", f"dgram,id=net0,local.type=unix,local.path={self.folder}/guest{server.number},remote.type=unix,"
                f"remote.path={self.folder}/host{server.number}", "-device",
                f"virtio-net-pci,netdev=net0,romfile=,mac={server.mac},{NO_OFFLOAD}"]

    def ask(self, words):
        with self.lock:
            self.control.sendto(words.encode(), str(self.folder / "control"))
            said = self.control.recv(4096).decode()
        if said.startswith("error: "):
            raise tools.BenchError(f"the wire refuses '{words}': {said.removeprefix('error: ')}")
        return said

    @contextlib.contextmanager
    def path(self, **properties):
        """A path with these properties (wan/control.h). It rests as long as there are others, until nothing of the last transfer is on it."""
        number = self.paths.get()
        try:
            self.ask("set " + " ".join(f"{key}={value}" for key, value in {"path": number, **properties}.items()))
            before = self.spilled(number)
            yield number
            if self.spilled(number) != before:
                raise tools.BenchError("the wire had no room for some frames: 65,536 are on its paths, or the tap takes no more.")
        finally:
            self.paths.put(number)

    def statistics(self, path):
        return json.loads(self.ask(f"stats {path}"))

    def spilled(self, path):
        return sum(way["spilled"] for way in self.statistics(path).values())

    @contextlib.contextmanager
    def capture(self, file):
        self.ask(f"capture {file}")
        try:
            yield
        finally:
            self.ask("capture off")


def set_up_host():
    """Nothing of one connection is remembered for the next; QEMU's sockets take more than ten frames (unix(7))."""
    for name, value in (("net/ipv4/tcp_no_metrics_save", "1"), ("net/unix/max_dgram_qlen", "4096")):
        pathlib.Path("/proc/sys", name).write_text(value)


def set_up_addresses():
    set_up_tap(TAP)
    lines = [f"link set {TAP} txqueuelen 10000"]
    for path in PATHS:
        lines += [f"addr add {NETWORK}{path}/24 dev {TAP}", f"addr add fe80::{path:x}/64 dev {TAP} nodad"]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)


def connect(path, server, six, port, timeout):
    s = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
    try:
        s.settimeout(timeout)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, CONGESTION)
        s.bind((f"fe80::{path:x}", 0, 0, socket.if_nametoindex(TAP)) if six else (NETWORK + str(path), 0))
        s.connect(server.address(six, port))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except TimeoutError:
        s.close()
        raise tools.BenchError(f"{server.name} opened no connection within {timeout} s.") from None
    except BaseException:
        s.close()
        raise
    return s


def abort(s):
    """So that nothing of it stays on the path."""
    with contextlib.suppress(OSError):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def download(path, server, six, size, cap):
    """`size` bytes from the server, or what comes in `cap` seconds: bytes, seconds, whether all came."""
    began = time.monotonic()
    s = connect(path, server, six, STREAM, cap)
    got, last, buffer = 0, began, bytearray(PIECE)
    view, right = memoryview(buffer), memoryview(PATTERN)
    try:
        s.sendall(struct.pack(">Q", size))
        while got < size and (left := began + cap - time.monotonic()) > 0:
            s.settimeout(left)
            n = s.recv_into(buffer)
            if not n:
                raise tools.BenchError(f"{server.name} ended its stream after {got} of {size} bytes.")
            if view[:n] != right[got % PERIOD:got % PERIOD + n]:
                raise tools.BenchError(f"{server.name} sent wrong bytes between {got} and {got + n}.")
            got, last = got + n, time.monotonic()
    except TimeoutError:
        pass
    finally:
        abort(s)
    done = got >= size
    return {"bytes": got, "seconds": last - began if done else cap, "done": done}


def upload(path, server, six, size, cap):
    """Bytes to the server until it says that it has all, or what it has acknowledged in `cap` seconds."""
    began = time.monotonic()
    s = connect(path, server, six, DISCARD, cap)
    sent, done, right = 0, False, memoryview(PATTERN)
    try:
        while sent < size and (left := began + cap - time.monotonic()) > 0:
            s.settimeout(left)
            sent += s.send(right[sent % PERIOD:][:min(1 << 16, size - sent)])
        if sent == size:
            s.shutdown(socket.SHUT_WR)
            s.settimeout(max(0.01, began + cap - time.monotonic()))
            said = s.recv(8, socket.MSG_WAITALL)
            taken = struct.unpack(">Q", said)[0] if len(said) == 8 else None
            if taken != size:
                raise tools.BenchError(f"{server.name} took {taken} right bytes of {size}.")
            done = True
    except TimeoutError:
        pass
    finally:
        took = time.monotonic() - began
        acknowledged = struct.unpack_from("<Q", s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), BYTES_ACKED)[0]
        abort(s)
    return {"bytes": size if done else min(acknowledged, size), "seconds": took, "done": done}
