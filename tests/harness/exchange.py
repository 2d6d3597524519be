# A scripted exchange with a TCP: what is sent, and what must and must not come back.
# SPDX-License-Identifier: MIT
"""The cases of tcp_*.py judge a TCP by its segments alone, in the manner of packetdrill: docs/tcp.md says which behaviour each of
them shows. Each has ports of its own, so they share a machine."""

import itertools

from .frames import ACK, FIN, RST, SYN, mss
from .wire import Connection, TestFailure

ECHO, HTTP = 7, 80
PORTS = itertools.count(20000)


def check(right, sentence):
    if not right:
        raise TestFailure(sentence)


class Exchange(Connection):
    """A connection from a port that none had before."""

    def __init__(self, wire, host, port=ECHO, **fields):
        super().__init__(wire, host, port, next(PORTS), **fields)

    @classmethod
    def established(cls, wire, host, port=ECHO, options=mss(1460), **fields):
        made = cls(wire, host, port, **fields)
        made.open(options)
        return made

    def send(self, data, flags=ACK):
        """In segments that fit a frame."""
        for at in range(0, len(data), 1400):
            super().send(data[at:at + 1400], flags)

    def silence(self, why):
        """Nothing has come, and nothing comes for what was sent before."""
        self.wire.settled(self.source, self.destination)
        came = self.segments()
        check(not came, f"{why}, yet there came {came}")

    def acknowledgement(self, what):
        """An empty one that says where both sides are; the guest a byte ahead if it has probed our window of 0."""
        answer = self.answer(what, lambda s: s.flags & (ACK | SYN | FIN | RST) == ACK and not s.data)
        ahead = (answer.sequence - self.expected) & 0xFFFFFFFF
        check(answer.acknowledged == self.next & 0xFFFFFFFF and ahead <= (self.window == 0),
              f"{what}: acknowledges {answer.acknowledged} at {answer.sequence}; {self.next} at {self.expected} is right")
        return answer

    def reset(self, what, sequence=None):
        answer = self.answer(what, lambda s: s.flags & RST)
        check(sequence is None or answer.sequence == sequence & 0xFFFFFFFF,
              f"{what}: sequence number {answer.sequence} instead of {sequence}")
        return answer

    def echoed(self, data=b"are you there?"):
        """It is alive, its streams are whole, and it holds the numbers that we have."""
        self.send(data)
        back = self.receive(len(data))
        check(back == data, f"{data[:40]} came back as {back[:40]}, {len(back)} bytes")

    def gone(self, what):
        """The connection does not exist (any more): what belongs to it is answered by a reset."""
        self.segments()
        self.segment(ACK, b"?")
        self.reset(f"a reset, since {what}", self.expected)

    def arrives(self, size, timeout=10):
        """As receive() without acknowledgements, by segments: the lengths of those that brought something new."""
        lengths = []
        while sum(lengths) < size:
            before = self.expected
            self.receive(1, acknowledge=False, timeout=timeout)
            lengths.append((self.expected - before) & 0xFFFFFFFF)
        return lengths
