# From the start of QEMU to the first answer of a web server: seconds, and instructions from reset.
# SPDX-License-Identifier: MIT
import contextlib
import datetime
import time

from . import first
from . import peers
from . import tools
from .machine import Live
from .work_report import spread, table

from harness import TestFailure
from harness.network import enter_namespace

# Of q35 without what neither guest uses: the AHCI controller, whose empty ports SeaBIOS looks at for 10 ms, the keyboard's controller, SMBus.
MACHINES = {"q35": "q35", "q35-lean": "q35,sata=off,i8042=off,smbus=off", "microvm": "microvm"}
PATIENCE, TRIES = 30, 5  # seconds for one start; starts of a peer
COUNTS = 3  # boots with the counter: a clock that is compared with another one takes as many turns as the host lets it
AIMS = {"q35": "at most 0.05 of Linux", "q35-lean": "at most 0.05 of Linux", "microvm": "at most 0.10 s"}


def add_commands(commands):
    boot = commands.add_parser("boot", help="from the start of QEMU to the first response, beside nginx on a Linux guest")
    boot.add_argument("--rounds", type=tools.positive, default=7, help="how often all are started, in alternation (7)")
    boot.add_argument("--machine", choices=list(MACHINES), action="append", help="of QEMU (all; may be repeated)")
    boot.add_argument("--priority", action="store_true", help="as root, on a busy host: what is measured runs before other programs")
    peers.add_options(boot)
    boot.set_defaults(run=run_boot)


def first_answer(server, machine, timeout, network):
    """Waits for the first response. When instructions are counted, a try comes once a second, since each costs some."""
    rules = {"least": 1, "most": 1} if machine.count else {"signs": lambda: first.frames(network.name)}
    with first.Client((network.guest, 80), server.page, **rules) as client:
        while machine.guest.alive() and time.monotonic() - machine.guest.started < timeout:
            if answer := client.look():
                peers.check(server, machine, *answer)
                return
    said = f"; the last try: {client.said}" if client.said else ""
    raise machine.guest.hang(f"{server.name} gave no answer within {timeout} s{said}") if machine.guest.alive() else \
        machine.guest.failure(f"{server.name} ended before it gave an answer")


@contextlib.contextmanager
def serving(server, machine="q35", index=0, card=None, **options):
    """(network, machine) of a server that has given its first answer. A Linux guest may hang in its early boot on a busy host: a peer
    gets another try, which is told; ours does not."""
    for left in reversed(range(1 if isinstance(server, peers.Ours) else TRIES)):
        with contextlib.ExitStack() as stack:
            network = stack.enter_context(peers.Network(machine, index, card))
            running = stack.enter_context(server.machine(network, machine=machine, **options))
            try:
                first_answer(server, running, PATIENCE, network)
            except TestFailure as failure:
                if not left or not running.guest.alive():
                    raise
                tools.say(f"{str(failure).splitlines()[0]}; another try")
                continue
            yield network, running
            return


def seconds_of(server, kind):
    with serving(server, MACHINES[kind]) as (_, machine):
        return time.monotonic() - machine.guest.started


def instructions_of(server, kind):
    """From reset, the firmware's among them."""
    with serving(server, MACHINES[kind], count=True) as (_, machine), Live(machine) as live:
        return live.read()[0]


def rows_of(result):
    names = list(next(iter(result["seconds"].values())))
    for kind, seconds in result["seconds"].items():
        row = [f"{kind}: s"] + [spread(seconds[name], 3) for name in names]
        for name in names[1:]:
            row.append(spread([mine / theirs for mine, theirs in zip(seconds[names[0]], seconds[name])], 3))
        yield row + [AIMS[kind]]
        yield [f"{kind}: instructions from reset"] + [spread(result["counts"][kind][name]) for name in names] + [""] * len(names)


def report(result):
    names = list(next(iter(result["seconds"].values())))
    return "\n".join([f"# From the start of QEMU to the first response ({result['date']})", "",
                      "Median (least … most) of the rounds; ratios are paired by round", "",
                      *table([""] + names + [f"ours / {name}" for name in names[1:]] + ["aim"], rows_of(result))]) + "\n"


def run_boot(options):
    servers = peers.chosen(options)
    for server in servers:
        server.build()
    tools.plugin()
    enter_namespace()
    if options.priority:
        tools.take_priority()
    kinds = options.machine or list(MACHINES)
    result = {"date": datetime.datetime.now().isoformat(timespec="minutes"), "counts": {}, "seconds": {}}
    for kind in kinds:
        tools.say(f"{kind}: counting instructions")
        result["counts"][kind] = {server.name: [instructions_of(server, kind) for _ in range(COUNTS)] for server in servers}
    for index in range(options.rounds):
        tools.say(f"timing, round {index + 1} of {options.rounds}")
        for kind in kinds:
            for server in tools.turn(servers, index):
                result["seconds"].setdefault(kind, {}).setdefault(server.name, []).append(seconds_of(server, kind))
    for kind in kinds:  # in the order of the servers, whoever began
        result["seconds"][kind] = {server.name: result["seconds"][kind][server.name] for server in servers}
    tools.keep("boot", result, report(result))
    return 0
