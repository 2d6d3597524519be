#!/usr/bin/env python3
# Makes docs/linux-calls.md of what libbaremetal/linux says of its calls, or checks that it is up to date; and that each pointer of theirs has
# a rule for Linux programs as they are.
# SPDX-License-Identifier: MIT
"""Usage: linux_calls.py [--write]"""
import re
import sys

import tree

FOLDER = tree.TOP / "libbaremetal/linux"
HEADERS = [FOLDER / "calls.h", FOLDER / "calls_ipc.h"]
PAGE = tree.TOP / "docs/linux-calls.md"
POINTERS = tree.TOP / "libbaremetal/executable/pointers.def"
HEAD = """# Linux' system calls

What programs with `-DBAREMETAL_LIBC=musl` can call. Made by `ci/check/linux_calls.py --write` from `calls.h`, `calls_ipc.h`, `absent.def` and
`numbers.def` of `libbaremetal/linux`. A call that is absent fails with ENOSYS, and the first time the log says so.

Calls are functions of the program, so there is no EFAULT for what a pointer leads to: an address that is not mapped ends the machine with a report of the
fault, as anywhere in the program. (A path of NULL, and sizes that no memory has, do give EFAULT, and so do paths, and data to be moved from or to memory, that the
program has mapped and cannot reach, in programs that open files and have mapped one.)
[Linux programs as they are](linux-programs.md) get EFAULT.
"""


def read_headers():
    return "\n".join(header.read_text() for header in HEADERS)


def read_states():
    """Call: what the line before it in calls.h says; the header's functions that are no calls have none."""
    found = re.findall(r"^// (complete|part: .*(?:\n// .*)*)\nlong bm_linux_(\w+)\(", read_headers(), re.M)
    return {name: state.replace("\n//", "") for state, name in found}


def make():
    """The page, and what is wrong with its sources."""
    numbers = [(name, int(number)) for number, name in re.findall(r"^BM_LINUX_NUMBER\((\d+), (\w+)\)", (FOLDER / "numbers.def").read_text(), re.M)]
    absent = re.findall(r"^BM_LINUX_ABSENT\((\w+)\)", (FOLDER / "absent.def").read_text(), re.M)
    states = read_states()
    known = {name for name, _ in numbers}
    problems = [f"{name} has no number in numbers.def" for name in [*states, *absent] if name not in known]
    problems += [f"{name} is neither in calls.h, with its state, nor in absent.def" for name in known if name not in states and name not in absent]
    problems += [f"{name} is both in calls.h and in absent.def" for name in absent if name in states]
    lines = [HEAD, f"## There: {len(states)}", "| call | number | how much |", "|---|---|---|"]
    lines += [f"| {name} | {number} | {states[name].removeprefix('part: ')} |" for name, number in numbers if name in states]
    lines += ["", f"## Absent: {len(absent)}", ", ".join(sorted(absent)) + "."]
    return "\n".join(lines) + "\n", problems


def check_pointers():
    """Pointers of calls that are there without a line in pointers.def, and lines of pointers that are none."""
    found = re.findall(r"^BM_EXECUTABLE_POINTER\((\w+), (\d),", POINTERS.read_text(), re.M)
    rules = {(name, int(number)) for name, number in found}
    states = read_states()
    for name, arguments in re.findall(r"^long bm_linux_(\w+)\(([^;]*?)\)(?: __attribute__.*)?;", read_headers(), re.M):
        if name not in states:
            continue
        pointers = {number for number, argument in enumerate(arguments.split(",")) if "*" in argument or "[" in argument}
        yield from (f"{name}: its argument {number}, a pointer, has no line in {POINTERS.relative_to(tree.TOP)}"
                    for number in sorted(pointers) if (name, number) not in rules)
        yield from (f"{POINTERS.relative_to(tree.TOP)}: argument {number} of {name} is no pointer" for call, number in sorted(rules)
                    if call == name and number not in pointers and name not in INTEGERS)


def check_counts():
    """Counts that pointers.def reads as 32 bits, and the call as more: what is above them would not have been looked at."""
    text = (FOLDER / "calls.h").read_text()
    calls = {name: arguments.split(",") for name, arguments in re.findall(r"^long bm_linux_(\w+)\(([^;]*?)\)(?: __attribute__.*)?;", text, re.M)}
    for name, kind, number in re.findall(r"^BM_EXECUTABLE_POINTER\((\w+), \d, [^,]+, (COUNT_INT|BITS|ARRAY|PIECES|MESSAGES), (\d),", POINTERS.read_text(), re.M):
        if name in calls and not re.search(r"\b(int|unsigned|uint32_t|bm_socklen_t)\b(?! long)", calls[name][int(number)]):
            yield f"{POINTERS.relative_to(tree.TOP)}: {name} takes more than 32 bits for its argument {number}, which {kind} does not look at"


# Calls with arguments that are numbers or pointers.
INTEGERS = {"fcntl", "arch_prctl", "prctl", "semctl"}


def main():
    page, problems = make()
    problems += check_pointers()
    problems += check_counts()
    if sys.argv[1:] == ["--write"] and not problems:
        PAGE.write_text(page)
    elif not problems and (not PAGE.is_file() or PAGE.read_text() != page):
        problems.append(f"{PAGE.relative_to(tree.TOP)} is not what its sources say: run ci/check/linux_calls.py --write")
    for problem in problems:
        print(problem)
    if not problems:
        print(f"ok: {len(read_states())} calls")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
