#!/usr/bin/env python3
# The measurements of the project, each a command: what `ci/bench` runs.
# SPDX-License-Identifier: MIT
import argparse
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
import boot  # noqa: E402
import compare  # noqa: E402
import flame  # noqa: E402
import footprint  # noqa: E402
import guard  # noqa: E402
import heap  # noqa: E402
import net  # noqa: E402
import soak  # noqa: E402
import web  # noqa: E402
import work  # noqa: E402
from harness import TestFailure  # noqa: E402
from tools import BenchError  # noqa: E402


# What `ci/bench` and `ci/bench quick` run: each a command line of its own.
QUICK = [["guard"], ["item"], ["footprint", "--ours-alone"], ["http", "--ours-alone", "--rounds", "1"]]
ALL = [["guard"], ["footprint"], ["work"], ["http"]]


def add_sets(commands):
    for name, lines, text in (("quick", QUICK, "the counts, and our own images alone: some minutes"),
                              ("all", ALL, "everything, with the peers; what `ci/bench` runs without a command")):
        commands.add_parser(name, help=f"{text} ({', '.join(line[0] for line in lines)})").set_defaults(
            run=lambda _, lines=lines: run_set(lines))


def run_set(lines):
    """Each in a process of its own, since some go into a network namespace."""
    return max([subprocess.run([sys.executable, "-B", __file__, *line], check=False).returncode for line in lines])


def main():
    parser = argparse.ArgumentParser(prog="ci/bench", description="Measures libbaremetal, with its peers beside it.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    add_sets(commands)
    work.add_commands(commands)
    flame.add_commands(commands)
    boot.add_commands(commands)
    web.add_commands(commands)
    net.add_commands(commands)
    soak.add_commands(commands)
    footprint.add_commands(commands)
    guard.add_commands(commands)
    heap.add_commands(commands)
    compare.add_commands(commands)
    options = parser.parse_args(sys.argv[1:] or ["all"])
    try:
        return options.run(options)
    except (BenchError, TestFailure) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
