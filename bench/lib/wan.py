# TCP over long and bad paths beside Linux: `ci/bench wan`. docs/performance-wan.md says what the figures are.
# SPDX-License-Identifier: MIT
import argparse
import contextlib
import datetime
import hashlib
import json
import pathlib
import queue
import statistics
import threading
import time

from . import draw
from . import tools
from .wan_world import Linux, Ours, World, build_wire, download, folder, upload
from .work_report import spread, table

from harness.network import enter_namespace

MIB = 1 << 20
BOUNDS = tools.BENCH / "wan" / "bounds.json"
RTTS = (20, 50, 100, 200)  # ms
# What a path does besides taking its time; both ways.
KINDS = {"none": {}, "loss0.1": {"loss_ppm": 1000}, "loss1": {"loss_ppm": 10000}, "loss3": {"loss_ppm": 30000},
         "reorder1": {"reorder_ppm": 10000, "late_us": 5000}, "20M": {"rate_kbit": 20000, "queue": 64 << 10},
         "100M": {"rate_kbit": 100000, "queue": 256 << 10}}
DIRECTIONS = {"down": download, "up": upload}  # out of the guest, into it
# A kind that lets Linux fill a host's processor at this RTT is measured alone.
LIGHT = {"loss1", "loss3", "20M"}
LANES = 4  # transfers at once of the others
SHORT = {"delay_us": 10000, "rate_kbit": 20000, "queue": 512 << 10}  # the fast slice in ci/test
SHORT_SIZE, SHORT_PLACE, WINDOW = MIB, 100000, 128 << 10


class Cell:
    """A direction, an RTT and a kind of path; its name is all three."""

    def __init__(self, direction, rtt, kind):
        self.direction, self.rtt, self.kind = direction, rtt, kind
        self.name = f"{direction}-{rtt}-{kind}"
        self.words = {"delay_us": rtt * 500, **KINDS.get(kind, {})}

    def properties(self, seed):
        return {"seed": seed, **self.words}


def own_cells(text):
    """The two cells of a path in the words of wan/control.h."""
    pairs = [word.split("=") for word in text.split()]
    if not pairs or any(len(pair) != 2 or not pair[1].isdigit() or pair[0] in ("path", "seed") for pair in pairs):
        raise argparse.ArgumentTypeError(f"'{text}' is not key=number and so on, with the keys of bench/wan/control.h")
    words = {key: int(number) for key, number in pairs}
    delays = [words.get(f"delay_us_{way}", words.get("delay_us", 0)) for way in ("in", "out")]
    cells = [Cell(direction, max(1, sum(delays) // 1000), ",".join(text.split())) for direction in DIRECTIONS]
    for cell in cells:
        cell.words = words
    return cells


CELLS = {cell.name: cell for cell in (Cell(direction, rtt, kind) for direction in DIRECTIONS for rtt in RTTS for kind in KINDS)}
DEFAULT = [*(f"down-{rtt}-none" for rtt in RTTS), "down-50-loss1", "down-50-reorder1", "down-50-20M", "down-100-100M",
           "up-50-none", "up-50-loss1", "up-50-reorder1"]


def known_cell(text):
    if text not in CELLS:
        raise argparse.ArgumentTypeError(f"there is no cell '{text}'; they are DIRECTION-RTT-KIND of {', '.join(DIRECTIONS)}; "
                                         f"{', '.join(map(str, RTTS))}; {', '.join(KINDS)}")
    return text


def add_commands(commands):
    wan = commands.add_parser("wan", help="TCP over long and bad paths beside a Linux guest")
    what = wan.add_mutually_exclusive_group()
    what.add_argument("--all", action="store_true", help=f"all {len(CELLS)} cells instead of {len(DEFAULT)}")
    what.add_argument("--cell", action="append", type=known_cell, metavar="NAME", help="this cell, as down-50-none; may be repeated")
    what.add_argument("--path", type=own_cells, metavar="WORDS", help="a path of your own, as 'delay_us=50000 jitter_us=5000 burst_ppm=1000 burst_end_ppm=200000' "
                      "(bench/wan/control.h), down and up")
    what.add_argument("--short", action="store_true", help="the slice in ci/test: bytes and repetitions of one path, without Linux")
    wan.add_argument("--rounds", type=tools.positive, default=3, help="how often each cell is measured (3)")
    wan.add_argument("--mib", type=tools.positive, default=16, help="MiB of a transfer (16)")
    wan.add_argument("--seconds", type=tools.positive, default=10, help="after which a transfer is cut; its rate is of what came (10)")
    wan.add_argument("--seed", type=int, default=1, help="of the paths' chances (1)")
    wan.add_argument("--ipv6", action="store_true", help="over IPv6")
    wan.add_argument("--tcp", choices=["lwip", "own"], default="lwip", help="whose TCP our image has (lwip)")
    wan.add_argument("--again", action="store_true", help="measure what is measured already, too")
    wan.add_argument("--check", action="store_true", help="status 1 when a cell is worse than bench/wan/bounds.json has it")
    wan.add_argument("--image", type=pathlib.Path, help="an image of bench/wan/wan.c (default: builds it)")
    wan.add_argument("--ours-alone", action="store_true", help="without the Linux guest")
    wan.add_argument("--priority", action="store_true", help="as root, on a busy host: what is measured runs before other programs")
    wan.add_argument("--capture", type=pathlib.Path, help="folder for a pcap of each transfer, which are then made one at a time")
    wan.set_defaults(run=run_wan)


def build_image(tcp):
    """Our image with that TCP."""
    if tcp == "lwip":
        return tools.images("wan") / "wan"
    files = [tools.TOP / "CMakeLists.txt", tools.TOP / "net" / "CMakeLists.txt", *(tools.TOP / "cmake").glob("*.cmake")]
    if not any("BAREMETAL_TCP" in file.read_text() for file in files):
        raise tools.BenchError("--tcp own: this tree's build has no option BAREMETAL_TCP; lwIP's TCP is the only one it can link.")
    return tools.images("wan", name="images-own", options=["-DBAREMETAL_TCP=own"]) / "wan"


def key_of(servers, wire, options):
    """Of all that a transfer's figures depend on."""
    parts = [wire.read_bytes(), *(server.digest().encode() for server in servers),
             repr((options.mib, options.seconds, options.seed, options.ipv6, options.tcp)).encode()]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


class Rows:
    """What was measured: a line of JSON for each transfer, kept at once."""

    def __init__(self, key, again):
        self.file, self.key = folder() / "cells.jsonl", key
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        kept = []
        for line in lines:
            with contextlib.suppress(ValueError):  # the last one of a run that was ended may be cut
                kept.append(json.loads(line))
        self.rows = [] if again else [row for row in kept if row["key"] == key]
        if again or len(kept) < len(lines):
            self.file.write_text("".join(json.dumps(row) + "\n" for row in kept if not again or row["key"] != key))

    def add(self, row):
        row = {"key": self.key, "date": datetime.datetime.now().isoformat(timespec="seconds"), **row}
        self.rows.append(row)
        with self.file.open("a") as out:
            out.write(json.dumps(row) + "\n")

    def find(self, cell, who, number):
        """The last one that was measured so, or None."""
        return next((row for row in reversed(self.rows) if (row["cell"], row["who"], row["round"]) == (cell, who, number)), None)

    def of(self, cell, who, rounds):
        found = [self.find(cell, who, number) for number in range(rounds)]
        return found if all(found) else []


def rate(row):
    """MB/s."""
    return row["bytes"] / 1e6 / row["seconds"]


def again(row):
    """The share of the sender's bytes that it had sent before."""
    way = row["wire"]["out" if row["cell"].startswith("down") else "in"]
    return way["again"] / way["data"] if way["data"] else 0


class Runner:
    def __init__(self, world, rows, options):
        self.world, self.rows, self.options = world, rows, options
        self.lock, self.failed = threading.Lock(), []
        self.done, self.began = 0, time.monotonic()

    def transfer(self, cell, server, number):
        options = self.options
        with self.world.path(**cell.properties(options.seed + number)) as path:
            captured = self.world.capture(options.capture / f"{cell.name}-{server.name}-{number}.pcap") if options.capture else \
                contextlib.nullcontext()
            with captured:
                said = DIRECTIONS[cell.direction](path, server, options.ipv6, options.mib * MIB, options.seconds)
            return {"cell": cell.name, "round": number, "who": server.name, "tcp": options.tcp, "ipv6": options.ipv6, **said,
                    "wire": self.world.statistics(path)}

    def pair(self, cell, number):
        """Both servers, one right behind the other."""
        for server in tools.turn(self.world.servers, number):
            row = self.transfer(cell, server, number)
            with self.lock:
                self.rows.add(row)
                tools.say(f"{cell.name}, round {number + 1}, {server.name}: {rate(row):.2f} MB/s, {100 * again(row):.1f} % sent again"
                          + ("" if row["done"] else f"; cut after {self.options.seconds} s"))

    def lane(self, jobs, total):
        while not self.failed:
            try:
                cell, number = jobs.get_nowait()
            except queue.Empty:
                return
            try:
                self.pair(cell, number)
            except (OSError, tools.BenchError) as error:
                self.failed.append(f"{cell.name}: {error}")
                return
            with self.lock:
                self.done += 1
                left = (time.monotonic() - self.began) / self.done * (total - self.done)
                tools.say(f"{self.done} of {total} pairs measured, about {left / 60:.1f} minutes left")

    def run(self, jobs):
        """What needs a processor one at a time, then the others together."""
        for lanes, mine in ((1, [job for job in jobs if job[0].kind not in LIGHT]), (LANES, [job for job in jobs if job[0].kind in LIGHT])):
            todo = queue.Queue()
            for job in mine:
                todo.put(job)
            threads = [threading.Thread(target=self.lane, args=(todo, len(jobs))) for _ in range(1 if self.options.capture else lanes)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        if self.failed:
            raise tools.BenchError("; ".join(self.failed))


def warm_up(world, six):
    """Until the emulator has translated what there is to run; with IPv6 until the guests' addresses are there."""
    for server in world.servers:
        for transfer in (upload, download):
            deadline = time.monotonic() + 60
            while True:
                try:
                    with world.path() as path:
                        transfer(path, server, six, 4 * MIB, 60)
                    break
                except OSError as error:
                    if time.monotonic() > deadline:
                        raise tools.BenchError(f"{server.name} does not serve: {error}") from error


def measure(servers, wire, rows, jobs, options):
    if options.capture:
        options.capture = options.capture.resolve()
        options.capture.mkdir(parents=True, exist_ok=True)
    with World(servers, wire) as world:
        warm_up(world, options.ipv6)
        Runner(world, rows, options).run(jobs)


def chosen_cells(options):
    if options.path:
        return options.path
    return [CELLS[name] for name in options.cell or (CELLS if options.all else DEFAULT)]


def figures(rows, cells, rounds, names=(Ours.name, Linux.name)):
    """Of each cell that was measured: rates, what was sent again, and with Linux ratios paired by round."""
    found = {}
    for name in (cell.name for cell in cells):
        sides = [rows.of(name, who, rounds) for who in names]
        if all(sides):
            found[name] = {"rates": [[rate(row) for row in side] for side in sides],
                           "again": [statistics.median(again(row) for row in side) for side in sides],
                           "ratios": [rate(mine) / rate(other) for mine, other in zip(sides[0], sides[-1])] if len(sides) > 1 else [],
                           "behind": max(row["wire"][way]["behind_max"] for side in sides for row in side for way in ("in", "out")) / 1e3}
    return found


def report(found, options, names):
    ratio = ["ratio"] if len(names) > 1 else []
    rows = [[name, *(spread(side, 2) for side in cell["rates"]), *(spread(cell["ratios"], 2) for _ in ratio),
             *(f"{100 * share:.1f} %" for share in cell["again"]), f"{cell['behind']:.0f}"] for name, cell in found.items()]
    return "\n".join([
        f"# TCP over long paths: one vCPU, {options.tcp}, IPv{6 if options.ipv6 else 4} ({datetime.date.today()})", "",
        f"{options.mib} MiB, or what came in {options.seconds} s, on a new connection: MB/s, median (least … most) of {options.rounds} rounds; the "
        "ratio is paired by round. Then the share of the sender's bytes that it had sent before, and by how many ms the wire was late at most", "",
        *table(["", *names, *ratio, *(f"again, {name}" for name in names), "wire late"], rows), ""])


def picture(found, cells):
    """The ratios over the RTT: a curve for each direction and kind."""
    series = {}
    for cell in cells:
        if cell.name in found:
            series.setdefault(f"{cell.direction}, {cell.kind}"[:24], []).append((cell.rtt, found[cell.name]["ratios"]))
    top = max([1.0, *(ratio for figure in found.values() for ratio in figure["ratios"])])
    return draw.curve("TCP over long paths: our rate / Linux'", "RTT in ms", "ours / Linux", [(name, sorted(points)) for name, points in series.items()],
                      -(-top // 0.5) * 0.5)


def check(found, cells, tcp):
    """What is worse than the stored bounds allow, as sentences."""
    bounds, wrong = json.loads(BOUNDS.read_text()).get(tcp), []
    if bounds is None:
        raise tools.BenchError(f"{BOUNDS} holds no bounds for --tcp {tcp}.")
    for name in (cell.name for cell in cells):
        if name not in found:
            wrong.append(f"{name} was not measured")
        elif name in bounds:
            ratio, repeated = statistics.median(found[name]["ratios"]), found[name]["again"][0]
            if ratio < bounds[name]["ratio"]:
                wrong.append(f"{name}: {ratio:.2f} of Linux, below {bounds[name]['ratio']}")
            if repeated > bounds[name]["again"]:
                wrong.append(f"{name}: {100 * repeated:.1f} % sent again, above {100 * bounds[name]['again']:.1f} %")
    return wrong


def run_cells(options):
    if options.ours_alone and options.check:
        raise tools.BenchError("--check compares with Linux; leave out --ours-alone.")
    servers, wire = [Ours(options.image or build_image(options.tcp)), *([] if options.ours_alone else [Linux()])], build_wire()
    cells = chosen_cells(options)
    enter_namespace()  # from here on nothing is fetched
    if options.priority:
        tools.take_priority()
    rows = Rows(key_of(servers, wire, options), options.again)
    jobs = [(cell, number) for number in range(options.rounds) for cell in cells
            if options.capture or not all(rows.find(cell.name, server.name, number) for server in servers)]
    if len(jobs) < options.rounds * len(cells):
        tools.say(f"{options.rounds * len(cells) - len(jobs)} pairs are in {rows.file} already (--again measures them anew)")
    if jobs:
        measure(servers, wire, rows, jobs, options)
    names = [server.name for server in servers]
    found = figures(rows, cells, options.rounds, names)
    tools.keep("wan", {"options": {"mib": options.mib, "seconds": options.seconds, "ipv6": options.ipv6, "tcp": options.tcp}, "cells": found},
               report(found, options, names))
    print(f"All transfers are in {rows.file}.")
    if len(names) > 1:
        (folder() / "wan.svg").write_text(picture(found, cells))
        print(f"The curves are in {folder()}/wan.svg.")
    wrong = check(found, cells, options.tcp) if options.check else []
    for sentence in wrong:
        print("FAILED: " + sentence)
    return 1 if wrong else 0


def judge_short(direction, statistic):
    """What has to be true of a transfer in which one segment was dropped by rule, whatever the host's speed."""
    way = statistic["out" if direction == "down" else "in"]
    lost = sum(statistic[side][what] for side in ("in", "out") for what in ("lost", "overflowed", "too_large"))
    if lost or way["dropped"] != 1:
        return f"the path lost {lost} frames, and dropped {way['dropped']} by rule; it should be 0 and 1"
    if way["data"] - way["again"] != SHORT_SIZE:
        return f"{way['data'] - way['again']} bytes were sent once, of {SHORT_SIZE}"
    if way["again"] < 1000:
        return f"{way['again']} bytes were sent again, less than the segment that was dropped"
    if direction == "down" and way["again"] > 2 * WINDOW and max(statistic[side]["behind_max"] for side in ("in", "out")) < 200000:
        return f"{way['again']} bytes were sent again for one segment that was dropped"
    return None


def short_problem(world, direction, six):
    """One transfer of the fast slice: prints what was seen; returns what is wrong with it, or None."""
    side = "out" if direction == "down" else "in"
    with world.path(**SHORT, **{f"drop_at_{side}": SHORT_PLACE, f"drop_times_{side}": 1}) as path:
        said = DIRECTIONS[direction](path, world.servers[0], six, SHORT_SIZE, 120)
        statistic = world.statistics(path)
    problem = judge_short(direction, statistic) if said["done"] else f"only {said['bytes']} bytes came in 120 s"
    if problem:
        return f"{problem}: {json.dumps(statistic)}"
    print(f"ok: {direction}, IPv{6 if six else 4}: {SHORT_SIZE} right bytes, {statistic[side]['again']} of them sent again for one segment that was dropped")
    return None


def run_short(options):
    server, wire = Ours(options.image or build_image(options.tcp)), build_wire()
    enter_namespace()
    with World([server], wire) as world:
        for six in (True,) if options.ipv6 else (False, True):
            warm_up(world, six)
            for direction in DIRECTIONS:
                problem = short_problem(world, direction, six)
                if problem:
                    print(f"FAILED: {direction}, IPv{6 if six else 4}: {problem}")
                    return 1
    return 0


def run_wan(options):
    return run_short(options) if options.short else run_cells(options)
