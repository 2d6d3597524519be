#!/usr/bin/env python3
# Attacks at stated rates, and ordinary clients beside them: how long their answers take, and whether memory comes back.
# SPDX-License-Identifier: MIT
"""Usage: load.py IMAGE [--quick] [--only REGEX] (http_server). One vCPU; everything stays in a network namespace of its own.

Ordinary clients ask every 10 ms: one on a connection that stays, one on a new connection each time; by IPv6, too, where
the attack is on IPv6. An answer that fails is asked for again, and its time goes on. Time for which the host's processors
were busy with others (Guest.starved) does not count."""

import argparse
import contextlib
import re
import socket
import sys
import time

import attacks
from harness import PATIENCE, TestFailure, judge
from harness.http import Client, get
from harness.network import TapNetwork, enter_namespace, http_get, serving

P99, P99_QUICK = 1.0, 3.0  # seconds; the host's own SYN comes again after one, then two, when a busy host has lost it
MEMORY_SECONDS, MEMORY_PART = 30, 32  # free memory comes back to within one part of so many
FREE_PART = 3  # of the memory, one part of so many stays free
GUEST6 = "fe80::5054:ff:fe12:3456%tap0"
FILL_SECONDS = 15  # at most, for the slow readers to come
QUICK_SECONDS = 2  # of each attack
OTHERS = 64  # connections that stay idle, besides
PATIENT = 20 * PATIENCE  # seconds for one answer: then it is lost


class Ordinary:
    """Clients of the server, and how long they waited."""

    def __init__(self, guest, address):
        self.guest, self.address, self.address6 = guest, address, (GUEST6, address[1])
        self.kept = Client(address)

    def begin(self, by_ip6):
        self.waits = {"kept": [], "new": [], **({"IPv6": []} if by_ip6 else {})}
        self.failures = 0

    def ask_kept(self):
        try:
            self.kept.send(get())
            return self.kept.response()[0]
        except (OSError, TestFailure):
            self.kept.socket.close()
            self.kept = Client(self.address)
            raise

    def timed(self, kind, ask):
        began, starved, tries = time.monotonic(), self.guest.starved(), 0
        while True:
            with contextlib.suppress(OSError, TestFailure, IndexError, ValueError):
                if ask() == 200:
                    break
            tries += 1
            if time.monotonic() > began + PATIENT:
                raise TestFailure(f"{kind}: no answer within {PATIENT} s, in {tries} tries")
        took = time.monotonic() - began
        self.failures += tries
        self.waits[kind].append((max(0, took - (self.guest.starved() - starved)), took))

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end or not self.waits["new"]:
            self.timed("kept", self.ask_kept)
            self.timed("new", lambda: http_get(self.address, "/robots.txt", timeout=PATIENT)[0])
            if "IPv6" in self.waits:
                self.timed("IPv6", lambda: http_get(self.address6, "/robots.txt", timeout=PATIENT)[0])
            time.sleep(0.01)

    def metrics(self):
        while True:
            with contextlib.suppress(OSError, TestFailure):
                self.kept.send(get("/metrics"))
                text = self.kept.response()[2].decode()
                return {name: int(value) for name, value in re.findall(r"^([^# ]+) (\d+)$", text, re.MULTILINE)}
            self.kept.socket.close()
            self.kept = Client(self.address)


def percentile(waits, part):
    return sorted(waits)[min(len(waits) - 1, int(len(waits) * part))]


OPEN, TOTAL = "http_connections_open", 'machine_memory_bytes{state="total"}'
FREE, RECEIVED = 'machine_memory_bytes{state="free"}', "machine_network_received_packets_total"


def memory_back(clients, before):
    """Seconds until it is back."""
    began = time.monotonic()
    while True:
        free = clients.metrics()[FREE]
        took = time.monotonic() - began
        if free >= before[FREE] - before[TOTAL] // MEMORY_PART:
            return took
        if took > MEMORY_SECONDS:
            raise TestFailure(f"{(before[FREE] - free) >> 10} KiB of memory have not come back after {took:.0f} s")
        time.sleep(0.5)


def row(what, clients):
    cells = [f"{kind} {percentile([own for own, _ in waits], 0.5) * 1000:.0f}/{percentile([own for own, _ in waits], 0.99) * 1000:.0f} ms "
             f"(by the clock {percentile([all_ for _, all_ in waits], 0.99) * 1000:.0f}) of {len(waits)}"
             for kind, waits in clients.waits.items()]
    print(f"{what}: median/p99 " + ", ".join(cells) + f"; failed tries {clients.failures}", flush=True)


def slow(what, clients, most):
    """What is not met, as text."""
    return [f"{what}: the p99 of {kind} is {worst:.2f} s" for kind, waits in clients.waits.items()
            if (worst := percentile([own for own, _ in waits], 0.99)) > most]


def measure(clients, attack, seconds):
    before = clients.metrics()
    clients.begin("advertisements" in attack.what)
    began = time.monotonic()
    with attack.on("tap0", seconds):
        full = time.monotonic() + FILL_SECONDS
        while clients.metrics()[OPEN] < 0.98 * attack.connections and time.monotonic() < full:
            clients.run(0.2)
        clients.run(seconds)
        during = clients.metrics()
        rate = (during[RECEIVED] - before[RECEIVED]) / (time.monotonic() - began)
    row(attack.what, clients)
    problems = slow(attack.what, clients, P99 if seconds > QUICK_SECONDS else P99_QUICK)
    if during[FREE] < during[TOTAL] / FREE_PART:
        problems.append(f"{attack.what}: only {during[FREE] >> 10} KiB of memory are left")
    try:
        back = f"back after {memory_back(clients, before):.1f} s"
    except TestFailure as failure:
        problems.append(f"{attack.what}: {failure}")
        back = "not back"
    attack.forget()
    print(f"    {attack.said}; the guest took {rate:,.0f} frames/s; memory {before[FREE] >> 10} KiB free, "
          f"{during[FREE] >> 10} at the end, {back}; {during[OPEN]:,} connections, evicted {during['http_connections_evicted_total']:,}, "
          f"expired {during['http_connections_expired_total']:,}, refused {during['http_connections_refused_total']:,}", flush=True)
    return problems


def choose(sender, connections, quick):
    part = 4 if quick else 1  # of the rates: beside other tests, what a host loses would be counted against the guest
    ends = [connection.getsockname() for connection in connections]
    syn_count, bad_count, other_count = (10000, 5000, 2500) if quick else (65536, 20000, 20000)
    return [
        attacks.Frames(sender, "SYNs a second from random addresses", 20000 // part, attacks.syns(syn_count)),
        attacks.Readers(2048, 1),
        attacks.Readers(2048, 500),
        attacks.Frames(sender, "bad segments a second", 10000 // part, attacks.bad_segments(bad_count, ends)),
        attacks.Frames(sender, "neighbour advertisements and solicitations a second", 5000 // part, attacks.neighbours(other_count)),
        attacks.Frames(sender, "router advertisements and solicitations a second", 5000 // part, attacks.routers(other_count)),
    ]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("image")
    parser.add_argument("--quick", action="store_true", help="two seconds of each, at a quarter of the rate")
    parser.add_argument("--only", default="", help="attacks whose name has this regular expression")
    options = parser.parse_args()
    enter_namespace()
    seconds = QUICK_SECONDS if options.quick else 10
    folder, sender = attacks.compile_sender()
    problems = []
    network = TapNetwork()
    if options.quick:
        network.append += " -- progress=5"
    with folder, serving(network, options.image) as (guest, address), contextlib.ExitStack() as stack:
        attacks.add_addresses("tap0")
        others = [stack.enter_context(socket.create_connection(address, source_address=(attacks.OTHER, 0))) for _ in range(OTHERS)]
        clients = Ordinary(guest, address)
        for attack in choose(sender, [clients.kept.socket, *others], options.quick):
            if re.search(options.only, attack.what):
                problems += measure(clients, attack, seconds)
    if problems:
        raise TestFailure("\n  ".join(problems))


if __name__ == "__main__":
    sys.exit(judge(main))
