#!/usr/bin/env python3
# The measurements of the project, each a command: what `ci/bench` runs.
# SPDX-License-Identifier: MIT
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
import compare  # noqa: E402
import flame  # noqa: E402
import guard  # noqa: E402
import heap  # noqa: E402
import web  # noqa: E402
import work  # noqa: E402
from tools import BenchError  # noqa: E402


def main():
    parser = argparse.ArgumentParser(prog="ci/bench", description="Measures libbaremetal, with its peers beside it.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    work.add_commands(commands)
    flame.add_commands(commands)
    web.add_commands(commands)
    guard.add_commands(commands)
    heap.add_commands(commands)
    compare.add_commands(commands)
    options = parser.parse_args()
    try:
        return options.run(options)
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
