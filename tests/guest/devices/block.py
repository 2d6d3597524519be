#!/usr/bin/env python3
# Disks of all shapes for block.c: partitioned by sfdisk, compared afterwards, grown under way, with injected errors.
# SPDX-License-Identifier: MIT
"""Usage: block.py SOURCE IMAGE"""

import json
import os
import subprocess
import sys
import tempfile

from harness import PASSED, Guest, Questions, judge

MIB = 1 << 20
SIZE = 16 * MIB
GPT = "label: gpt\nfirst-lba: 5000\nstart=5000, size=2000\nstart=8192, size=4096\n"
MBR = "label: dos\nstart=5000, size=1000, type=83\nstart=6000, size=20000, type=5\nstart=6100, size=1000\nstart=7200, size=900\n"


def pattern(disk, sector, size):
    return bytes((disk * 101 + sector * 7 + i * 3 + i // 256) & 255 for i in range(size))


def disk_make(folder, name, table=None, sectors=()):
    path = os.path.join(folder, name)
    with open(path, "wb") as disk:
        disk.truncate(SIZE)
        for number, sector in sectors:
            disk.seek(sector * 512)
            disk.write(pattern(number, sector, 512))
    if table:
        sfdisk = next(path for path in ("/usr/sbin/sfdisk", "/sbin/sfdisk", "/usr/bin/sfdisk") if os.path.exists(path))
        subprocess.run([sfdisk, "-q", path], input=table.encode(), check=True, stdout=subprocess.DEVNULL)
    return path


def compare(path, disk, size, places):
    """The sectors that block.c wrote, as the host finds them."""
    with open(path, "rb") as image:
        for sector in places:
            image.seek(sector * size)
            if image.read(size) != pattern(disk, sector, size):
                raise SystemExit(f"FAILED: sector {sector} of {path} is not what was written")


def zeros(path, first, count):
    with open(path, "rb") as image:
        image.seek(first * 512)
        if image.read(count * 512).strip(b"\0"):
            raise SystemExit(f"FAILED: sectors {first} … of {path} are not zeros")


WRITTEN = [*range(100, 400), *range(1000, 1256)]


def run(image, machine, bus, block2, words, grows=False):
    with tempfile.TemporaryDirectory(prefix="bm-block-") as folder:
        first = disk_make(folder, "first", GPT)
        second = disk_make(folder, "second", MBR if block2 == 512 else None)
        third = disk_make(folder, "third", sectors=[(2, 5)])
        devices = [f"virtio-blk-{bus},drive=first,id=dev0,serial=first-of-all" + words,
                   f"virtio-blk-{bus},drive=second,logical_block_size={block2},physical_block_size=4096" + words,
                   f"virtio-blk-{bus},drive=third"]
        drives = []
        for name, path, more in (("first", first, ",discard=unmap"), ("second", second, ""), ("third", third, ",readonly=on")):
            drives += ["-drive", f"if=none,id={name},file={path},format=raw{more}"]
        with Guest(image, machine=machine, devices=devices, arguments=drives, append="log=warn" + (" -- grow" if grows else "")) as guest:
            guest.expect("^written$", 60)
            if grows:
                with Questions(guest) as questions:
                    questions.ask("block_resize", device="first", size=40960 * 512)
                guest.expect("^grown$", 60)
            if guest.wait(60) != PASSED:
                raise guest.failure("the program failed")
            text = guest.text()
        for line in ("at once: 4" if "queue-size=16" in words else "at once: 32", "disk vda: 32768 sectors of 512 at 0, serial 'first-of-all', type 00",
                     "disk vda1: 2000 sectors of 512 at 5000", "disk vda2: 4096 sectors of 512 at 8192",
                     f"disk vdb: {SIZE // block2} sectors of {block2} at 0", "disk vdc: 32768 sectors of 512 at 0, serial '', read-only"):
            if line not in text:
                raise SystemExit(f"FAILED: '{line}' is not on the console:\n{text}")
        if block2 == 512 and ("disk vdb5: 1000 sectors of 512 at 6100" not in text or "disk vdb6: 900 sectors of 512 at 7200" not in text
                              or "disk vdb2:" in text):
            raise SystemExit(f"FAILED: the logical partitions are not those of sfdisk:\n{text}")
        compare(first, 0, 512, [*WRITTEN, *range(2000, 2010), *range(2030, 2040), 8195])
        zeros(first, 2010, 20)
        compare(second, 1, block2, [*WRITTEN, *([7203] if block2 == 512 else [])])
        compare(third, 2, 512, [5])
        print(f"ok: {machine} with {bus}, sectors of {block2}{words}", flush=True)


def errors(image):
    """QEMU's blkdebug fails what it is told to."""
    with tempfile.TemporaryDirectory(prefix="bm-block-") as folder:
        path = disk_make(folder, "disk")
        node = {"driver": "raw", "node-name": "disk",
                "file": {"driver": "blkdebug", "image": {"driver": "file", "filename": path},
                         "inject-error": [{"event": "none", "iotype": "read", "sector": 56},
                                          {"event": "none", "iotype": "write", "sector": 56},
                                          {"event": "none", "iotype": "flush", "once": True}]}}
        arguments = ["-blockdev", json.dumps(node)]
        with Guest(image, devices=["virtio-blk-pci,drive=disk,werror=report,rerror=report"], arguments=arguments,
                   append="-- errors") as guest:
            guest.expect("^errors surface where they are$", 60)
            if guest.wait(60) != PASSED:
                raise guest.failure("the program failed")
        print("ok: errors", flush=True)


def main():
    image = sys.argv[2]
    if "packed" in sys.argv[1]:
        run(image, "q35", "pci", 512, ",packed=on", grows=True)
        run(image, "pc", "pci", 4096, ",packed=on,vectors=0")
        run(image, "pc", "pci", 512, ",packed=on,disable-legacy=on,event_idx=off,queue-size=16,seg-max-adjust=on")
        return
    run(image, "q35", "pci", 512, "", grows=True)
    run(image, "pc", "pci", 4096, ",vectors=0")
    run(image, "pc", "pci", 512, ",disable-legacy=on,event_idx=off,queue-size=16,seg-max-adjust=on")
    run(image, "pc", "pci", 512, ",disable-modern=on,disable-legacy=off")
    run(image, "microvm", "device", 512, "")
    errors(image)


if __name__ == "__main__":
    sys.exit(judge(main))
