# How large images are and of what, and the least memory in which they do their work.
# SPDX-License-Identifier: MIT
import datetime
import subprocess

from . import boot
from . import peers
from . import sizes
from . import tools
from .machine import Machine
from .work_report import number, table

from harness import TestFailure
from harness.network import enter_namespace

MOST = 256  # MiB
PATIENCE = 12  # seconds: a machine that is too small may do nothing at all
AIMS = {"hello": {"bytes": 33 << 10, "least MiB": 2}, "http_server": {"bytes": 172 << 10, "least MiB": 4}}


def add_commands(commands):
    footprint = commands.add_parser("footprint", help="bytes of the images by component, and the least memory in which they run")
    peers.add_options(footprint)
    footprint.set_defaults(run=run_footprint)


def least(works, guess):
    """The smallest number of MiB with which works(mebibytes) holds, by halving; None when MOST is too little. With a good guess
    two looks are enough."""
    low, high = 1, MOST + 1
    if works(guess):
        high = guess
        if guess == 1 or not works(guess - 1):
            return guess
    else:
        low = guess + 1
    while low < high:
        middle = (low + high) // 2
        if works(middle):
            high = middle
        else:
            low = middle + 1
    return low if low <= MOST else None


def hello_runs(image, mebibytes):
    with Machine(image, memory=str(mebibytes)) as machine:
        try:
            return machine.guest.process.wait(PATIENCE) == 33
        except subprocess.TimeoutExpired:  # a machine too small may hang as well as stop
            return False


def page_comes(server, mebibytes):
    with peers.Network("q35") as network, server.machine(network, memory=str(mebibytes)) as machine:
        try:
            boot.first_answer(server, machine, PATIENCE, network)
            return machine.guest.alive()
        except (TestFailure, OSError):
            return False


def figures_of(server):
    size = sum(file.stat().st_size for file in server.files())
    if isinstance(server, peers.Ours):
        size -= peers.PAGE_SIZE  # bench/CMakeLists.txt puts the page into the example
    return {"bytes": size, "least MiB": least(lambda size: page_comes(server, size), server.least)}


def report(result):
    rows = [[name, number(figures["bytes"]), number(AIMS.get(name, {}).get("bytes")), number(figures["least MiB"]),
             number(AIMS.get(name, {}).get("least MiB"))] for name, figures in result["images"].items()]
    names = list(result["parts"])
    components = list(dict.fromkeys(part for name in names for part in result["parts"][name]))
    # The longer list has the order of all.
    components.sort(key=lambda part: list(max(result["parts"].values(), key=len)).index(part))
    bytes_of = [[part] + [number(result["parts"][name].get(part, 0)) for name in names] for part in components]
    bytes_of.append(["together"] + [number(sum(result["parts"][name].values())) for name in names])
    return "\n".join([f"# Images ({result['date']})", "", *table(["", "bytes", "aim", "least memory, MiB", "aim"], rows), "",
                      f"http_server is counted without the page of {peers.PAGE_SIZE} bytes that is added to it for measuring.", "",
                      "Bytes by component, of the linker's map file", "", *table([""] + names, bytes_of)]) + "\n"


def run_footprint(options):
    servers = peers.chosen(options)
    hello = tools.images("hello") / "hello" / "hello"
    for server in servers:
        server.build()
    enter_namespace()
    result = {"date": datetime.datetime.now().isoformat(timespec="minutes"),
              "parts": {image.name: sizes.of_image(image) for image in (hello, servers[0].kernel)}}
    tools.say("looking for the least memory of hello")
    result["images"] = {"hello": {"bytes": hello.stat().st_size, "least MiB": least(lambda size: hello_runs(hello, size), 2)}}
    for server in servers:
        tools.say(f"looking for the least memory of {server.name}")
        result["images"][server.name] = figures_of(server)
    tools.keep("footprint", result, report(result))
    return 0
