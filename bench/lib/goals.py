# What the project aims at, and whether a result reaches it.
# SPDX-License-Identifier: MIT
import statistics

from . import work_report
from .work_report import spread, table

NGINX = "nginx on Linux"


def pick(value, *keys):
    """What lies below these keys, or None where a part is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def paired(ours, theirs):
    """Ratios of two lists of numbers, round by round."""
    return [mine / other for mine, other in zip(ours, theirs) if other] if ours and theirs else None


def rates(parts, part, name, load, key):
    return [run[key] for run in pick(parts, part, "times", name, load) or []]


def quiet_speed(parts):
    pairs = pick(parts, "work", "speed", "10", "libbaremetal") or []
    return work_report.quiet_speeds(pairs)


def soak_verdict(parts):
    series = pick(parts, "soak", "series")
    return [sum(len(one["wrong"]) for one in series)] if series else None


def goals(parts):
    """(text, values, 'most' or 'least', aim, digits): the median of the values has to be at most, or at least, the aim."""
    guard, http, images = pick(parts, "guard", "counts"), pick(parts, "http", "counts", "http_server"), pick(parts, "footprint", "images")
    seconds, work = pick(parts, "boot", "seconds"), pick(parts, "work", "counts", "libbaremetal") or pick(parts, "item", "counts")
    times = pick(parts, "work", "times")
    yield "hello, bytes", pick(images, "hello", "bytes"), "most", 33 << 10, 0
    yield "http_server, bytes", pick(images, "http_server", "bytes"), "most", 172 << 10, 0
    yield "hello, least memory in MiB", pick(images, "hello", "least MiB"), "most", 2, 0
    yield "http_server, least memory in MiB", pick(images, "http_server", "least MiB"), "most", 4, 0
    yield "instructions, entry to main", pick(guard, "entry to main, no network device"), "most", 100000, 0
    yield "the same with virtio-net", pick(guard, "entry to main, virtio-net up"), "most", 250000, 0
    for machine in ("q35", "q35-lean"):
        yield f"start to first response, {machine}: part of Linux' time", \
            paired(pick(seconds, machine, "http_server"), pick(seconds, machine, NGINX)), "most", 0.05, 3
    yield "start to first response, microvm: seconds", pick(seconds, "microvm", "http_server"), "most", 0.10, 3
    yield "HTTP keep-alive, 30 at once: instructions", pick(http, "keep-alive, 30 at once"), "most", 4000, 0
    yield "HTTP, a connection each, 10 at once: instructions", pick(http, "a connection each, 10 at once"), "most", 20000, 0
    load = "keep-alive, 30 at once"
    yield "HTTP keep-alive, 30 at once: times nginx on Linux", \
        paired(rates(parts, "http", "http_server", load, "rate"), rates(parts, "http", NGINX, load, "rate")), "least", 15, 1
    for way in ("in", "out"):
        load = f"TCP stream {way}, by MiB"
        yield f"TCP stream {way}: times Linux", \
            paired(rates(parts, "net", "libbaremetal", load, "MB/s"), rates(parts, "net", "Linux", load, "MB/s")), "least", 2, 2
    yield "soak of wrk and ab: what went wrong", soak_verdict(parts), "most", 0, 0
    yield "empty work item, one core: instructions", pick(work, "item.1"), "most", 60, 0
    yield "empty work item, across two cores: instructions", pick(work, "across"), "most", 120, 0
    yield "work items a second: times libgomp", \
        paired(pick(times, "libgomp", "item"), pick(times, "libbaremetal", "item")), "least", 10, 1
    yield "speed-up on two cores, items of 10 µs", quiet_speed(parts), "least", 1.9, 2


def rows(parts):
    for text, values, way, aim, digits in goals(parts):
        values = values if isinstance(values, list) else [] if values is None else [values]
        if not values:
            continue
        middle = statistics.median(values)
        met = middle <= aim if way == "most" else middle >= aim
        shown = spread(values, digits) if len(values) > 1 else f"{middle:,.{digits}f}"
        yield [text, f"at {way} {aim:,}", shown, "met" if met else "NOT met"]


def report(parts):
    """Lines of Markdown; aims whose part was not measured are left out."""
    return ["Aims: medians (least … most)", "", *table(["", "aim", "measured", ""], list(rows(parts)))]
