#!/usr/bin/env python3
# Makes EROFS disks of folders for disk_erofs.c, and wants from the machine what the host sees in the folders.
# SPDX-License-Identifier: MIT
"""Usage: disk_erofs.py SOURCE IMAGE"""

import os
import random
import stat
import subprocess
import sys
import tempfile

from harness import PASSED, Guest, judge, status_name

UUID = "3b5c1a52-1c4f-4b7e-9f55-0123456789ab"
NAMES = 1500
BIG = 3 * 1000 * 1000 + 17


def folder_make(folder, seed):
    """Names of all lengths, in directories of several blocks; sizes around those of pages; holes."""
    numbers = random.Random(seed)
    os.makedirs(os.path.join(folder, "directory/below"))
    os.mkdir(os.path.join(folder, "many"))
    for number in range(NAMES):
        with open(os.path.join(folder, "many", f"{number:x}" + "n" * numbers.choice((0, 1, 10, 60))), "wb") as file:
            file.write(str(number).encode() * (number % 3))
    for size in (0, 1, 31, 2000, 4064, 4095, 4096, 4097, 8191, 8192, 70000, BIG):
        name = "empty" if size == 0 else "big" if size == BIG else f"directory/{size}"
        with open(os.path.join(folder, name), "wb") as file:
            file.write(numbers.randbytes(size))
        os.chmod(os.path.join(folder, name), 0o600 + size % 64)
    with open(os.path.join(folder, "directory/below/holes"), "wb") as file:
        for place in (0, 3, 9, 200):
            file.seek(place * 4096)
            file.write(numbers.randbytes(5000))
    os.symlink("../big", os.path.join(folder, "directory/link"))
    os.symlink("x" * 4000, os.path.join(folder, "directory/long"))
    with open(os.path.join(folder, "n" * 254), "wb") as file:
        file.write(b"a name as long as mkfs.erofs takes it")
    os.mkfifo(os.path.join(folder, "fifo"))


def sum_of(data):
    result = 2166136261
    for byte in data:
        result = (result ^ byte) * 16777619 & 0xffffffff
    return result


def tell(path, shown):
    status = os.lstat(path)
    line = f"{shown} {status.st_mode:o} {0 if stat.S_ISDIR(status.st_mode) else status.st_size}"
    if stat.S_ISREG(status.st_mode):
        with open(path, "rb") as file:
            line += f" {sum_of(file.read()):08x}"
    if stat.S_ISLNK(status.st_mode):
        line += " " + os.readlink(path)
    lines = [line + f" {status.st_mtime_ns // 10**9}"]
    if stat.S_ISDIR(status.st_mode):
        for name in sorted(os.listdir(path)):
            lines += tell(os.path.join(path, name), f"{shown}/{name}")
    return lines


def disk_make(folder, name, seed, options):
    source = os.path.join(folder, name)
    os.mkdir(source)
    folder_make(source, seed)
    subprocess.run(["mkfs.erofs", "--quiet", *options, source + ".img", source], check=True)
    return source + ".img"


def partition_make(folder, image):
    """A disk whose second partition has what is in the image."""
    path = os.path.join(folder, "parts")
    sfdisk = next(path for path in ("/usr/sbin/sfdisk", "/sbin/sfdisk", "/usr/bin/sfdisk") if os.path.exists(path))
    with open(image, "rb") as source, open(path, "wb") as disk:
        disk.truncate(16 << 20)
        disk.seek(8192 * 512)
        disk.write(source.read())
    subprocess.run([sfdisk, "-q", "-w", "never", path], input=b"label: gpt\nstart=4096, size=2048\nstart=8192, size=20000\n", check=True, stderr=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)
    return path


def run(image, sector):
    with tempfile.TemporaryDirectory(prefix="bm-erofs-") as folder:
        plain = disk_make(folder, "plain", 1, [])
        chunks = disk_make(folder, "chunks", 2, ["--chunksize=4096", f"-U{UUID}"])
        parts = partition_make(folder, disk_make(folder, "third", 3, []))
        broken = os.path.join(folder, "broken")
        with open(plain, "rb") as source, open(broken, "wb") as disk:
            data = bytearray(source.read(65536))
            data[1024 + 40] ^= 1  # its checksum is wrong
            disk.write(data)
        drives, devices = [], []
        for number, path in enumerate((plain, chunks, parts, broken)):
            drives += ["-drive", f"if=none,id=d{number},file={path},format=raw,readonly=on"]
            size = 512 if path == parts else sector
            devices.append(f"virtio-blk-pci,drive=d{number},logical_block_size={size},physical_block_size={size}")
        mounts = f"mount=/data=vda mount=/other=UUID={UUID} mount=/deep/er/part=vdc2 mount=/bad=vdd mount=/bad=vdc1 mount=/bad=vdx mount=bad"
        with Guest(image, machine="q35", devices=devices, arguments=drives, append=f"log=info {mounts}", smp="4,maxcpus=4") as guest:
            status = guest.wait(120)
            if status != PASSED:
                raise guest.failure(f"QEMU's exit status is {status_name(status)}")
            text = guest.text()
        for line in ("mount: vda (erofs) on /data", "mount: vdb (erofs) on /other", "mount: vdc2 (erofs) on /deep/er/part",
                     "error: erofs: vdd: the checksum of its superblock is wrong", "error: mount: vdc1 has no file system that is linked",
                     "error: mount: there is no disk vdx", "error: mount: mount=bad is not mount=/path=disk"):
            if line not in text:
                raise SystemExit(f"FAILED: '{line}' is not on the console:\n{text[-3000:]}")
        lines = text.split("\n")
        got = lines[lines.index("BEGIN") + 1:lines.index("END")]
        wanted = [line for name, shown in (("plain", "/data"), ("chunks", "/other"), ("third", "/deep/er/part"))
                  for line in tell(os.path.join(folder, name), shown)]
        for ours, theirs in zip(got, wanted):
            if ours != theirs:
                raise SystemExit(f"FAILED: the machine says\n{ours[:200]}\nand the host\n{theirs[:200]}")
        if len(got) != len(wanted):
            raise SystemExit(f"FAILED: {len(got)} files, not {len(wanted)}")


def main():
    for sector in (512, 4096):
        run(sys.argv[2], sector)
        print(f"ok: sectors of {sector} bytes", flush=True)


if __name__ == "__main__":
    sys.exit(judge(main))
