#!/usr/bin/env python3
# The measurements of the project, each a command: what `ci/bench` runs.
# SPDX-License-Identifier: MIT
import argparse
import sys

from harness import TestFailure
from lib import boot, compare, disk, files, flame, footprint, guard, heap, net, programs, sets, soak, wan, web, work
from lib.tools import BenchError


def main():
    parser = argparse.ArgumentParser(prog="ci/bench", description="Measures libbaremetal, with its peers beside it.", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in (sets, guard, boot, web, net, wan, soak, footprint, work, heap, disk, files, programs, flame, compare):
        module.add_commands(commands)
    words = sys.argv[1:]
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words = ["all", *words]
    options, unknown = parser.parse_known_args(words)
    if unknown:  # said by the command's own parser, which lists its options
        commands.choices[options.command].error(f"unknown: {' '.join(unknown)}")
    try:
        return options.run(options)
    except (BenchError, TestFailure) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
