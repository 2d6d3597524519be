# Every way to boot an image that is claimed: one row each, for ci/boot-matrix and for the quick test among ci/test.
# SPDX-License-Identifier: MIT
"""A row says what file it boots, by what firmware, on what machine. To claim a way, add a row to ROWS.

`words(image)` gives QEMU's words for an image: image.file(".img") is the file of that format beside the ELF, and
image.folder a folder of the boot's own for whatever has to be prepared. Words begin with the machine's type."""

import dataclasses
import functools
import os
import pathlib
import shutil
import subprocess
import tarfile
from typing import Callable

import ipxe
import linux_boot
from harness import QEMU

SECONDS = 120  # until a machine counts as hung; UEFI firmware alone takes some 8 s by emulation on an idle host


@dataclasses.dataclass
class Image:
    """A program's ELF file, the files beside it, and a folder for a boot's own files."""
    elf: pathlib.Path
    folder: pathlib.Path

    def file(self, suffix):
        return self.elf.with_name(self.elf.name + suffix)


@dataclasses.dataclass
class Row:
    format: str     # of the file: a word of baremetal_add_image(FORMATS …)
    firmware: str   # what runs before the image's own code
    machine: str    # QEMU's type and where the file is
    words: Callable
    needs: tuple = ()                # files; a row without one of them is skipped, and says so
    quick: bool = False              # in ci/test, too
    memories: tuple = ("64", "8G")
    network: str = "virtio-net-pci,romfile="  # QEMU's device
    seconds: int = SECONDS
    tools: tuple = ()                # programs that words() runs
    device: str = ""                 # that not every QEMU has

    def name(self):
        return f"{self.format}, {self.firmware}, {self.machine}"

    def missing(self):
        """What this host lacks for the row, as text; empty when it can run."""
        return ", ".join([path for path in self.needs if not pathlib.Path(path).exists()] +
                         [tool for tool in self.tools if not shutil.which(tool)] +
                         ([f"a QEMU with {self.device}"] if self.device and f'"{self.device}"' not in qemu_devices() else []))


@functools.cache
def qemu_devices():
    return subprocess.run([QEMU, "-device", "help"], capture_output=True, text=True, check=True).stdout


def drive(machine, suffix, kind, interface="ide", options=""):
    """A disk on the machine's IDE or AHCI controller, or by virtio."""
    def words(image):
        return [*machine.split(), "-drive", f"file={image.file(suffix)},format={kind},if={interface},snapshot=on{options}"]
    return words


def drive_on(machine, device, controller=()):
    """A disk with the image that only `device` shows: NVMe, SCSI. (`controller`: words for what it hangs on.)"""
    def words(image):
        return [machine, *controller, "-drive", f"file={image.file('.img')},format=raw,if=none,id=disk,snapshot=on",
                "-device", f"{device},drive=disk,bootindex=0"]
    return words


def disc(machine):
    def words(image):
        return [*machine.split(), "-drive", f"file={image.file('.iso')},format=raw,media=cdrom,readonly=on", "-boot", "d"]
    return words


def stick(machine):
    """A USB stick that the ISO file was written to by `dd`: larger, so that the second GPT is not at its end."""
    def words(image):
        path = image.folder / "stick"
        shutil.copyfile(image.file(".iso"), path)
        os.truncate(path, 64 << 20)
        return [*machine.split(), "-device", "qemu-xhci", "-drive", f"file={path},format=raw,if=none,id=stick",
                "-device", "usb-storage,drive=stick,bootindex=0"]
    return words


def cloud_archive(image):
    with tarfile.open(image.file(".tar.gz")) as archive:
        archive.extract("disk.raw", image.folder)
    return ["pc", "-drive", f"file={image.folder / 'disk.raw'},format=raw,if=virtio"]


def kernel(machine):
    def words(image):
        return [machine, "-kernel", str(image.elf)]
    return words


def kernel_by_qboot(machine):
    """Firmware that starts kernels and gives PCI devices no addresses, nor bridges their numbers."""
    def words(image):
        return [*machine.split(), "-bios", QBOOT, "-kernel", str(image.elf)]
    return words


def linux_entry(machine):
    """The ELF header's entry address in long mode, as Firecracker up to 1.11 calls it."""
    def words(image):
        loader = linux_boot.make_loader(image.folder, linux_boot.entry_of(image.elf))
        return [machine, "-kernel", str(loader), "-device", f"loader,file={image.elf}"]
    return words


def grub(image):
    boot = image.folder / "disc" / "boot"
    (boot / "grub").mkdir(parents=True)
    shutil.copy(image.elf, boot / "image")
    (boot / "grub" / "grub.cfg").write_text("set timeout=0\nmenuentry image {\n    multiboot2 /boot/image\n    boot\n}\n")
    subprocess.run(["grub-mkrescue", "-o", str(image.folder / "grub.iso"), str(boot.parent)], check=True, capture_output=True)
    return ["pc", "-cdrom", str(image.folder / "grub.iso"), "-boot", "d"]


QBOOT = "/usr/share/qemu/qboot.rom"
OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"
OVMF_SECURE = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
OVMF_VARIABLES = "/usr/share/OVMF/OVMF_VARS_4M.fd"
OVMF_SNAKEOIL = "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd"  # a key is enrolled that everybody has
SNAKEOIL = "/usr/share/ovmf/PkKek-1-snakeoil"


def uefi(words, code=OVMF, variables=OVMF_VARIABLES):
    """The same machine with UEFI firmware, and variables of its own."""
    def uefi_words(image):
        shutil.copy(variables, image.folder / "variables.fd")
        return [*words(image), "-drive", f"if=pflash,format=raw,readonly=on,file={code}",
                "-drive", f"if=pflash,format=raw,file={image.folder / 'variables.fd'}"]
    return uefi_words


def efi_folder(image, efi):
    """A virtio disk with one file on it."""
    (image.folder / "disk/EFI/BOOT").mkdir(parents=True)
    shutil.copy(efi, image.folder / "disk/EFI/BOOT/BOOTX64.EFI")
    return ["-drive", f"file=fat:{image.folder / 'disk'},format=raw,readonly=on,if=virtio"]


def signed(image):
    key, efi = image.folder / "key.pem", image.folder / "signed.efi"
    subprocess.run(["openssl", "rsa", "-passin", "pass:snakeoil", "-in", SNAKEOIL + ".key", "-out", key], check=True, capture_output=True)
    subprocess.run(["sbsign", "--key", key, "--cert", SNAKEOIL + ".pem", "--output", efi, image.file(".efi")], check=True, capture_output=True)
    return ["q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on", *efi_folder(image, efi)]


def network_boot(rom):
    """A network card to boot from, in a network of its own: the program has a route to each."""
    def words(image):
        shutil.copy(image.file(".efi"), image.folder / "image.efi")
        return ["q35", "-netdev", f"user,id=boot,net=10.0.9.0/24,tftp={image.folder},bootfile=image.efi", "-device",
                f"virtio-net-pci,netdev=boot,addr=0x10,bootindex=0,mac=52:54:00:12:34:99{rom}"]
    return words


OLD_VIRTIO = "virtio-net-pci,romfile=,disable-modern=on,disable-legacy=off"
VMXNET3 = "vmxnet3,romfile="
NVME = "nvme,serial=1"
SCSI = ("scsi-hd", ("-device", "virtio-scsi-pci"))
# Behind two bridges each: a port and a switch of PCI Express; bridges of PCI.
EXPRESS = "q35 -device pcie-root-port,id=root,chassis=1 -device x3130-upstream,id=up,bus=root -device xio3130-downstream,id=down,bus=up,chassis=2"
BRIDGES = "pc -device pci-bridge,id=one,chassis_nr=1 -device pci-bridge,id=two,bus=one,chassis_nr=2"

ROWS = [
    Row("raw", "SeaBIOS", "pc, IDE disk", drive("pc", ".img", "raw"), quick=True),
    Row("raw", "SeaBIOS", "q35, AHCI disk", drive("q35", ".img", "raw")),
    Row("raw", "SeaBIOS", "q35, virtio disk", drive("q35", ".img", "raw", "virtio")),
    Row("raw", "SeaBIOS", "q35, NVMe disk", drive_on("q35", NVME), quick=True),
    Row("raw", "SeaBIOS", "q35, virtio SCSI disk", drive_on("q35", *SCSI)),
    Row("iso", "SeaBIOS", "pc, IDE CD", disc("pc"), quick=True),
    Row("iso", "SeaBIOS", "q35, AHCI CD", disc("q35")),
    Row("iso", "SeaBIOS", "pc, IDE disk", drive("pc", ".iso", "raw"), quick=True),
    Row("iso", "SeaBIOS", "q35, USB stick", stick("q35"), quick=True),
    Row("qcow2", "SeaBIOS", "pc, virtio disk", drive("pc", ".qcow2", "qcow2", "virtio"), quick=True),
    Row("vmdk", "SeaBIOS", "pc, IDE disk", drive("pc", ".vmdk", "vmdk"), quick=True),
    Row("vhd", "SeaBIOS", "pc, IDE disk", drive("pc", ".vhd", "vpc"), quick=True),
    Row("gce", "SeaBIOS", "pc, virtio disk", cloud_archive, quick=True),
    Row("raw", "OVMF", "q35, AHCI disk", uefi(drive("q35", ".img", "raw")), needs=(OVMF,), quick=True),
    Row("raw", "OVMF", "pc, virtio disk", uefi(drive("pc", ".img", "raw", "virtio")), needs=(OVMF,)),
    Row("raw", "OVMF", "q35, NVMe disk", uefi(drive_on("q35", NVME)), needs=(OVMF,)),
    Row("raw", "OVMF", "q35, virtio SCSI disk", uefi(drive_on("q35", *SCSI)), needs=(OVMF,)),
    Row("iso", "OVMF", "q35, AHCI CD", uefi(disc("q35")), needs=(OVMF,)),
    Row("iso", "OVMF", "q35, USB stick", uefi(stick("q35")), needs=(OVMF,)),
    Row("efi", "OVMF", "q35, virtio disk", uefi(lambda image: ["q35", *efi_folder(image, image.file(".efi"))]), needs=(OVMF,)),
    Row("efi", "OVMF, Secure Boot", "q35, virtio disk", uefi(signed, OVMF_SECURE, OVMF_SNAKEOIL), needs=(OVMF_SECURE, SNAKEOIL + ".key"),
        tools=("sbsign", "openssl"), memories=("68", "8G"), seconds=300),  # this firmware keeps 16 MiB more for itself, and its SMM is slow with 4 vCPUs
    Row("efi", "OVMF, PXE", "q35, virtio-net", uefi(network_boot(",romfile=")), needs=(OVMF,)),
    Row("efi", "OVMF, iPXE's ROM", "q35, virtio-net", uefi(network_boot("")), needs=(OVMF,)),
    Row("elf", "GRUB", "pc, IDE CD", grub, tools=("grub-mkrescue",)),
    Row("elf", "PVH", "pc", kernel("pc")),
    Row("elf", "PVH", "q35", kernel("q35")),
    Row("elf", "PVH", "q35, virtio-net before 1.0", kernel("q35"), network=OLD_VIRTIO, quick=True),
    Row("elf", "PVH", "q35, vmxnet3", kernel("q35"), network=VMXNET3),
    Row("elf", "PVH", "q35, igb", kernel("q35"), network="igb,romfile=", device="igb"),
    Row("elf", "GRUB", "pc, IDE CD, vmxnet3", grub, network=VMXNET3, tools=("grub-mkrescue",)),
    Row("raw", "SeaBIOS", "pc, IDE disk, vmxnet3", drive("pc", ".img", "raw"), network=VMXNET3),
    Row("iso", "OVMF", "q35, AHCI CD, vmxnet3", uefi(disc("q35")), needs=(OVMF,), network=VMXNET3),
    Row("elf", "qboot, PVH", "pc", kernel_by_qboot("pc"), needs=(QBOOT,)),
    Row("elf", "qboot, PVH", "q35", kernel_by_qboot("q35"), needs=(QBOOT,), quick=True),
    Row("elf", "qboot, PVH", "pc, virtio-net behind bridges", kernel_by_qboot(BRIDGES), needs=(QBOOT,), network="virtio-net-pci,romfile=,bus=two,addr=3"),
    Row("elf", "qboot, PVH", "q35, virtio-net behind bridges", kernel_by_qboot(EXPRESS), needs=(QBOOT,), network="virtio-net-pci,romfile=,bus=down"),
    Row("elf", "PVH", "microvm", kernel("microvm"), network="virtio-net-device", quick=True),
    Row("elf", "PVH", "microvm, nothing of a PC", kernel("microvm-noacpi"), network="virtio-net-device"),
    Row("elf", "Linux's 64-bit entry", "q35", linux_entry("q35"), tools=("gcc",)),
    Row("elf", "Linux's 64-bit entry", "microvm, nothing of a PC", linux_entry("microvm-noacpi"), network="virtio-net-device",
        tools=("gcc",), quick=True),
    Row("iso", "SeaBIOS, iPXE's ROM", "pc, virtio-net", ipxe.words("pc", "virtio-net-pci"), quick=True),
    Row("iso", "SeaBIOS, iPXE's ROM", "q35, e1000", ipxe.words("q35", "e1000")),
]
