#!/usr/bin/env python3
# disk_bench: figures of disks of each driver; it writes only when it is told to, and says what is wrong.
# SPDX-License-Identifier: MIT
"""Usage: disk_bench.py IMAGE"""

import json
import os
import sys
import tempfile

from example import equal, match, refuses, run
from harness import FAILED, PASSED, Guest

MIB = 1 << 20
DISKS = [("nvme0n1", "nvme,drive=d,serial=1"), ("vda", "virtio-blk-pci,drive=d,rerror=report"), ("sda", "ide-hd,drive=d,bus=ide.0")]


def boot(image, device, words, drive, status=PASSED):
    with Guest(image, machine="q35", smp="2", devices=[device], arguments=drive, append="-- " + words) as guest:
        if guest.wait(60) != status:
            raise guest.failure("the program did not end as it should")
        return guest.text()


def check(image):
    with tempfile.TemporaryDirectory(prefix="bm-disk-") as folder:
        path = os.path.join(folder, "disk")
        with open(path, "wb") as file:
            file.truncate(16 * MIB)
        drive = ["-drive", f"if=none,id=d,file={path},format=raw"]
        for name, device in DISKS:
            text = boot(image, device, f"disk={name} requests=500", drive)
            match(text, rf"^{name} \(\w+\): 16 MiB, sectors of 512 bytes; it is read$")
            for depth in (1, 4, 16, 32):
                match(text, rf"random +4 KiB, +{depth} at once: +[1-9]\d* a second, +\d+\.\d MB/s")
            match(text, r"\[#{40}\] 100 %")
            with open(path, "rb") as file:
                equal("bytes that were written", len(file.read().strip(b"\0")), 0)
            print(f"ok: {name}", flush=True)
        boot(image, DISKS[0][1], "requests=5000 write=yes", drive)
        with open(path, "rb") as file:
            content = file.read()
        equal("pages that are not one byte all over", [at for at in range(0, len(content), 4096) if len(set(content[at:at + 4096])) > 1], [])
        equal("whether something was written", any(content), True)
        bad = {"driver": "raw", "node-name": "d", "file": {"driver": "blkdebug", "image": {"driver": "file", "filename": path},
                                                          "inject-error": [{"event": "none", "iotype": "read"}]}}
        for name, device in DISKS:
            text = boot(image, device, f"disk={name}", ["-blockdev", json.dumps(bad)], FAILED)
            match(text, r"^disk_bench: a request failed with error 5$")
        print("ok: errors", flush=True)
    for words, sentence in (("disk=vdz", "there is no disk of the name vdz$"), ("", "there is no disk$"), ("requests=0", "'requests=0' is not known"),
                            ("write=no", "'write=no' is not known; known: disk=name, requests=n, write=yes$")):
        refuses(image, words, sentence)
    print("ok: refusals")


if __name__ == "__main__":
    sys.exit(run(check))
