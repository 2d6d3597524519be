# Sustained load on http_server: wrk and ab in alternation; nothing is lost, and nothing becomes slower.
# SPDX-License-Identifier: MIT
"""What a request costs in instructions must not rise: that does not depend on the host. Requests a second do: when they have fallen,
a freshly booted machine, measured in alternation with the long-running one, shows whether the host slowed down."""
import argparse
import datetime
import statistics

from . import boot
from . import peers
from . import tools
from . import web
from .machine import Live
from .work_report import number, table

from harness.network import enter_namespace

EDGE = 3        # runs at the beginning and at the end that are compared, of wrk and of ab each
WORSE = 0.10    # what may be lost between them
CONNECTIONS = 30
TOOLS = ("wrk", "ab")
LEAST_RUNS = len(TOOLS) * (EDGE + 1)  # with fewer, beginning and end would be the same runs


def add_commands(commands):
    soak = commands.add_parser("soak", help="runs of wrk and ab without a pause: fails on a lost connection or when http_server slows down")
    soak.add_argument("--series", type=tools.positive, default=3, help="how often all is done, each time with a new machine (3)")
    soak.add_argument("--runs", type=enough, default=20, help=f"runs of a series, wrk and ab alternating (20; at least {LEAST_RUNS})")
    soak.add_argument("--seconds", type=tools.positive, default=2, help="of one run of wrk (2); ab makes 2,000 connections for each")
    soak.set_defaults(run=run_soak)


def enough(text):
    number_of_runs = tools.positive(text)
    if number_of_runs < LEAST_RUNS:
        raise argparse.ArgumentTypeError(f"{text} runs have no beginning and end to compare; {LEAST_RUNS} are the least")
    return number_of_runs


def load(server, network, tool, seconds):
    if tool == "wrk":
        return web.wrk(server.page, CONNECTIONS, seconds, network.guest)
    return web.ab(server.page, CONNECTIONS, 2000 * seconds, network.guest)


def edges(values):
    """Median of the first and of the last ones."""
    return statistics.median(values[:EDGE]), statistics.median(values[-EDGE:])


def of(runs, tool, key):
    return [run[key] for run in runs if run["tool"] == tool]


def lost(runs):
    return [f"run {number_}, {run['tool']}: {run['errors']}" for number_, run in enumerate(runs, 1) if run["errors"]]


def dearer(runs):
    """Sentences about what costs more instructions at the end than at the beginning."""
    for tool in TOOLS:
        counts = of(runs, tool, "instructions")
        if len(counts) > EDGE:
            first, last = edges(counts)
            if last > first * (1 + WORSE):
                yield f"{tool}: {first:,.0f} instructions a request at first, {last:,.0f} at last ({100 * (last / first - 1):+.0f} %)"


def slower(runs):
    """The tools whose last rates are lower than their first ones."""
    return [tool for tool in TOOLS if len(of(runs, tool, "rate")) > EDGE and
            (lambda first, last: last < first * (1 - WORSE))(*edges(of(runs, tool, "rate")))]


def paired(server, worn, tool, seconds):
    """How fast the worn machine is beside one that has just started: median of the pairs."""
    pairs = []
    with boot.serving(server, index=1, count=True) as (network, _):
        load(server, network, tool, seconds)
        for _ in range(EDGE):
            fresh, old = (load(server, where, tool, seconds)["rate"] for where in (network, worn))
            pairs.append(old / fresh if fresh else 0)
    return statistics.median(pairs)


def one_run(server, network, live, tool, seconds):
    before = live.settled()
    run = load(server, network, tool, seconds)
    return {"tool": tool, "rate": run["rate"], "instructions": (live.settled() - before) / max(1, run["requests"]), "errors": run["errors"]}


def series(server, options, title):
    """One machine's life: its runs, and what is wrong with them."""
    runs = []
    with boot.serving(server, count=True) as (network, machine):
        load(server, network, "wrk", 1)
        with Live(machine) as live:
            for index in range(options.runs):
                runs.append(one_run(server, network, live, TOOLS[index % 2], options.seconds))
                run = runs[-1]
                tools.say(f"{title}, run {index + 1} of {options.runs}, {run['tool']}: {run['rate']:,.0f} a second, "
                          f"{run['instructions']:,.0f} instructions each{'; ' + run['errors'] if run['errors'] else ''}")
                if not machine.guest.alive():
                    raise machine.guest.failure("the machine ended under the load")
        wrong = lost(runs) + list(dearer(runs))
        for tool in slower(runs):
            pair = paired(server, network, tool, options.seconds)
            tools.say(f"{tool}'s rates have fallen; beside a fresh machine this one does {100 * pair:.0f} %")
            if pair < 1 - WORSE:
                wrong.append(f"{tool}: {' -> '.join(f'{rate:,.0f}' for rate in edges(of(runs, tool, 'rate')))} a second, "
                             f"{100 * pair:.0f} % of what a fresh machine does")
    return runs, wrong


def report(result):
    rows = []
    for index, one in enumerate(result["series"], 1):
        for tool in TOOLS:
            if not of(one["runs"], tool, "rate"):
                continue
            row = [f"{index}, {tool}", str(len(of(one["runs"], tool, "rate")))]
            for key in ("instructions", "rate"):
                first, last = edges(of(one["runs"], tool, key))
                row += [number(first), number(last)]
            rows.append(row + [str(sum(bool(run["errors"]) for run in one["runs"] if run["tool"] == tool))])
    wrong = [f"series {index}: {text}" for index, one in enumerate(result["series"], 1) for text in one["wrong"]]
    verdict = ["FAILED: " + text for text in wrong] or [f"passed: no connection lost, no request dearer by {100 * WORSE:.0f} %, no machine "
                                                        "slower than a fresh one"]
    head = ["series", "runs", "instructions, first", "last", "requests a second, first", "last", "runs with errors"]
    return "\n".join([f"# Soak: wrk and ab without a pause, {CONNECTIONS} connections ({result['date']})", "",
                      f"Medians of the first and of the last {EDGE} runs", "", *table(head, rows), "", *verdict]) + "\n"


def run_soak(options):
    server = peers.Ours()
    server.build()
    tools.plugin()
    enter_namespace()
    result = {"date": datetime.datetime.now().isoformat(timespec="minutes"), "series": []}
    for index in range(options.series):
        runs, wrong = series(server, options, f"series {index + 1} of {options.series}")
        result["series"].append({"runs": runs, "wrong": wrong})
    tools.keep("soak", result, report(result))
    return 1 if any(one["wrong"] for one in result["series"]) else 0
