# What malloc and free cost with each heap: instructions on one core, pairs a second on several.
# SPDX-License-Identifier: MIT
import re
import statistics

from . import tools
from .machine import Guest
from .work_report import table

HEAPS = ["libc", "malloc_bump", "malloc_list", "malloc_block", "mimalloc"]
COUNTS = ["pair 64", "pair 1000", "pair 20000", "mixed", "frames for those", "frame"]
CORES = [1, 2, 4]


def add_commands(commands):
    heap = commands.add_parser("heap", help="instructions of malloc and free with each heap, and how they scale")
    heap.add_argument("--rounds", type=tools.positive, default=5, help="how often the rates are measured, in alternation (5)")
    heap.set_defaults(run=run_heap)


def boot(image, smp, append="", arguments=()):
    """What the image printed, as {text: number}."""
    with Guest(image, machine="q35", smp=smp, memory="128", append=append, arguments=arguments) as guest:
        status = guest.wait(300)
        if status != 33:
            raise tools.BenchError(f"{image.name} ended with status {status}:\n{guest.text()}")
        return {text: int(number) for text, number in re.findall(r"^(\w[\w ]*): (\d+)$", guest.text(), re.MULTILINE)}


def rate_row(heap, rates):
    alone = statistics.median(rate["mixed 1"] for rate in rates)
    return [heap, f"{alone:,.0f}"] + [f"{speedup(rates, 'mixed', cores):.2f} of {speedup(rates, 'computing', cores):.2f}" for cores in CORES[1:]]


def report(result):
    rows = [[heap] + [f"{counts[column]:,}" for column in COUNTS] for heap, counts in result["counts"].items()]
    return "\n".join(["# Heaps", "", "Instructions of malloc and free together, calls included; frames that 20,000 mixed pairs took; the same "
                      "for a single frame", "", *table(["heap"] + COUNTS, rows), "",
                      "Mixed sizes: pairs a millisecond on one core (depends on the host); how many times that on several, of what "
                      "computing alone reaches", "", *table(["heap", "1 core", "2 cores", "4 cores"],
                                                            [rate_row(*item) for item in result["rates"].items()])]) + "\n"


def run_heap(options):
    counted = HEAPS + ["frame_cache"]  # the C library's heap again, with caches of frames
    folder = tools.images(*[f"heap_{heap}" for heap in counted])
    result = {"counts": {}, "rates": {heap: [] for heap in HEAPS}}
    for heap in counted:
        tools.say(f"counting instructions of {heap}")
        result["counts"][heap] = boot(folder / f"heap_{heap}", "1,maxcpus=2", "-- count", ["-icount", "shift=0,sleep=off"])
    for index in range(options.rounds):
        tools.say(f"timing, round {index + 1} of {options.rounds}")
        for heap in tools.turn(HEAPS, index):
            result["rates"][heap].append(boot(folder / f"heap_{heap}", "4"))
    tools.keep("heap", result, report(result))
    return 0


def speedup(rates, job, cores):
    return statistics.median(rate[f"{job} {cores}"] / rate[f"{job} 1"] for rate in rates)
