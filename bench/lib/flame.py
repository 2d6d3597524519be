# Where a request's instructions go: functions, and their callers as a flame graph.
# SPDX-License-Identifier: MIT
import collections
import re
import socket

from . import programs
from . import tools
from . import trace
from .machine import Live, Machine
from .symbols import Symbols

from baremetal_tools.flamegraph import draw
from harness.network import TapNetwork, connect, enter_namespace

DEPTH_MAX = 64
REQUEST = b"GET /page.html HTTP/1.1\r\nHost: guest\r\n\r\n"  # 612 bytes


def add_commands(commands):
    profile = commands.add_parser("profile", help="the functions that a request of http_server goes through: table and flame graph")
    profile.add_argument("example", choices=["http_server", *programs.PROGRAMS])
    profile.add_argument("--load", help="of a program of `ci/bench programs`: 'get, 16 under way'")
    profile.add_argument("--connections", type=tools.positive, default=30, help="requests under way at once (30)")
    profile.add_argument("--rounds", type=tools.positive, default=40, help="requests on each connection (40)")
    profile.set_defaults(run=run_profile)


class Client:
    """Connections that stay open; a round sends a request on each, then reads all answers."""

    def __init__(self, address, connections):
        self.sockets = [connect(address) for _ in range(connections)]
        for one in self.sockets:
            one.settimeout(20)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def round(self):
        for one in self.sockets:
            one.sendall(REQUEST)
        for one in self.sockets:
            data = b""
            while b"\r\n\r\n" not in data:
                data += one.recv(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            missing = int(re.search(rb"(?i)content-length: *(\d+)", head).group(1)) - len(body)
            while missing > 0:
                missing -= len(one.recv(missing))

    def close(self):
        for one in self.sockets:
            one.close()


def stacks(counts, symbols, cpu=0):
    """Instructions by stack of functions, outermost first, from the order of the blocks: a call adds a frame, a return goes back
    to the frame that awaits its address, anything else goes on in the frame that is there."""
    rows = {row[0]: row for row in counts.blocks}
    names = {number: symbols.name(row[1]) for number, row in rows.items()}
    found, frames, before = collections.Counter(), [["", None]], None
    words = iter(counts.trace[cpu])
    for word in words:
        if word & trace.MARKER:
            next(words)
            continue
        row = rows[word]
        if before is not None:
            end = before[1] + before[4]
            if before[5] == "c" and len(frames) < DEPTH_MAX:
                frames.append(["", end])
            elif before[5] == "r":
                depth = next((index for index in range(len(frames) - 1, 0, -1) if frames[index][1] == row[1]), None)
                if depth:
                    del frames[depth:]
        frames[-1][0] = names[word]
        found[tuple(name for name, _ in frames)] += row[2] + row[3]
        before = row
    return found


def trace_http_server(options):
    """(image, counts, requests) of http_server's requests."""
    image = tools.images("http_server") / "http_server" / "http_server"
    tools.plugin()
    enter_namespace()
    with TapNetwork() as network, Machine(image, count=True, trace=True, append=network.append, arguments=network.arguments,
                                          pass_fds=network.pass_fds) as machine:
        client = Client(network.address(80), options.connections)
        with Live(machine) as live:
            client.round()
            live.settled()
            live.switch(tracing=True)
            for _ in range(options.rounds):
                client.round()
            live.settled()
            live.switch()
        client.close()
        return image, ended(machine), options.connections * options.rounds


def trace_program(options):
    """The same of a program of ci/bench programs, under one of its loads."""
    program = programs.PROGRAMS[options.example](options.example)
    program.build()
    tools.plugin()
    enter_namespace()
    with programs.serving(program, program.machine_ours, count=True, trace=True) as (network, machine), Live(machine) as live:
        found = dict(program.loads(network.guest, options.connections * options.rounds)(program.machine_ours))
        load = found.get(options.load)
        if not load:
            raise tools.BenchError(f"--load: {options.example} has the loads {', '.join(map(repr, found))}.")
        load()
        live.settled()
        live.switch(tracing=True)
        requests = load()["requests"]
        live.settled()
        live.switch()
        return program.ours(), ended(machine), requests


def profile_run(program):
    """(image, counts) of a program that computes, from its begin to its end: what each block executed, not in which order."""
    program.build()
    tools.plugin()
    enter_namespace()
    with programs.peers.Network() as network, program.machine_ours(network, count=True) as machine:
        machine.guest.expect(program.begin, programs.PATIENCE)
        with Live(machine) as live:
            live.switch(profiling=True)
            machine.guest.expect(program.end, 600)
            live.switch()
        machine.guest.wait(60)
        return program.ours(), machine.read_counts()


def ended(machine):
    machine.guest.monitor("quit")
    machine.guest.wait(20)
    return machine.read_counts()


def report_run(program):
    """The functions in which a program that computes spends its instructions."""
    image, counts = profile_run(program)
    symbols = Symbols(f"{image}.debug", [row[1] for row in counts.blocks])
    own = collections.Counter()
    for row in counts.blocks:
        own[symbols.name(row[1])] += sum(row[6:])
    total = sum(own.values())
    lines = [f"{program.name}: {total:,} instructions a run", ""]
    lines += [f"{weight:14,}  {100 * weight / total:5.1f} %  {name}" for name, weight in own.most_common() if weight * 2000 > total]
    (tools.BUILD / "profile.txt").write_text("\n".join(lines) + "\n")
    print("\n".join(lines[:42]))
    print(f"All of it in {tools.BUILD}/profile.txt.")
    return 0


def run_profile(options):
    program = programs.PROGRAMS.get(options.example)
    if program and not program.port:
        return report_run(program(options.example))
    image, counts, requests = (trace_http_server if options.example == "http_server" else trace_program)(options)
    symbols = Symbols(f"{image}.debug", [row[1] for row in counts.blocks])
    found = stacks(counts, symbols)
    own = collections.Counter()
    for stack, weight in found.items():
        own[stack[-1]] += weight
    title = f"{options.example}: {sum(own.values()) / requests:,.0f} instructions a request, {options.connections} connections"
    lines = [title, ""] + [f"{weight / requests:9.1f}  {100 * weight / sum(own.values()):5.1f} %  {name}"
                           for name, weight in own.most_common() if weight / requests >= 1]
    for name, content in (("profile.txt", "\n".join(lines) + "\n"), ("profile.svg", draw(title, found, "instructions"))):
        (tools.BUILD / name).write_text(content)
    print("\n".join(lines[:42]))
    print(f"All of it in {tools.BUILD}/profile.txt, the flame graph in profile.svg.")
    return 0
