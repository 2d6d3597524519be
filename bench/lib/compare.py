# What moved between two results: JSON files of this folder's commands, or of all of them together.
# SPDX-License-Identifier: MIT
import json
import pathlib
import statistics

import tools

LEAST = 0.02
CIRCUMSTANCES = {"date", "took", "became", "host", "tree", "with"}  # no figures of the project


def add_commands(commands):
    compare = commands.add_parser("compare", help="what moved between two results, such as two results.json or work.json")
    compare.add_argument("before", type=pathlib.Path)
    compare.add_argument("after", type=pathlib.Path)
    compare.set_defaults(run=run_compare)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def figures(value, path=()):
    """(path, numbers) of each figure: one number, or those of all rounds."""
    if isinstance(value, dict):
        for key, below in value.items():
            if key not in CIRCUMSTANCES:
                yield from figures(below, (*path, key))
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        for key in dict.fromkeys(key for one in value for key in one):
            yield from figures([one[key] for one in value if key in one], (*path, key))
    elif isinstance(value, list) and value and all(is_number(one) for one in value):
        yield path, value
    elif is_number(value):
        yield path, [value]


def change(old, new):
    """How far the median moved, as a part of the old one; 0 when the rounds of both overlap, or when it is too little."""
    if not all(one == one for one in old + new) or (len(old) > 1 and len(new) > 1 and min(old) <= max(new) and min(new) <= max(old)):
        return 0
    before, after = statistics.median(old), statistics.median(new)
    if not before:
        return float("inf") if after else 0
    return after / before - 1 if abs(after / before - 1) >= LEAST else 0


def read(path):
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise tools.BenchError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise tools.BenchError(f"{path} is no JSON: {error}.") from None


def run_compare(options):
    before, after = (dict(figures(read(path))) for path in (options.before, options.after))
    both = before.keys() & after.keys()
    if not both:
        raise tools.BenchError(f"{options.before} and {options.after} have no figure in common.")
    moved = 0
    for path in sorted(both):
        if part := change(before[path], after[path]):
            moved += 1
            print(f"{' / '.join(path)}: {statistics.median(before[path]):,.4g} -> {statistics.median(after[path]):,.4g} ({100 * part:+.1f} %)")
    for path in sorted(before.keys() ^ after.keys()):
        print(f"{' / '.join(path)}: only in {options.before if path in before else options.after}")
    print(f"{moved} of {len(both)} figures moved by {100 * LEAST:g} % or more, out of the spread of their rounds")
    return 0
