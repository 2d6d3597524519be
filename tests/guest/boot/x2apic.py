#!/usr/bin/env python3
# x2APIC: boots parallel_sum from a GRUB disc in Bochs, whose CPUs have it; QEMU's emulator does not.
# SPDX-License-Identifier: MIT
"""Usage: x2apic.py IMAGE"""

import os
import pathlib
import pty
import re
import select
import sys
import tempfile
import time

from grub import make_disc
from harness import PATIENCE, TestFailure, judge

TIMEOUT = 60 * PATIENCE  # seconds until the machine counts as hung; it takes about 5
CONFIGURATION = """cpu: model=corei7_ivy_bridge_3770k, count=2, ips=50000000
megs: 64
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata1-master: type=cdrom, path={disc}, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={folder}/serial
log: {folder}/log
display_library: term
panic: action=fatal
"""
X2APIC_ON = ("fee00d00 to MSR_APICBASE", "fee00c00 to MSR_APICBASE")  # the first core (bit 8), the other


def read(path):
    return path.read_text(errors="replace") if path.exists() else ""


def run(folder, disc):
    """Bochs draws its screen on a terminal of its own; what counts are its serial line and its log."""
    (folder / "bochsrc").write_text(CONFIGURATION.format(disc=disc, folder=folder))
    (folder / "commands").write_text("c\n")
    process, terminal = pty.fork()
    if process == 0:
        os.environ["TERM"] = "xterm"
        os.execvp("bochs", ["bochs", "-q", "-f", str(folder / "bochsrc"), "-rc", str(folder / "commands")])
    deadline = time.monotonic() + TIMEOUT
    try:
        while time.monotonic() < deadline and not re.search("exit: .*\n", read(folder / "serial")):
            if select.select([terminal], [], [], 0.5)[0] and not os.read(terminal, 65536):
                break
    except OSError:  # Bochs has ended
        pass
    finally:
        try:
            os.kill(process, 9)
        except ProcessLookupError:
            pass
        os.waitpid(process, 0)
        os.close(terminal)


def main():
    with tempfile.TemporaryDirectory(prefix="bm-x2apic-") as name:
        folder = pathlib.Path(name)
        run(folder, make_disc(folder, sys.argv[1], "-- count=200000"))
        console, log = read(folder / "serial"), read(folder / "log")
    for wanted in ("below 200000: 9333166668", "cores: 2", "exit: 0"):
        if wanted not in console:
            raise TestFailure(f"'{wanted}' is not on the console:\n{console}\nthe log's end:\n{log[-2000:]}")
    for wanted in X2APIC_ON:
        if wanted not in log:
            raise TestFailure(f"x2APIC was not turned on on both cores: '{wanted}' is not in the log")
    print("ok: two cores with x2APIC")


if __name__ == "__main__":
    sys.exit(judge(main))
