# http_server beside nginx on a Linux guest, and beside images of others: instructions of a request, requests a second, latency.
# SPDX-License-Identifier: MIT
import contextlib
import csv
import datetime
import os
import re
import statistics
import subprocess
import tempfile
import time

from . import boot
from . import busy
from . import peers
from . import tools
from .machine import Live
from .work_report import number, spread, table

from harness.network import GUEST4, enter_namespace

KEPT = [1, 30, 256]     # connections of wrk, which stay open
EACH = [1, 10, 30, 256]  # connections of ab, one for each request


def add_commands(commands):
    web = commands.add_parser("http", help="http_server beside nginx on a Linux guest, over a tap in a namespace without a route")
    web.add_argument("--rounds", type=tools.positive, default=3, help="how often all are timed, in alternation (3)")
    web.add_argument("--seconds", type=tools.positive, default=2, help="of one run of wrk (2)")
    web.add_argument("--priority", action="store_true", help="as root, on a busy host: what is measured runs before other programs")
    web.add_argument("--counts-only", action="store_true", help="instructions alone, nothing is timed")
    peers.add_options(web)
    web.set_defaults(run=run_web)


def microseconds(text):
    value, unit = re.match(r"([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def wrk(page, connections, seconds, address=GUEST4):
    said = tools.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", f"http://{address}{page}"], timeout=seconds + 60)

    def tell(pattern):
        found = re.search(pattern, said, re.MULTILINE)
        if not found:
            raise tools.BenchError(f"wrk's answer is not understood (no /{pattern}/):\n{said}")
        return found[1]

    errors = re.search(r"Socket errors.*|Non-2xx.*", said)
    return {"rate": float(tell(r"^Requests/sec: +([\d.]+)")), "requests": int(tell(r"(\d+) requests in")),
            "p50": microseconds(tell(r"^ +50% +(\S+)")), "p99": microseconds(tell(r"^ +99% +(\S+)")),
            "errors": errors[0] if errors else ""}


def ab(page, connections, requests, address=GUEST4):
    """Each request on a connection of its own."""
    with tempfile.NamedTemporaryFile(mode="r", suffix=".csv") as percentiles:
        done = subprocess.run(["ab", "-q", "-n", str(requests), "-c", str(connections), "-s", "20", "-e", percentiles.name,
                               f"http://{address}{page}"], capture_output=True, text=True, timeout=300, check=False)
        rows = {row[0]: row[1] for row in csv.reader(percentiles) if len(row) == 2}
    said = done.stdout + done.stderr
    rate = re.search(r"Requests per second:\s+([\d.]+)", said)
    if done.returncode or not rate:  # ab ends at the first connection that is lost
        return {"rate": 0.0, "requests": requests, "errors": "ab: " + (said.strip().splitlines() or ["no answer"])[-1]}
    complete = re.search(r"Complete requests:\s+(\d+)", said)
    wrong = re.search(r"Failed requests:\s+[1-9].*|Non-2xx responses:.*", said)
    errors = wrong[0] if wrong else "" if complete and int(complete[1]) == requests else "ab: not all requests were answered"
    return {"rate": float(rate[1]), "requests": requests, "errors": errors, "p50": 1000 * float(rows["50"]),
            "p99": 1000 * float(rows["99"])}


def loads(page, seconds, address=GUEST4):
    """Name of each load, and the function that runs it."""
    for connections in KEPT:
        yield f"keep-alive, {connections} at once", lambda connections=connections: wrk(page, connections, seconds, address)
    for connections in EACH:
        yield f"a connection each, {connections} at once", lambda connections=connections: ab(page, connections, 1000 * seconds, address)


APART = 30  # connections of the load that is also timed with QEMU and the client apart


def count_server(server, seconds):
    """Instructions of one request under each load."""
    result = {}
    with boot.serving(server, count=True) as (_, machine):
        wrk(server.page, 1, 1)  # until the emulator has translated what there is to run
        with Live(machine) as live:
            for name, load in loads(server.page, seconds):
                before = live.settled()
                run = load()
                time.sleep(0.3)  # the last connections end
                if run["errors"]:
                    tools.say(f"{server.name}, {name}: {run['errors']}")
                result[name] = None if run["errors"] else (live.read()[0] - before) / run["requests"]
    return result


class Timed:
    """A server that answers, and its loads by name."""

    def __init__(self, server, network, machine, seconds):
        self.name, self.machine = server.name, machine
        self.loads = dict(loads(server.page, seconds, network.guest))
        if len(os.sched_getaffinity(0)) > 1:
            self.loads[f"keep-alive, {APART} at once, apart"] = self.apart
        self.page, self.seconds, self.address = server.page, seconds, network.guest
        wrk(self.page, 1, 1, self.address)

    def apart(self):
        with self.machine.apart():
            return wrk(self.page, APART, self.seconds, self.address)


def time_round(servers, index, seconds, times):
    """All servers run, and one after the other gets the same load, so that what is compared is timed within seconds: the host's
    speed changes by a third in a minute. Who is not asked is halted."""
    with contextlib.ExitStack() as stack:
        running = []
        for number, server in enumerate(servers):
            network, machine = stack.enter_context(boot.serving(server, index=number))
            running.append(Timed(server, network, machine, seconds))
        for load in running[0].loads:
            for one in tools.turn(running, index):
                run = busy.during(one.machine, one.loads[load])
                times.setdefault(one.name, {}).setdefault(load, []).append(run)


def time_cell(runs):
    good = [run for run in runs if "p50" in run]
    text = spread([run["rate"] for run in runs])
    if good:
        text += f"; {number(statistics.median(run['p50'] for run in good))}, {number(statistics.median(run['p99'] for run in good))} µs"
    failed = [run["errors"] for run in runs if run["errors"]]
    return text + (f"; {len(failed)} runs with errors ({failed[0]})" if failed else "")


def ratios(ours, theirs):
    return [mine["rate"] / other["rate"] for mine, other in zip(ours, theirs) if other["rate"]]


def report(result):
    names = list(result["counts"])
    all_loads = list(result["counts"][names[0]])
    parts = [f"# HTTP: a page of {peers.PAGE_SIZE} bytes, one vCPU, tap ({result['date']})", "", "Guest instructions for a request", "",
             *table([""] + names, [[load] + [number(result["counts"][name].get(load)) for name in names] for load in all_loads]), ""]
    if not result["times"]:
        return "\n".join(parts)
    rows = []
    all_loads = list(result["times"][names[0]])
    for load in all_loads:
        row = [load] + [time_cell(result["times"][name][load]) for name in names]
        for name in names[1:]:
            pairs = ratios(result["times"][names[0]][load], result["times"][name][load])
            row.append(spread(pairs, 1) if pairs else "–")
        rows.append(row)
    parts += ["Requests a second: median (least … most) of the rounds; latency p50, p99. Ratios are paired by round", "",
              *table([""] + names + [f"ours / {name}" for name in names[1:]], rows), "",
              "apart: QEMU has one processor of the host, the client another", ""]
    shares = [[load] + [busy.cell(result["times"][name][load], 100) for name in names] for load in all_loads]
    return "\n".join(parts + ["Who was busy: % of a host processor that the guest's CPU, QEMU's devices and the client took", "",
                              *table([""] + names, shares)]) + "\n"


def lost(result, name):
    """The loads under which a server did not answer everything, while it was counted or timed."""
    counted = [f"{load}, while counting" for load, count in result["counts"][name].items() if count is None]
    return counted + [f"{load}: {run['errors']}" for load, runs in result["times"].get(name, {}).items() for run in runs if run["errors"]]


def run_web(options):
    servers = peers.chosen(options)
    for server in servers:
        server.build()
    tools.plugin()
    enter_namespace()  # from here on nothing is fetched
    if options.priority:
        tools.take_priority()
    result = {"date": datetime.datetime.now().isoformat(timespec="minutes"), "counts": {}, "times": {}}
    for server in servers:
        tools.say(f"counting instructions of {server.name}")
        result["counts"][server.name] = count_server(server, options.seconds)
    for index in range(0 if options.counts_only else options.rounds):
        tools.say(f"timing, round {index + 1} of {options.rounds}")
        time_round(servers, index, options.seconds, result["times"])
    tools.keep("http", result, report(result))
    if wrong := lost(result, servers[0].name):
        raise tools.BenchError(f"{servers[0].name} lost requests: {'; '.join(wrong)}")
    return 0
