# Traces of virtual CPUs without their waiting: what one item costs on each core.
# SPDX-License-Identifier: MIT
"""A core that waits goes through the same blocks again and again, and how often depends on the host. So these turns are taken out,
by their form alone, for every program alike: a sequence of at most PERIOD_MAX blocks that follows itself directly at least TURNS
times in a row is a waiting loop, and each of its turns goes, also where there is one alone. The look that finds something differs
from those that do not, so it stays. Other repetitions stay, too; but work that is itself a loop of the same blocks would
vanish: this is for single items."""

import collections

PERIOD_MAX = 160
TURNS = 4
MARKER = 1 << 31


def collapse(path, loops):
    """The path with each repetition once; adds to `loops` what followed itself TURNS times. Also returns which repetitions went."""
    kept, gone, again = [], [], collections.Counter()
    places = collections.defaultdict(list)  # of each block in `kept`, ascending
    for block in path:
        length = len(kept) + 1
        kept.append(block)
        for place in reversed(places[block]):
            period = length - 1 - place
            if period > PERIOD_MAX or 2 * period > length:
                break
            if kept[length - period:] == kept[length - 2 * period:length - period]:
                turn = tuple(kept[length - period:])
                for other in turn[:-1]:
                    places[other].pop()
                del kept[length - period:]
                again[turn] += 1
                gone.append(turn)
                if again[turn] >= TURNS - 1:
                    loops.add(turn)
                break
        if len(kept) == length:
            places[block].append(length - 1)
    return kept, gone


def without(path, loops):
    """The path without the waiting loops."""
    kept, by_end = [], collections.defaultdict(list)
    for turn in sorted(loops, key=len):
        by_end[turn[-1]].append(list(turn))
    for block in path:
        kept.append(block)
        for turn in by_end[block]:
            if kept[-len(turn):] == turn:
                del kept[-len(turn):]
                break
    return kept


class Stretch:
    """What a virtual CPU went through between two markers: (block, instructions)."""

    def __init__(self):
        self.blocks = []
        self.markers = set()  # between its ends
        self.working = []  # without waiting

    def cost(self):
        """Instructions without waiting."""
        return sum(weight for _, weight in self.working)


def weights_of(counts):
    """Instructions of each block."""
    weights = [0] * (max(row[0] for row in counts.blocks) + 1)
    for row in counts.blocks:
        weights[row[0]] = row[2] + row[3]
    return weights


def stretches(counts, cpu, begin, end):
    """The stretches of a virtual CPU's trace from each marker `begin` to the next `end`. A block that a marker cuts appears with
    the weight of its part."""
    weights = weights_of(counts)
    words, position = counts.trace.get(cpu, ()), 0
    found, current, block = [], None, 0
    while position < len(words):
        word = words[position]
        position += 1
        if not word & MARKER:
            block = word
            if current:
                current.blocks.append((block, weights[block]))
            continue
        number, before = word & ~MARKER, words[position]
        position += 1
        if number == end and current:
            name, weight = current.blocks[-1]
            current.blocks[-1] = (name, weight - (weights[block] - before))
            found.append(current)
            current = None
        elif current:
            current.markers.add(number)
        if number == begin:
            current = Stretch()
            current.blocks.append((block, weights[block] - before))
    remove_waiting(found)
    return found


def remove_waiting(found):
    """Sets the working part of each stretch. What waits is learnt from all of them."""
    loops = set()
    collapsed = [collapse(stretch.blocks, loops) for stretch in found]
    for stretch, (kept, gone) in zip(found, collapsed):
        stretch.working = without(kept, loops)
        # A repetition that is no waiting loop is work.
        stretch.working += [block for turn in gone if turn not in loops for block in turn]
