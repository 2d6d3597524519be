# What moved between two results: JSON files of this folder's commands.
# SPDX-License-Identifier: MIT
import json
import pathlib
import statistics

LEAST = 0.02


def add_commands(commands):
    compare = commands.add_parser("compare", help="what moved between two results, such as two work.json")
    compare.add_argument("before", type=pathlib.Path)
    compare.add_argument("after", type=pathlib.Path)
    compare.set_defaults(run=run_compare)


def figures(value, path=()):
    """(path, number) of each figure; a list of numbers, or of runs, counts by its median."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from figures(below, (*path, key))
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        for key in value[0]:
            yield from figures([one[key] for one in value if key in one], (*path, key))
    elif isinstance(value, list) and value and all(isinstance(one, (int, float)) for one in value):
        yield path, statistics.median(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value


def run_compare(options):
    before, after = (dict(figures(json.loads(path.read_text()))) for path in (options.before, options.after))
    moved = 0
    for path in sorted(before.keys() & after.keys()):
        old, new = before[path], after[path]
        if old == old and new == new and old and abs(new / old - 1) >= LEAST:
            moved += 1
            print(f"{' / '.join(path)}: {old:,.4g} -> {new:,.4g} ({100 * (new / old - 1):+.1f} %)")
    for path in sorted(before.keys() ^ after.keys()):
        print(f"{' / '.join(path)}: only in {options.before if path in before else options.after}")
    print(f"{moved} of {len(before.keys() & after.keys())} figures moved by {100 * LEAST:g} % or more")
    return 0
