# A virtual machine that answers commands on its console, with the counter plugin in it when wanted.
# SPDX-License-Identifier: MIT
import contextlib
import json
import os
import pathlib
import re
import shutil
import struct
import tempfile
import time

from . import tools

from harness import Guest

SWITCHES = 256 * 64  # plugin/count.c: where the counters' file holds them


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

    def of_all_between(self, begin, end):
        """The same for the instructions of all virtual CPUs, waiting included."""
        found, start = [], {}
        for number, cpu, _, _, _, everything in self.markers:
            if number == end and cpu in start:
                found.append(everything - start.pop(cpu))
            if number == begin:
                start[cpu] = everything
        return found

    def cpus_of(self, marker):
        """The virtual CPUs that passed a marker."""
        return sorted({row[1] for row in self.markers if row[0] == marker})


class Live:
    """The counters of a running machine."""

    def __init__(self, machine):
        self.file = open(machine.folder / "counters", "r+b", buffering=0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def read(self):
        self.file.seek(0)
        return struct.unpack("<QQ", self.file.read(16))

    def exits(self):
        """What would have left the guest on a real machine: accesses to devices' memory (with the option `exits=on`), PIO, HLT."""
        self.file.seek(24)
        return struct.unpack("<QQQ", self.file.read(24))

    def switch(self, profiling=False, tracing=False):
        """From now on the plugin counts blocks, traces, or neither."""
        self.file.seek(SWITCHES)
        self.file.write(bytes((profiling, tracing)))

    def settled(self, timeout=20):
        """The instructions of the first virtual CPU once it has halted."""
        deadline, last = time.monotonic() + timeout, None
        while time.monotonic() < deadline:
            now = self.read()[0]
            if now == last:
                return now
            last = now
            time.sleep(0.002)
        raise tools.BenchError(f"the machine did not come to rest within {timeout} s")


class Machine:
    """Used in a `with` statement; behind finish(), `counts` holds what the plugin counted. With `single` one thread of the host runs
    all virtual CPUs in turn and goes on to the next one at a PAUSE, so that what cores do with each other does not depend on
    the host's load."""

    def __init__(self, image, cores=1, memory="128", machine="q35", count=False, trace=False, options="", append="",
                 arguments=(), single=False, **more):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bm-bench-"))
        self.count = count
        words = ["-name", "guest,debug-threads=on", *arguments]
        if count:
            plugin = f"{tools.plugin()},out={self.folder}/counts.json,counters={self.folder}/counters"
            if trace:
                plugin += f",trace={self.folder}/trace"
            words += ["-plugin", plugin + options]
        self.guest = Guest(image, machine=machine, smp=f"{cores},maxcpus={max(2, cores)}", memory=memory, append=append,
                           arguments=words, **more)
        if single:
            self.guest.command[self.guest.command.index("tcg")] = "tcg,thread=single"
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

    def pin(self):
        """Each virtual CPU's thread stays on a processor of its own, as far as there are enough."""
        processors = sorted(os.sched_getaffinity(0))
        for comm in pathlib.Path(f"/proc/{self.guest.process.pid}/task").glob("*/comm"):
            found = re.match(r"CPU (\d+)/TCG", comm.read_text())
            if found:
                os.sched_setaffinity(int(comm.parent.name), {processors[int(found.group(1)) % len(processors)]})

    @contextlib.contextmanager
    def apart(self):
        """QEMU with all its threads on the first processor of the host; this program, and the clients that it starts, on the others."""
        processors = sorted(os.sched_getaffinity(0))
        threads = [int(thread.name) for thread in pathlib.Path(f"/proc/{self.guest.process.pid}/task").iterdir()]
        try:
            for thread in threads:
                os.sched_setaffinity(thread, processors[:1])
            os.sched_setaffinity(0, processors[1:])
            yield
        finally:
            for thread in (0, *threads):
                os.sched_setaffinity(thread, processors)

    def processor_time(self):
        """Seconds that QEMU has used (proc(5): utime and stime of /proc/PID/stat)."""
        fields = pathlib.Path(f"/proc/{self.guest.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def processor_times(self):
        """Seconds of a processor that the virtual CPUs have used, and all other threads of QEMU (sched-stats.rst: schedstat)."""
        used = {True: 0, False: 0}
        for thread in pathlib.Path(f"/proc/{self.guest.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):  # it may have ended
                used["/TCG" in (thread / "comm").read_text()] += int((thread / "schedstat").read_text().split()[0])
        return used[True] / 1e9, used[False] / 1e9

    def settle(self, timeout=20):
        """Waits until the machine takes next to no processor time: run-time libraries go on looking for work for a while."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            before = self.processor_time()
            time.sleep(0.05)
            if self.processor_time() - before <= 0.01:
                return
        raise self.guest.failure(f"the machine was still busy after {timeout} s without a command")

    def finish(self, timeout=60):
        """Lets the program end by itself, so that the plugin writes its counts."""
        self.guest.send("quit\n")
        status = self.guest.wait(timeout)
        if self.count:
            self.counts = self.read_counts()
        return status

    def read_counts(self):
        """What the plugin wrote when QEMU ended."""
        return Counts(self.folder)
