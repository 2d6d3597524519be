#!/usr/bin/env python3
# Gives disk_ext4_write.c disks, has e2fsck judge what it wrote, compares that with what debugfs finds, and starts it again.
# SPDX-License-Identifier: MIT
"""Usage: disk_ext4_write.py SOURCE IMAGE"""

import os
import subprocess
import sys
import tempfile

from disk_erofs import tell
from disk_ext4 import told, tool
from harness import PASSED, Guest, judge, status_name


def disk_make(folder, name, options):
    image = os.path.join(folder, name + ".img")
    subprocess.run([tool("mkfs.ext4"), "-q", "-F", *options, image, "32M"], check=True, stdout=subprocess.DEVNULL)
    return image


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
    with Guest(image, machine="q35", devices=devices, arguments=drives, append="log=info mount=/data=vda mount=/old=vdb",
               smp="2,maxcpus=2") as guest:
        status = guest.wait(120)
        if status != PASSED:
            raise guest.failure(f"QEMU's exit status is {status_name(status)}")
        text = guest.text()
    line = "ext4: vdb is mounted read-only: it has no journal"
    if line not in text:
        raise SystemExit(f"FAILED: '{line}' is not on the console:\n{text[-3000:]}")
    return without_time(told(text))


def run(image, options):
    with tempfile.TemporaryDirectory(prefix="bm-ext4-") as folder:
        disk = disk_make(folder, "disk", options)
        old = disk_make(folder, "old", ["-O", "^has_journal"])
        first = start(image, (disk, old))
        check(disk)
        tree = os.path.join(folder, "tree")
        os.mkdir(tree)
        subprocess.run([tool("debugfs"), "-R", f"rdump / {tree}", disk], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wanted = without_time(tell(tree, "/data"))
        again = start(image, (disk, old))
        check(disk)
        for name, other in (("debugfs", wanted), ("the second start", again)):
            if first != other:
                pairs = [(ours, theirs) for ours, theirs in zip(first, other) if ours != theirs]
                raise SystemExit(f"FAILED: {len(first)} files, by {name} {len(other)}; {pairs[:1]}")
        if len(first) < 30:
            raise SystemExit(f"FAILED: only {len(first)} files")


def main():
    for options in (["-b", "4096"], ["-b", "1024"]):
        run(sys.argv[2], options)


if __name__ == "__main__":
    sys.exit(judge(main))
