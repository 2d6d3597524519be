#!/usr/bin/env python3
# Rehearses an upgrade of lwIP: the patch queue fits the pinned source, and fails by a patch's name when one line is another.
# SPDX-License-Identifier: MIT
import hashlib
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile

import tree

NAME, VERSION = "lwip", "0.0"
QUEUE = tree.TOP / "toolchain" / NAME


def hunk_lines(patch):
    """(file, line) of what a patch expects to find: context and removed lines."""
    path = None
    for line in patch.read_text().splitlines():
        if line.startswith("+++ "):
            path = line[4:].strip().removeprefix("b/")
        elif path and not line.startswith("--- ") and line[:1] in "- ":
            yield path, line[1:], line[:1] == "-"


def victims(source):
    """Patches that remove a line which the archive has once and no earlier patch looks at: (patch, file, line)."""
    seen, found = set(), []
    for patch in sorted(QUEUE.glob("*.patch")):
        lines = list(hunk_lines(patch))
        for path, line, removed in lines:
            text = (source / path).read_text().replace("\r\n", "\n").split("\n")
            if removed and len(line) > 20 and text.count(line) == 1 and (path, line) not in seen:
                found.append((patch, path, line))
                break
        seen.update((path, line) for path, line, _ in lines)
    return found


def build(source, folder):
    """Has toolchain/build take that source in place of the pinned one. Returns its status and what it says."""
    downloads = folder / "cache" / "downloads"
    downloads.mkdir(parents=True)
    archive = downloads / f"{NAME}-{VERSION}-upstream-source.tar"
    with tarfile.open(archive, "w") as file:
        file.add(source, "source")
    pins = folder / "pins"
    pins.write_text(f"{NAME} {VERSION} upstream {hashlib.sha256(archive.read_bytes()).hexdigest()} file:///source.tar\n")
    run = subprocess.run([tree.TOP / "toolchain" / "build", NAME, "--cc", "gcc", "--out", folder / "out"], capture_output=True, text=True,
                         timeout=300, env={**os.environ, "BAREMETAL_CACHE": str(folder / "cache"), "BAREMETAL_PINS": str(pins)})
    return run.returncode, run.stderr


def rehearse(source, folder, victim):
    patch, path, line = victim
    file = source / path
    whole = file.read_bytes()
    changed = whole.replace(line.encode(), b"/* upstream's change */ " + line.encode())
    file.write_bytes(changed)
    status, said = build(source, folder)
    file.write_bytes(whole)
    if status == 0 or f"{patch.name} does not fit" not in said:
        yield f"toolchain/{NAME}: with another line in {path} than {patch.name} expects, the build ends with {status} and says: {said.strip()}"


def main():
    archive = subprocess.run([tree.TOP / "toolchain" / "fetch", NAME], check=True, capture_output=True, text=True).stdout.strip()
    problems = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.unpack_archive(archive, folder)
        source = next(folder.iterdir())
        found = victims(source)
        status, said = build(source, folder / "whole")
        if status != 0:
            problems.append(f"toolchain/{NAME}: the queue does not fit the pinned source: {said.strip()}")
        for number in sorted({0, len(found) // 2, len(found) - 1}) if found else []:
            problems += rehearse(source, folder / str(number), found[number])
        if len(found) < 3:
            problems.append(f"toolchain/{NAME}: {len(found)} patches remove a line of the archive: nothing to rehearse with")
    tree.finish(problems, f"{len(list(QUEUE.glob('*.patch')))} patches; three of {len(found)} that a changed line meets were seen to fail by name")


if __name__ == "__main__":
    main()
