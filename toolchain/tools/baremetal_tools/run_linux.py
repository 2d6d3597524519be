# Makes an image of a Linux executable, and boots it as baremetal-run does.
# SPDX-License-Identifier: MIT
"""Usage: baremetal-run-linux [--memory MIB] [--cpus N] [--timeout SECONDS] [--env NAME=VALUE]… [--files FOLDER]… [--jit] [--image IMAGE] FILE [ARGUMENT…]

Puts FILE, a statically linked Linux executable for x86-64, into an image and boots that in QEMU, with the arguments as its argv[1…]. Standard
input and output, the exit status and the environment's variables are those of baremetal-run. --env gives the program a variable; --files puts
all files below a folder into the image; --jit lets it make memory executable; --image keeps the image there, without booting it when there is --only-image."""

import argparse
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

from . import run

SOURCE = """.section .rodata.bm_executable, "a"
.balign 4096
.globl bm_executable_begin, bm_executable_end
.hidden bm_executable_begin, bm_executable_end
bm_executable_begin: .incbin "{file}"
bm_executable_end:
.balign 4096
.section .note.GNU-stack
"""
HEADER = struct.Struct("<4sBB10xHH12xQ14xHH")  # magic, class, data, type, machine, program headers: offset, size, count
PROGRAM_HEADER_INTERP = 3


def check(file, folders):
    """Says why the kernel would refuse the executable, as far as that is seen at once."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise run.RunError(f"{file} cannot be read: {error.strerror}") from None
    if len(data) < 64:
        raise run.RunError(f"{file} is no ELF file")
    magic, kind, order, _, machine, offset, size, count = HEADER.unpack_from(data)
    if magic != b"\x7fELF":
        raise run.RunError(f"{file} is no ELF file")
    if (kind, order, machine) != (2, 1, 62):
        raise run.RunError(f"{file} is not for x86-64")
    for number in range(count):
        at = offset + number * size
        if at + 4 <= len(data) and struct.unpack_from("<I", data, at)[0] == PROGRAM_HEADER_INTERP and not folders:
            raise run.RunError(f"{file} is linked dynamically; link it with -static, or give its loader and libraries by --files")


def command_line(variables):
    words = []
    for variable in variables:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z_0-9]*=[^\"\x00-\x1f\x7f-\uffff]*", variable):
            raise run.RunError(f"--env '{variable}' is not NAME=VALUE, in printable ASCII without double quotes")
        name, _, value = variable.partition("=")
        words.append(f'env.{name}="{value}"')
    return " ".join(words)


def make(words, folder):
    """The image of the executable, named like it."""
    file = pathlib.Path(words.file).resolve()
    check(file, words.files)
    source = pathlib.Path(folder, "program.s")
    escaped = str(file).replace("\\", "\\\\").replace('"', '\\"')
    source.write_text(SOURCE.format(file=escaped), encoding="utf-8")
    image = pathlib.Path(words.image) if words.image else pathlib.Path(folder, file.name)
    command = [str(pathlib.Path(__file__).resolve().parent.parent / "baremetal-cc"), "--libc=musl",
               "--baremetal-link=executable,net,tmpfs,devfs" +
               "".join("," + part for part, wanted in (("trace_calls", words.trace), ("profile", words.profile), ("jit", words.jit)) if wanted),
               *[f"--baremetal-files={folder}" for folder in words.files]]
    line = " ".join(filter(None, ["trace=calls" if words.trace else "", f"profile={words.profile}" if words.profile else "", command_line(words.env)]))
    if line:
        command.append(f"--baremetal-cmdline={line}")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BAREMETAL_")}
    made = subprocess.run([*command, str(source), "-o", str(image)], env=clean)
    if made.returncode:
        raise run.RunError("the image could not be made; the reason stands above")
    return image


def parse():
    parser = argparse.ArgumentParser(prog="baremetal-run-linux", description=__doc__.partition("\n\n")[2],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", type=int, default=256, metavar="MIB", help="memory of the machine (256)")
    parser.add_argument("--cpus", type=int, default=1, metavar="N", choices=range(1, 256), help="its cores (1)")
    parser.add_argument("--timeout", type=run.positive, metavar="SECONDS", help="end it after that time")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="a variable of its environment")
    parser.add_argument("--files", action="append", default=[], metavar="FOLDER", help="files for the image")
    parser.add_argument("--jit", action="store_true", help="it may make memory executable")
    parser.add_argument("--trace", action="store_true", help="show its calls, with arguments and results")
    parser.add_argument("--profile", type=int, choices=range(10, 1001), metavar="RATE", help="sample it so often a second, 10 to 1000 (docs/profile.md)")
    parser.add_argument("--terminal", action="store_true", help="its input and output are a terminal, whatever the command's are")
    parser.add_argument("--image", metavar="IMAGE", help="keep the image there")
    parser.add_argument("--only-image", action="store_true", help="do not boot it")
    parser.add_argument("file")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    parser.set_defaults(disk=[])  # its images have no drivers of disks
    words = parser.parse_args()
    if words.only_image and not words.image:
        parser.error("--only-image wants --image IMAGE")
    return words


def main():
    words = parse()
    try:
        with tempfile.TemporaryDirectory(prefix="baremetal-run-linux-") as folder:
            words.image = str(make(words, folder))
            return 0 if words.only_image else run.run(words)
    except run.RunError as error:
        print(f"error: baremetal-run-linux: {error}.", file=sys.stderr)
        return run.CANNOT_RUN
