#!/usr/bin/env python3
# Boots images in the ways of boot_rows.py: hello has to end well, http_server to serve its page.
# SPDX-License-Identifier: MIT
"""Usage: boot.py [--only REGEX] [--table FILE] [--all] HELLO [HTTP_SERVER]

HELLO and HTTP_SERVER are ELF files with all formats beside them. Without --all: the quick rows only, one vCPU and 64 MiB."""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from boot_rows import ROWS, Image
from harness import PASSED, Guest, TestFailure, status_name
from harness.network import UserNetwork, enter_namespace, http_get

CORES = {1: "1,maxcpus=2", 4: "4"}
PAGE = b"<html"


def boot_hello(guest, seconds):
    guest.expect("^Hello", seconds)
    status = guest.wait(seconds)
    if status != PASSED:
        raise guest.failure(f"QEMU's exit status is {status_name(status)}")


def fetch(address, seconds):
    """Asks anew when the answer is late: QEMU's network tries only every six seconds while the guest has no address yet."""
    patience, deadline = 0.5, time.monotonic() + seconds
    while True:
        try:
            status, _, body = http_get(address, timeout=patience)
            return status, body
        except (OSError, IndexError):
            if time.monotonic() > deadline:
                raise OSError("the server does not answer") from None
            patience *= 1.5


def boot_server(guest, network, seconds):
    guest.expect("http_server: serving", seconds)
    status, body = fetch(network.address(80), seconds)
    if status != 200 or PAGE not in body:
        raise guest.hang(f"the server answered with status {status} and {len(body)} bytes that are not its page")


def boot(row, elf, serves, cores, memory):
    """One boot; returns its host seconds from the start of QEMU to the text or the page."""
    with tempfile.TemporaryDirectory(prefix="bm-boot-") as folder:
        words = [str(word) for word in row.words(Image(pathlib.Path(elf), pathlib.Path(folder)))]
        network = UserNetwork(80, device=row.network)
        arguments = words[1:]
        if serves:
            arguments += network.arguments
        with Guest(elf, machine=words[0], smp=CORES[cores], memory=memory, boot="none", arguments=arguments) as guest:
            try:
                if serves:
                    boot_server(guest, network, row.seconds)
                else:
                    boot_hello(guest, row.seconds)
            except OSError as error:
                raise guest.hang(str(error)) from None
            return time.monotonic() - guest.started


class Matrix:
    """What was booted and how it went."""

    def __init__(self, images, everything):
        self.images = images
        self.everything = everything
        self.results = {}  # row's name -> list of (case, seconds or None)
        self.failures = 0

    def cases(self, row):
        for name, elf in self.images.items():
            for memory in row.memories if self.everything else row.memories[:1]:
                for cores in (1, 4) if self.everything else (1,):
                    yield name, elf, cores, memory

    def run_row(self, row):
        lacks = row.missing()
        if lacks:
            print(f"skipped: {row.name()}: this host lacks {lacks}", flush=True)
            self.results[row.name()] = lacks
            return
        results = self.results[row.name()] = []
        for name, elf, cores, memory in self.cases(row):
            case = f"{name}, {cores} vCPU, {memory}{'' if memory.endswith('G') else 'M'}"
            try:
                seconds = boot(row, elf, name == "http_server", cores, memory)
                print(f"ok: {row.name()}: {case}: {seconds:.2f} s", flush=True)
            except (TestFailure, subprocess.SubprocessError) as failure:
                seconds = None
                self.failures += 1
                print(f"FAILED: {row.name()}: {case}: {failure}\n", flush=True)
            results.append((name, cores, memory, seconds))

    def cell(self, row, name):
        """'4 of 4' and the seconds of the fastest boot."""
        results = self.results[row.name()]
        if isinstance(results, str):
            return f"not run: no {results}"
        mine = [seconds for image, _, _, seconds in results if image == name]
        good = [seconds for seconds in mine if seconds is not None]
        if not good:
            return f"0 of {len(mine)}"
        return f"{len(good)} of {len(mine)}, {min(good):.2f} s" if len(good) == len(mine) else f"{len(good)} of {len(mine)}"

    def line(self, row):
        memories = ", ".join(memory if memory.endswith("G") else memory + "M" for memory in row.memories)
        cells = [row.format, row.firmware, row.machine, memories, *(self.cell(row, name) for name in self.images)]
        return "| " + " | ".join(cells) + " |"

    def table(self, before=""):
        """The Markdown table of the rows that were booted, and of the others as they stand in the table `before`."""
        old = {line.split(" | ")[0] + line.split(" | ")[1] + line.split(" | ")[2]: line for line in before.splitlines() if " | " in line}
        yield "| format | before the image | machine | RAM | " + " | ".join(self.images) + " |"
        yield "|---|---|---|---|" + "---|" * len(self.images)
        for row in ROWS:
            if row.name() in self.results:
                yield self.line(row)
            elif before:
                yield old.get(f"| {row.format}{row.firmware}{row.machine}", f"| {row.format} | {row.firmware} | {row.machine} | | not booted | not booted |")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("hello")
    arguments.add_argument("http_server", nargs="?")
    arguments.add_argument("--all", action="store_true", help="every row with 1 and 4 vCPUs and every size of RAM")
    arguments.add_argument("--only", default="", help="rows whose name matches this regular expression")
    arguments.add_argument("--table", help="put the results into the table behind the line '<!-- table -->' of this Markdown file")
    options = arguments.parse_args()
    enter_namespace(required=False)
    images = {"hello": options.hello}
    if options.http_server:
        images["http_server"] = options.http_server
    matrix = Matrix(images, options.all)
    rows = [row for row in ROWS if (options.all or row.quick) and re.search(options.only, row.name(), re.IGNORECASE)]
    if not rows:
        sys.exit(f"error: no row matches '{options.only}'")
    for row in rows:
        matrix.run_row(row)
        if options.table:  # after each row: the whole takes a while
            path = pathlib.Path(options.table)
            text, mark, before = path.read_text(encoding="utf-8").partition("<!-- table -->\n")
            path.write_text(text + mark + "\n".join(matrix.table(before or " ")) + "\n", encoding="utf-8")
    print("\n".join(matrix.table()))
    return 1 if matrix.failures else 0


if __name__ == "__main__":
    sys.exit(main())
