# The EFI system partition: a FAT file system as small as its contents allow, made by mtools.
# SPDX-License-Identifier: MIT
import os
import pathlib
import tempfile

from . import tools

SECTOR = 512
ROOT_SECTORS = 4       # 64 entries
SPARE = 16 << 10       # room for a file or two beside the loader
FAT16_CLUSTERS = 4085  # fewer are FAT12
FAT32_CLUSTERS = 65525


def shape(size):
    """Sectors a cluster and sectors in all for a file system with `size` bytes of files."""
    for cluster in (1, 2, 4, 8, 16, 32, 64):
        clusters = -(-(size + SPARE) // (cluster * SECTOR)) + 2 + 2  # two folders
        if clusters < FAT32_CLUSTERS - 16:
            break
    else:
        raise tools.DiskError("the EFI file is too large for a FAT16 file system")
    if FAT16_CLUSTERS - 16 <= clusters < FAT16_CLUSTERS + 16:
        clusters = FAT16_CLUSTERS + 16  # drivers disagree close to the limit
    bits = 12 if clusters < FAT16_CLUSTERS else 16
    table = -(-((clusters + 2) * bits) // (8 * SECTOR)) + 1
    return cluster, tools.round_up(1 + 2 * table + ROOT_SECTORS + clusters * cluster, 8)


def make(efi, first_sector=0):
    """The bytes of a file system that holds efi (bytes) as EFI/BOOT/BOOTX64.EFI."""
    cluster, total = shape(len(efi))
    serial = tools.identity("fat", efi).hex[:8]
    with tempfile.TemporaryDirectory(prefix="bm-fat-") as folder:
        image = pathlib.Path(folder, "fat")
        loader = pathlib.Path(folder, "BOOTX64.EFI")
        image.write_bytes(bytes(total * SECTOR))
        loader.write_bytes(efi)
        os.utime(loader, (tools.epoch(), tools.epoch()))
        quiet = {"MTOOLS_SKIP_CHECK": "1", "MTOOLSRC": os.devnull}
        tools.run("mformat", "-i", image, "-T", total, "-h", 16, "-s", 32, "-c", cluster, "-r", ROOT_SECTORS, "-N", serial,
                  "-H", first_sector, "-v", "BAREMETAL", "::", **quiet)
        tools.run("mmd", "-i", image, "::/EFI", "::/EFI/BOOT", **quiet)
        tools.run("mcopy", "-m", "-i", image, loader, "::/EFI/BOOT/", **quiet)
        return image.read_bytes()
