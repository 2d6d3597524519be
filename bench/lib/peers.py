# What serves the page of 612 bytes: our http_server, nginx on Linux, and any image that somebody has built (--peer).
# SPDX-License-Identifier: MIT
import os
import pathlib
import re

from . import linux
from . import tools
from .machine import Machine

from harness.network import GUEST4, HOST4, IFF_VNET_HDR, MAC, PREFIX4, open_tap

PAGE, PAGE_SIZE = "/page.html", 612  # as web servers are usually compared
PEER_HELP = ("another web server to measure: NAME=KERNEL[,initrd=FILE][,disk=FILE][,memory=MIB][,page=PATH][,cmdline=TEXT]. QEMU is "
             f"given the kernel by -kernel; the server has to answer at {GUEST4} port 80 with a page of {PAGE_SIZE} bytes "
             "(may be repeated)")
PEER_KEYS = ("initrd", "disk", "memory", "page", "cmdline")


class Image:
    """A server that QEMU boots by -kernel."""
    initrd = disk = None
    append, memory, page = "", "128", PAGE
    least = 16  # MiB, a guess of what it needs

    def __init__(self, name, kernel):
        self.name, self.kernel = name, kernel

    def build(self):
        pass

    def files(self):
        return [file for file in (self.kernel, self.initrd, self.disk) if file]

    def machine(self, network, **options):
        arguments = list(network.arguments)
        if self.initrd:
            arguments += ["-initrd", str(self.initrd)]
        if self.disk:  # what the guest writes is forgotten
            arguments += ["-drive", f"file={self.disk},if=none,id=disk0,snapshot=on",
                          "-device", f"{network.block_device},drive=disk0"]
        options.setdefault("memory", self.memory)
        append = self.append.replace(HOST4, network.host).replace(GUEST4, network.guest)
        return Machine(self.kernel, append=append, arguments=arguments, pass_fds=network.pass_fds, **options)


class Ours(Image):
    least = 2

    def __init__(self, kernel=None):
        super().__init__("http_server", kernel)
        self.append = f"ip={GUEST4}/{PREFIX4},{HOST4}"

    def build(self):
        self.kernel = tools.images(self.name) / self.name / self.name


class Nginx(Image):
    memory, least = "256", 86

    def __init__(self):
        super().__init__("nginx on Linux", None)
        self.append = f"{linux.APPEND} program=/usr/sbin/nginx address={GUEST4}"

    def build(self):
        self.kernel = linux.kernel()
        self.initrd = linux.nginx(tools.BENCH / "web")

    def files(self):
        return [linux.packed_kernel(), self.initrd]


class Network:
    """A tap, with the device that fits the machine. The host knows the guest's hardware address from the beginning: else it would ask
    for it once a second. A second one (`index` 1) has another subnet; `card` is another device."""

    def __init__(self, machine="q35", index=0, card=None):
        self.name = f"tap{index}"
        self.host, self.guest = (address.replace("10.7.0.", f"10.7.{index}.") for address in (HOST4, GUEST4))
        bus = "device" if machine.startswith("microvm") else "pci"
        self.block_device = f"virtio-blk-{bus}"
        self.device = f"{card or 'virtio-net-' + bus},netdev=net0,mac={MAC}" + (",romfile=" if bus == "pci" else "")

    def __enter__(self):
        self.tap = open_tap(self.name, IFF_VNET_HDR)
        for words in (f"link set {self.name} addrgenmode none", f"addr add {self.host}/{PREFIX4} dev {self.name}",
                      f"link set {self.name} up", f"neighbour replace {self.guest} lladdr {MAC} dev {self.name} nud permanent"):
            tools.run(["ip", *words.split()])
        self.pass_fds = (self.tap,)
        self.arguments = ["-netdev", f"tap,id=net0,fd={self.tap}", "-device", self.device]
        if "virtio-net-device" in self.device:
            self.arguments += ["-global", "virtio-mmio.force-legacy=false"]
        return self

    def __exit__(self, *_):
        os.close(self.tap)


def peer(text):
    """An Image from the text of --peer; raises BenchError with what is wrong."""
    name, equals, rest = text.partition("=")
    kernel, *words = re.split(r",(?=(?:" + "|".join(PEER_KEYS) + ")=)", rest)
    if not equals or not name or not kernel:
        raise tools.BenchError(f"--peer {text!r}: it has to be NAME=KERNEL, then words of {', '.join(f'{key}=…' for key in PEER_KEYS)}.")
    result, given = Image(name, existing(name, "kernel", kernel)), {}
    for key, value in (word.split("=", 1) for word in words):
        if key in given:
            raise tools.BenchError(f"--peer {name}: {key}= is there twice.")
        given[key] = value
    for key in ("initrd", "disk"):
        if key in given:
            setattr(result, key, existing(name, key, given[key]))
    if not given.get("memory", "1").isdigit() or not 1 <= int(given.get("memory", "1")) <= 65536:
        raise tools.BenchError(f"--peer {name}: memory={given['memory']} is no number of MiB from 1 to 65536.")
    if not given.get("page", "/").startswith("/"):
        raise tools.BenchError(f"--peer {name}: page={given['page']} has to begin with '/'.")
    result.memory, result.page = given.get("memory", result.memory), given.get("page", PAGE)
    result.append = given.get("cmdline", "")
    return result


def existing(name, what, path):
    file = pathlib.Path(path).resolve()
    if not file.is_file():
        raise tools.BenchError(f"--peer {name}: the {what} '{path}' is not a file; known words behind the kernel are "
                               f"{', '.join(f'{key}=…' for key in PEER_KEYS)}.")
    return file


def add_options(command):
    command.add_argument("--ours-alone", action="store_true", help="without the Linux guest")
    command.add_argument("--peer", action="append", default=[], metavar="NAME=KERNEL…", help=PEER_HELP)


def chosen(options):
    """The servers to measure, ours first; wrong options end it before anything is built."""
    servers = [Ours()] + ([] if options.ours_alone else [Nginx()]) + [peer(text) for text in options.peer]
    names = [server.name for server in servers]
    for name in names:
        if names.count(name) > 1:
            raise tools.BenchError(f"two servers are called '{name}'; give the --peer another name.")
    return servers


def check(server, machine, status, body):
    """Whether the server gives what all of them are compared by."""
    if status != 200 or len(body) != PAGE_SIZE:
        raise machine.guest.failure(f"{server.name} answers {server.page} with status {status} and {len(body)} bytes; it has to be 200 and "
                                    f"{PAGE_SIZE} (its page= names another path)")
