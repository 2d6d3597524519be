# Traces of virtual CPUs without their waiting: what one item costs on each core.
# SPDX-License-Identifier: MIT
"""A core that waits goes through the same blocks again and again, and how often depends on the host. So repetitions are taken
out: wherever a sequence of at most PERIOD_MAX blocks follows itself directly, one of the two goes, until none is left. What
remains holds each turn of a waiting loop once, so it is what waiting costs at the least, and a little more than the work itself.
Nothing needs to be known about the code. Work that is itself a loop would shrink, too: this is for single items."""

PERIOD_MAX = 96
MARKER = 1 << 31
HALTED = 0xff04  # ../marker.h


def without_repetitions(blocks):
    kept = []
    for block in blocks:
        kept.append(block)
        last, length = kept[-1], len(kept)
        for period in range(1, min(PERIOD_MAX, length // 2) + 1):
            if kept[length - 1 - period] == last and kept[length - period:] == kept[length - 2 * period:length - period]:
                del kept[length - period:]
                break
    return kept


class Stretch:
    """What a virtual CPU went through between two markers: (block, instructions), and whether it halted there."""

    def __init__(self):
        self.blocks = []
        self.halted = False

    def cost(self):
        """Instructions without waiting."""
        return sum(weight for _, weight in without_repetitions(self.blocks))


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
        if number == HALTED and current:
            current.halted = True
        if number == end and current:
            name, weight = current.blocks[-1]
            current.blocks[-1] = (name, weight - (weights[block] - before))
            found.append(current)
            current = None
        if number == begin:
            current = Stretch()
            current.blocks.append((block, weights[block] - before))
    return found
