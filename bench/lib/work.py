# The costs of work items: ours, and those of the peers.
# SPDX-License-Identifier: MIT
import collections
import contextlib
import datetime
import json
import statistics
import subprocess

from . import linux
from . import tools
from . import trace
from . import work_report
from .machine import Machine
from .symbols import Symbols

from harness import TestFailure

BEGIN, END, RUN = 1, 2, 3
SOURCES = tools.BENCH / "work"


def add_commands(commands):
    item = commands.add_parser("item", help="guest instructions of an empty work item, on one core and across two")
    item.set_defaults(run=run_item)
    path = commands.add_parser("path", help="which functions an empty work item goes through, block by block")
    path.add_argument("what", choices=["item", "across", "named", "meet", "idle"])
    path.add_argument("--backend", choices=list(BACKENDS), default="libbaremetal")
    path.add_argument("--cores", type=int, default=2)
    path.set_defaults(run=run_path)
    work = commands.add_parser("work", help="costs of work items beside libgomp and oneTBB on a Linux guest: table, curve, JSON")
    work.add_argument("--rounds", type=tools.positive, default=7, help="how often everything is timed, in alternation (7)")
    work.add_argument("--only", choices=list(BACKENDS), action="append", help="measure this back-end alone (may be repeated)")
    work.add_argument("--priority", action="store_true",
                      help="as root, on a busy host: what is timed runs before other programs, the host's own threads alike")
    work.add_argument("--times-only", action="store_true", help="keep the counts of the last run")
    work.set_defaults(run=run_work)


class Baremetal:
    name = "libbaremetal"
    sleeps_after = 20  # milliseconds, generously: from when on its cores have halted for want of work

    def build(self):
        self.folder = tools.images("work")
        self.debug = self.folder / "work.debug"

    def machine(self, **options):
        return Machine(self.folder / "work", **options)


class Linux:
    """A back-end on the Linux guest."""
    debug = None
    sleeps_after = 2000

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


def counted(backend, line, cores, trace=False):
    """The plugin's counts of one command."""
    with backend.machine(cores=cores, count=True, trace=trace, single=True) as machine:
        machine.answer("ready", 120)
        machine.ask(line, 120)
        if machine.finish() not in (0, 33):
            raise machine.guest.failure("the program did not end well")
        return machine.counts


def both_sides(counts):
    """The stretches of the core that submits and waits, and those from run to run of the others."""
    own, other = [], []
    for cpu in counts.trace:
        own += trace.stretches(counts, cpu, BEGIN, END)
        # On Linux the one that submits may have moved to this virtual CPU: what holds its markers is not another core's.
        other += [stretch for stretch in trace.stretches(counts, cpu, RUN, RUN) if not stretch.markers & {BEGIN, END}]
    return own, other


def costs(stretches):
    """Instructions of each, without waiting."""
    return [stretch.cost() for stretch in stretches]


def median(values):
    return statistics.median(values) if values else float("nan")


def crossing_cost(counts):
    """Both cores' instructions of an item that crosses: medians. The few for which a core had to be woken are far from them."""
    return sum(median(costs(side)) for side in both_sides(counts))


def loop_cost(counts):
    """Both cores' instructions of a parallel loop: what the others did is shared among the loops."""
    own, other = both_sides(counts)
    return median(costs(own)) + sum(costs(other)) / len(own)


def run_item(options):
    backend = Baremetal()
    backend.build()
    result = {}
    for cores in (1, 2):
        found = counted(backend, "item 1000", cores).between(BEGIN, END, first=100)
        result[f"item.{cores}"] = median(found)
        print(f"empty item, submit + run + wait, {cores} core{'s' * (cores > 1)}: {spread(found)} instructions")
    for line in ("across 300", "named 300", "meet 300"):
        counts = counted(backend, line, 2, trace=True)
        own, other = both_sides(counts)
        cost = loop_cost(counts) if line.startswith("meet") else crossing_cost(counts)
        result["for" if line.startswith("meet") else line.split()[0]] = cost
        print(f"{line.split()[0]}: {cost:g} instructions of both cores, without waiting")
        print(f"  core that submits and waits: {spread(costs(own))}")
        print(f"  core that runs, from run to run: {spread(costs(other))}")
    tools.store("item", {"counts": result}, "\n".join(["# Work items of libbaremetal", "", *work_report.counts_table(
        {"counts": {"libbaremetal": result}})]) + "\n")
    return 0


def run_path(options):
    backend = BACKENDS[options.backend]()
    backend.build()
    line = f"idle 10 {backend.sleeps_after}" if options.what == "idle" else f"{options.what} 300"
    counts = counted(backend, line, options.cores, trace=True)
    symbols = Symbols(backend.debug, [row[1] for row in counts.blocks]) if backend.debug else None
    addresses = {row[0]: row[1] for row in counts.blocks}
    for cpu in counts.trace:
        begin, end = (BEGIN, END) if cpu in counts.cpus_of(BEGIN) else (RUN, RUN)
        paths = [stretch.working for stretch in trace.stretches(counts, cpu, begin, end)]
        if not paths:
            continue
        total, path = sorted((sum(weight for _, weight in path), path) for path in paths)[len(paths) // 2]
        print(f"core {cpu}: {total} instructions (median of {len(paths)}), without waiting")
        functions = collections.Counter()
        for block, weight in path:
            name = symbols.name(addresses[block]) if symbols else ""
            place = addresses[block] - (symbols.offset if symbols else 0)
            functions[name] += weight
            print(f"  {weight:4} {place:#x} {name}")
        print("  of these: " + ", ".join(f"{name} {weight}" for name, weight in functions.most_common() if name))
    return 0


def count_backend(backend):
    """Instructions of one back-end, each figure from a machine of its own."""
    result = {}
    for cores in (1, 2):
        result[f"item.{cores}"] = median(counted(backend, "item 1000", cores).between(BEGIN, END, first=100))
        many = counted(backend, "many 1000 20", cores)
        result[f"many.{cores}"] = median(many.of_all_between(BEGIN, END)) / 1000
    for line in ("across 500", "named 500"):
        result[line.split()[0]] = crossing_cost(counted(backend, line, 2, trace=True))
    if isinstance(backend, Baremetal):  # Linux does much else while it waits, which no form tells from the item
        sides = both_sides(counted(backend, f"idle 6 {backend.sleeps_after}", 2, trace=True))
        result["idle"] = sum(median(costs(side)) for side in sides)
    result["for"] = loop_cost(counted(backend, "meet 500", 2, trace=True))
    return result


class Control:
    """The host's own threads: how much faster two are than one, now."""

    def __enter__(self):
        program = tools.BUILD / "control"
        tools.run(["gcc", "-O2", "-pthread", "-Wall", "-Wextra", "-Werror", "-o", program, SOURCES / "control.c"])
        self.process = subprocess.Popen([program, "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.steps = 1 << 22
        self.steps = int(self.steps * 20e6 / self._ask()["serial"])  # 20 ms
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def _ask(self):
        self.process.stdin.write(f"{self.steps}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def speed(self):
        said = self._ask()
        return said["serial"] / said["parallel"]


def time_round(backend, machine, times):
    """One turn of everything that is timed on one machine; appends nanoseconds of one item, loop …"""
    def ask(line):
        said = machine.ask(line)
        machine.settle()
        return said

    for line in ("item 20000", "across 3000", "named 3000", "for 3000"):
        said = ask(line)
        if said["count"]:
            times.setdefault(said["command"], []).append(said["ns"] / said["count"])
    said = ask("many 1000 30")
    times.setdefault("many", []).append(said["ns"] / said["count"] / said["rounds"])
    runs = ask(f"idle 4 {backend.sleeps_after}")["runs"]
    for key, index in (("idle.run", 0), ("idle.done", 1)):
        times.setdefault(key, []).append(statistics.median(run[index] for run in runs))


LENGTHS = {"1": (1, 20000), "10": (10, 2000), "100": (100, 200)}  # name: microseconds, items
TRIES = 8  # looks for a quiet moment, at each point of each round


def steps_of_a_microsecond(machine):
    times = [machine.ask("spin 1000 1000")["ns"] for _ in range(5)]
    return 1000 * 1000 / (min(times) / 1000)


def speed_once(machine, control, line):
    """The speed-up, and the smaller of what the host gave before and behind."""
    before = control.speed()
    said = machine.ask(line)
    machine.settle()
    said.update(speed=said["serial"] / said["parallel"], control=min(before, control.speed()))
    return said


def speed_round(machines, control, steps, result):
    """The curve, each point between two looks at what the host gives."""
    for length, (microseconds, items) in LENGTHS.items():
        for name, machine in machines.items():
            points = result["speed"].setdefault(length, {}).setdefault(name, [])
            for _ in range(TRIES):
                said = speed_once(machine, control, f"speed {round(microseconds * steps)} {items}")
                points.append({"speed": said["speed"], "control": said["control"]})
                if work_report.quiet(points[-1]):
                    break
            if length == "10":
                result["fairness"]["2"].setdefault(name, []).append(said["cores"])


def start_one(stack, backend, cores):
    """A machine that is ready for commands. On a busy host a Linux guest may hang in its boot: then another one is started."""
    for attempt in range(3):
        machine = backend.machine(cores=cores)
        with contextlib.ExitStack() as own:
            own.enter_context(machine)
            try:
                machine.answer("ready", 60)
            except TestFailure:
                if attempt == 2:
                    raise
                tools.say(f"{backend.name} did not start within 60 s; once more")
                continue
            machine.pin()
            stack.push(own.pop_all())
            return machine
    return None


def start(stack, backends, cores):
    return {backend.name: start_one(stack, backend, cores) for backend in backends}


def time_all(options, backends, result):
    """Everything that is timed, in alternation, the host's own threads between."""
    with contextlib.ExitStack() as stack:
        control = stack.enter_context(Control())
        machines = start(stack, backends, 2)
        steps = steps_of_a_microsecond(next(iter(machines.values())))
        for number in range(options.rounds):
            tools.say(f"timing, round {number + 1} of {options.rounds}")
            for backend in backends:
                time_round(backend, machines[backend.name], result["times"].setdefault(backend.name, {}))
            speed_round(machines, control, steps, result)
    tools.say("four vCPUs")
    with contextlib.ExitStack() as stack:
        machines = start(stack, backends, 4)
        for _ in range(options.rounds):
            for name, machine in machines.items():
                result["fairness"]["4"].setdefault(name, []).append(machine.ask(f"speed {round(10 * steps)} 5000")["cores"])
                machine.settle()


def run_work(options):
    backends = [BACKENDS[name]() for name in options.only or BACKENDS]
    for backend in backends:
        backend.build()
    result = {"date": datetime.datetime.now().isoformat(timespec="minutes"), "qemu": f"QEMU {tools.qemu_version()} TCG",
              "priority": options.priority, "counts": {}, "times": {}, "speed": {}, "fairness": {"2": {}, "4": {}}}
    stored = tools.BUILD / "work.json"
    if options.times_only and stored.exists():
        result["counts"] = json.loads(stored.read_text())["counts"]
    for backend in backends:
        if backend.name not in result["counts"]:
            tools.say(f"counting instructions of {backend.name}")
            result["counts"][backend.name] = count_backend(backend)
    if options.priority:
        tools.take_priority()
    time_all(options, backends, result)
    (tools.BUILD / "work.svg").write_text(work_report.curve(result))
    tools.keep("work", result, work_report.markdown(result))
    print("The curve is in work.svg.")
    return 0
