#!/usr/bin/env python3
# Kills QEMU while SQLite writes to an ext4 disk, again and again: no acknowledged transaction is lost, and nothing is damaged.
# SPDX-License-Identifier: MIT
"""Usage: sqlite_cut.py IMAGE KILLS [SEED [MODE…]] (sqlite_cut/transfers.c; modes: delete, truncate, persist, wal, and with -exclusive behind it)

After each kill a copy of the disk is judged: e2fsck replays its journal and finds nothing, the host's SQLite rolls back or forward, its
integrity_check says ok, and each acknowledged transaction is there whole. The disk itself goes on with the next start, whose own replay must
have come to the same."""

import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

from disk_ext4 import tool
from harness import Guest, TestFailure, judge

MODES = ["delete", "truncate", "persist", "wal-exclusive"]
PAUSE = 1.5  # seconds: the longest from the first transaction until the machine is killed
ACCOUNTS, AMOUNT = 50, 1000
DONE = re.compile(r"^done (\d+)$", re.MULTILINE)


def run(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def start(image, disk, mode, numbers):
    """Runs the program until it is killed; returns what it began behind and the last transaction that it acknowledged."""
    name, _, locking = mode.partition("-")
    # What QEMU has written stays when it is killed, whether it waits for the host's disk or not; without that there are more transactions.
    with Guest(image, machine="q35", smp="2", memory="128", devices=["virtio-blk-pci,drive=d"],
               arguments=["-drive", f"if=none,id=d,file={disk},format=raw,cache=unsafe"],
               append=f"mount=/data=vda -- {name} {numbers.randrange(1 << 31)} {locking}") as guest:
        found = guest.expect(r"^(begins behind (\d+): (.*)|FAILED.*)$", 60)
        if not found[2] or found[3] != b"ok":
            raise guest.failure(f"the program said '{found[0].decode()}'")
        guest.expect(DONE.pattern, 60)
        time.sleep(numbers.uniform(0, PAUSE))
        if not guest.alive():
            raise guest.failure("the machine has ended by itself")
        guest.process.kill()
        guest.process.wait()
        guest.reader.join(60)
        text = guest.text().rpartition("\n")[0] + "\n"  # half a line may be the last one
        if "FAILED" in text:
            raise guest.failure("the program failed")
        return int(found[2]), int(DONE.findall(text)[-1])


def check_disk(disk, folder):
    """The files of a copy, whose journal e2fsck has replayed."""
    copy, tree = os.path.join(folder, "copy"), os.path.join(folder, "tree")
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copyfile(disk, copy)
    if run(tool("e2fsck"), "-fp", copy).returncode > 1:
        raise TestFailure("e2fsck has to be asked how to repair the disk")
    result = run(tool("e2fsck"), "-fn", copy)
    if result.returncode:
        raise TestFailure(f"e2fsck says\n{result.stdout.decode()}")
    os.mkdir(tree)
    run(tool("debugfs"), "-R", f"rdump / {tree}", copy)
    return tree


def check_base(tree, acknowledged):
    """What the host's SQLite makes of it; returns the last transaction."""
    with sqlite3.connect(os.path.join(tree, "bank.db")) as base:
        said = base.execute("PRAGMA integrity_check").fetchall()
        if said != [("ok",)]:
            raise TestFailure(f"integrity_check says {said}")
        rows = base.execute("SELECT n, source, target, amount FROM ledger ORDER BY n").fetchall()
        if [row[0] for row in rows] != list(range(1, len(rows) + 1)) or len(rows) < acknowledged:
            raise TestFailure(f"the ledger has {len(rows)} rows; {acknowledged} transactions were acknowledged")
        amounts = [AMOUNT] * ACCOUNTS
        for _, source, target, amount in rows:
            amounts[source] -= amount
            amounts[target] += amount
        if [amount for _, amount in base.execute("SELECT id, amount FROM account ORDER BY id")] != amounts:
            raise TestFailure("the accounts do not have what the ledger says")
        pages = set(base.execute("SELECT n, CAST(bytes AS TEXT) FROM page").fetchall())
        last = len(rows) // 8 * 8
        if pages != {(last, f"{last:03000d}" if last else "\0" * 3000)}:
            raise TestFailure(f"the pages are not those of transaction {last}: {[(n, text[-9:]) for n, text in pages][:5]}")
        return len(rows)


def judged(disk, folder, acknowledged):
    try:
        return check_base(check_disk(disk, folder), acknowledged)
    except sqlite3.Error as error:
        raise TestFailure(f"the host's SQLite says: {error}") from None


def cut(image, mode, kills, seed):
    numbers = random.Random(f"{seed} {mode}")
    with tempfile.TemporaryDirectory(prefix="bm-sqlite-") as folder:
        disk, before = os.path.join(folder, "disk"), 0
        for number in range(kills):
            if number % 25 == 0:  # the ledger grows
                subprocess.run([tool("mkfs.ext4"), "-q", "-F", disk, "64M"], check=True, stdout=subprocess.DEVNULL)
                before = 0
            began, acknowledged = start(image, disk, mode, numbers)
            if began != before:
                raise TestFailure(f"the machine began behind {began}, by e2fsck and the host's SQLite it was {before}")
            try:
                before = judged(disk, folder, acknowledged)
            except TestFailure:
                kept = f"/tmp/sqlite_cut.{os.getpid()}.img"
                shutil.copyfile(disk, kept)
                print(f"{mode}, kill {number + 1} of seed {seed}; the disk is kept as {kept}", flush=True)
                raise
            print(f"ok: {mode}: killed behind {acknowledged - began} transactions, {before - acknowledged} more were on the disk", flush=True)


def main():
    image, kills = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10000)
    print(f"seed {seed}", flush=True)
    for mode in sys.argv[4:] or MODES:
        cut(image, mode, kills, seed)


if __name__ == "__main__":
    sys.exit(judge(main))
