#!/usr/bin/env python3
# Shares a folder with share_9p.c by QEMU's 9P, and compares what both sides see, before and after.
# SPDX-License-Identifier: MIT
"""Usage: share_9p.py SOURCE IMAGE"""

import os
import stat
import sys
import tempfile

from harness import PASSED, Guest, TestFailure, judge, status_name

LARGE, CUT = 300000, 200000


def folder_make(folder):
    os.makedirs(os.path.join(folder, "directory/below"))
    contents = {"empty": b"", "log": b"of the host\n", "moved": b"moves", "gone": b"goes", "directory/large": bytes(range(251)) * 1200}
    contents |= {f"directory/{number}": b"x" * number for number in range(150)}
    contents["directory/below/" + "n" * 255] = b"as long as a name may be"
    for name, data in contents.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
    os.symlink("directory/large", os.path.join(folder, "link"))
    os.chmod(os.path.join(folder, "empty"), 0o4751)


def tell(path, shown):
    status = os.lstat(path)
    directory = stat.S_ISDIR(status.st_mode)
    line = f"{shown} {status.st_mode:o} {0 if directory else status.st_size} {int(status.st_mtime)}"
    if stat.S_ISREG(status.st_mode):
        number = 0
        with open(path, "rb") as file:
            for byte in file.read():
                number = (number * 31 + byte) & 0xffffffff
        line += f" {number}"
    if stat.S_ISLNK(status.st_mode):
        line += " " + os.readlink(path)
    return [line] + [below for name in sorted(os.listdir(path)) for below in tell(os.path.join(path, name), f"{shown}/{name}")] if directory else [line]


def check(folder, name, wanted):
    with open(os.path.join(folder, name), "rb") as file:
        if file.read() != wanted:
            raise TestFailure(f"{name} is not what the machine wrote")


def compare_after(folder):
    made = bytearray((i * 7 + i // 256) & 255 for i in range(LARGE))
    made[70000:70004] = b"here"
    check(folder, "made", bytes(made[:CUT]))
    check(folder, "log", b"of the host\nof the guest\n")
    check(folder, "new/moved", b"moves")
    if sorted(os.listdir(os.path.join(folder, "new"))) != ["link", "moved", "second"] or os.path.exists(os.path.join(folder, "gone")):
        raise TestFailure(f"names: {os.listdir(folder)}, {os.listdir(os.path.join(folder, 'new'))}")
    modes = [stat.S_IMODE(os.lstat(os.path.join(folder, name)).st_mode) for name in ("made", "new", "log")]
    if modes != [0o640, 0o750, 0o604] or os.readlink(os.path.join(folder, "new/link")) != "../log":
        raise TestFailure(f"modes {modes}")
    if os.stat(os.path.join(folder, "log")).st_mtime != 1234567890.5:
        raise TestFailure("a time is not what the machine set")


def run(image, machine, device):
    with tempfile.TemporaryDirectory(prefix="bm-9p-") as folder:
        folder_make(folder)
        wanted = tell(folder, "/host")
        arguments = ["-fsdev", f"local,id=f,path={folder},security_model=none"]
        with Guest(image, machine=machine, devices=[f"{device},fsdev=f,mount_tag=share"], arguments=arguments,
                   append="log=info mount=/host=9p:share mount=/none=9p:none") as guest:
            status = guest.wait(120)
            text = guest.text()
            if status != PASSED:
                raise guest.failure(f"QEMU's exit status is {status_name(status)}")
        lines = text.split("\n")
        got = [line for line in lines[lines.index("BEGIN") + 1:lines.index("END")] if line.startswith("/host")]
        for ours, theirs in zip(got, wanted):
            if ours != theirs:
                raise TestFailure(f"the machine says\n{ours[:200]}\nand the host\n{theirs[:200]}")
        if len(got) != len(wanted):
            raise TestFailure(f"{len(got)} files, not {len(wanted)}")
        for line in ("mount: share (9p) on /host", "error: 9p: none: there is no share of that name"):
            if line not in text:
                raise TestFailure(f"'{line}' is not on the console:\n{text[-2000:]}")
        compare_after(folder)
    print(f"ok: {device}", flush=True)


def main():
    run(sys.argv[2], "q35", "virtio-9p-pci")
    run(sys.argv[2], "q35", "virtio-9p-pci,disable-modern=on,disable-legacy=off")
    run(sys.argv[2], "microvm", "virtio-9p-device")


if __name__ == "__main__":
    sys.exit(judge(main))
