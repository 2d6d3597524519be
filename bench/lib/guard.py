# Counts of instructions and exits that must not grow unnoticed: measured, and compared with bench/expected.json.
# SPDX-License-Identifier: MIT
import json
import pathlib
import re
import socket
import statistics
import sys
import time

from . import boot
from . import peers
from . import tools
from . import web
from . import work
from .machine import Counts, Live, Machine
from .work_report import table

from harness.network import TapNetwork, connect, enter_namespace, receive_exactly, skip

EXPECTED = tools.BENCH / "expected.json"
# The groups of bench/expected.json. Exits depend on how many requests are there when the guest looks: they have a bound.
TOLERANCES = {"instructions": 0.03, "instructions under load": 0.02, "exits": 0}
TRIES = {"instructions": 3, "instructions under load": 5, "exits": 5}
ENTRY, MAIN = 100, 1  # markers: the image's first instruction, main
REQUEST = b"GET /robots.txt HTTP/1.1\r\nHost: guest\r\n\r\n"  # a file of one line
ROUNDS = 100


def add_commands(commands):
    guard = commands.add_parser("guard", help="instruction counts that are held by ci/test: measured and compared")
    guard.add_argument("--images", type=pathlib.Path, help="folder of the images of bench/ (default: builds all)")
    guard.add_argument("--http-server", type=pathlib.Path, help="the image of examples/http_server")
    guard.add_argument("--echo-server", type=pathlib.Path, help="the image of examples/echo_server")
    guard.add_argument("--update", action="store_true", help="write what was measured into bench/expected.json")
    guard.set_defaults(run=run_guard)


def entry(image):
    """Where PVH loaders enter: physical, so it does not depend on the random base."""
    said = tools.run(["nm", f"{image}.debug"])
    return int(re.search(r"^(\w+) \w bm_boot_entry_pvh$", said, re.MULTILINE).group(1), 16)


KNOWN = [0, 2001, 4, 2, 4, 3, 4]  # instructions between the markers of plugin/known.c


def check_counter(image):
    """The counter itself, on code whose instructions are known, in both ways of counting; returns whether it errs."""
    wrong = False
    for way, exact in (("by blocks", ""), ("one by one", ",exact=on")):
        with Machine(image, count=True, options=exact) as machine:
            machine.guest.wait(60)
            marks = [row[4] for row in Counts(machine.folder).markers]
        found = [after - before for before, after in zip(marks, marks[1:])]
        if found != KNOWN:
            print(f"FAILED: the counter, {way}, counts {found} where plugin/known.c has {KNOWN}")
            wrong = True
    return wrong


def boot_count(image, append="", arguments=()):
    """Instructions from the entry to main."""
    found = []
    for _ in range(3):
        with Machine(image, count=True, options=f",at={entry(image):#x}:{ENTRY}", append=append, arguments=arguments) as machine:
            machine.guest.wait(60)
            counts = Counts(machine.folder)
        at = {row[0]: row[4] for row in counts.markers}
        found.append(at[MAIN] - at[ENTRY])
    return statistics.median(found)


def shortest_way(found):
    """The least count that is no exception: at least a tenth of all lie within a hundredth above it; their median. How often the
    machine wakes for one request depends on the host, and with it the count; the shortest way does not."""
    found = sorted(found)
    for count in found:
        near = [other for other in found if count <= other <= 1.01 * count]
        if len(near) >= len(found) / 10:
            return statistics.median(near)
    return statistics.median(found)


def request_count(machine, ask):
    """Instructions of one request on a machine that is idle before and behind it."""
    found = []
    with Live(machine) as live:
        ask()
        for _ in range(ROUNDS):
            before = live.settled()
            ask()
            found.append(live.settled() - before)
    return shortest_way(found)


def udp_count(image):
    with TapNetwork() as network, Machine(image, count=True, append=network.append, arguments=network.arguments,
                                          pass_fds=network.pass_fds) as machine:
        connect(network.address(7)).close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)

            def ask():
                client.sendto(b"0123456789abcdef", network.address(7))
                client.recv(100)
            return request_count(machine, ask)


def http_count(image):
    with TapNetwork() as network, Machine(image, count=True, append=network.append, arguments=network.arguments,
                                          pass_fds=network.pass_fds) as machine:
        with connect(network.address(80)) as client:
            client.settimeout(10)

            def ask():
                # Answered at once: else it depends on the time between requests whether an acknowledgement comes alone.
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                client.sendall(REQUEST)
                head = b""
                while b"\r\n\r\n" not in head:
                    head += receive_exactly(client, 1)
                receive_exactly(client, int(re.search(rb"(?i)content-length: *(\d+)", head).group(1)))
            return request_count(machine, ask)


KEPT, EACH, REQUESTS = 30, 10, 2000  # connections that stay open, for a request each; requests of these


def load_count(image, each, exits=False, card=None):
    """Instructions, or exits (accesses to devices' memory, PIO, HLT), of one request under a load of `ci/bench http`."""
    server = peers.Ours(image)

    def load():
        run = web.ab(server.page, EACH, REQUESTS) if each else web.wrk(server.page, KEPT, 1)
        time.sleep(0.3)  # the last connections end
        if run["errors"]:
            raise tools.BenchError(f"http_server under load: {run['errors']}")
        return run["requests"]

    with boot.serving(server, card=card, count=True, options=",exits=on" if exits else "") as (_, machine), Live(machine) as live:
        def count():
            instructions = live.settled()
            return sum(live.exits()) if exits else instructions

        load()  # until the emulator has translated what there is to run
        before = count()
        requests = load()
        return (count() - before) / requests


def item_count(image):
    backend = work.Baremetal()
    backend.folder = image.parent
    return statistics.median(work.counted(backend, "item 1000", 1).between(work.BEGIN, work.END, first=100))


def thread_counts(image, begin, end):
    """Stretches between two markers of thread/thread.c."""
    with Machine(image, count=True) as machine:
        machine.guest.wait(60)
        return statistics.median(Counts(machine.folder).between(begin, end))


def find_images(options):
    if not options.images:
        options.images = tools.images("boot", "boot_net", "work", "thread", "known", "http_server", "echo_server")
        options.http_server = options.images / "http_server" / "http_server"
        options.echo_server = options.images / "echo_server" / "echo_server"


def measurements(options):
    """Group and name of each count, and the function that measures it."""
    nic = ["-netdev", "hubport,id=n0,hubid=0", "-device", "virtio-net-pci,netdev=n0,romfile="]
    server = options.images / "http_server" / "http_server"  # with the page of `ci/bench http`
    kept, each = f"HTTP request, {KEPT} connections", f"HTTP request, a connection each, {EACH} at once"
    return {
        "instructions": {
            "entry to main, no network device": lambda: boot_count(options.images / "boot"),
            "entry to main, virtio-net up": lambda: boot_count(options.images / "boot_net", "ip=10.7.0.2/24", nic),
            "empty work item, one core": lambda: item_count(options.images / "work"),
            "switch of threads that yield, one core": lambda: thread_counts(options.images / "thread", 1, 2) / 128,
            "thread made and joined, one core": lambda: thread_counts(options.images / "thread", 3, 4),
            "UDP echo on an idle machine": lambda: udp_count(options.echo_server),
            "HTTP request on an idle machine": lambda: http_count(options.http_server),
        },
        "instructions under load": {
            kept: lambda: load_count(server, each=False),
            each: lambda: load_count(server, each=True),
            f"{kept}, e1000": lambda: load_count(server, each=False, card="e1000"),
            f"{kept}, e1000e": lambda: load_count(server, each=False, card="e1000e"),
            f"{kept}, vmxnet3": lambda: load_count(server, each=False, card="vmxnet3"),
        },
        "exits": {kept: lambda: load_count(server, each=False, exits=True), each: lambda: load_count(server, each=True, exits=True)},
    }


def measure(group, function, expected):
    """A count; one that is too high is taken again, since a busy host can only add to it."""
    found = [function()]
    while expected and found[-1] > expected * (1 + TOLERANCES[group]) and len(found) < TRIES[group]:
        found.append(function())
    return rounded(min(found))


def rounded(count):
    """Four digits of what is less than a thousand: exits of a request are few."""
    return round(count) if count >= 1000 else float(f"{count:.4g}")


def compare(group, name, measured, expected):
    """Prints one line; returns whether the count is too high."""
    change, tolerance = measured / expected - 1, TOLERANCES[group]
    print(f"{name}: {measured:,g} {group}, expected {expected:,g} ({100 * change:+.1f} %)")
    if change > tolerance:
        print(f"  FAILED: more than {100 * tolerance:g} % above. If that is meant, change the number in bench/expected.json from "
              f"{expected:g} to {measured:g} in the same commit and say there what it buys (`ci/bench guard --update` writes it).")
    elif tolerance and change < -tolerance:
        print(f"  It has become cheaper: lower the number in bench/expected.json to {measured:g}, so that it stays so.")
    return change > tolerance


def keep(measured, known):
    """The counts in a file for `ci/bench compare` and for the result of all commands."""
    rows = [[group, name, f"{count:,g}", f"{known[group][name]:,g}" if name in known[group] else "–"]
            for group, counts in measured.items() for name, count in counts.items()]
    flat = {name if group == "instructions" else f"{name}: {group}": count for group, counts in measured.items() for name, count in counts.items()}
    tools.store("guard", {"counts": flat}, "\n".join(["# Held counts", "", *table(["", "", "measured", "held"], rows)]) + "\n")


def run_guard(options):
    expected = json.loads(EXPECTED.read_text())
    made_with = f"{tools.compiler()}, QEMU {tools.qemu_version()}"
    if made_with != expected["with"] and not options.update:
        skip(f"the numbers of bench/expected.json hold for {expected['with']}; this is {made_with}")
    try:
        tools.plugin()
    except tools.BenchError as error:
        skip(f"the counter plugin cannot be built here: {error}")
    find_images(options)
    enter_namespace()  # what is built may have to be fetched first
    if check_counter(options.images / "known"):
        return 1
    known = {group: expected.get(group, {}) for group in TOLERANCES}
    measured = {group: {name: measure(group, function, known[group].get(name)) for name, function in functions.items()}
                for group, functions in measurements(options).items()}
    keep(measured, known)
    high = [compare(group, name, count, known[group].get(name, count))
            for group, counts in measured.items() for name, count in counts.items()]
    if options.update:
        for name, bound in known["exits"].items():
            measured["exits"][name] = max(bound, measured["exits"].get(name, 0))
        EXPECTED.write_text(json.dumps({"with": made_with, **measured}, indent=4) + "\n")
        print(f"written to {EXPECTED.relative_to(tools.TOP)}")
        return 0
    if different := [name for group in TOLERANCES for name in known[group].keys() ^ measured[group].keys()]:
        print(f"FAILED: bench/expected.json and what is measured differ in: {', '.join(sorted(different))}")
        return 1
    sys.stdout.flush()
    return 1 if any(high) else 0
