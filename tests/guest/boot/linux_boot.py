#!/usr/bin/env python3
# Enters an image by its ELF entry address in long mode, as Linux's 64-bit boot protocol has it and Firecracker does;
# also one that somebody has stripped.
# SPDX-License-Identifier: MIT
"""Usage: linux_boot.py IMAGE TEXT THAT IT PRINTS"""

import pathlib
import struct
import subprocess
import sys
import tempfile

from harness import PASSED, Guest, judge, status_name

ADDRESS = 0x3000000  # of the loader, out of the image's way
MEMORY = "64"


def entry_of(image):
    header = pathlib.Path(image).read_bytes()[:64]
    return struct.unpack_from("<Q", header, 24)[0]


def make_loader(folder, entry):
    source = pathlib.Path(__file__).with_name("linux_loader.S")
    loader = pathlib.Path(folder) / "loader"
    # -m64 with 32-bit code in it: QEMU then takes the entry from the PVH note.
    subprocess.run(["gcc", "-m64", "-nostdlib", "-static", "-no-pie", f"-DENTRY={entry:#x}", f"-Wl,-Ttext={ADDRESS:#x}",
                    "-Wl,--build-id=none", "-Wl,-z,max-page-size=4096", "-Wl,-e,start", "-o", str(loader), str(source)], check=True)
    return loader


def boot(loader, image, machine, smp, text):
    with Guest(loader, machine=machine, smp=smp, memory=MEMORY, append="sillyword=1",
               arguments=["-device", f"loader,file={image}"]) as guest:
        guest.expect("(?i)warning: .*sillyword", 60)
        guest.expect(text)
        status = guest.wait()
        if status != PASSED:
            raise guest.failure(f"QEMU's exit status is {status_name(status)}")
        if "no usable root table" in guest.text() and "noacpi" not in machine:
            raise guest.failure("the ACPI root pointer did not arrive")
    print(f"ok: Linux's entry on {machine}, {smp} cores", flush=True)


def main():
    image, text = sys.argv[1], sys.argv[2]
    with tempfile.TemporaryDirectory(prefix="bm-linux-") as folder:
        loader = make_loader(folder, entry_of(image))
        stripped = pathlib.Path(folder) / "stripped"
        subprocess.run(["strip", "-o", str(stripped), image], check=True)
        boot(loader, stripped, "q35", "2", text)
        for machine in ("pc", "q35", "microvm", "microvm-noacpi"):
            for smp in ("1,maxcpus=2", "4"):
                boot(loader, image, machine, smp, text)


if __name__ == "__main__":
    sys.exit(judge(main))
