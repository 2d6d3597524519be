# The hybrid disc: El Torito for BIOS and UEFI, and bootable when it is written to a stick as it is. Made by xorriso.
# SPDX-License-Identifier: MIT
import os
import pathlib
import struct
import tempfile
import time

from . import fat, tools

BLOCK = 2048
SIZE_MIN = 16 * 63 * 512  # a cylinder of any BIOS: SeaBIOS boots from no smaller USB disk
CATALOGUE_POINTER = 17 * BLOCK + 0x47  # El Torito 1.0, section 2.0: the boot record volume descriptor


def first_sector(disc):
    """Where xorriso has put the payload, in sectors of 512 bytes: from the boot catalogue's initial entry."""
    catalogue = struct.unpack_from("<I", disc, CATALOGUE_POINTER)[0] * BLOCK
    if disc[catalogue + 32] != 0x88:
        raise tools.DiskError("xorriso wrote no bootable entry into the catalogue")
    return struct.unpack_from("<I", disc, catalogue + 32 + 8)[0] * (BLOCK // 512)


def make(payload, efi, output):
    """Writes the disc. `efi` may be empty: then it boots by BIOS only."""
    contents = payload.at(0)
    date = time.strftime("%Y%m%d%H%M%S00", time.gmtime(tools.epoch()))
    with tempfile.TemporaryDirectory(prefix="bm-iso-") as folder:
        tree, disc = pathlib.Path(folder, "tree"), pathlib.Path(folder, "disc")
        tree.mkdir()
        boot = tree / "bios.bin"
        boot.write_bytes(contents)
        record = pathlib.Path(folder, "record")
        record.write_bytes(payload.record_at(0).ljust(510, b"\0") + b"\x55\xaa")
        words = ["-as", "mkisofs", "-quiet", "-r", "-no-pad", "-o", disc, "-V", "BAREMETAL", f"--modification-date={date}",
                 "--set_all_file_dates", date, "-G", record, "--mbr-force-bootable", "-c", "boot.cat",
                 "-b", "bios.bin", "-no-emul-boot", "-boot-load-size", 4]
        if efi:
            esp = pathlib.Path(folder, "esp")
            esp.write_bytes(fat.make(efi))
            words += ["-append_partition", 2, "0xef", esp, "-appended_part_as_gpt", "-eltorito-alt-boot",
                      "-e", "--interval:appended_partition_2:all::", "-no-emul-boot"]
        os.utime(boot, (tools.epoch(), tools.epoch()))
        tools.run("xorriso", *words, tree)
        image = bytearray(disc.read_bytes())
    sector = first_sector(image)
    contents = payload.at(sector)
    image[sector * 512:sector * 512 + len(contents)] = contents
    image[:len(payload.record)] = payload.record_at(sector)
    pathlib.Path(output).write_bytes(image.ljust(SIZE_MIN, b"\0"))
