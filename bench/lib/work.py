# The costs of work items: ours, and those of the peers.
# SPDX-License-Identifier: MIT
import collections
import statistics

import linux
import tools
import trace
from machine import Machine
from symbols import Symbols

BEGIN, END, RUN = 1, 2, 3
SOURCES = tools.BENCH / "work"


def add_commands(commands):
    item = commands.add_parser("item", help="guest instructions of an empty work item, on one core and across two")
    item.set_defaults(run=run_item)
    path = commands.add_parser("path", help="which functions an empty work item goes through, block by block")
    path.add_argument("what", choices=["item", "across", "named", "for", "idle"])
    path.add_argument("--backend", choices=list(BACKENDS), default="libbaremetal")
    path.add_argument("--halted", action="store_true", help="also those in which the core halted")
    path.add_argument("--cores", type=int, default=2)
    path.set_defaults(run=run_path)


class Baremetal:
    name = "libbaremetal"

    def build(self):
        self.folder = tools.images("work")
        self.debug = self.folder / "work.debug"

    def machine(self, **options):
        return Machine(self.folder / "work", **options)


class Linux:
    """A back-end on the Linux guest."""
    debug = None

    def compile(self, *words):
        program = linux.folder() / f"work-{self.name}"
        tools.run([*words, "-O2", "-Wall", "-Wextra", "-Werror", "-o", program])
        self.initrd = linux.guest(self.name, {"/work": program})
        self.kernel = linux.kernel()

    def machine(self, arguments=(), append="", **options):
        return Machine(self.kernel, memory="256", append=f"{linux.APPEND} program=/work {append}",
                       arguments=[*arguments, "-initrd", str(self.initrd)], **options)


class Gomp(Linux):
    name = "libgomp"

    def build(self):
        self.compile("gcc", "-fopenmp", "-static", SOURCES / "work.c", SOURCES / "back_gomp.c")


class Tbb(Linux):
    name = "oneTBB"

    def build(self):
        object_file = linux.folder() / "work.o"
        tools.run(["gcc", "-O2", "-c", "-o", object_file, SOURCES / "work.c"])
        self.compile("g++", object_file, SOURCES / "back_tbb.cpp", "-ltbb")


BACKENDS = {backend.name: backend for backend in (Baremetal, Gomp, Tbb)}


def spread(values):
    values = sorted(values)
    if not values:
        return "nothing was counted"
    return f"median {statistics.median(values):g}, least {values[0]}, most {values[-1]}, of {len(values)}"


def counted(backend, line, cores, trace=False, warm=None):
    """The plugin's counts of one command, behind a first one that warms up."""
    with backend.machine(cores=cores, count=True, trace=trace) as machine:
        machine.answer("ready", 120)
        machine.ask(line, 120)
        if machine.finish() not in (0, 33):
            raise machine.guest.failure("the program did not end well")
        return machine.counts


def both_sides(counts):
    """The stretches of the core that submits and waits, and those from run to run of the others."""
    own, other = [], []
    for cpu in counts.trace:
        waits = trace.stretches(counts, cpu, BEGIN, END)
        own += waits
        if not waits:
            other += trace.stretches(counts, cpu, RUN, RUN)
    return own, other


def awake(stretches):
    """Instructions, without waiting, of those in which the core did not halt."""
    return [stretch.cost() for stretch in stretches if not stretch.halted]


def median(values):
    return statistics.median(values) if values else float("nan")


def crossing_cost(counts):
    """Both cores' instructions of an item that crosses while both are awake: medians."""
    return sum(median(awake(side)) for side in both_sides(counts))


def loop_cost(counts):
    """Both cores' instructions of a parallel loop: what the others did is shared among the loops."""
    own, other = both_sides(counts)
    return median([stretch.cost() for stretch in own]) + sum(stretch.cost() for stretch in other) / len(own)


def run_item(options):
    backend = Baremetal()
    backend.build()
    for cores in (1, 2):
        found = counted(backend, "item 1000", cores).between(BEGIN, END, first=100)
        print(f"empty item, submit + run + wait, {cores} core{'s' * (cores > 1)}: {spread(found)} instructions")
    for line in ("across 300", "named 300"):
        counts = counted(backend, line, 2, trace=True)
        own, other = both_sides(counts)
        print(f"{line.split()[0]}: {crossing_cost(counts):g} instructions of both cores, without waiting")
        print(f"  core that submits and waits: {spread(awake(own))} ({len(own)} with those in which it halted)")
        print(f"  core that runs, from run to run: {spread(awake(other))} ({len(other)} with those in which it halted)")
    return 0


def run_path(options):
    backend = BACKENDS[options.backend]()
    backend.build()
    count = 10 if options.what == "idle" else 300
    counts = counted(backend, f"{options.what} {count}", options.cores, trace=True)
    symbols = Symbols(backend.debug, [row[1] for row in counts.blocks]) if backend.debug else None
    addresses = {row[0]: row[1] for row in counts.blocks}
    for cpu in counts.trace:
        begin, end = (BEGIN, END) if cpu in counts.cpus_of(BEGIN) else (RUN, RUN)
        paths = [trace.without_repetitions(stretch.blocks) for stretch in trace.stretches(counts, cpu, begin, end)
                 if options.halted or not stretch.halted]
        if not paths:
            continue
        total, path = sorted((sum(weight for _, weight in path), path) for path in paths)[len(paths) // 2]
        print(f"core {cpu}: {total} instructions (median of {len(paths)}), each turn of waiting once")
        functions = collections.Counter()
        for block, weight in path:
            name = symbols.name(addresses[block]) if symbols else ""
            place = addresses[block] - (symbols.offset if symbols else 0)
            functions[name] += weight
            print(f"  {weight:4} {place:#x} {name}")
        print("  of these: " + ", ".join(f"{name} {weight}" for name, weight in functions.most_common() if name))
    return 0
