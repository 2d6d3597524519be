#!/usr/bin/env python3
# The measurements of the project, each a command: what `ci/bench` runs.
# SPDX-License-Identifier: MIT
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
import boot  # noqa: E402
import compare  # noqa: E402
import flame  # noqa: E402
import footprint  # noqa: E402
import guard  # noqa: E402
import heap  # noqa: E402
import net  # noqa: E402
import sets  # noqa: E402
import soak  # noqa: E402
import web  # noqa: E402
import work  # noqa: E402
from harness import TestFailure  # noqa: E402
from tools import BenchError  # noqa: E402


def main():
    parser = argparse.ArgumentParser(prog="ci/bench", description="Measures libbaremetal, with its peers beside it.", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in (sets, guard, boot, web, net, soak, footprint, work, heap, flame, compare):
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
