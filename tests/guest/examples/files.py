#!/usr/bin/env python3
# files: its log goes on at the next start and after QEMU was killed while it wrote; e2fsck finds nothing.
# SPDX-License-Identifier: MIT
"""Usage: files.py IMAGE (its disk is IMAGE-data.img)"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

from example import equal, match, refuses, run
from harness import FAILED, PASSED, Guest, TestFailure

TOOLS = os.environ["PATH"] + ":/usr/sbin:/sbin"
SAFE = re.compile(r"^files: safe up to line (\d+)$", re.MULTILINE)


def guest(image, disk, words=""):
    return Guest(image, machine="q35", smp="2", devices=["virtio-blk-pci,drive=d"], append="log=info " + words,
                 arguments=["-drive", f"if=none,id=d,file={disk},format=raw"])


def tool(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, env={**os.environ, "PATH": TOOLS})


def judge(disk):
    result = tool("e2fsck", "-fn", disk)
    if result.returncode:
        raise TestFailure(f"e2fsck says\n{result.stdout.decode()}")


def file_of(disk, name):
    return tool("debugfs", "-R", f"cat /{name}", disk).stdout.decode()


def lines_of(disk):
    """The numbers of all lines, the oldest log first, without those behind the last whole line."""
    text = "".join(file_of(disk, f"log.txt{suffix}") for suffix in (".3", ".2", ".1", ""))
    return [int(number) for number in re.findall(r"^(\d+) start \d+, \d+ seconds since 1970$", text, re.MULTILINE)]


def whole(image, disk, words, starts, last, lines):
    with guest(image, disk, words) as machine:
        if machine.wait(60) != PASSED:
            raise machine.failure("the program did not end well")
        text = machine.text()
    equal("start and last line", match(text, r"^files: start (\d+), the log ends with line (\d+); 0 bytes"), (str(starts), str(last)))
    equal("what is safe", int(SAFE.findall(text)[-1]), last + lines)
    judge(disk)


def killed(image, disk, saves):
    """Ends QEMU behind so many saves; returns what was safe by then."""
    with guest(image, disk, "-- lines=1000000") as machine:
        for _ in range(saves):
            machine.expect(SAFE.pattern, 60)
    # Half a line may be the last one.
    return int(SAFE.findall(machine.text().rpartition("\n")[0] + "\n")[-1])


def tail(image, disk, starts, last):
    """What a power cut may leave behind the last save, zeros, is taken off."""
    size = len(file_of(disk, "log.txt"))
    tool("debugfs", "-w", "-R", f"sif log.txt size {size + 30}", disk)
    with guest(image, disk, "-- lines=1") as machine:
        machine.wait(60)
        match(machine.text(), rf"^files: start {starts}, the log ends with line {last}; 30 bytes were taken off$")
    equal("the lines behind zeros that were taken off", lines_of(disk)[-2:], [last, last + 1])


def check(image):
    seed = random.randrange(1000)
    numbers = random.Random(seed)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="bm-files-") as folder:
        disk = os.path.join(folder, "disk")
        shutil.copyfile(image + "-data.img", disk)
        whole(image, disk, "", 1, 0, 100)
        whole(image, disk, "-- lines=1205", 2, 100, 1205)
        equal("the lines on the disk", lines_of(disk), list(range(1, 1306)))
        print("ok: the next start goes on", flush=True)
        safe = 1305
        for start in range(3, 7):
            before, safe = safe, killed(image, disk, numbers.randrange(1, 150))
            with guest(image, disk, "-- lines=1") as machine:
                machine.wait(60)
                last = int(match(machine.text(), rf"^files: start {start * 2 - 2}, the log ends with line (\d+); \d+ bytes")[0])
            if not before <= safe <= last:
                raise TestFailure(f"line {safe} was safe, and the log ends with line {last}")
            judge(disk)
            found = lines_of(disk)
            equal("the lines on the disk", found, list(range(found[0], last + 2)))
            safe = last + 1
            print(f"ok: killed behind line {last}", flush=True)
        tail(image, disk, 11, safe)
        with guest(image, disk, "mount=/data=vdb") as machine:
            equal("the status without a disk", machine.wait(60), FAILED)
            match(machine.text(), r"^files: no disk is mounted on /data: see the kernel's messages$")
    for words in ("lines=0", "lines=1x", "lines=1 2", "line=3"):
        refuses(image, words, r"^files: write lines=1 … lines=1000000 behind")
    print("ok: refusals")


if __name__ == "__main__":
    sys.exit(run(check))
