#!/usr/bin/env python3
# Runs a guest test's source on the host, too: the machine's C library must print the same lines as the host's.
# SPDX-License-Identifier: MIT
"""Usage: libc_oracle.py SOURCE IMAGE

Between the lines BEGIN and END everything must be equal. `// @folder F`: the host's run finds time zones in the folder F beside
the source (TZDIR), where the image has its embedded ones. `// @smp N`: processors. `// @expect REGEX`: a line outside of BEGIN and END."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

from harness import PASSED, Guest, TestFailure, status_name

SHOWN = 20  # differences that a failure prints
LIMIT = 120


def directives(source, key):
    return re.findall(rf"^// @{key} +(.*)$", source.read_text(encoding="utf-8"), re.MULTILINE)


def host_lines(source, zones):
    with tempfile.TemporaryDirectory(prefix="bm-oracle-") as folder:
        program = os.path.join(folder, "program")
        subprocess.run(["gcc", "-w", "-D_GNU_SOURCE", "-O2", "-fno-builtin", str(source), "-o", program, "-lm"], check=True,
                       timeout=300)
        environment = {"PATH": os.environ["PATH"], "TZDIR": str(zones)}
        done = subprocess.run([program], env=environment, stdout=subprocess.PIPE, check=False, timeout=60)
        return between(done.stdout.decode("utf-8", "replace"), "the host's run")


def between(text, where):
    lines = text.split("\n")
    if "BEGIN" not in lines or "END" not in lines:
        raise TestFailure(f"{where} did not print BEGIN and END:\n{text[-2000:]}")
    return lines[lines.index("BEGIN") + 1 : lines.index("END")]


def compare(wanted, got):
    differences = [f"  host:  {one[:LIMIT]}\n  guest: {other[:LIMIT]}" for one, other in zip(wanted, got) if one != other]
    if len(wanted) != len(got):
        differences.append(f"  host: {len(wanted)} lines, guest: {len(got)}")
    if differences:
        shown = "\n".join(differences[:SHOWN])
        raise TestFailure(f"{len(differences)} of {len(wanted)} lines differ, the first are:\n{shown}")


def main():
    source, image = pathlib.Path(sys.argv[1]), sys.argv[2]
    zones = [source.parent / folder for folder in directives(source, "folder")]
    try:
        wanted = host_lines(source, zones[0] if zones else "")
        smp = (directives(source, "smp") or ["1,maxcpus=2"])[0]
        with Guest(image, machine="q35", smp=smp) as guest:
            status = guest.wait(60)
            text = guest.text()
            for pattern in directives(source, "expect"):
                if not re.search(pattern, text, re.MULTILINE):
                    raise guest.failure(f"/{pattern}/ is not on the console")
            compare(wanted, between(text, "the guest"))
            if status != PASSED:
                raise guest.failure(f"QEMU's exit status is {status_name(status)}, not {status_name(PASSED)}")
    except TestFailure as failure:
        print(f"FAILED: {failure}")
        return 1
    print(f"ok: {len(wanted)} lines as on the host")
    return 0


if __name__ == "__main__":
    sys.exit(main())
