# Draws what the profiler found.
# SPDX-License-Identifier: MIT
"""Reads what a program with baremetal::profile wrote (docs/profile.md) and draws it as a flame graph (SVG, to standard output):
callers above what they call, widths are samples; a name shows its figures where the mouse is.

  baremetal-flamegraph < console > profile.svg
  baremetal-flamegraph --folded < console | flamegraph.pl > profile.svg

Lines that are not the profiler's are passed over, so a console's whole log may be given."""

import argparse
import collections
import html
import os
import re
import subprocess
import sys

HEAD = re.compile(r"^profile: (\d+) samples a second(?:, program at 0x([0-9a-f]+))?\s*$")
LINE = re.compile(r"^(?:profile: )?(core \d+;.*) (\d+)\s*$")
WIDTH, ROW, TOP, MARGIN, LETTER = 1400, 19, 36, 8, 6.6


def fail(words):
    sys.exit(f"error: baremetal-flamegraph: {words}")


def run(*words, **options):
    """What a program of binutils says."""
    try:
        return subprocess.run(words, env={**os.environ, "LC_ALL": "C"}, capture_output=True, encoding="utf-8", errors="replace", check=True,
                              **options).stdout
    except FileNotFoundError:
        fail(f"'{words[0]}' is missing (package binutils)")
    except subprocess.CalledProcessError as error:
        fail(f"{words[0]}: {error.stderr.strip()}")


def names_of_addresses(program, base, frames):
    """Of the frames that are addresses: the functions of the program there, outermost first where some were put into others."""
    frames = [frame for frame in frames if frame.startswith("0x") and int(frame, 16) >= base]
    if not frames:
        return {}
    said = run("addr2line", "-a", "-f", "-i", "-C", "-e", program, *(hex(int(frame, 16) - base) for frame in frames))
    found = {}
    for frame, block in zip(frames, re.split(r"^0x[0-9a-f]+\n", said, flags=re.MULTILINE)[1:]):
        found[frame] = [name for name in reversed(block.splitlines()[0::2]) if name != "??"] or [frame]
    return found


def names_of_cplusplus(frames):
    frames = [frame for frame in frames if frame.startswith("_Z")]
    if not frames:
        return {}
    return {frame: [name] for frame, name in zip(frames, run("c++filt", input="\n".join(frames) + "\n").splitlines())}


class Profile:
    """Samples by stack, outermost frame first."""

    def __init__(self):
        self.stacks, self.rate, self.base = collections.Counter(), None, 0

    def line(self, line):
        if head := HEAD.match(line):
            self.rate, self.base = int(head.group(1)), int(head.group(2) or "0", 16)
        elif found := LINE.match(line):
            self.stacks[tuple(found.group(1).split(";"))] += int(found.group(2))

    def named(self, program, cores):
        frames = sorted({frame for stack in self.stacks for frame in stack})
        names = {**names_of_cplusplus(frames), **(names_of_addresses(program, self.base, frames) if program else {})}
        found = collections.Counter()
        for stack, count in self.stacks.items():
            found[tuple(name.replace(";", ":") for frame in stack[0 if cores else 1:] for name in names.get(frame, [frame]))] += count
        return found


def tree_of(stacks):
    tree = {}
    for stack, weight in stacks.items():
        level = tree
        for name in stack:
            node = level.setdefault(name, [0, {}])
            node[0] += weight
            level = node[1]
    return tree


def colour_of(name):
    value = sum(ord(letter) * (index + 7) for index, letter in enumerate(name))
    return f"hsl({20 + value % 40}, 75%, {62 + value % 17}%)"


def text(x, y, words, size):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="#222222">{html.escape(words)}</text>'


def draw(title, stacks, unit):
    """A flame graph of {stack: weight} as SVG; `unit` is what the weights count."""
    total = sum(stacks.values())
    parts, deepest = [text(MARGIN, 22, title, 16)], 0

    def place(level, x, depth):
        nonlocal deepest
        for name, (weight, below) in sorted(level.items()):
            share = weight / total * (WIDTH - 2 * MARGIN)
            if share < 0.5:
                continue
            deepest = max(deepest, depth)
            y = TOP + depth * ROW
            label = name if len(name) * LETTER < share - 4 else name[: max(0, int((share - 4) / LETTER))]
            parts.append(f"<g><title>{html.escape(name)}: {weight:,} {unit}, {100 * weight / total:.1f} %</title>"
                         f'<rect x="{x:.1f}" y="{y}" width="{max(share - 0.5, 0.5):.1f}" height="{ROW - 1}" fill="{colour_of(name)}"/>'
                         + (text(x + 3, y + 13, label, 11) if len(label) > 2 else "") + "</g>")
            place(below, x, depth + 1)
            x += share

    place(tree_of(stacks), MARGIN, 0)
    height = TOP + (deepest + 1) * ROW + 12
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
            'font-family="sans-serif">\n<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")


def parse():
    parser = argparse.ArgumentParser(prog="baremetal-flamegraph", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folded", action="store_true", help="write lines for other tools: frames with ';' between, a space, the number of samples")
    parser.add_argument("--program", metavar="FILE", help="the executable of a Linux program as it is, for the names of its functions")
    parser.add_argument("--cores", action="store_true", help="keep the cores apart")
    return parser.parse_args()


def main():
    words, profile = parse(), Profile()
    for line in sys.stdin.buffer:
        profile.line(line.decode("utf-8", "replace"))
    if not profile.stacks:
        fail("there are no samples in what was read: the image must link baremetal::profile and have profile=100 on its command line, and "
             "its program must have ended")
    stacks = profile.named(words.program, words.cores)
    if words.folded:
        sys.stdout.writelines(f"{';'.join(stack)} {count}\n" for stack, count in sorted(stacks.items()))
        return 0
    rate = f", {profile.rate} a second of each core" if profile.rate else ""
    sys.stdout.write(draw(f"{sum(stacks.values()):,} samples{rate}", stacks, "samples"))
    return 0
