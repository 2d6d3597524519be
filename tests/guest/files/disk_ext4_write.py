#!/usr/bin/env python3
# Gives disk_ext4_write.c disks, has e2fsck judge what it wrote, compares that with what debugfs finds, and starts it again.
# SPDX-License-Identifier: MIT
"""Usage: disk_ext4_write.py SOURCE IMAGE"""

import os
import subprocess
import sys
import tempfile
import time

from disk_erofs import tell
from disk_ext4 import told, tool
from harness import PASSED, Guest, Questions, judge, status_name


def disk_make(folder, name, options):
    image = os.path.join(folder, name + ".img")
    subprocess.run([tool("mkfs.ext4"), "-q", "-F", *options, image, "32M"], check=True, stdout=subprocess.DEVNULL)
    return image


def flags_make(image):
    """Files as chattr +i and +a leave them; the other flag is that of extents."""
    for name, flags in (("immutable", 0x80010), ("append", 0x80020)):
        for command in (f"write /dev/null {name}", f"sif {name} flags {flags:#x}"):
            subprocess.run([tool("debugfs"), "-w", "-R", command, image], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def check(image):
    """The file system was unmounted, and e2fsck finds nothing."""
    result = subprocess.run([tool("e2fsck"), "-fn", image], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode:
        raise SystemExit(f"FAILED: e2fsck says\n{result.stdout.decode()}")
    features = subprocess.run([tool("debugfs"), "-R", "features", image], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    if b"needs_recovery" in features.stdout:
        raise SystemExit("FAILED: the disk was not unmounted")


def without_time(lines):
    return [line.rsplit(" ", 1)[0] for line in lines if "/lost+found " not in line and not line.startswith("/data ")]


def start(image, disks):
    drives, devices = [], []
    for number, path in enumerate(disks):
        drives += ["-drive", f"if=none,id=d{number},file={path},format=raw"]
        devices.append(f"virtio-blk-pci,drive=d{number}")
    with Guest(image, machine="q35", devices=devices, arguments=drives, append="log=info mount=/data=vda mount=/again=vda mount=/old=vdb mount=/kept=vdc:ro",
               smp="2,maxcpus=2") as guest:
        status = guest.wait(120)
        if status != PASSED:
            raise guest.failure(f"QEMU's exit status is {status_name(status)}")
        text = guest.text()
    for line in ("ext4: vdb is mounted read-only: it has no journal", "mount: vda is mounted already, and is written there"):
        if line not in text:
            raise SystemExit(f"FAILED: '{line}' is not on the console:\n{text[-3000:]}")
    return without_time(told(text))


def run(image, options):
    with tempfile.TemporaryDirectory(prefix="bm-ext4-") as folder:
        disk = disk_make(folder, "disk", options)
        flags_make(disk)
        old = disk_make(folder, "old", ["-O", "^has_journal"])
        kept = disk_make(folder, "kept", [])
        with open(kept, "rb") as file:
            before = file.read()
        first = start(image, (disk, old, kept))
        with open(kept, "rb") as file:
            if file.read() != before:
                raise SystemExit("FAILED: a disk that is mounted :ro was written")
        check(disk)
        tree = os.path.join(folder, "tree")
        os.mkdir(tree)
        subprocess.run([tool("debugfs"), "-R", f"rdump / {tree}", disk], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wanted = without_time(tell(tree, "/data"))
        again = start(image, (disk, old, kept))
        check(disk)
        for name, other in (("debugfs", wanted), ("the second start", again)):
            if first != other:
                pairs = [(ours, theirs) for ours, theirs in zip(first, other) if ours != theirs]
                raise SystemExit(f"FAILED: {len(first)} files, by {name} {len(other)}; {pairs[:1]}")
        if len(first) < 30:
            raise SystemExit(f"FAILED: only {len(first)} files")


def killed_check(tree, safe):
    """What the machine called safe is there, and what came before it as it was."""
    with open(os.path.join(tree, "log"), "rb") as file:
        log = file.read()
    for number in range(len(log) // 4096):
        if log[number * 4096:(number + 1) * 4096] not in (bytes([97 + number % 26]) * 4096, bytes(4096)):
            raise SystemExit(f"FAILED: record {number} of the log is wrong")
    if len(log) % 4096 or len(log) // 4096 <= safe or bytes(4096) in (log[i * 4096:(i + 1) * 4096] for i in range(safe + 1)):
        raise SystemExit(f"FAILED: the log has {len(log)} bytes, and {safe + 1} records were safe")
    for number in range(max(safe - 8, 0), safe + 1):
        with open(os.path.join(tree, f"file{number}"), "rb") as file:
            if file.read() != bytes([97 + number % 26]) * number:
                raise SystemExit(f"FAILED: file{number} is wrong")


def kill(image, records):
    """QEMU is killed while the machine writes; e2fsck replays the journal."""
    with tempfile.TemporaryDirectory(prefix="bm-ext4-") as folder:
        tree = os.path.join(folder, "tree")
        os.mkdir(tree)
        with open(os.path.join(tree, "loop"), "wb"):
            pass
        disk = disk_make(folder, "disk", ["-b", "1024", "-d", tree])
        with Guest(image, machine="q35", devices=["virtio-blk-pci,drive=d"], arguments=["-drive", f"if=none,id=d,file={disk},format=raw"],
                   append="mount=/data=vda", smp="2,maxcpus=2") as guest:
            guest.expect(rf"^safe {records}$", 120)
        safe = [int(line.split()[1]) for line in guest.text().split("\n")[:-1] if line.startswith("safe ")][-1]
        if subprocess.run([tool("e2fsck"), "-fp", disk], stdout=subprocess.DEVNULL, check=False).returncode > 1:
            raise SystemExit("FAILED: e2fsck has to be asked how to repair the disk")
        check(disk)
        subprocess.run([tool("debugfs"), "-R", f"rdump / {tree}", disk], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        killed_check(tree, safe)
        print(f"ok: killed behind {safe + 1} records", flush=True)


def flushes(questions):
    return questions.ask("query-blockstats")[0]["stats"]["flush_operations"]


def idle(image):
    """Nobody calls fsync and the machine does nothing: what it wrote is committed in the background."""
    with tempfile.TemporaryDirectory(prefix="bm-ext4-") as folder:
        tree = os.path.join(folder, "tree")
        os.mkdir(tree)
        with open(os.path.join(tree, "idle"), "wb"):
            pass
        disk = disk_make(folder, "disk", ["-b", "1024", "-d", tree])
        with Guest(image, machine="q35", devices=["virtio-blk-pci,drive=d"], arguments=["-drive", f"if=none,id=d,file={disk},format=raw"],
                   append="mount=/data=vda", smp="2,maxcpus=2") as guest:
            guest.expect("^made$", 120)
            with Questions(guest) as questions:
                before, deadline = flushes(questions), time.monotonic() + 60
                while flushes(questions) < before + 2:
                    if time.monotonic() > deadline:
                        raise guest.failure("nothing was committed in 60 s")
                    time.sleep(0.2)
        if subprocess.run([tool("e2fsck"), "-fp", disk], stdout=subprocess.DEVNULL, check=False).returncode > 1:
            raise SystemExit("FAILED: e2fsck has to be asked how to repair the disk")
        check(disk)
        subprocess.run([tool("debugfs"), "-R", f"rdump / {tree}", disk], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if os.path.getsize(os.path.join(tree, "made")) != 300000:
            raise SystemExit("FAILED: what was written is not there")


def main():
    idle(sys.argv[2])
    for records in (1, 25, 130):
        kill(sys.argv[2], records)
    for options in (["-m", "0", "-b", "4096"], ["-m", "0", "-b", "1024"]):
        run(sys.argv[2], options)


if __name__ == "__main__":
    sys.exit(judge(main))
