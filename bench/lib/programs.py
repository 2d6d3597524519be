# Programs of others, in our machine and in a Linux guest: servers under load, interpreters and a database that compute.
# SPDX-License-Identifier: MIT
import contextlib
import datetime
import shutil
import statistics
import time

from . import linux
from . import peers
from . import program_loads as loads
from . import tools
from .machine import Live, Machine
from .work_report import number, spread, table

from harness import TestFailure
from harness.network import PREFIX4, enter_namespace

WORK = tools.BUILD / "programs"
PATIENCE = 120  # seconds until a server answers; counting makes Linux ten times slower
SAME = "Linux, the same build"
AIMS = {"redis": 3, "memcached": 3, "nginx": 4, "go": 1.5, "sqlite": 1, "lua": 1, "python": 1}


def recipe(name):
    """The folder in which ci/programs has built a program."""
    return WORK / name / "source"


class Program:
    """One program: `ours` is the image's file, `theirs` a file for the Linux guest with Debian packages it comes from; `words` are its
    arguments. A server has a port and loads; others say `begin` and `end SECONDS`."""
    port = None
    build_name = None     # of ci/programs
    words = ""
    packages = ()
    more = {}             # path in the Linux guest -> host file
    initrd = None         # of ours
    memory = "256"
    same = None           # compiles what ours is made of for Linux: the recipe's source, by its options, with the host's gcc

    def __init__(self, name):
        self.name = name

    def build(self):
        if self.build_name and not self.ours().exists():
            tools.say(f"building {self.name} with ci/programs, once")
            tools.run([tools.TOP / "ci" / "programs", "--build", "--work", WORK, self.build_name])
        self.kernel = linux.kernel()
        self.guest = self.build_guest()
        if self.same:
            self.guest_same = self.pack(f"{self.name}-same", self.same())

    def build_guest(self):
        """The initramfs of the Linux guest."""
        root = linux.folder() / f"program-{self.name}"
        for package in self.packages if not root.exists() else ():
            linux.unpack(package, root)
        self.files(root)
        return self.pack(self.name, self.theirs(root), root)

    def pack(self, name, program, root=None):
        files = {self.path: program, **linux.modules("virtio_pci", "virtio_net"), **dict(linux.libraries(program, root)),
                 **linux.users(), **self.more}
        return linux.guest(name, {}, files, ["tmp", "run"])

    def files(self, root):
        pass

    @property
    def path(self):
        return f"/usr/bin/{self.name}"

    def machine_ours(self, network, **options):
        arguments = list(network.arguments) + (["-initrd", str(self.initrd)] if self.initrd else [])
        options.setdefault("memory", self.memory)
        return Machine(self.ours(), append=f"ip={network.guest}/{PREFIX4},{network.host} env.HOME=/ -- {self.words}", arguments=arguments,
                       pass_fds=network.pass_fds, **options)

    def machine_linux(self, network, guest=None, **options):
        options.setdefault("memory", "512")
        return Machine(self.kernel, append=f"{linux.APPEND} program={self.path} address={network.guest} -- {self.words}",
                       arguments=[*network.arguments, "-initrd", str(guest or self.guest)], pass_fds=network.pass_fds, **options)

    def machine_same(self, network, **options):
        return self.machine_linux(network, self.guest_same, **options)


class Redis(Program):
    port, build_name, packages = 6379, "redis", ("redis-tools", "redis-server", "libc6", "libjemalloc2", "liblua5.1-0", "liblzf1", "lua-bitop",
                                                 "lua-cjson", "libhiredis0.14", "libatomic1", "libsystemd0", "libssl3")
    words = '--protected-mode no --save ""'
    path = "/usr/bin/redis-server"

    def ours(self):
        return recipe("redis") / "src" / "redis-server"

    def theirs(self, root):
        return (root / "usr/bin/redis-check-rdb").resolve()

    def loads(self, address, amount):
        return loads.redis(WORK / "redis/client/src/redis-benchmark", address, amount)


class Memcached(Program):
    port, build_name, packages = 11211, "memcached", ("memcached", "libc6", "libevent-2.1-7", "libsasl2-2", "libssl3")
    words = "-u root -m 64 -t 1"

    def ours(self):
        return recipe("memcached") / "machine" / "memcached-debug"

    def theirs(self, root):
        return root / "usr/bin/memcached"

    def loads(self, address, amount):
        return loads.memcached(address, amount)


class Nginx(Program):
    port, build_name, path = 80, "nginx", "/usr/sbin/nginx"

    def build_guest(self):
        return linux.nginx(tools.BENCH / "web")

    def ours(self):
        return recipe("nginx") / "objs" / "nginx"

    def loads(self, address, amount):
        return loads.web(address, amount, {self.machine_ours: "/", self.machine_linux: peers.PAGE})


class Go(Program):
    port, words, folder = 80, "80", WORK / "go_server"

    def ours(self):
        return self.folder / "go_server"

    def build(self):
        if not shutil.which("go"):
            raise tools.BenchError("go is missing: it compiles the web server (package golang-go)")
        package = WORK / "prefix" / "lib/cmake/baremetal"
        if not package.exists():  # ci/programs installs it
            Lua("lua").build()
        tools.run(["cmake", "-S", tools.TOP / "examples/go_server", "-B", self.folder, "-G", "Ninja",
                   f"-DCMAKE_TOOLCHAIN_FILE={package}/toolchain.cmake", f"-DCMAKE_PREFIX_PATH={WORK}/prefix", "-DBAREMETAL_LIBC=musl"])
        tools.run(["cmake", "--build", self.folder])
        super().build()

    def theirs(self, root):
        return self.folder / "server"

    def loads(self, address, amount):
        return loads.web(address, amount, {})


class Sqlite(Program):
    build_name, words = "sqlite", "--memdb --size 20"
    begin, end = r"^-- Speedtest1", r"^ +TOTAL[. ]+([\d.]+)s"

    def ours(self):
        return recipe("sqlite") / "speedtest1"

    def theirs(self, root):
        source, result = recipe("sqlite"), linux.folder() / "speedtest1"
        if not result.exists():
            tools.run(["gcc", "-O2", "-DSQLITE_THREADSAFE=0", "-DSQLITE_OMIT_LOAD_EXTENSION", "-I", source, "-o", result,
                       source / "test" / "speedtest1.c", source / "sqlite3.c", "-lm"])
        return result


def compiled_for_linux(name, program, commands):
    """`program` of a copy of the recipe's source in which `commands` ran, of the shell."""
    folder = WORK / name / "linux"
    if not (folder / program).exists():
        tools.say(f"{name}: compiling the same for Linux")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(recipe(name), folder, symlinks=True)
        tools.run(["bash", "-ec", commands], cwd=folder)
    return folder / program


class Script(Program):
    begin, end = r"^begin", r"^end\s+([\d.]+)\s"


class Lua(Script):
    build_name, words, packages = "lua", "/compute.lua", ("lua5.4", "libc6", "liblua5.4-0", "libreadline8", "libtinfo6")
    more = {"/compute.lua": tools.BENCH / "programs" / "compute.lua"}

    def ours(self):
        return recipe("lua") / "src" / "lua"

    def theirs(self, root):
        return root / "usr/bin/lua5.4"

    def same(self):
        return compiled_for_linux("lua", "src/lua", 'make clean; make posix CC="gcc -std=gnu99"')


class Python(Script):
    build_name, words, memory = "python", "/compute.py", "512"
    packages = ("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "libc6", "libexpat1", "zlib1g")

    def ours(self):
        return recipe("python") / "python"

    def theirs(self, root):
        return root / "usr/bin/python3.11"

    def files(self, root):
        script = tools.BENCH / "programs" / "compute.py"
        self.initrd = WORK / "python" / "bench.tar"
        shutil.copy(WORK / "python" / "library.tar", self.initrd)
        tools.run(["tar", "--format=ustar", "-rf", self.initrd, "-C", script.parent, script.name])
        library = root / "usr/lib/python3.11"
        self.more = {"/compute.py": script}
        for file in library.rglob("*"):
            if file.is_file() and not file.is_symlink():
                self.more[f"/usr/lib/python3.11/{file.relative_to(library)}"] = file


PROGRAMS = {"redis": Redis, "memcached": Memcached, "nginx": Nginx, "go": Go, "sqlite": Sqlite, "lua": Lua, "python": Python}


def add_commands(commands):
    command = commands.add_parser("programs", help="Redis, memcached, nginx, Go, SQLite, Lua and Python beside the same in a Linux guest")
    command.add_argument("names", nargs="*", metavar="NAME", help=f"which ones (all: {', '.join(PROGRAMS)})")
    command.add_argument("--rounds", type=tools.positive, default=3, help="how often both are timed, in alternation (3)")
    command.add_argument("--amount", type=tools.positive, default=20000, help="requests of one run (20000)")
    command.add_argument("--counts-only", action="store_true", help="instructions alone, nothing is timed")
    command.add_argument("--priority", action="store_true", help="as root, on a busy host: what is measured runs before other programs")
    command.set_defaults(run=run_programs)


@contextlib.contextmanager
def serving(program, make, index=0, **options):
    """(network, machine) of a server that answers."""
    with peers.Network(index=index) as network, make(network, **options) as machine:
        end = time.monotonic() + PATIENCE
        while not loads.answers((network.guest, program.port)):
            if not machine.guest.alive() or time.monotonic() > end:
                raise machine.guest.failure(f"{program.name} does not answer at port {program.port}")
            time.sleep(0.05)
        yield network, machine


def sides(program):
    found = {"libbaremetal": program.machine_ours, "Linux": program.machine_linux}
    return {**found, SAME: program.machine_same} if program.same else found


def count_server(program, options):
    """Instructions of one request, on each side."""
    counts = {}
    for side, make in sides(program).items():
        tools.say(f"{program.name}: counting on {side}")
        with serving(program, make, count=True) as (network, machine), Live(machine) as live:
            for name, load in program.loads(network.guest, options.amount)(make):
                load()  # until the emulator has translated what there is to run
                before = live.settled()
                run = load()
                counts.setdefault(name, {})[side] = (live.settled() - before) / run["requests"]
    return counts


def time_server(program, options, times):
    with contextlib.ExitStack() as stack:
        running = {}
        for index, (side, make) in enumerate(sides(program).items()):
            network, machine = stack.enter_context(serving(program, make, index))
            running[side] = dict(program.loads(network.guest, options.amount)(make))
        for load in running["Linux"].values():
            load()
        for round_number in range(options.rounds):
            tools.say(f"{program.name}: timing, round {round_number + 1} of {options.rounds}")
            for name in running["Linux"]:
                for side in tools.turn(list(running), round_number):
                    times.setdefault(name, {}).setdefault(side, []).append(running[side][name]()["rate"])


def compute(program, make, **options):
    """(seconds by the program's clock, instructions or None) from its begin to its end."""
    with peers.Network() as network, make(network, **options) as machine, contextlib.ExitStack() as stack:
        machine.guest.expect(program.begin, PATIENCE)
        live = stack.enter_context(Live(machine)) if options.get("count") else None
        before = live.read()[0] if live else 0
        seconds = float(machine.guest.expect(program.end, 600).group(1))
        return seconds, live.read()[0] - before if live else None


def measure_compute(program, options, counts, times):
    for side, make in sides(program).items():
        tools.say(f"{program.name}: counting on {side}")
        counts.setdefault("a run", {})[side] = compute(program, make, count=True)[1]
    for round_number in range(0 if options.counts_only else options.rounds):
        tools.say(f"{program.name}: timing, round {round_number + 1} of {options.rounds}")
        for side in tools.turn(list(sides(program)), round_number):
            times.setdefault("a run", {}).setdefault(side, []).append(1 / compute(program, sides(program)[side])[0])


def measure(program, options):
    counts, times = {}, {}
    if program.port:
        counts = count_server(program, options)
        if not options.counts_only:
            time_server(program, options, times)
    else:
        measure_compute(program, options, counts, times)
    return {"counts": counts, "times": times}


def rows(result):
    for program, figures in result["programs"].items():
        for load, counts in figures["counts"].items():
            for peer in (name for name in counts if name != "libbaremetal"):
                yield [program, load if peer == "Linux" else f"{load}, the same build", number(counts["libbaremetal"]), number(counts[peer]),
                       *(timed(program, figures["times"][load], peer) if figures["times"] else [])]


def timed(program, times, peer):
    ours, theirs = times["libbaremetal"], times[peer]
    ratios = [mine / other for mine, other in zip(ours, theirs)]
    return [spread(ours, 1 if max(ours) < 100 else 0), spread(theirs, 1 if max(theirs) < 100 else 0), spread(ratios, 2),
            f"at least {AIMS[program]}", "yes" if statistics.median(ratios) >= AIMS[program] else "no"]


def report(result):
    heads = ["", "", "instructions", "Linux", "a second", "Linux", "ours / Linux", "aim", "reached"]
    lines = list(rows(result))
    return "\n".join([f"# Programs of others, one vCPU, beside a Linux guest ({result['date']})", "",
                      "Median (least … most) of the rounds; ratios are paired by round", "",
                      *table(heads[:max(map(len, lines))], lines)]) + "\n"


def run_programs(options):
    unknown = [name for name in options.names if name not in PROGRAMS]
    if unknown:
        raise tools.BenchError(f"there is no program {', '.join(unknown)}; there are {', '.join(PROGRAMS)}.")
    programs, failed = [], {}
    for name in options.names or PROGRAMS:
        try:
            program = PROGRAMS[name](name)
            program.build()
            programs.append(program)
        except tools.BenchError as error:
            failed[name] = str(error)
            tools.say(f"{name}: left out: {error}")
    tools.plugin()
    enter_namespace()  # from here on nothing is fetched
    if options.priority:
        tools.take_priority()
    result = {"date": datetime.datetime.now().isoformat(timespec="minutes"), "programs": {}}
    for program in programs:
        try:
            result["programs"][program.name] = measure(program, options)
        except (tools.BenchError, TestFailure) as error:
            failed[program.name] = str(error)
            tools.say(f"{program.name}: {error}")
        if result["programs"]:
            tools.store("programs", result, report(result))
    if result["programs"]:
        tools.keep("programs", result, report(result))
    if failed:
        raise tools.BenchError(f"not measured: {', '.join(failed)} (why stands above)")
    return 0
