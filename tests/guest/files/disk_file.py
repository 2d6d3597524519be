#!/usr/bin/env python3
# Disks for disk_file.c, and what it has written to them.
# SPDX-License-Identifier: MIT
"""Usage: disk_file.py SOURCE IMAGE"""

import os
import struct
import sys
import tempfile

from harness import PASSED, Guest, TestFailure, judge, status_name

SIZE, PART, BEGIN = 16 << 20, 3000001, 4 << 20


def run(image, sector):
    with tempfile.TemporaryDirectory(prefix="bm-disk-") as folder:
        disk, second = os.path.join(folder, "disk"), os.path.join(folder, "second")
        with open(disk, "wb") as file:
            file.truncate(SIZE)
            file.seek(446)  # a master boot record with one partition
            file.write(struct.pack("<8B2I", 0, 0, 0, 0, 0x83, 0, 0, 0, BEGIN // sector, (8 << 20) // sector) + bytes(48) + b"\x55\xaa")
        with open(second, "wb") as file:
            file.write(b"r" * 65536)
        drives = ["-drive", f"if=none,id=d,file={disk},format=raw", "-drive", f"if=none,id=s,file={second},format=raw,readonly=on"]
        more = [os.path.join(folder, name) for name in ("nvme", "sata")]
        for path in more:
            with open(path, "wb") as file:
                file.write(bytes(1 << 20) + b"\x5a" * (1 << 20) + bytes(2 << 20))
            drives += ["-drive", f"if=none,id={os.path.basename(path)},file={path},format=raw,discard=unmap"]
        sizes = f"logical_block_size={sector},physical_block_size={sector}"
        with Guest(image, machine="q35", devices=[f"virtio-blk-pci,drive=d,{sizes}", "virtio-blk-pci,drive=s", "ide-hd,drive=sata,bus=ide.0",
                                                      "nvme,serial=1,drive=nvme,logical_block_size=4096,physical_block_size=4096"], arguments=drives) as guest:
            status = guest.wait(60)
            if status != PASSED:
                raise guest.failure(f"QEMU's exit status is {status_name(status)}")
        with open(disk, "rb") as file:
            data = file.read()
        for path in more:
            with open(path, "rb") as file:
                content = file.read()
            if content[-4:] != b"tail" or content[(1 << 20) - 1:(1 << 20) + 4096].strip(b"\x5a") != b"\0" or any(content[(1 << 20) + 4096:(1 << 20) + 12288]):
                raise TestFailure(f"{path} has not what was written")
    written = bytes((i * 7 + i // 251) & 255 for i in range(PART))
    if data[BEGIN + 1000:BEGIN + 1000 + PART] != written or data[-10:] != b"0123456789":
        raise TestFailure("what was written is not on the disk")
    if any(data[BEGIN:BEGIN + 1000]) or any(data[BEGIN + 1000 + PART:-10]):
        raise TestFailure("something else was written, too")
    print(f"ok: sectors of {sector} bytes", flush=True)


def main():
    for sector in (512, 4096):
        run(sys.argv[2], sector)


if __name__ == "__main__":
    sys.exit(judge(main))
