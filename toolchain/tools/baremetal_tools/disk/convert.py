# The raw disk in the formats of hypervisors and clouds, made by qemu-img and tar, free of dates and chance.
# SPDX-License-Identifier: MIT
import os
import pathlib
import re
import shutil
import struct
import tempfile

from . import tools

GIB = 1 << 30
VHD_FOOTER = 512
VHD_EPOCH = 946684800  # 2000-01-01
VMDK_DESCRIPTOR = struct.Struct("<QQ")  # in sectors, at byte 28 of the header


def qcow2(raw, output):
    tools.run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, output)


def vmdk(raw, output):
    """streamOptimized, as vSphere and OVA files want it. qemu-img draws the content's identifier; here it follows from it."""
    tools.run("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", raw, output)
    image = bytearray(pathlib.Path(output).read_bytes())
    first, count = VMDK_DESCRIPTOR.unpack_from(image, 28)
    begin, end = first * 512, (first + count) * 512
    content_id = tools.identity("vmdk", pathlib.Path(raw).read_bytes()).hex[:8]
    descriptor = re.sub(rb"(?m)^CID=[0-9a-f]+$", b"CID=" + content_id.encode(), image[begin:end].rstrip(b"\0"))
    if len(descriptor) > end - begin:
        raise tools.DiskError("the descriptor that qemu-img wrote has no room")
    image[begin:end] = descriptor.ljust(end - begin, b"\0")
    pathlib.Path(output).write_bytes(image)


def vhd(raw, output):
    """Fixed, of exactly the raw disk's size (whole MiB), as Azure wants it. qemu-img draws the footer's UUID and takes the time."""
    tools.run("qemu-img", "convert", "-f", "raw", "-O", "vpc", "-o", "subformat=fixed,force_size=on", raw, output)
    content = pathlib.Path(raw).read_bytes()
    with open(output, "r+b") as file:
        file.seek(-VHD_FOOTER, os.SEEK_END)
        footer = bytearray(file.read())
        if footer[:8] != b"conectix":
            raise tools.DiskError("qemu-img wrote no VHD footer where it belongs")
        struct.pack_into(">I", footer, 24, tools.epoch() - VHD_EPOCH)
        footer[68:84] = tools.identity("vhd", content).bytes
        struct.pack_into(">I", footer, 64, 0)
        struct.pack_into(">I", footer, 64, ~sum(footer) & 0xFFFFFFFF)
        file.seek(-VHD_FOOTER, os.SEEK_END)
        file.write(footer)


def gce(raw, output):
    """disk.raw of whole GiB, the hole at its end sparse, in a gzipped tar file of the old GNU format, as Compute Engine wants it."""
    with tempfile.TemporaryDirectory(prefix="bm-gce-") as folder:
        disk = pathlib.Path(folder, "disk.raw")
        shutil.copyfile(raw, disk)
        os.truncate(disk, tools.round_up(disk.stat().st_size, GIB))
        archive = pathlib.Path(folder, "disk.tar")
        tools.run("tar", "--format=oldgnu", "--sparse", "--owner=0", "--group=0", "--numeric-owner", "--mode=0644",
                  f"--mtime=@{tools.epoch()}", "-C", folder, "-cf", archive, "disk.raw")
        tools.run("gzip", "-9", "-n", archive)
        shutil.copyfile(str(archive) + ".gz", output)


FORMATS = {"qcow2": qcow2, "vmdk": vmdk, "vhd": vhd, "gce": gce}
