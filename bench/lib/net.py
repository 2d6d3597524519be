# Sockets beside Linux: streams in and out, echoes by TCP and UDP. The same program serves on both.
# SPDX-License-Identifier: MIT
import datetime
import json
import statistics

from . import busy
from . import linux
from . import tools
from .machine import Live, Machine
from .work_report import number, spread, table

from harness.network import GUEST4, TapNetwork, connect, enter_namespace

MIB = 1 << 20
SOURCE = tools.BENCH / "net"


def add_commands(commands):
    net = commands.add_parser("net", help="sockets beside a Linux guest: bulk TCP in and out, echoes by TCP and UDP")
    net.add_argument("--rounds", type=tools.positive, default=5, help="how often both are timed, in alternation (5)")
    net.add_argument("--mib", type=tools.positive, default=128, help="MiB of one stream (128)")
    net.add_argument("--echoes", type=tools.positive, default=10000, help="echoes of one run (10000)")
    net.add_argument("--ours-alone", action="store_true", help="without the Linux guest")
    net.add_argument("--counts-only", action="store_true", help="instructions alone, nothing is timed")
    net.add_argument("--priority", action="store_true", help="as root, on a busy host: what is measured runs before other programs")
    net.set_defaults(run=run_net)


class Ours:
    name = "libbaremetal"

    def build(self):
        self.image = tools.images("net") / "net"

    def machine(self, network, **options):
        return Machine(self.image, append=network.append, arguments=network.arguments, pass_fds=network.pass_fds, **options)


class Linux:
    name = "Linux"

    def build(self):
        self.kernel = linux.kernel()
        program = linux.folder() / "net"
        tools.run(["gcc", "-O2", "-static", "-Wall", "-Wextra", "-Werror", "-o", program, SOURCE / "net.c"])
        self.initrd = linux.guest("net", {"/net": program}, linux.modules("virtio_pci", "virtio_net"))

    def machine(self, network, **options):
        return Machine(self.kernel, memory="256", pass_fds=network.pass_fds,
                       append=f"{linux.APPEND} program=/net address={GUEST4}",
                       arguments=[*network.arguments, "-initrd", str(self.initrd)], **options)


class Client:
    """The host's program."""

    def __init__(self):
        self.program = tools.BUILD / "net-client"
        tools.run(["gcc", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-o", self.program, SOURCE / "client.c"])

    def __call__(self, what, amount, *more):
        said = json.loads(tools.run([self.program, what, GUEST4, amount, *more], timeout=300))
        if "bytes" in said:
            return {"MB/s": said["bytes"] / 1e6 / (said["ns"] / 1e9)}
        return {"rate": said["count"] / (said["ns"] / 1e9), "p50": said["p50"] / 1e3, "p99": said["p99"] / 1e3,
                "lost": said["lost"]}


def loads(options):
    """Name, units that are counted (MiB, echoes), words for the client."""
    return [("TCP stream in, by MiB", options.mib, ("in", options.mib * MIB)),
            ("TCP stream out, by MiB", options.mib, ("out", options.mib * MIB)),
            ("UDP echo, 1 at once", options.echoes, ("udp", options.echoes, 1)),
            ("UDP echo, 32 at once", options.echoes, ("udp", options.echoes, 32)),
            ("TCP echo, 1 at once", options.echoes, ("tcp", options.echoes, 1)),
            ("TCP echo, 32 at once", options.echoes, ("tcp", options.echoes, 32))]


def warm_up(client, machine):
    """Until the emulator has translated what there is to run."""
    try:
        connect((GUEST4, 7), 60).close()
        for words in (("in", 8 * MIB), ("out", 8 * MIB), ("udp", 500, 32), ("tcp", 500, 32)):
            client(*words)
    except (OSError, tools.BenchError) as error:
        raise machine.guest.failure(f"the server does not do its work: {error}") from error


def count_server(server, client, options):
    """Instructions of all that the machine does for a MiB or an echo; it is idle before and behind."""
    result = {}
    with TapNetwork() as network, server.machine(network, count=True) as machine:
        warm_up(client, machine)
        with Live(machine) as live:
            for name, units, words in loads(options):
                before = live.settled()
                client(*words)
                result[name] = (live.settled() - before) / units
    return result


def time_server(server, client, options, times):
    with TapNetwork() as network, server.machine(network) as machine:
        warm_up(client, machine)
        for name, units, words in loads(options):
            times.setdefault(name, []).append(busy.during(machine, lambda words=words: client(*words), units))


def time_cell(runs):
    """One server's runs of one load, for people."""
    unit = "MB/s" if "MB/s" in runs[0] else "rate"
    text = spread([run[unit] for run in runs])
    if unit == "rate":
        text += f"; {number(statistics.median(run['p50'] for run in runs))}, {number(statistics.median(run['p99'] for run in runs))} µs"
    lost = sum(run.get("lost", 0) for run in runs)
    return text + (f"; {lost} lost" if lost else "")


def ratios(ours, theirs):
    """How many times their speed ours is, round by round."""
    unit = "MB/s" if "MB/s" in ours[0] else "rate"
    return [mine[unit] / other[unit] for mine, other in zip(ours, theirs)]


def report(result):
    names = list(result["counts"])
    loads_run = list(result["counts"][names[0]])
    rows = [[load] + [number(result["counts"][name][load]) for name in names] for load in loads_run]
    parts = [f"# Sockets: one vCPU, tap ({result['date']})", "", "Guest instructions for a MiB, or for an echo of 64 bytes", "",
             *table([""] + names, rows), ""]
    if not result["times"]:
        return "\n".join(parts)
    rows = []
    for load in loads_run:
        row = [load.replace(", by MiB", "")] + [time_cell(result["times"][name][load]) for name in names]
        if len(names) > 1:
            row.append(spread(ratios(*(result["times"][name][load] for name in names[:2])), 2))
        rows.append(row)
    head = [""] + names + (["ratio"] if len(names) > 1 else [])
    parts += ["MB/s, or echoes a second with latency p50, p99: median (least … most) of the rounds; the ratio is paired by round", "",
              *table(head, rows), ""]
    rows = [[load] + [busy.cell(result["times"][name][load]) for name in names] for load in loads_run]
    return "\n".join(parts + ["Microseconds of a host's processor for a MiB, or for an echo: the guest's CPU (what a string instruction copies "
                              "is in here, which the counts do not show), QEMU's devices, the client", "", *table([""] + names, rows)]) + "\n"


def run_net(options):
    servers = [Ours()] if options.ours_alone else [Ours(), Linux()]
    for server in servers:
        server.build()
    client = Client()
    tools.plugin()
    enter_namespace()  # from here on nothing is fetched
    if options.priority:
        tools.take_priority()
    result = {"date": datetime.datetime.now().isoformat(timespec="minutes"), "counts": {}, "times": {}}
    for server in servers:
        tools.say(f"counting instructions of {server.name}")
        result["counts"][server.name] = count_server(server, client, options)
    for index in range(0 if options.counts_only else options.rounds):
        tools.say(f"timing, round {index + 1} of {options.rounds}")
        for server in tools.turn(servers, index):
            time_server(server, client, options, result["times"].setdefault(server.name, {}))
    tools.keep("net", result, report(result))
    return 0
