#!/usr/bin/env python3
# A time server whose right answer comes behind answers that must not be believed.
# SPDX-License-Identifier: MIT
"""Usage: net_sntp.py SOURCE IMAGE"""

import socket
import struct
import sys
import threading
import time

from harness import PASSED, PATIENCE, TestFailure, judge
from harness.network import HOST4, enter_namespace, guest_on
from net_dns import NameServer

SINCE_1900 = 2208988800  # RFC 868
AHEAD = 100_000_000  # seconds that the server is ahead of the host
UNSYNCHRONISED, VERSION, CLIENT, SERVER, BROADCAST = 3 << 6, 4 << 3, 3, 4, 5


class TimeServer(NameServer):
    """A name server, and a time server on port 123."""

    def __enter__(self):
        super().__enter__()
        self.append = self.append.split(" -- ")[0] + " log=info ntp=-nonsense-,wrong.test,time.test"
        self.clock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.clock.bind((HOST4, 123))
        self.clock.settimeout(30 * PATIENCE)
        self.seen = []
        self.server = threading.Thread(target=self.serve_time, daemon=True)
        self.server.start()
        return self

    def __exit__(self, *rest):
        self.clock.close()
        super().__exit__(*rest)

    @staticmethod
    def record(identity, question, kind, address=HOST4):
        return NameServer.record(identity, question, kind, address)

    def serve_time(self):
        while len(self.seen) < 2:
            query, client = self.clock.recvfrom(2048)
            self.seen.append(query)
            for answer in self.answers_of_time(query[40:48]):
                self.clock.sendto(answer, client)

    @staticmethod
    def message(origin, first=VERSION | SERVER, stratum=2, ahead=AHEAD):
        now = time.time() + ahead + SINCE_1900
        stamp = struct.pack("!II", int(now) & 0xFFFFFFFF, int(now % 1 * (1 << 32)))
        return struct.pack("!BBbbII4s8s", first, stratum, 6, -20, 0, 0, b"LOCL", stamp) + origin + stamp + stamp

    def answers_of_time(self, origin):
        if len(self.seen) == 1:
            return [self.message(origin, ahead=-10**9)]
        wrong = self.message(bytes([origin[0]]) + origin[1:7] + bytes([origin[7] ^ 1]), ahead=AHEAD + 99)
        right = self.message(origin)
        return [wrong, self.message(origin, UNSYNCHRONISED | VERSION | SERVER, ahead=AHEAD + 88),
                self.message(origin, VERSION | BROADCAST, ahead=AHEAD + 77), right[:47], right, self.message(origin, ahead=AHEAD + 66)]


def check(guest, server):
    guest.expect("^error: sntp: ntp=-nonsense-: neither a name nor an address")
    guest.expect("^ready$")
    guest.expect("^warning: sntp: a server's date is not believed: it is before 2025")
    guest.expect("^sntp: the date was set by")
    said = int(guest.expect(r"^date (\d+), \d+ ms after$").group(1)) / 1000
    for query in server.seen:
        if len(query) != 48 or query[0] != VERSION | CLIENT or query[40:48] == bytes(8):
            raise TestFailure(f"the question is none: {query.hex()}")
    names = [name for _, name in server.questions]
    if names != ["wrong.test", "time.test"]:
        raise TestFailure(f"the servers were asked in the order {names}")
    late = time.time() + AHEAD - said
    if not -1 < late < 30 * PATIENCE:
        raise TestFailure(f"the date is {late:.3f} s from the server's")
    if guest.wait() != PASSED:
        raise TestFailure("the guest did not pass")
    return late


def main():
    enter_namespace()
    network = TimeServer()
    with guest_on(network, sys.argv[2]) as guest:
        late = check(guest, network)
    print(f"ok: the date came from the server, seen {late * 1000:.0f} ms later")


if __name__ == "__main__":
    sys.exit(judge(main))
