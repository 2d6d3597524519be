# Several measurements in one go, each in a process of its own: one result of all, whatever becomes of a single one.
# SPDX-License-Identifier: MIT
import datetime
import hashlib
import json
import os
import platform
import signal
import subprocess
import sys
import time

from . import goals
from . import tools

# What `ci/bench quick` and `ci/bench` run: command lines.
QUICK = [["guard"], ["item"], ["footprint", "--ours-alone"], ["boot", "--ours-alone", "--rounds", "5"],
         ["http", "--ours-alone", "--rounds", "1"], ["net", "--ours-alone", "--rounds", "1"],
         ["soak", "--series", "1", "--runs", "8", "--seconds", "1"]]
ALL = [["guard"], ["footprint"], ["boot"], ["http", "--rounds", "5"], ["net"], ["wan", "--again"], ["soak"], ["heap", "--rounds", "3"],
       ["work"]]
WITH_PRIORITY = {"boot", "http", "net", "wan", "work"}
WITH_PEERS = {"footprint", "boot", "http"}
LIMIT = 15 * 60  # seconds: a part that takes longer hangs
SKIPPED = 77
CHANGED = ", which changed while it was measured"


def add_commands(commands):
    for name, lines, text in (("quick", QUICK, "the counts, and our own images alone: at most 5 minutes"),
                              ("all", ALL, "everything, with the peers, at most 30 minutes: what `ci/bench` runs without a command")):
        command = commands.add_parser(name, help=f"{text} ({', '.join(line[0] for line in lines)})")
        command.add_argument("--priority", action="store_true", help="as root, on a busy host: what is timed runs before other programs")
        if name == "all":
            command.add_argument("--peer", action="append", default=[], metavar="NAME=KERNEL…", help="as in `ci/bench http --help`")
        command.set_defaults(run=run_set, lines=lines, peer=[])


def stop(process):
    """The part and all that it has started: they share a session."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    process.stdout.close()


def run_part(line, limit=LIMIT):
    """One command; what it says goes by on the error output, its tables come at the end. Returns what became of it."""
    process = subprocess.Popen([sys.executable, "-B", str(tools.BENCH / "bench.py"), *line], stdout=subprocess.PIPE, text=True,
                               errors="replace", start_new_session=True)
    try:
        said, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        stop(process)
        return f"did not end within {limit} s"
    except BaseException:
        stop(process)
        raise
    if process.returncode == SKIPPED:
        return "skipped: " + said.strip().removeprefix("SKIPPED: ")
    if process.returncode:
        sys.stderr.write(said)
        return f"FAILED (status {process.returncode})"
    return "done"


def collected(name, suffix):
    """What the part wrote, or None; a part that failed may have written something all the same."""
    file = tools.BUILD / f"{name}.{suffix}"
    try:
        return json.loads(file.read_text()) if suffix == "json" else file.read_text()
    except (OSError, ValueError):
        return None


def report(result, texts):
    took = [f"- {name}: {became}, {result['took'][name]:.0f} s" for name, became in result["became"].items()]
    head = [f"# Measured on {result['date']}", "", f"{result['tree']}, {result['with']}, {result['host']}", "", *took, "",
            *goals.report(result["parts"]), ""]
    return "\n".join(head) + "\n" + "\n".join(text.replace("# ", "## ", 1) for text in texts)


def git(*words):
    return subprocess.run(["git", "-C", str(tools.TOP), *words], capture_output=True, text=True, errors="replace", check=False).stdout.strip()


def sources():
    """Changes when a source does, committed or not."""
    return hashlib.sha256((git("rev-parse", "HEAD") + git("diff", "HEAD")).encode()).hexdigest()


def conditions():
    described = git("describe", "--always", "--dirty")
    return {"date": datetime.datetime.now().isoformat(timespec="minutes"), "tree": f"commit {described or 'unknown'}",
            "with": f"{tools.compiler()}, QEMU {tools.qemu_version()} TCG",
            "host": f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the beginning, Linux {platform.release().split('-')[0]}"}


def run_set(options):
    tools.BUILD.mkdir(parents=True, exist_ok=True)
    result = {**conditions(), "became": {}, "took": {}, "parts": {}}
    texts, began, first_sources = [], time.monotonic(), sources()
    for index, line in enumerate(options.lines, 1):
        name = line[0]
        more = ["--priority"] if options.priority and name in WITH_PRIORITY else []
        more += [word for text in options.peer if name in WITH_PEERS for word in ("--peer", text)]
        for suffix in ("json", "md"):  # of an earlier run
            (tools.BUILD / f"{name}.{suffix}").unlink(missing_ok=True)
        tools.say(f"part {index} of {len(options.lines)}: {' '.join(line + more)}")
        start = time.monotonic()
        result["became"][name] = run_part(line + more)
        result["took"][name] = time.monotonic() - start
        tools.say(f"{name}: {result['became'][name]}, {result['took'][name]:.0f} s")
        if (figures := collected(name, "json")) is not None:
            result["parts"][name] = figures
            texts.append(collected(name, "md") or "")
        if sources() != first_sources and not result["tree"].endswith(CHANGED):
            result["tree"] += CHANGED
        tools.store("results", result, report(result, texts))  # an interrupted run keeps what it has
    print(report(result, texts))
    wrong = [name for name, became in result["became"].items() if became != "done" and not became.startswith("skipped")]
    print(f"{len(result['parts'])} of {len(options.lines)} parts measured in {(time.monotonic() - began) / 60:.1f} minutes; all of it in "
          f"{tools.BUILD}/results.md, the figures in results.json")
    if wrong:
        print(f"FAILED: {', '.join(wrong)}")
    return 1 if wrong else 0
