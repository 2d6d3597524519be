# http_server beside nginx on a Linux guest: instructions of a request, requests a second, latency.
# SPDX-License-Identifier: MIT
import datetime
import json
import re
import statistics
import time

import linux
import tools
from machine import Live, Machine
from work_report import number, table

from network import GUEST4, TapNetwork, connect, enter_namespace  # tests/guest

CONNECTIONS = [1, 30, 256]
URL = f"http://{GUEST4}/page.html"  # 612 bytes, as web servers are usually compared


def add_commands(commands):
    web = commands.add_parser("http", help="http_server beside nginx on a Linux guest, over a tap in a namespace without a route")
    web.add_argument("--rounds", type=int, default=3, help="how often both are timed, turn by turn (3)")
    web.add_argument("--seconds", type=int, default=2, help="of one run of wrk (2)")
    web.add_argument("--ours-alone", action="store_true", help="without the Linux guest")
    web.add_argument("--priority", action="store_true", help="as root, on a busy host: what is measured runs before other programs")
    web.set_defaults(run=run_web)


class Ours:
    name = "http_server"

    def build(self):
        self.image = tools.images(self.name) / self.name / self.name

    def machine(self, network, **options):
        return Machine(self.image, append=network.append, arguments=network.arguments, pass_fds=network.pass_fds, **options)


class Nginx:
    name = "nginx on Linux"

    def build(self):
        self.kernel = linux.kernel()
        self.initrd = linux.nginx(tools.BENCH / "web")

    def machine(self, network, **options):
        options.setdefault("memory", "256")
        return Machine(self.kernel, pass_fds=network.pass_fds,
                       append=f"{linux.APPEND} program=/usr/sbin/nginx address={GUEST4}",
                       arguments=[*network.arguments, "-initrd", str(self.initrd)], **options)


def microseconds(text):
    value, unit = re.match(r"([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def wrk(connections, seconds):
    said = tools.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", URL])

    def tell(pattern):
        found = re.search(pattern, said, re.MULTILINE)
        if not found:
            raise tools.BenchError(f"wrk's answer is not understood (no /{pattern}/):\n{said}")
        return found[1]

    errors = re.search(r"Socket errors.*|Non-2xx.*", said)
    return {"rate": float(tell(r"^Requests/sec: +([\d.]+)")), "requests": int(tell(r"(\d+) requests in")),
            "p50": microseconds(tell(r"^ +50% +(\S+)")), "p99": microseconds(tell(r"^ +99% +(\S+)")),
            "errors": errors[0] if errors else ""}


def ab(requests):
    """Each request on a connection of its own."""
    said = tools.run(["ab", "-q", "-n", requests, "-c", 10, "-s", 20, URL])
    return {"rate": float(re.search(r"Requests per second:\s+([\d.]+)", said)[1]), "requests": requests,
            "errors": "" if re.search(r"Failed requests:\s+0\b", said) else re.search(r"Failed requests:.*", said)[0]}


def loads(seconds):
    """Name of each load, and the function that runs it."""
    for connections in CONNECTIONS:
        yield f"keep-alive, {connections} at once", lambda connections=connections: wrk(connections, seconds)
    yield "a connection each, 10 at once", lambda: ab(1000 * seconds)


def up(machine):
    connect((GUEST4, 80), 60).close()
    return machine


def count_server(server, seconds):
    """Instructions of one request under each load, and from exec to the first response."""
    result = {}
    with TapNetwork() as network, server.machine(network, count=True) as machine:
        up(machine)
        wrk(1, 1)
        with Live(machine) as live:
            for name, load in loads(seconds):
                before = live.settled()
                requests = load()["requests"]
                time.sleep(0.3)  # the last connections end
                result[name] = (live.read()[0] - before) / requests
    return result


def time_server(server, seconds, times):
    with TapNetwork() as network, server.machine(network) as machine:
        began = time.monotonic()
        up(machine)
        times.setdefault("first", []).append(time.monotonic() - began)
        wrk(1, 1)
        for name, load in loads(seconds):
            times.setdefault(name, []).append(load())


def report(result):
    names = list(result["counts"])
    rows = [[load] + [number(result["counts"][name].get(load)) for name in names] for load in result["counts"][names[0]]]
    parts = [f"# HTTP: a page of 612 bytes, one vCPU, tap ({result['date']})", "",
             "Guest instructions for a request", "", *table([""] + names, rows), ""]
    rows = []
    for load in result["counts"][names[0]]:
        row, rates = [load], []
        for name in names:
            runs = result["times"][name][load]
            rates.append([run["rate"] for run in runs])
            latency = f"; {number(statistics.median(run['p50'] for run in runs))}, {number(statistics.median(run['p99'] for run in runs))} µs" \
                if "p50" in runs[0] else ""
            failed = sum(bool(run["errors"]) for run in runs)
            row.append(f"{number(statistics.median(rates[-1]))} ({number(min(rates[-1]))} … {number(max(rates[-1]))}){latency}" +
                       (f"; {failed} runs with errors" if failed else ""))
        if len(names) > 1:
            row.append(f"{statistics.median(mine / theirs for mine, theirs in zip(*rates)):.1f}")
        rows.append(row)
    head = [""] + names + (["ratio"] if len(names) > 1 else [])
    parts += ["Requests a second: median (least … most) of the rounds; latency p50, p99. The ratio is paired by round", "",
              *table(head, rows), ""]
    row = ["start of QEMU to the first connection, s"] + [f"{statistics.median(result['times'][name]['first']):.2f}" for name in names]
    return "\n".join(parts + table([""] + names, [row])) + "\n"


def run_web(options):
    servers = [Ours()] if options.ours_alone else [Ours(), Nginx()]
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
    for index in range(options.rounds):
        tools.say(f"timing, round {index + 1} of {options.rounds}")
        for server in servers:
            time_server(server, options.seconds, result["times"].setdefault(server.name, {}))
    text = report(result)
    (tools.BUILD / "http.json").write_text(json.dumps(result, indent=1))
    (tools.BUILD / "http.md").write_text(text)
    print(text)
    print(f"The same in {tools.BUILD}/http.md, the figures in http.json.")
    return 0
