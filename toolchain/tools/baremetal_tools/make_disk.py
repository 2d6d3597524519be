# Makes the disks and discs that an image boots from, and disks of data. The same input gives the same bytes.
# SPDX-License-Identifier: MIT

import argparse
import os
import pathlib
import re
import sys
import tempfile

from .disk import convert, data, iso, raw
from .disk.payload import Payload
from .disk.tools import DiskError


def video_size(text):
    found = re.fullmatch(r"(\d{3,5})x(\d{3,5})", text)
    if not found:
        raise argparse.ArgumentTypeError(f"'{text}' is no size such as 1024x768")
    return int(found.group(1)), int(found.group(2))


def parse():
    arguments = argparse.ArgumentParser(prog="make-disk", description="Makes the disks and discs that an image boots from, and disks of data.")
    formats = arguments.add_subparsers(dest="format", required=True)
    for name in ("raw", "iso"):
        parser = formats.add_parser(name)
        parser.add_argument("--loader", required=True, help="the BIOS loader, baremetal-bios.bin")
        parser.add_argument("--elf", required=True, help="the image")
        parser.add_argument("--efi", help="the image as an EFI file; without it, the disk boots by BIOS only")
        parser.add_argument("--command-line", default="", help="kernel command line (BIOS only)")
        parser.add_argument("--video", type=video_size, default=(0, 0), help="graphics mode to set (BIOS only)")
        parser.add_argument("output")
    for name in convert.FORMATS:
        parser = formats.add_parser(name)
        parser.add_argument("raw", help="the raw disk")
        parser.add_argument("output")
    parser = formats.add_parser("data")
    parser.add_argument("--file-system", required=True, choices=data.FILE_SYSTEMS)
    parser.add_argument("--size", type=int, help="MiB of an ext4 file system; EROFS takes what its files need")
    parser.add_argument("--label", default="", help="the file system's name")
    parser.add_argument("--uuid", required=True)
    parser.add_argument("--list", required=True, help='its files, as lines "path on the disk|file"')
    parser.add_argument("--partition", action="store_true", help="as the only partition of a GPT disk")
    parser.add_argument("output")
    return arguments.parse_args()


def make(options, output):
    if options.format in convert.FORMATS:
        convert.FORMATS[options.format](options.raw, output)
        return
    if options.format == "data":
        data.make(options, output)
        return
    payload = Payload(pathlib.Path(options.loader).read_bytes(), pathlib.Path(options.elf).read_bytes(), options.command_line,
                      options.video)
    efi = pathlib.Path(options.efi).read_bytes() if options.efi else b""
    (raw if options.format == "raw" else iso).make(payload, efi, output)


def main():
    options = parse()
    folder, name = os.path.split(os.path.abspath(options.output))
    try:
        # Under its own name, which some formats write down, and seen in its place only when it is whole.
        with tempfile.TemporaryDirectory(prefix=".make-disk-", dir=folder) as work:
            make(options, os.path.join(work, name))
            os.replace(os.path.join(work, name), options.output)
    except (DiskError, OSError) as error:
        print(f"error: {name}: {error}", file=sys.stderr)
        return 1
    size = os.path.getsize(options.output)
    print(f"-- {name}: {size} bytes")
    return 0
