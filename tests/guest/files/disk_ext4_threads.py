#!/usr/bin/env python3
# Gives disk_ext4_threads.c a disk, and has e2fsck judge what it wrote.
# SPDX-License-Identifier: MIT
"""Usage: disk_ext4_threads.py SOURCE IMAGE"""

import sys
import tempfile

from disk_ext4_write import check, disk_make
from harness import PASSED, Guest, judge, status_name


def main():
    with tempfile.TemporaryDirectory(prefix="bm-ext4-") as folder:
        disk = disk_make(folder, "disk", ["-b", "1024"])
        with Guest(sys.argv[2], machine="q35", devices=["virtio-blk-pci,drive=d"], arguments=["-drive", f"if=none,id=d,file={disk},format=raw"],
                   append="mount=/data=vda", smp="4,maxcpus=4") as guest:
            status = guest.wait(120)
            if status != PASSED:
                raise guest.failure(f"QEMU's exit status is {status_name(status)}")
        check(disk)


if __name__ == "__main__":
    sys.exit(judge(main))
