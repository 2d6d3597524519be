# The costs of work items: ours, and those of the peers.
# SPDX-License-Identifier: MIT
import statistics

import tools
from machine import Machine

BEGIN, END, RUN = 1, 2, 3


def add_commands(commands):
    item = commands.add_parser("item", help="guest instructions of an empty work item: submit, run, wait")
    item.set_defaults(run=run_item)


def spread(values):
    values = sorted(values)
    return f"median {statistics.median(values):g}, least {values[0]}, most {values[-1]}, of {len(values)}"


def run_item(options):
    folder = tools.images("work")
    for cores in (1, 2):
        with Machine(folder / "work", cores=cores, count=True) as machine:
            machine.answer("ready")
            machine.ask("item 1000")
            machine.finish()
            found = machine.counts.between(BEGIN, END, first=100)
            print(f"empty item, submit + run + wait, {cores} core{'s' * (cores > 1)}: {spread(found)} instructions")
    return 0
