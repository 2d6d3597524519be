# Boots an image in QEMU, reads its console, feeds it, and reports how it ended.
# SPDX-License-Identifier: MIT
"""One class, Guest: a virtual machine with its console. Everything that waits has a time-out; when one
passes, the registers of the machine are in the error, so that a hang can be placed."""

import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

QEMU = os.environ.get("QEMU", "qemu-system-x86_64")

PASSED, FAILED, FAULTED = 33, 35, 37
# Time-outs are written for a quiet host. They find hangs, so on a busy one waiting longer costs nothing but time.
PATIENCE = 5
PRCTL = ctypes.CDLL(None).prctl  # found before any fork: other threads may hold the loader's lock then
F_SETPIPE_SZ, PIPE_SIZE = 1031, 1 << 20  # fcntl(2); room for the console while the host keeps its reader waiting
# QEMU's microvm has no PCI; what is left of a PC besides can be left out, too. "bare" has nothing but a serial line, and
# tells of itself by ACPI, or with acpi=off by the command line and the MP table.
BARE = "microvm,x-option-roms=off,pit=off,pic=off,rtc=off,isa-serial=on"
MACHINES = {"microvm-bare": BARE + ",acpi=on", "microvm-noacpi": BARE + ",acpi=off"}

STATUS_NAMES = {PASSED: "exit(0)", FAILED: "exit(non-zero)", FAULTED: "fault or panic"}


class TestFailure(Exception):
    """An expectation that was not met; the text says which, and shows the console."""


def end_with_parent():
    """For Popen's preexec_fn: a script that is killed leaves no process behind (prctl(2), PR_SET_PDEATHSIG)."""
    PRCTL(1, signal.SIGKILL)


class Questions:
    """A connection to QEMU's monitor, which has one at a time."""

    def __init__(self, guest, timeout=10):
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(PATIENCE * timeout)
        self.guest = guest

    def __enter__(self):
        self.connection.connect(self.guest.qmp_path)
        self.stream = self.connection.makefile("rw")
        while "QMP" not in self.read():  # an event may come before the greeting
            pass
        self.ask("qmp_capabilities")
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.connection.close()

    def read(self):
        """The next answer or event."""
        line = self.stream.readline()
        if not line:
            raise OSError("QEMU has closed its monitor")
        return json.loads(line)

    def send(self, command, **arguments):
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()

    def answer(self):
        while "event" in (said := self.read()):
            pass
        if "error" in said:
            raise OSError(f"QEMU refuses: {said['error'].get('desc')}")
        return said["return"]

    def ask(self, command, **arguments):
        self.send(command, **arguments)
        return self.answer()


class Guest:
    """A running machine. Use it in a `with` statement: QEMU ends with the block."""

    def __init__(self, image, machine="pc", cpu="max", smp="1,maxcpus=2", memory="64", append="",
                 devices=(), arguments=(), debug_exit=True, boot="kernel", pass_fds=()):
        self.image = str(image)
        self.folder = tempfile.mkdtemp(prefix="bm-guest-")
        self.qmp_path = os.path.join(self.folder, "qmp")
        self.command = [
            QEMU, "-machine", MACHINES.get(machine, machine), "-accel", "tcg", "-cpu", cpu, "-smp", smp, "-m", memory,
            "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
            "-qmp", f"unix:{self.qmp_path},server=on,wait=off"]
        if memory.endswith("G"):  # the host need not have that much
            self.command += ["-object", f"memory-backend-ram,id=ram,size={memory},reserve=off",
                             "-machine", "memory-backend=ram"]
        if boot == "kernel":
            self.command += ["-kernel", self.image]
            if append:
                self.command += ["-append", append]
        elif boot == "cdrom":
            self.command += ["-cdrom", self.image, "-boot", "d"]
        if debug_exit:
            self.command += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        for device in devices:
            self.command += ["-device", device]
        self.command += list(arguments)
        self.output = bytearray()
        self.arrivals = []  # (length of the output afterwards, host time) of each piece
        self.position = 0
        self.changed = threading.Condition()
        self.ended = False
        self.pass_fds = pass_fds

    def __enter__(self):
        self.started = time.monotonic()
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, bufsize=0, pass_fds=self.pass_fds,
                                        preexec_fn=end_with_parent)
        with contextlib.suppress(OSError):  # the kernel throws away what a full pipe does not take for some 20 ms
            fcntl.fcntl(self.process.stdout, F_SETPIPE_SZ, PIPE_SIZE)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(60)
        self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self):
        while True:
            piece = os.read(self.process.stdout.fileno(), 65536)
            with self.changed:
                if piece:
                    self.output += piece
                    self.arrivals.append((len(self.output), time.monotonic()))
                else:
                    self.ended = True
                self.changed.notify_all()
            if not piece:
                return

    def text(self):
        """The console so far, with plain line ends."""
        with self.changed:
            return bytes(self.output).decode("utf-8", "replace").replace("\r", "")

    def expect(self, pattern, timeout=30):
        """Waits for a regular expression on the console, behind what was found last; returns the match."""
        timeout *= PATIENCE
        # The console may end in half a line now: `$` at the end means that the line has ended, too.
        whole = pattern[:-1] + r"(?=\n)" if pattern.endswith("$") else pattern
        compiled = re.compile(whole.encode(), re.MULTILINE)
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                found = compiled.search(bytes(self.output).replace(b"\r", b""), self.position)
                if found:
                    self.position = found.end()
                    return found
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    break
                self.changed.wait(left)
        if self.ended:
            raise self.failure(f"the machine ended without printing /{pattern}/")
        raise self.hang(f"{timeout:.0f} s went by without /{pattern}/")

    def arrival(self, offset):
        """Host time at which the byte at that offset of the console had arrived."""
        with self.changed:
            return next(when for length, when in self.arrivals if length >= offset)

    def send(self, text):
        """Types on the serial line."""
        self.process.stdin.write(text if isinstance(text, bytes) else text.encode())

    def wait(self, timeout=30):
        """Waits for QEMU to end by itself, and for all that it printed; returns its exit status."""
        timeout = max(0.1, PATIENCE * timeout)
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise self.hang(f"the machine still ran after {timeout:.0f} s") from None
        self.reader.join(60)
        if not self.ended:
            raise self.failure("QEMU has ended, but not its output")
        return status

    def starved(self):
        """Seconds so far for which threads of QEMU and of this script wanted to run while the host's processors were busy with
        others; the sum of all (/proc/PID/task/N/schedstat, second number). 0 where the host does not tell."""
        total = 0
        for process in (self.process.pid, os.getpid()):
            for file in pathlib.Path(f"/proc/{process}/task").glob("*/schedstat"):
                with contextlib.suppress(OSError):  # a thread that has ended
                    total += int(file.read_text().split()[1])
        return total / 1e9

    def alive(self):
        return self.process.poll() is None

    def monitor(self, line):
        """Runs one command of QEMU's human monitor and returns its answer."""
        with Questions(self) as questions:
            return questions.ask("human-monitor-command", **{"command-line": line}).replace("\r", "")

    def failure(self, reason):
        self.errors.seek(0)
        said = self.errors.read().decode("utf-8", "replace").strip()
        lines = [reason, "  command: " + " ".join(self.command), "  ---- console ----", self.text().rstrip(),
                 "  ---- end of console ----"]
        if said:
            lines.append("  QEMU said: " + said)
        return TestFailure("\n".join(lines))

    def hang(self, reason):
        try:
            registers = self.monitor("info registers -a")
        except (OSError, ValueError) as error:
            registers = f"(registers could not be read: {error})"
        kept = [line for line in registers.splitlines() if not line.startswith(("FPR", "XMM", "YMM", "ZMM"))]
        return self.failure(reason + "\n  ---- registers ----\n" + "\n".join(kept))


def judge(test):
    """Runs a test; the exit status of its script."""
    try:
        test()
    except TestFailure as failure:
        print(f"FAILED: {failure}")
        return 1
    return 0


def status_name(status):
    return f"{status} ({STATUS_NAMES.get(status, 'not a status of the kernel')})"
