# What moved between two results: JSON files of this folder's commands, or of all of them together.
# SPDX-License-Identifier: MIT
import collections
import json
import pathlib
import statistics

from . import tools

LEAST = 0.02
TIMED = {"times", "seconds", "rates", "rate", "speed", "fairness"}  # keys of what depends on the host
CIRCUMSTANCES = {"date", "took", "became", "host", "tree", "with", "requests"}  # no figures of the project


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
    if not all(one == one for one in old + new) or (max(len(old), len(new)) > 1 and min(old) <= max(new) and min(new) <= max(old)):
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


def alone(paths):
    """Lines that tell which figures only one of the results has, those of one part together."""
    parts = collections.Counter(path[:3] if path[0] == "parts" else path[:2] for path in paths)
    return [f"{' / '.join(part)}{f' and {count - 1} more of it' if count > 1 else ''}" for part, count in sorted(parts.items())]


def shown(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def moves(before, after, paths):
    for path in sorted(paths):
        if part := change(before[path], after[path]):
            old, new = (shown(statistics.median(values[path])) for values in (before, after))
            yield f"{' / '.join(path)}: {old} -> {new} ({100 * part:+.1f} %)"


def run_compare(options):
    before, after = (dict(figures(read(path))) for path in (options.before, options.after))
    both = before.keys() & after.keys()
    if not both:
        raise tools.BenchError(f"{options.before} and {options.after} have no figure in common.")
    timed = {path for path in both if TIMED & set(path)}
    for title, paths in (("Counts and bytes", both - timed), ("Seconds, rates and ratios, which depend on the host's other work, too", timed)):
        lines = list(moves(before, after, paths))
        print(f"{title}: {len(lines)} of {len(paths)} moved by {100 * LEAST:g} % or more, out of the spread of their rounds")
        for line in lines:
            print("  " + line)
    for one, other, path in ((before, after, options.before), (after, before, options.after)):
        for line in alone(one.keys() - other.keys()):
            print(f"only in {path}: {line}")
    return 0
