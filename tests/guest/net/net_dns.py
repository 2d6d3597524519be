#!/usr/bin/env python3
# DNS: a name server that answers, refuses, forgets the first question, and lies; the guest must cope.
# SPDX-License-Identifier: MIT
"""Usage: net_dns.py SOURCE IMAGE"""

import contextlib
import socket
import struct
import sys
import threading

from harness import PASSED, TestFailure, judge
from harness.network import HOST4, TapNetwork, enter_namespace, guest_on

NAME_ERROR = 3
TYPE_A, TYPE_AAAA = 1, 28


class NameServer(TapNetwork):
    """A tap with a server that answers questions on port 53; the first label of the name says how."""

    def __enter__(self):
        super().__enter__()
        self.append += f" dns={HOST4} -- {' '.join(EXPECTED)} broken.test"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST4, 53))
        self.questions = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *rest):
        self.socket.close()
        super().__exit__(*rest)

    def _serve(self):
        while True:
            try:
                query, client = self.socket.recvfrom(2048)
            except OSError:
                return
            for answer in self.answers(query):
                with contextlib.suppress(OSError):  # the test is over
                    self.socket.sendto(answer, client)

    def answers(self, query):
        identity = query[:2]
        labels, position = [], 12
        while query[position]:
            labels.append(query[position + 1:position + 1 + query[position]].decode())
            position += 1 + query[position]
        kind = struct.unpack("!H", query[position + 1:position + 3])[0]
        question = query[12:position + 5]
        self.questions.append((identity, ".".join(labels)))
        word = labels[0]
        if word == "slow" and sum(name.startswith("slow") for _, name in self.questions) == 1:
            return []  # the guest must ask again
        if word == "missing":
            return [identity + struct.pack("!5H", 0x8180 | NAME_ERROR, 1, 0, 0, 0) + question]
        right = self.record(identity, question, kind)
        if word == "forged":  # a wrong identity first, then the right one
            other = bytes([identity[0] ^ 0xFF, identity[1]])
            return [self.record(other, question, kind, "192.0.2.66"), right]
        if word == "broken":  # cut short, a compression loop, an overlong label; then the right one
            loop = identity + struct.pack("!5H", 0x8180, 1, 1, 0, 0) + b"\xc0\x0c\0\1\0\1" + b"\xc0\x0c" * 8
            return [right[:7], right[:-3], loop, right]
        return [right]

    @staticmethod
    def record(identity, question, kind, address="192.0.2.7"):
        data = socket.inet_aton(address) if kind == TYPE_A else socket.inet_pton(socket.AF_INET6, "2001:db8::7")
        return (identity + struct.pack("!5H", 0x8180, 1, 1, 0, 0) + question
                + b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data)


EXPECTED = {
    "one.test": "192.0.2.7",
    "six.test": "2001:db8::7",
    "slow.test": "192.0.2.7",
    "missing.test": "error EAI_NONAME",
    "forged.test": "192.0.2.7",
    "10.1.2.3": "10.1.2.3",
}


def check(guest, server):
    for name, answer in EXPECTED.items():
        said = guest.expect(rf"^{name.replace('.', '[.]')}: (.*)$").group(1).decode()
        if said != answer:
            raise TestFailure(f"{name} gave '{said}', not '{answer}'")
    guest.expect(r"^broken[.]test: .*$", 40)
    if guest.wait() != PASSED:
        raise TestFailure("the guest did not pass")
    # A question that is asked again, when the answer is late, may keep its identity; two names have the same one rarely.
    identities = {name: identity for identity, name in server.questions}
    if len(set(identities.values())) < len(identities) - 1:
        raise TestFailure(f"the identities of the questions repeat: {identities}")


def main():
    enter_namespace()
    network = NameServer()
    with guest_on(network, sys.argv[2]) as guest:
        check(guest, network)
    print(f"ok: {len(EXPECTED)} names, {len(network.questions)} questions")


if __name__ == "__main__":
    sys.exit(judge(main))
