#!/usr/bin/env python3
# lspci: every device that QEMU was told to show, behind a bridge too, with its driver; a machine without PCI says so.
# SPDX-License-Identifier: MIT
"""Usage: lspci.py IMAGE"""

import sys

from example import equal, match, run
from harness import FAILED, PASSED, Guest

DEVICES = ["e1000e", "virtio-rng-pci", "pcie-root-port,id=root1,chassis=1", "vmxnet3,bus=root1", "nvme,serial=1"]


def boot(image, machine, devices, status):
    with Guest(image, machine=machine, smp="2", devices=devices) as guest:
        if guest.wait(60) != status:
            raise guest.failure("the program did not end as it should")
        return guest.text()


def check(image):
    text = boot(image, "q35", DEVICES, PASSED)
    match(text, r"^pci 00:\d\d\.0: network controller 8086:10d3 \(class 020000, revision 0\), driver: e1000e$")
    match(text, r"driver: e1000e\n    registers 0: memory at 0x[0-9a-f]{6,}, 128 KiB$")
    match(text, r"^    interrupts: MSI-X, 5 messages$")
    match(text, r"^virtio 00:\d\d\.0: virtio device of type 4, driver: virtio_rng$")
    match(text, r"^pci 00:\d\d\.0: PCI bridge 1b36:000c")
    match(text, r"^pci 01:00\.0: network controller 15ad:07b0 .*driver: vmxnet3$")
    match(text, r"^pci 00:\d\d\.0: NVMe controller .*driver: none$")
    found = sum(line.startswith("pci ") and " (class " in line for line in text.splitlines())
    equal("devices", int(match(text, r"^lspci: (\d+) PCI devices$")[0]), found)
    equal("devices of q35 and ours", found, 4 + len(DEVICES))  # host bridge, ISA bridge, SATA, SMBus
    match(boot(image, "microvm", [], FAILED), r"^lspci: 0 PCI devices$")


if __name__ == "__main__":
    sys.exit(run(check))
