#!/usr/bin/env python3
# Makes ext4, ext3 and ext2 disks of folders for disk_ext4.c, and wants from the machine what the host sees in the folders.
# SPDX-License-Identifier: MIT
"""Usage: disk_ext4.py SOURCE IMAGE"""

import os
import subprocess
import sys
import tempfile

from disk_erofs import UUID, folder_make, partition_make, tell
from harness import PASSED, Guest, judge, status_name

FAR = (5 << 30) + 100000
DIRTY = b"\xc0\x3b\x39\x98" + bytes(range(256)) * 31 + b"end." * 63  # begins as the journal's own blocks do
DIRTY_BLOCK = 5000


def tool(name):
    return next(path for path in (f"/usr/sbin/{name}", f"/sbin/{name}", f"/usr/bin/{name}") if os.path.exists(path))


def disk_make(folder, name, seed, size, options):
    """A disk of a folder, whose directories e2fsck gives indexes."""
    source = os.path.join(folder, name)
    os.mkdir(source)
    folder_make(source, seed)
    os.unlink(os.path.join(source, "directory/long"))  # longer than a small block
    os.symlink("x" * 900, os.path.join(source, "directory/long"))
    image = source + ".img"
    subprocess.run([tool("mkfs.ext4"), "-q", "-F", *options, "-d", source, image, size], check=True, stdout=subprocess.DEVNULL)
    if subprocess.run([tool("e2fsck"), "-fyD", image], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode > 1:
        raise SystemExit("FAILED: e2fsck finds errors in what mkfs.ext4 made")
    return image


def far_make(folder):
    """A disk with a file of gigabytes, nearly all of which is a hole."""
    source = os.path.join(folder, "far")
    os.mkdir(source)
    with open(os.path.join(source, "far"), "wb") as file:
        file.seek(FAR)
        file.write(b"far!")
    subprocess.run([tool("mkfs.ext4"), "-q", "-F", "-d", source, source + ".img", "8M"], check=True, stdout=subprocess.DEVNULL)
    return source + ".img"


def dirty_make(folder):
    """A disk whose journal has two blocks that are not in their places."""
    image, data, script = (os.path.join(folder, name) for name in ("dirty", "data", "script"))
    with open(data, "wb") as file:
        file.write(DIRTY)
    with open(script, "w", encoding="ascii") as file:
        file.write(f"jo -c -v 3\njw -b {DIRTY_BLOCK},{DIRTY_BLOCK + 1} {data}\njc\n")
    subprocess.run([tool("mkfs.ext4"), "-q", "-F", "-b", "4096", "-L", "dirty", image, "24M"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([tool("debugfs"), "-w", "-f", script, image], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return image


def dirty_check(image):
    with open(image, "rb") as file:
        file.seek(DIRTY_BLOCK * 4096)
        if file.read(len(DIRTY)) != DIRTY:
            raise SystemExit("FAILED: the journal was not replayed")
    check = subprocess.run([tool("e2fsck"), "-fn", image], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if check.returncode:
        raise SystemExit(f"FAILED: e2fsck says\n{check.stdout.decode()}")


def wanted_lines(folder):
    for name, shown in (("plain", "/data"), ("small", "/other"), ("old", "/deep/part")):
        for line in tell(os.path.join(folder, name), shown):
            yield line


def told(text):
    lines = text.split("\n")
    lines = lines[lines.index("BEGIN") + 1:lines.index("END")]
    return [line for line in lines if "/lost+found " not in line]


def run(image, sector):
    with tempfile.TemporaryDirectory(prefix="bm-ext4-") as folder:
        plain = disk_make(folder, "plain", 1, "48M", ["-b", "4096"])
        small = disk_make(folder, "small", 2, "48M", ["-b", "1024" if sector == 512 else "4096", "-U", UUID])
        parts = partition_make(folder, disk_make(folder, "old", 3, "10000K", ["-t", "ext2", "-b", "1024"]))
        broken = os.path.join(folder, "broken")
        with open(plain, "rb") as source, open(broken, "wb") as disk:
            data = bytearray(source.read(65536))
            data[1024 + 120] ^= 1  # the checksum of its superblock is wrong
            disk.write(data)
        drives, devices = [], []
        for number, path in enumerate((plain, small, parts, broken, far_make(folder), dirty_make(folder))):
            drives += ["-drive", f"if=none,id=d{number},file={path},format=raw,readonly={'off' if path.endswith('dirty') else 'on'}"]
            size = sector if path in (plain, small, broken) else 512
            devices.append(f"virtio-blk-pci,drive=d{number},logical_block_size={size},physical_block_size={size}")
        mounts = f"mount=/data=vda mount=/other=UUID={UUID} mount=/deep/part=vdc2 mount=/bad=vdd mount=/bad=vdc1 mount=/far=vde mount=/dirty=LABEL=dirty"
        with Guest(image, machine="q35", devices=devices, arguments=drives, append=f"log=info {mounts}", smp="4,maxcpus=4") as guest:
            status = guest.wait(120)
            if status != PASSED:
                raise guest.failure(f"QEMU's exit status is {status_name(status)}")
            text = guest.text()
        for line in ("mount: vda (ext4) on /data", "mount: vdb (ext4) on /other", "mount: vdc2 (ext4) on /deep/part",
                     "ext4: vdf was not unmounted: its journal has been replayed", "mount: vdf (ext4) on /dirty",
                     "error: ext4: vdd: the checksum of its superblock is wrong", "error: mount: vdc1 has no file system that is linked"):
            if line not in text:
                raise SystemExit(f"FAILED: '{line}' is not on the console:\n{text[-3000:]}")
        dirty_check(os.path.join(folder, "dirty"))
        got, wanted = told(text), list(wanted_lines(folder))
        for ours, theirs in zip(got, wanted):
            ours, theirs = [line.rsplit(" ", 1)[0] if line.split()[0] in ("/data", "/other", "/deep/part") else line for line in (ours, theirs)]
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
