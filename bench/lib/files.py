# Files on an ext4 disk beside a Linux guest: instructions, seconds, writes and flushes of the disk for each job.
# SPDX-License-Identifier: MIT
import datetime
import os
import shutil
import statistics
import subprocess
import tempfile

from . import linux
from . import tools
from .machine import Counts, Machine
from .work_report import number, spread, table

from harness import Questions

BEGIN, END = 1, 2
# Job, how often, what one is. The second list is for a machine that was started anew, with the same disk: nothing is in memory.
JOBS = [[("write", 256, "MiB written in sequence, then fsync"), ("append", 1000, "append 4 KiB, fsync"), ("overwrite", 4000, "overwrite 4 KiB at random; one fsync"),
         ("create", 10000, "create an empty file"), ("unlink", 10000, "unlink it"), ("sqlite", 60000, "SQLite insert, 100 in a transaction")],
        [("random", 4000, "read 4 KiB at random, not in memory"), ("read", 256, "MiB read in sequence"),
         ("cached", 20000, "open, read 4 KiB, close; in memory")]]
NAMES = {name: (count, text) for jobs in JOBS for name, count, text in jobs}
DISK = "1G"


def add_commands(commands):
    files = commands.add_parser("files", help="files on an ext4 disk beside a Linux guest: append and fsync, random, sequential, names, SQLite")
    files.add_argument("--rounds", type=tools.positive, default=3, help="how often both are timed, in alternation (3)")
    files.add_argument("--jobs", default=",".join(NAMES), help="which ones (all)")
    files.add_argument("--share", type=tools.positive, default=1, help="a part of the operations: 4 for a quarter")
    files.add_argument("--cache", choices=["unsafe", "writeback"], default="unsafe", help="of QEMU; with writeback a flush waits for the host's disk")
    files.add_argument("--counts-only", action="store_true", help="instructions alone, nothing is timed")
    files.add_argument("--priority", action="store_true", help="as root, on a busy host: what is measured runs before other programs")
    files.set_defaults(run=run_files)


def sqlite():
    """The folder with SQLite's source in one file: that of the recipe of ci/programs."""
    folder = tools.BUILD / "sqlite"
    if not (folder / "sqlite3.c").exists():
        tools.say("putting SQLite's source together, once")
        if not shutil.which("tclsh"):
            raise tools.BenchError("tclsh is missing: it puts SQLite's source together (package tcl).")
        archive = tools.run_output([tools.TOP / "toolchain/fetch", "sqlite"], {"BAREMETAL_PINS": str(tools.TOP / "tests/programs/pins")})
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        tools.run(["tar", "-xf", archive, "-C", folder, "--strip-components=1", "--no-same-owner"])
        tools.run(["sh", "-c", "./configure --disable-shared --disable-tcl --disable-readline && make sqlite3.c"], cwd=folder)
    return folder


class Ours:
    name = "libbaremetal"

    def build(self):
        self.image = tools.images("files", options=["-DBAREMETAL_LIBC=musl"], name="images-musl") / "files"

    def machine(self, disk, **options):
        return Machine(self.image, append="mount=/data=vda", arguments=disk, memory="512", **options)


class Linux:
    name = "Linux"

    def build(self):
        source, program = tools.BENCH / "files", linux.folder() / "files"
        sources = [source / "files.c", source / "files_sqlite.c", sqlite() / "sqlite3.c"]
        if not program.exists() or any(program.stat().st_mtime < file.stat().st_mtime for file in sources):
            tools.run(["gcc", "-O2", "-DSQLITE", "-DSQLITE_THREADSAFE=0", "-DSQLITE_OMIT_LOAD_EXTENSION", "-I", sqlite(), "-o", program,
                       *sources, "-lm"])
        self.kernel = linux.kernel()
        self.guest = linux.guest("files", {"/files": program}, linux.modules("virtio_pci", "virtio_blk", "crc32c_intel"), ["data"])

    def machine(self, disk, **options):
        return Machine(self.kernel, append=f"{linux.APPEND} program=/files disk=/dev/vda",
                       arguments=[*disk, "-initrd", str(self.guest)], memory="512", **options)


SIDES = [Ours(), Linux()]


def disk_make(path):
    mkfs = shutil.which("mkfs.ext4", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not mkfs:
        raise tools.BenchError("mkfs.ext4 is missing: it makes the disk (package e2fsprogs).")
    tools.run([mkfs, "-q", "-F", path, DISK])


def disk_check(path):
    fsck = shutil.which("e2fsck", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if subprocess.run([fsck, "-fp", path], stdout=subprocess.DEVNULL, check=False).returncode > 1:
        raise tools.BenchError("e2fsck finds errors on the disk that was written.")


def requests(machine):
    """What the disk was asked for so far: bytes and requests of each kind."""
    with Questions(machine.guest) as questions:
        return questions.ask("query-blockstats")[0]["stats"]


def run_jobs(side, options, count=False):
    """{job: {seconds, writes, flushes, instructions}} of one operation each, on a new disk."""
    found = {}
    wanted = options.jobs.split(",")
    with tempfile.TemporaryDirectory(prefix="bm-files-") as folder:
        path = os.path.join(folder, "disk")
        disk_make(path)
        disk = ["-drive", f"if=none,id=d,file={path},format=raw,cache={options.cache}", "-device", "virtio-blk-pci,drive=d"]
        for jobs in JOBS:
            with side.machine(disk, count=count) as machine:
                machine.answer("ready", 120)
                ran = []
                for name, many, _ in jobs:
                    if name not in wanted and not (name == "write" and set(wanted) & {"overwrite", "random", "read"}):
                        continue
                    many = many if name in ("write", "read") else max(100, many // options.share)
                    before = requests(machine)
                    machine.guest.send(f"{name} {many}\n")
                    answer, after = machine.answer(name, 600), requests(machine)
                    ran.append((name, many))
                    found[name] = {"seconds": answer["seconds"] / many, "writes": (after["wr_operations"] - before["wr_operations"]) / many,
                                   "flushes": (after["flush_operations"] - before["flush_operations"]) / many}
                machine.guest.send("quit\n")
                machine.guest.wait(120)
                if count:
                    for (name, many), instructions in zip(ran, Counts(machine.folder).between(BEGIN, END)):
                        found[name]["instructions"] = instructions / many
        disk_check(path)
    return {name: found[name] for name in wanted if name in found}


def report(result):
    ours, theirs = (side.name for side in SIDES)
    rows, names = [], list(result["counts"][ours])
    for name in names:
        mine, other = result["counts"][ours][name], result["counts"][theirs][name]
        row = [NAMES[name][1], number(mine["instructions"]), number(other["instructions"]), f"{mine['instructions'] / other['instructions']:.2f}",
               f"{mine['writes']:.2f}", f"{other['writes']:.2f}", f"{mine['flushes']:.2f}", f"{other['flushes']:.2f}"]
        if result["times"][ours]:
            times = {side: [found[name]["seconds"] * 1e6 for found in result["times"][side]] for side in (ours, theirs)}
            row += [spread(times[ours], 1), spread(times[theirs], 1), spread([theirs / mine for mine, theirs in zip(times[ours], times[theirs])], 2)]
        rows.append(row)
    heads = ["", "instructions", "Linux", "ours / Linux", "writes", "Linux", "flushes", "Linux", "µs", "Linux", "Linux / ours"]
    return "\n".join([f"# Files on an ext4 disk, one vCPU, virtio-blk, beside a Linux guest ({result['date']})", "",
                      f"Of one operation; writes and flushes are requests to the disk. cache={result['cache']}; times are medians (least … most) of the rounds, "
                      "their ratio is paired by round: above 1 ours is faster", "", *table(heads[:max(map(len, rows))], rows)]) + "\n"


def run_files(options):
    unknown = [name for name in options.jobs.split(",") if name not in NAMES]
    if unknown:
        raise tools.BenchError(f"there is no job {', '.join(unknown)}; there are {', '.join(NAMES)}.")
    sqlite()
    for side in SIDES:
        side.build()
    tools.plugin()
    if options.priority:
        tools.take_priority()
    result = {"date": datetime.datetime.now().isoformat(timespec="minutes"), "cache": options.cache, "counts": {},
              "times": {side.name: [] for side in SIDES}}
    for side in SIDES:
        tools.say(f"counting on {side.name}")
        result["counts"][side.name] = run_jobs(side, options, count=True)
    for index in range(0 if options.counts_only else options.rounds):
        tools.say(f"timing, round {index + 1} of {options.rounds}")
        for side in tools.turn(SIDES, index):
            result["times"][side.name].append(run_jobs(side, options))
    tools.keep("files", result, report(result))
    return 0
