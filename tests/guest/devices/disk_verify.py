#!/usr/bin/env python3
# Disks of every driver for disk_verify.c: written from all cores and compared afterwards, with injected errors, held back by the host.
# SPDX-License-Identifier: MIT
"""Usage: disk_verify.py SOURCE IMAGE [--long] [--only REGEX] [--verbose]: --long moves 1 GiB on each disk instead of 8 MiB"""

import argparse
import array
import concurrent.futures
import json
import os
import re
import sys
import tempfile

from harness import PASSED, Guest, Questions, judge

MIB = 1 << 20
WORD = 0xFFFFFFFF


class Disk:
    """A file of the host, and the name that the machine has for it."""

    def __init__(self, name, size=512, words=()):
        self.name, self.size, self.words = name, size, words


def sector_words(size, sector, generation):
    mixed = (sector * 0x9E3779B1 & WORD) ^ (generation * 0x85EBCA6B & WORD)
    words = array.array("I", ((mixed + i * 0xC2B2AE35) & WORD for i in range(size // 4)))
    words[0], words[1] = sector & WORD, generation
    return words


def compare(path, disk, text):
    """Each sector is what disk_verify.c wrote last: it has its number, and the generations are as many as it says."""
    found = re.search(rf"^{disk.name}: (\d+) sectors of {disk.size}, .* written (\d+) times$", text, re.MULTILINE)
    if not found:
        raise SystemExit(f"FAILED: nothing of {disk.name} on the console:\n{text}")
    written = 0
    with open(path, "rb") as image:
        for sector in range(int(found[1])):
            content = array.array("I", image.read(disk.size))
            if content != sector_words(disk.size, sector, content[1]):
                raise SystemExit(f"FAILED: sector {sector} of {disk.name} is not what was written")
            written += content[1]
    if written != int(found[2]):
        raise SystemExit(f"FAILED: {disk.name} has {written} writes, not {found[2]}: some were lost")


def verify(image, machine, devices, disks, mib, size):
    """`devices` are QEMU's words; {0}, {1} … the drives."""
    with tempfile.TemporaryDirectory(prefix="bm-disk-") as folder:
        paths, arguments = [], []
        for number, _ in enumerate(disks):
            path = os.path.join(folder, f"disk{number}")
            with open(path, "wb") as file:
                file.truncate(size * MIB)
            paths.append(path)
            arguments += ["-drive", f"if=none,id=d{number},file={path},format=raw,discard=unmap"]
        names = " ".join(disk.name for disk in disks)
        with Guest(image, machine=machine, smp="4", memory="128", devices=devices, arguments=arguments,
                   append=f"log=info -- verify {mib} {names}") as guest:
            if guest.wait(60 + 10 * mib) != PASSED:
                raise guest.failure("the program failed")
            text = guest.text()
        for path, disk in zip(paths, disks):
            compare(path, disk, text)
    return text


def errors(image, name, devices, machine):
    """QEMU's blkdebug fails what it is told to."""
    with tempfile.TemporaryDirectory(prefix="bm-disk-") as folder:
        path = os.path.join(folder, "disk")
        with open(path, "wb") as file:
            file.truncate(16 * MIB)
        bad = [{"event": "none", "iotype": iotype, "sector": 56} for iotype in ("read", "write")]
        node = {"driver": "raw", "node-name": "d0",
                "file": {"driver": "blkdebug", "image": {"driver": "file", "filename": path},
                         "inject-error": [*bad, {"event": "none", "iotype": "flush", "once": True}]}}
        with Guest(image, machine=machine, smp="2", devices=devices, arguments=["-blockdev", json.dumps(node)], append=f"-- errors 0 {name}") as guest:
            guest.expect(f"^{name}: errors surface where they are$", 60)
            if guest.wait(60) != PASSED:
                raise guest.failure("the program failed")


def disc(image, devices, without):
    """Drives with a disc and without, of which the machine says that."""
    with tempfile.TemporaryDirectory(prefix="bm-disk-") as folder:
        path = os.path.join(folder, "disc")
        with open(path, "wb") as file:
            for sector in range(1000):
                file.write(sector_words(2048, sector, 7).tobytes())
        with Guest(image, machine="q35", smp="2", devices=devices,
                   arguments=["-drive", f"if=none,id=d0,file={path},format=raw,media=cdrom,readonly=on"], append="log=info -- disc 0 sr0") as guest:
            guest.expect(without, 30)
            guest.expect("^sr0: 1000 sectors$", 60)
            if guest.wait(60) != PASSED:
                raise guest.failure("the program failed")
            return guest.text()


def removal(image, name, device):
    """The device is pulled out of slot 9, without a word before."""
    with tempfile.TemporaryDirectory(prefix="bm-disk-") as folder:
        path = os.path.join(folder, "disk")
        with open(path, "wb") as file:
            file.truncate(16 * MIB)
        with Guest(image, machine="pc", smp="2", devices=[f"{device},addr=9"], arguments=["-drive", f"if=none,id=d0,file={path},format=raw"],
                   append=f"-- removal 9 {name}") as guest:
            guest.expect(f"^{name}: error 5 after", 60)
            if guest.wait(60) != PASSED:
                raise guest.failure("the program failed")
            return guest.text()


def stuck(image, name, devices, machine):
    """The host lets one request through, and then none for an hour: the machine lives on, and hears of it within 30 s."""
    with tempfile.TemporaryDirectory(prefix="bm-disk-") as folder:
        path = os.path.join(folder, "disk")
        with open(path, "wb") as file:
            file.truncate(16 * MIB)
        arguments = ["-object", "throttle-group,id=slow", "-blockdev",
                     json.dumps({"driver": "throttle", "node-name": "d0", "throttle-group": "slow", "file": {"driver": "file", "filename": path}})]
        with Guest(image, machine=machine, smp="2", devices=devices, arguments=arguments, append=f"-- stuck 0 {name}") as guest:
            limits = {"bps-total": 1, "bps-total-max": 1}
            guest.expect("^ready to be held back$", 60)
            with Questions(guest) as questions:
                questions.ask("qom-set", path="/objects/slow", property="limits", value=limits)
                guest.send("\n")
                guest.expect(f"^{name}: error 5 after", 100)
                guest.expect("^let them go$", 10)
                questions.ask("qom-set", path="/objects/slow", property="limits", value={"bps-total": 0, "bps-total-max": 0})
                guest.send("\n")
            if guest.wait(60) != PASSED:
                raise guest.failure("the program failed")
            return guest.text()


NVME = ["nvme,drive=d0,serial=first,mdts=0", "nvme,id=n1,serial=second,max_ioqpairs=3", "nvme-ns,drive=d1,bus=n1,nsid=1,logical_block_size=4096,physical_block_size=4096",
        "nvme-ns,drive=d2,bus=n1,nsid=7"]
NVME_DISKS = [Disk("nvme0n1"), Disk("nvme1n1", 4096), Disk("nvme1n7")]
VIRTIO = ["virtio-blk-pci,drive=d0", "virtio-blk-pci,drive=d1,logical_block_size=4096,physical_block_size=4096"]
VIRTIO_DISKS = [Disk("vda"), Disk("vdb", 4096)]
AHCI = ["ahci,id=a1", "ide-hd,drive=d0,bus=a1.2,serial=first", "ide-hd,drive=d1,bus=ide.0", "ide-hd,drive=d2,bus=ide.3"]
AHCI_DISKS = [Disk("sda"), Disk("sdb"), Disk("sdc")]
SCSI = ["virtio-scsi-pci,id=s1", "scsi-hd,drive=d0,bus=s1.0,scsi-id=3,serial=first", "virtio-scsi-pci,id=s2,num_queues=1",
        "scsi-hd,drive=d1,bus=s2.0,scsi-id=0,lun=0,logical_block_size=4096,physical_block_size=4096", "scsi-hd,drive=d2,bus=s2.0,scsi-id=0,lun=5"]
SCSI_DISKS = [Disk("sda"), Disk("sdb", 4096), Disk("sdc")]

CASES = {
    "nvme": lambda image, mib, size: verify(image, "q35", NVME, NVME_DISKS, mib, size),
    "nvme: errors": lambda image, *_: errors(image, "nvme0n1", ["nvme,drive=d0,serial=1"], "q35"),
    "nvme: stuck": lambda image, *_: stuck(image, "nvme0n1", ["nvme,drive=d0,serial=1"], "q35"),
    "nvme: removal": lambda image, *_: removal(image, "nvme0n1", "nvme,drive=d0,serial=1"),
    "virtio-blk: removal": lambda image, *_: removal(image, "vda", "virtio-blk-pci,drive=d0"),
    "ahci": lambda image, mib, size: verify(image, "q35", AHCI, AHCI_DISKS, mib, size),
    "ahci: errors": lambda image, *_: errors(image, "sda", ["ide-hd,drive=d0,bus=ide.0"], "q35"),
    "ahci: discs": lambda image, *_: disc(image, ["ide-cd,drive=d0,bus=ide.1", "ide-cd,bus=ide.2"], "port 2: what is there has no disc$"),
    "virtio-scsi": lambda image, mib, size: verify(image, "q35", SCSI, SCSI_DISKS, mib, size),
    "virtio-scsi: errors": lambda image, *_: errors(image, "sda", ["virtio-scsi-pci", "scsi-hd,drive=d0"], "q35"),
    "virtio-scsi: discs": lambda image, *_: disc(image, ["virtio-scsi-pci", "scsi-cd,drive=d0,scsi-id=7", "scsi-cd,scsi-id=2"],
                                                 "unit 0 of target 2 is not ready: it is left out$"),
    "virtio-scsi: stuck": lambda image, *_: stuck(image, "sda", ["virtio-scsi-pci", "scsi-hd,drive=d0"], "q35"),
    "virtio-blk": lambda image, mib, size: verify(image, "q35", VIRTIO, VIRTIO_DISKS, mib, size),
    "virtio-blk: errors": lambda image, *_: errors(image, "vda", ["virtio-blk-pci,drive=d0,werror=report,rerror=report"], "q35"),
    "virtio-blk: stuck": lambda image, *_: stuck(image, "vda", ["virtio-blk-pci,drive=d0"], "q35"),
}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("source")
    parser.add_argument("image")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    mib, size = (1024, 64) if options.long else (8, 8)

    def run(name):
        text = CASES[name](options.image, mib, size)
        print(f"ok: {name}" + (f"\n{text}" if options.verbose else ""), flush=True)

    names = [name for name in CASES if re.search(options.only, name)]
    waiting = [name for name in names if name.endswith(("stuck", "removal"))]
    with concurrent.futures.ThreadPoolExecutor(max(1, len(waiting))) as pool:  # these wait for a time-out, and do nothing else
        runs = [pool.submit(run, name) for name in waiting]
        for name in names:
            if name not in waiting:
                run(name)
        for future in runs:
            future.result()


if __name__ == "__main__":
    sys.exit(judge(main))
