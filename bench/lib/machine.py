# A virtual machine that answers commands on its console, with the counter plugin in it when wanted.
# SPDX-License-Identifier: MIT
import json
import pathlib
import shutil
import struct
import sys
import tempfile

import tools

sys.path.insert(0, str(tools.TOP / "tests" / "guest"))
from harness import Guest  # noqa: E402


class Counts:
    """What the plugin wrote: see plugin/count.c."""

    def __init__(self, folder):
        data = json.loads((folder / "counts.json").read_text())
        self.cpus = [instructions for instructions, _ in data["cpus"]]
        self.halts = [halts for _, halts in data["cpus"]]
        self.markers = data["markers"]
        self.blocks = data["blocks"]
        self.trace = {}
        trace = folder / "trace"
        if trace.exists():
            words = trace.read_bytes()
            position = 0
            while position < len(words):
                cpu, length = struct.unpack_from("<II", words, position)
                position += 8
                self.trace[cpu] = struct.unpack_from(f"<{length}I", words, position)
                position += 4 * length

    def between(self, begin, end, first=0):
        """Instructions from each marker `begin` to the marker `end` behind it on the same virtual CPU."""
        found, start = [], {}
        for number, cpu, _, _, own, _ in self.markers:
            if number == end and cpu in start:
                found.append(own - start.pop(cpu))
            if number == begin:
                start[cpu] = own
        return found[first:]

    def cpus_of(self, marker):
        """The virtual CPUs that passed a marker."""
        return sorted({row[1] for row in self.markers if row[0] == marker})


class Machine:
    """In a `with` statement; afterwards `counts` holds what the plugin counted."""

    def __init__(self, image, cores=1, memory="128", machine="q35", count=False, trace=False, options="", append="",
                 arguments=(), **more):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bm-bench-"))
        self.count = count
        words = list(arguments)
        if count:
            plugin = f"{tools.plugin()},out={self.folder}/counts.json,counters={self.folder}/counters"
            if trace:
                plugin += f",trace={self.folder}/trace"
            words += ["-plugin", plugin + options]
        self.guest = Guest(image, machine=machine, smp=f"{cores},maxcpus={max(2, cores)}", memory=memory, append=append,
                           arguments=words, **more)
        self.counts = None

    def __enter__(self):
        self.guest.__enter__()
        return self

    def __exit__(self, kind, *rest):
        self.guest.__exit__(kind, *rest)
        shutil.rmtree(self.folder, ignore_errors=True)

    def answer(self, command, timeout=60):
        found = self.guest.expect(r'^(\{"command": "' + command + r'".*\})$', timeout)
        return json.loads(found.group(1))

    def ask(self, line, timeout=60):
        self.guest.send(line + "\n")
        return self.answer(line.split()[0], timeout)

    def finish(self, timeout=60):
        """Lets the program end by itself, so that the plugin writes its counts."""
        self.guest.send("quit\n")
        status = self.guest.wait(timeout)
        if self.count:
            self.counts = Counts(self.folder)
        return status
