# The disk: GPT with a BIOS boot partition and, with an EFI file, an EFI system partition; a hybrid MBR before it.
# SPDX-License-Identifier: MIT
import pathlib
import struct
import tempfile

from . import fat, tools
from .payload import RECORD_SIZE

SECTOR = 512
FIRST = 40                  # behind the GPT's 34 sectors, on 4 KiB
ALIGN = 8                   # sectors
BACKUP = 33                 # sectors of the second GPT at the end
DISK_ALIGN = 1 << 20        # Azure wants whole MiB
BIOS_BOOT = "21686148-6449-6E6F-744E-656564454649"
EFI_SYSTEM = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"


def partition_script(payload, payload_size, efi, esp_first, esp):
    script = (f"label: gpt\nlabel-id: {tools.identity('disk', payload, efi)}\nunit: sectors\nfirst-lba: 34\n\n"
              f"start={FIRST}, size={payload_size}, type={BIOS_BOOT}, name=bios, "
              f"uuid={tools.identity('bios', payload, efi)}\n")
    if esp:
        script += (f"start={esp_first}, size={len(esp) // SECTOR}, type={EFI_SYSTEM}, name=efi, "
                   f"uuid={tools.identity('efi', payload, efi)}\n")
    return script


def hybrid_record(code, signature, payload_size, sectors):
    """Firmware that wants an active partition finds one; what reads the GPT finds its protective entry first, inactive."""
    def entry(active, kind, first, count):
        return struct.pack("<B3sB3sII", active, b"\x00\x02\x00" if first == 1 else b"\xff\xff\xff", kind, b"\xff\xff\xff",
                           first, count)
    behind = FIRST + payload_size
    return (code.ljust(RECORD_SIZE, b"\0") + signature + b"\0\0" + entry(0, 0xEE, 1, FIRST - 1) +
            entry(0x80, 0xDA, FIRST, payload_size) + entry(0, 0xEE, behind, sectors - behind) + bytes(16) + b"\x55\xaa")


def make(payload, efi, output):
    """Writes the disk. `efi` may be empty: then it boots by BIOS only."""
    contents = payload.at(FIRST)
    payload_size = tools.round_up(len(contents), ALIGN * SECTOR) // SECTOR
    esp_first = FIRST + payload_size
    esp = fat.make(efi, esp_first) if efi else b""
    end = esp_first * SECTOR + len(esp)
    size = tools.round_up(end + BACKUP * SECTOR, DISK_ALIGN)
    with tempfile.TemporaryDirectory(prefix="bm-disk-") as folder:
        disk = pathlib.Path(folder, "disk")
        disk.write_bytes(bytes(size))
        tools.run("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", disk,
                  text=partition_script(contents, payload_size, efi, esp_first, esp))
        image = bytearray(disk.read_bytes())
    signature = tools.identity("disk", contents, efi).bytes[:4]
    image[:SECTOR] = hybrid_record(payload.record_at(FIRST), signature, payload_size, size // SECTOR)
    image[FIRST * SECTOR:FIRST * SECTOR + len(contents)] = contents
    image[esp_first * SECTOR:esp_first * SECTOR + len(esp)] = esp
    pathlib.Path(output).write_bytes(image)
