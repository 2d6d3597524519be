# Which function of an image an address belongs to.
# SPDX-License-Identifier: MIT
import bisect
import collections
import subprocess

PAGE = 4096


class Symbols:
    """Functions of an image, from its .debug file. The image runs at a random base, which the addresses of the blocks that ran
    tell: nearly every function that is entered begins a block."""

    def __init__(self, image, addresses=()):
        said = subprocess.run(["nm", "--defined-only", str(image)], capture_output=True, text=True, check=True).stdout
        rows = sorted((int(row.split()[0], 16), row.split()[2]) for row in said.splitlines()
                      if row.split()[1] in "tTwWiI" and len(row.split()) == 3)
        self.starts = [address for address, _ in rows]
        self.names = [name for _, name in rows]
        self.offset = self._find_offset(addresses)

    def _find_offset(self, addresses):
        by_page_offset = collections.defaultdict(list)
        for start in set(self.starts):
            by_page_offset[start % PAGE].append(start)
        votes = collections.Counter()
        for address in set(addresses):
            for start in by_page_offset[address % PAGE]:
                votes[address - start] += 1
        best = [offset for offset, _ in votes.most_common(8) if offset > 1 << 32]
        return best[0] if best else 0

    def name(self, address):
        for candidate in (address - self.offset, address):
            index = bisect.bisect_right(self.starts, candidate) - 1
            if index >= 0 and candidate - self.starts[index] < 1 << 16:
                return self.names[index]
        return f"{address:#x}"
