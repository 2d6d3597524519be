#!/usr/bin/env python3
# baremetal-run-linux: an executable as a program of the host, and what it says of files that it cannot run.
# SPDX-License-Identifier: MIT
"""Usage: run_linux.py PREFIX EXECUTABLES (the package, the folder with NAME.elf)"""
import pathlib
import subprocess
import sys
import tempfile

CANNOT_RUN = 125


def run(*words):
    ran = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=600)
    lines = [line for line in ran.stdout.splitlines() if not line.startswith("net: ")]
    return ran.returncode, lines, ran.stderr


def want(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found}, wanted {wanted}")
    print(f"ok: {what}")


def main():
    command, programs = pathlib.Path(sys.argv[1], "bin/baremetal-run-linux"), pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        tiny = programs / "tiny.elf"
        want("arguments and status", run(command, "--timeout", "120", tiny, "a", "b c")[:2], (3, ["tiny.elf", "a", "b c"]))
        status, lines, _ = run(command, "--timeout", "120", "--cpus", "2", "--env", "WORDS=some words", programs / "first.elf")
        want("variables", (status, [line for line in lines if line.startswith("variable")]), (42, ["variable WORDS=some words"]))
        image = folder / "image"
        want("an image alone", run(command, "--image", image, "--only-image", tiny)[0], 0)
        want("is kept", image.is_file(), True)
        text = folder / "text"
        text.write_text("no program\n" * 10)
        for what, file, reason in (("a file that is none", text, "is no ELF file"), ("one that is not there", folder / "none", "cannot be read"),
                                   ("a dynamic one", sys.executable, "is linked dynamically")):
            status, _, said = run(command, file)
            want(what, (status, reason in said), (CANNOT_RUN, True))


if __name__ == "__main__":
    main()
