#!/usr/bin/env python3
# Writes a BMFS disk for disk_bmfs.c, and wants from the machine what was written.
# SPDX-License-Identifier: MIT
"""Usage: disk_bmfs.py SOURCE IMAGE"""

import os
import random
import struct
import sys
import tempfile

from disk_erofs import sum_of
from disk_ext4 import told
from harness import PASSED, Guest, judge, status_name

BLOCK = 2 << 20


def disk_write(path, files):
    """As the text of BMFS says: marker and directory in block 0, files in blocks side by side, block 0 again at the end."""
    records, blocks, at = b"", b"", 1
    for name, data in files:
        reserved = -(-len(data) // BLOCK) or 1
        records += struct.pack("<32sQQQQ", name.encode(), at, reserved, len(data), 0)
        blocks += data.ljust(reserved * BLOCK, b"\xee")
        at += reserved
    records = struct.pack("<32sQQQQ", b"\x01removed", 1, 1, 10, 0) + records
    first = (bytes(1024) + b"BMFS").ljust(4096, b"\0") + records
    first = first.ljust(BLOCK, b"\0")
    with open(path, "wb") as disk:
        disk.write(first + blocks + first)


def main():
    numbers = random.Random(5)
    files = [("first.app", b"hello"), ("a name of just 31 characters.xx", numbers.randbytes(4096)), ("empty", b""),
             ("large.bin", numbers.randbytes(BLOCK + 70001)), ("exact", numbers.randbytes(BLOCK))]
    with tempfile.TemporaryDirectory(prefix="bm-bmfs-") as folder:
        disk = os.path.join(folder, "disk")
        disk_write(disk, files)
        with Guest(sys.argv[2], machine="q35", devices=["nvme,drive=d,serial=1"], append="log=info mount=/data=nvme0n1",
                   arguments=["-drive", f"if=none,id=d,file={disk},format=raw,readonly=on"]) as guest:
            status = guest.wait(120)
            if status != PASSED:
                raise guest.failure(f"QEMU's exit status is {status_name(status)}")
            text = guest.text()
    if "mount: nvme0n1 (bmfs) on /data" not in text:
        raise SystemExit(f"FAILED: the disk was not mounted:\n{text[-2000:]}")
    wanted = ["/data 40755 0 0"] + [f"/data/{name} 100644 {len(data)} {sum_of(data):08x} 0" for name, data in sorted(files)]
    if told(text) != wanted:
        raise SystemExit(f"FAILED: the machine says\n{told(text)}\nnot\n{wanted}")


if __name__ == "__main__":
    sys.exit(judge(main))
