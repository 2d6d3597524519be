#!/usr/bin/env python3
# Disks and discs: the same bytes from the same input, back to the same bytes, and the layouts that clouds ask for.
# SPDX-License-Identifier: MIT
"""Usage: disk_formats.py HELLO: the ELF file with all formats beside it, built with an installed package."""

import gzip
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile

from harness.package import tool_of_package
from harness import TestFailure

SECTOR = 512
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"  # administrators' tools, too
SUFFIXES = {"raw": ".img", "iso": ".iso", "qcow2": ".qcow2", "vmdk": ".vmdk", "vhd": ".vhd", "gce": ".tar.gz"}


def require(condition, text):
    if not condition:
        raise TestFailure(text)


def run(*words, **environment):
    """Runs a command and returns its output; what it says when it fails is the failure."""
    result = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False,
                            env={**os.environ, "PATH": PATH, **environment})
    require(result.returncode == 0, f"{words[0]} failed: {result.stdout}{result.stderr}")
    return result.stdout


class Files:
    """The files that CMake made, and a folder to work in."""

    def __init__(self, elf, folder):
        self.elf = pathlib.Path(elf)
        self.folder = pathlib.Path(folder)

    def file(self, format):
        return self.elf.with_name(self.elf.name + SUFFIXES[format])

    def make(self, format, output, **environment):
        make_disk, loader = tool_of_package(self.elf)
        if format in ("raw", "iso"):
            words = ["--loader", loader, "--elf", self.elf, "--efi", self.elf.with_name(self.elf.name + ".efi")]
        else:
            words = [self.file("raw")]
        run(make_disk, format, *words, output, **environment)


def check_same_bytes(files):
    """Made again in another place, time zone, language, umask and at another time."""
    for format in SUFFIXES:
        again = files.folder / files.file(format).name
        mask = os.umask(0o027)
        try:
            files.make(format, again, TZ="Asia/Tokyo", LC_ALL="C.UTF-8", TMPDIR=str(files.folder))
        finally:
            os.umask(mask)
        require(again.read_bytes() == files.file(format).read_bytes(), f"{format}: another run gives other bytes")


def check_epoch(files):
    """SOURCE_DATE_EPOCH is what dates come from, and a wrong one is refused."""
    dated = files.folder / "dated.iso"
    files.make("iso", dated, SOURCE_DATE_EPOCH="1700000000")
    require(dated.read_bytes()[16 * 2048 + 813:][:14] == b"20231114221320", "the disc does not bear SOURCE_DATE_EPOCH's date")
    try:
        files.make("iso", dated, SOURCE_DATE_EPOCH="yesterday")
    except TestFailure as failure:
        require("SOURCE_DATE_EPOCH is 'yesterday'" in str(failure), str(failure))
    else:
        raise TestFailure("SOURCE_DATE_EPOCH=yesterday was accepted")


def check_round_trip(files):
    disk = files.file("raw").read_bytes()
    for format, name in (("qcow2", "qcow2"), ("vmdk", "vmdk"), ("vhd", "vpc")):
        back = files.folder / "back"
        run("qemu-img", "convert", "-f", name, "-O", "raw", files.file(format), back)
        require(back.read_bytes() == disk, f"{format} converts back to other bytes")


def check_gpt(files):
    disk = files.file("raw")
    image = disk.read_bytes()
    require("No errors detected" in run("sfdisk", "--verify", disk), "sfdisk finds errors")
    script = run("sfdisk", "--dump", disk).upper()
    require("21686148-6449-6E6F-744E-656564454649".upper() in script, "there is no BIOS partition")
    require("C12A7328-F81F-11D2-BA4B-00A0C93EC93B" in script, "there is no EFI system partition")
    first = struct.unpack_from("<B3xB3xI", image, 446)
    require(first == (0, 0xEE, 1), f"the MBR's first entry is {first}, not an inactive 0xEE at sector 1: EDK2 would see no GPT")
    active = [index for index in range(4) if image[446 + 16 * index] == 0x80]
    require(active == [1], f"active entries of the MBR: {active}; some firmware wants one")
    require(len(image) % (1 << 20) == 0, "the size is not of whole MiB")
    require(len(image) == 1 << 20, f"the disk has {len(image)} bytes; 1 MiB is enough")
    require(image[510:512] == b"\x55\xaa", "the MBR has no signature")


def check_fat(files):
    """The EFI file system: whole, and the EFI file in it is the one beside the image."""
    table = run("sfdisk", "--dump", files.file("raw"))
    line = next(line for line in table.splitlines() if "name=\"efi\"" in line)
    start, size = (int(line.split(key + "=")[1].split(",")[0]) for key in ("start", "size"))
    esp = files.folder / "esp"
    esp.write_bytes(files.file("raw").read_bytes()[start * SECTOR:(start + size) * SECTOR])
    run("mcopy", "-i", esp, "::/EFI/BOOT/BOOTX64.EFI", files.folder / "efi")
    efi = files.elf.with_name(files.elf.name + ".efi").read_bytes()
    require((files.folder / "efi").read_bytes() == efi, "BOOTX64.EFI is not the EFI file")
    if shutil.which("fsck.fat", path=PATH):
        run("fsck.fat", "-n", esp)
    require(size * SECTOR <= len(efi) + (32 << 10), f"the file system has {size * SECTOR} bytes for a file of {len(efi)}")


def check_vhd(files):
    """Virtual Hard Disk Image Format Specification, "Hard Disk Footer Format"; Azure: fixed, whole MiB."""
    image = files.file("vhd").read_bytes()
    footer = image[-SECTOR:]
    original, current = struct.unpack_from(">QQ", footer, 40)
    kind, checksum = struct.unpack_from(">II", footer, 60)
    require(footer[:8] == b"conectix" and kind == 2, "the VHD is not a fixed one")
    require(current == original == len(image) - SECTOR and current % (1 << 20) == 0, f"the VHD's size is {current}")
    require(~(sum(footer) - sum(footer[64:68])) & 0xFFFFFFFF == checksum, "the VHD footer's checksum is wrong")


def check_vmdk(files):
    image = files.file("vmdk").read_bytes()
    require(image[:4] == b"KDMV" and b'createType="streamOptimized"' in image[:2048], "the VMDK is not streamOptimized")


def check_gce(files):
    """Compute Engine: one member disk.raw of whole GiB in a tar file of the old GNU format."""
    with tarfile.open(files.file("gce")) as archive:
        members = archive.getmembers()
        require([member.name for member in members] == ["disk.raw"], f"the archive holds {[member.name for member in members]}")
        require(members[0].size == 1 << 30 and members[0].issparse(), "disk.raw is not a sparse file of 1 GiB")
        disk = files.file("raw").read_bytes()
        content = archive.extractfile(members[0])
        require(content.read(len(disk)) == disk, "disk.raw does not begin with the disk")
        content.seek(len(disk))
        require(not any(content.read(1 << 20)), "behind the disk are other bytes than zeros")
    with gzip.open(files.file("gce")) as file:
        header = file.read(512)
    require(header[257:265] == b"ustar  \0", "the archive is not of the old GNU format")


def check_iso(files):
    """El Torito has an entry for each firmware, and the disc as a disk has a boot signature and a GPT."""
    said = run("xorriso", "-indev", files.file("iso"), "-report_el_torito", "plain", "-report_system_area", "plain")
    require("BIOS  y   none" in said and "UEFI  y   none" in said, "El Torito lacks an entry:\n" + said)
    require("GPT" in said, "the disc as a disk has no GPT:\n" + said)
    image = files.file("iso").read_bytes()
    require(image[510:512] == b"\x55\xaa", "the disc has no boot signature")
    require(image[446] == 0, "the MBR's first entry is active: EDK2 would see no GPT")


def refused(sentence, *words, **environment):
    """The command fails with one sentence, without a trace of Python, and leaves no file behind."""
    try:
        run(sys.executable, "-B", *words, **environment)
    except TestFailure as failure:
        require(sentence in str(failure) and "Traceback" not in str(failure), f"not refused with '{sentence}': {failure}")
    else:
        raise TestFailure(f"accepted what should be refused with '{sentence}'")
    output = pathlib.Path(words[-1])
    require(not output.exists() and not list(output.parent.glob(".make-disk-*")), "a refused disk was left behind")


def check_refusals(files):
    make_disk, loader = tool_of_package(files.elf)
    wrong, never = files.folder / "wrong", files.folder / "never"
    elf = files.elf.read_bytes()
    header = struct.pack("<I", 0xE85250D6)
    for content, sentence in ((b"", "cut off"), (b"MZ" + bytes(200), "no 64-bit ELF file"), (elf[:5000], "cut off"),
                              (elf.replace(header, bytes(4), 1), "no Multiboot2 header")):
        wrong.write_bytes(content)
        refused(sentence, make_disk, "raw", "--loader", loader, "--elf", wrong, never)
    good = [make_disk, "iso", "--loader", loader, "--elf", files.elf]
    refused("command line must be at most 1023 printable ASCII characters", *good, "--command-line", "x" * 1024, never)
    refused("command line must be at most 1023 printable ASCII characters", *good, "--command-line", "zw\u00f6lf", never)
    refused("'large' is no size such as 1024x768", *good, "--video", "large", never)
    refused("the loader's file has a wrong size", make_disk, "iso", "--loader", files.elf, "--elf", files.elf, never)
    refused("No such file", make_disk, "iso", "--loader", loader, "--elf", files.folder / "none", never)
    refused("'xorriso' is missing; it is needed for this format (Debian package xorriso)", *good, never, PATH="/nowhere")


CHECKS = [check_same_bytes, check_epoch, check_round_trip, check_gpt, check_fat, check_vhd, check_vmdk, check_gce, check_iso,
          check_refusals]


def main():
    failures = 0
    for check in CHECKS:
        name = check.__name__[len("check_"):].replace("_", " ")
        try:
            with tempfile.TemporaryDirectory(prefix="bm-formats-") as folder:
                check(Files(sys.argv[1], folder))
            print(f"ok: {name}", flush=True)
        except TestFailure as failure:
            failures += 1
            print(f"FAILED: {name}: {failure}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
