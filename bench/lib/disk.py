# Random reads of 4 KiB from disks of each driver: instructions and exits of a request, requests a second.
# SPDX-License-Identifier: MIT
import os
import re
import statistics
import tempfile

from . import tools
from .machine import Counts, Live, Machine
from .work_report import table

MIB = 1 << 20
BEGIN, END = 1, 2
# Name, the disk, QEMU's words.
DISKS = [("NVMe", "nvme0n1", ["-device", "nvme,drive=d,serial=1"]),
         ("virtio-blk", "vda", ["-device", "virtio-blk-pci,drive=d"]),
         ("SATA", "sda", ["-device", "ide-hd,drive=d,bus=ide.0"])]


def add_commands(commands):
    disk = commands.add_parser("disk", help="random reads of 4 KiB by NVMe, virtio-blk and SATA: instructions, exits, rate")
    disk.add_argument("--rounds", type=tools.positive, default=5, help="how often the rates are measured, in alternation (5)")
    disk.add_argument("--requests", type=tools.positive, default=20000, help="requests of one run (20000)")
    disk.set_defaults(run=run_disk)


def boot(image, path, entry, depth, requests, **options):
    """What the program printed of its rate, and the counts."""
    _, name, words = entry
    arguments = ["-drive", f"if=none,id=d,file={path},format=raw,cache=unsafe,aio=threads", *words]
    with Machine(image, append=f"-- {name} {depth} {requests}", arguments=arguments, **options) as machine:
        if machine.guest.wait(120) != 33:
            raise machine.guest.failure("the program did not end well")
        rate = int(re.search(r"(\d+) a second", machine.guest.text())[1])
        if not options.get("count"):
            return rate, 0, 0
        counts = Counts(machine.folder)
        with Live(machine) as live:
            exits = sum(live.exits())
        return rate, counts.between(BEGIN, END)[0] / requests, exits / requests


def run_disk(options):
    image = tools.images("disk") / "disk"
    tools.plugin()
    result = {}
    with tempfile.TemporaryDirectory(prefix="bm-disk-") as folder:
        path = os.path.join(folder, "disk")
        with open(path, "wb") as file:
            for _ in range(64):
                file.write(os.urandom(MIB))
        for depth in (1, 32):
            for entry in DISKS:
                tools.say(f"{entry[0]}, {depth} at once")
                counted = [boot(image, path, entry, depth, options.requests, count=True, options=",exits=on") for _ in range(3)]
                result[f"{entry[0]} {depth}"] = {"instructions": round(statistics.median(row[1] for row in counted)),
                                                 "exits": round(statistics.median(row[2] for row in counted), 2), "rates": []}
            for index in range(options.rounds):
                for entry in tools.turn(DISKS, index):
                    result[f"{entry[0]} {depth}"]["rates"].append(boot(image, path, entry, depth, options.requests)[0])
    rows = [[name, f"{row['instructions']:,}", f"{row['exits']:.2f}", f"{statistics.median(row['rates']):,.0f}"]
            for name, row in result.items()]
    text = "\n".join(["# Random reads of 4 KiB", "", "Disk and requests at once; instructions and exits of one (boot's exits are shared out among all); "
                      "requests a second, which depend on the host", "", *table(["disk", "instructions", "exits", "a second"], rows)]) + "\n"
    tools.keep("disk", result, text)
    return 0
