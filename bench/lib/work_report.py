# The table and the curve of `ci/bench work`.
# SPDX-License-Identifier: MIT
import statistics

from . import draw


def number(value, digits=0):
    return "–" if value is None or value != value else f"{value:,.{digits}f}"


def spread(values, digits=0):
    return f"{number(statistics.median(values), digits)} ({number(min(values), digits)} … {number(max(values), digits)})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---" if i == 0 else "---:" for i in range(len(head))) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


COUNT_ROWS = [
    ("item.1", "empty item, one vCPU: submit + run + wait"),
    ("item.2", "the same, two vCPUs, run where it was submitted"),
    ("across", "run by another core that is awake: both cores, without waiting"),
    ("named", "the same, to a core by name"),
    ("idle", "run by another core that has halted: both cores, without waiting"),
    ("many.1", "one of 1,000 items submitted and waited for together, one vCPU"),
    ("many.2", "the same, two vCPUs: both cores, waiting included"),
    ("for", "parallel loop over two cores, one index each: both cores, without waiting"),
]
TIME_ROWS = [
    ("item", "empty item: submit + run + wait"),
    ("across", "run by another core that looks for work"),
    ("named", "the same, to a core by name"),
    ("idle.run", "to another core that has halted, until it runs"),
    ("idle.done", "the same, until the waiting one goes on"),
    ("many", "one of 1,000 items submitted and waited for together"),
    ("for", "parallel loop over two cores, empty body"),
]


def counts_table(result):
    names = list(result["counts"])
    rows = [[text] + [number(result["counts"][name].get(key), 0) for name in names] for key, text in COUNT_ROWS
            if any(key in result["counts"][name] for name in names)]
    return ["Guest instructions, counted (medians)", ""] + table([""] + names, rows)


def times_table(result):
    names = list(result["times"])
    ours, lines = result["times"][names[0]], []
    for key, text in TIME_ROWS:
        row = [text]
        for name in names:
            values = result["times"][name].get(key) or []
            row.append(f"{number(statistics.median(values))} ({number(min(values))} … {number(max(values))})" if values else "–")
        for name in names[1:]:
            pairs = [theirs / mine for mine, theirs in zip(ours.get(key) or [], result["times"][name].get(key) or [])]
            row.append(f"{number(statistics.median(pairs), 1)}" if pairs else "–")
        lines.append(row)
    head = [""] + names + [f"{name} / ours" for name in names[1:]]
    return ["Nanoseconds of an emulated machine with two vCPUs: median (least … most) of the rounds; ratios are paired by round", ""] + \
        table(head, lines)


QUIET = 1.95       # what the host's two threads reach when nothing else runs there
IMPOSSIBLE = 2.05  # a higher speed-up shows that the host was busy during the part on one core


def quiet(pair):
    return pair["control"] >= QUIET and pair["speed"] <= IMPOSSIBLE


def quiet_speeds(pairs):
    return [pair["speed"] for pair in pairs if quiet(pair)]


def speed_table(result):
    rows = []
    for length, runs in result["speed"].items():
        row = [f"items of {length} µs"]
        for name, pairs in runs.items():
            speeds = quiet_speeds(pairs)
            row.append(f"{statistics.median(pair['speed'] for pair in pairs):.2f}; "
                       f"{f'{statistics.median(speeds):.2f} of {len(speeds)}' if speeds else '– of 0'}")
        controls = [pair["control"] for pairs in runs.values() for pair in pairs]
        row.append(f"{statistics.median(controls):.2f} ({min(controls):.2f} … {max(controls):.2f})")
        rows.append(row)
    names = list(next(iter(result["speed"].values())))
    return ["Speed-up on two vCPUs: median of all rounds; median of those in which the host's own two threads reached 1.95 before "
            "and behind", ""] + table([""] + names + ["host's threads"], rows)


def jain(counts):
    """1 when all cores ran the same number of items, 1/n when one ran all (Jain, Chiu and Hawe 1984)."""
    return sum(counts) ** 2 / (len(counts) * sum(count * count for count in counts))


def fairness_table(result):
    rows = []
    for cores, runs in result["fairness"].items():
        for name, counts in runs.items():
            shares = [100 * count / sum(one) for one in counts for count in one]
            rows.append([f"{cores} vCPUs, {name}", f"{statistics.median(jain(one) for one in counts):.3f}",
                         f"{min(shares):.0f} … {max(shares):.0f} %", "; ".join(" ".join(map(str, one)) for one in counts[:2])])
    return ["Who ran the items of 10 µs that core 0 submitted", ""] + \
        table(["", "fairness (1 is even)", "share of a core", "items of each core, two rounds"], rows)


def goals(result):
    ours, gomp = result["counts"]["libbaremetal"], result["counts"].get("libgomp", {})
    times = result["times"]
    lines = []

    def goal(text, value, good, shown):
        met = "–" if value is None or value != value else ("met" if good(value) else "NOT met")
        lines.append([text, shown.format(value) if met != "–" else "–", met])

    goal("empty item, one core, at most 60 instructions", ours.get("item.1"), lambda value: value <= 60, "{:.0f}")
    goal("empty item, across two cores, at most 120", ours.get("across"), lambda value: value <= 120, "{:.0f}")
    pairs = [theirs / mine for mine, theirs in zip(times["libbaremetal"]["item"], times.get("libgomp", {}).get("item", []))]
    goal("items a second, at least 10 times libgomp's, two vCPUs", statistics.median(pairs) if pairs else None,
         lambda value: value >= 10, "{:.1f}")
    goal("parallel loop over two cores, at most 0.2 of libgomp's instructions",
         ours["for"] / gomp["for"] if gomp.get("for") else None, lambda value: value <= 0.2, "{:.2f}")
    speeds = quiet_speeds(result["speed"]["10"]["libbaremetal"])
    goal("speed-up with items of 10 µs at least 1.9 when the host's threads reach 1.95",
         statistics.median(speeds) if speeds else None, lambda value: value >= 1.9, "{:.3f}")
    return ["Goals", ""] + table(["goal", "measured", ""], lines)


def markdown(result):
    parts = [[f"# Work items: libbaremetal and its peers ({result['date']}, {result['qemu']})"], goals(result), counts_table(result),
             times_table(result), speed_table(result), fairness_table(result)]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def curve(result):
    """From quiet moments alone, where there were any."""
    names = list(next(iter(result["speed"].values())))
    series = []
    for name in names:
        series.append((name, [(float(length), quiet_speeds(runs[name]) or [pair["speed"] for pair in runs[name]])
                              for length, runs in result["speed"].items()]))
    series.append(("host's two threads", [
        (float(length), [pair["control"] for pairs in runs.values() for pair in pairs if pair["control"] >= QUIET] or
         [pair["control"] for pairs in runs.values() for pair in pairs]) for length, runs in result["speed"].items()]))
    return draw.curve("Speed-up on two vCPUs, while the host's own two threads reached 1.95", "length of an item in µs",
                      "times as fast as one core", series, top=2.4)
