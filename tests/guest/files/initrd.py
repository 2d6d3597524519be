#!/usr/bin/env python3
# Gives initrd.c archives of all kinds as QEMU's -initrd, and wants their files.
# SPDX-License-Identifier: MIT
"""Usage: initrd.py SOURCE IMAGE"""

import io
import os
import stat
import sys
import tarfile
import tempfile

from harness import PASSED, Guest, TestFailure, judge, status_name

LARGE = bytes(i * 7 & 255 for i in range(300001))
TREE = {  # path: mode, contents or target; or the name that it is another of
    "files": (0o40750, b""),
    "files/empty": (0o100600, b""),
    "files/small": (0o100755, b"#!/bin/sh\n"),
    "files/large": (0o100644, LARGE),
    "files/same": "files/small",
    "link": (0o120777, b"files/small"),
    "etc/replaced": (0o100644, b"of the loader"),
    "a/b/c/deep": (0o100644, b"made without its directories"),
}
LONG = {"n" * 120 + "/" + "m" * 100: (0o100644, b"a long name"), "long": (0o120777, b"t" * 150)}
OLD = {"etc/replaced": (0o100644, b"of the image\n")}
IMAGE = {"etc": (0o40755, b""), "etc/kept": (0o100644, b"stays\n")}


def newc(tree, magic=b"070701", outside=()):
    """Of a file with several names the last one has its bytes, as cpio writes it."""
    names = {path: path if isinstance(entry, tuple) else entry for path, entry in tree.items()}
    archive = b""
    entries = [(path, tree[first]) for path, first in names.items()] + list(outside) + [("TRAILER!!!", (0, b""))]
    for path, (mode, data) in entries:
        first = names.get(path)
        same = [other for other, number in names.items() if number == first] if first else []
        if len(same) > 1 and path != same[-1]:
            data = b""
        number = list(tree).index(first) + 1 if first else 999
        name = path.encode() + b"\0"
        fields = (number, mode, 0, 0, max(len(same), 1), 1000000000, len(data), 8, 1, 0, 0, len(name),
                  sum(data) if magic == b"070702" else 0)
        header = magic + b"".join(b"%08X" % field for field in fields) + name
        archive += header + b"\0" * (-len(header) % 4) + data + b"\0" * (-len(data) % 4)
    return archive + b"\0" * (-len(archive) % 512)


def tar(tree, form):
    kinds = {stat.S_IFDIR: tarfile.DIRTYPE, stat.S_IFREG: tarfile.REGTYPE, stat.S_IFLNK: tarfile.SYMTYPE}
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for path, entry in tree.items():
            info = tarfile.TarInfo("./" + path)
            mode, data = entry if isinstance(entry, tuple) else (0o100644, entry.encode())
            info.mode = mode & 0o7777
            info.type = kinds[stat.S_IFMT(mode)] if isinstance(entry, tuple) else tarfile.LNKTYPE
            if info.type == tarfile.REGTYPE:
                info.size = len(data)
            else:
                info.linkname = ("./" if info.type == tarfile.LNKTYPE else "") + data.decode()
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def wanted(tree):
    tree = IMAGE | tree
    for path in list(tree):
        while "/" in path:
            path = os.path.dirname(path)
            tree.setdefault(path, (0o40755, b""))
    lines = []
    for path in sorted(tree, key=lambda path: path.split("/")):
        entry = tree[path]
        first = path if isinstance(entry, tuple) else entry
        mode, data = tree[first]
        names = sum(1 for other, entry in tree.items() if other == first or entry == first)
        line = f"/{path} {mode:o} {0 if stat.S_ISDIR(mode) else names}"
        if stat.S_ISREG(mode):
            number = 0
            for byte in data:
                number = (number * 31 + byte) & 0xffffffff
            line += f" {len(data)} {number}"
        if stat.S_ISLNK(mode):
            line += " " + data.decode()
        lines.append(line)
    return lines


def run(image, name, archive, tree, said=()):
    with tempfile.TemporaryDirectory(prefix="bm-initrd-") as folder:
        path = os.path.join(folder, "archive")
        with open(path, "wb") as file:
            file.write(archive)
        with Guest(image, machine="q35", arguments=["-initrd", path]) as guest:
            status = guest.wait(60)
            text = guest.text()
            if status != PASSED:
                raise guest.failure(f"{name}: QEMU's exit status is {status_name(status)}")
    lines = text.split("\n")
    got = [line for line in lines[lines.index("BEGIN") + 1:lines.index("END")] if line.startswith("/")]
    for line in said:
        if line not in text:
            raise TestFailure(f"{name}: '{line}' is not on the console:\n{text}")
    if got != wanted(tree):
        raise TestFailure(f"{name}: the machine has\n{got}\nand should have\n{wanted(tree)}")
    print(f"ok: {name}", flush=True)


def main():
    image = sys.argv[2]
    bad = [("../out", (0o100644, b"x")), ("files", (0o100644, b"in place of a directory"))]
    run(image, "cpio", newc(TREE | LONG), TREE | LONG)
    run(image, "cpio with sums", newc(TREE, b"070702"), TREE)
    run(image, "two of cpio", newc({"files/small": (0o100644, b"old"), "first": (0o100644, b"1")}) + newc(TREE),
        TREE | {"first": (0o100644, b"1")})
    run(image, "cpio with what cannot be made", newc(TREE, outside=bad), TREE,
        ("warning: initrd: module 1: ../out is left out: its name leads out of the root",
         "warning: initrd: module 1: files is left out: a directory of that name has files"))
    run(image, "a part of cpio", newc(TREE)[:300], {path: TREE[path] for path in ("files", "files/empty")} | OLD,
        ("error: initrd: module 1 ends within a header, or has something else behind a file; what is before that was unpacked",))
    run(image, "ustar", tar(TREE, tarfile.USTAR_FORMAT), TREE)
    run(image, "GNU tar", tar(TREE | LONG, tarfile.GNU_FORMAT), TREE | LONG)
    run(image, "pax", tar(TREE | LONG, tarfile.PAX_FORMAT), TREE | LONG)
    run(image, "compressed", b"\x1f\x8b" + bytes(600), OLD,
        ("error: initrd: module 1 is compressed: unpack it first",))


if __name__ == "__main__":
    sys.exit(judge(main))
