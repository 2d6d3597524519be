# A guest with UEFI firmware (OVMF), the files that it boots from, and the EFI programs of tests.
# SPDX-License-Identifier: MIT
import pathlib
import shutil
import subprocess
import sys
import tempfile

from harness import Guest, TestFailure
from harness.network import skip

TOP = pathlib.Path(__file__).resolve().parents[3]
FIRMWARE = [pathlib.Path(folder) for folder in ("/usr/share/OVMF", "/usr/share/edk2/x64", "/usr/share/edk2/ovmf")]
BOOT_FILE = "EFI/BOOT/BOOTX64.EFI"
COMPILE = ("-m64 -march=x86-64 -fPIE -fcf-protection=none -fno-asynchronous-unwind-tables -ffreestanding -mno-red-zone "
           "-fno-stack-protector -fvisibility=hidden -Os -Wall -Wextra -Werror -nostdlib -static-pie -Wl,--gc-sections "
           "-ffunction-sections -Wl,-z,noexecstack -Wl,--build-id=none").split()


def firmware(name):
    for folder in FIRMWARE:
        if (folder / name).is_file():
            return folder / name
    skip(f"the firmware {name} is missing (package ovmf)")
    return None


def new_variables(folder):
    """A fresh copy of the firmware's variables: no boot options, Setup Mode."""
    path = pathlib.Path(folder) / "variables.fd"
    shutil.copyfile(firmware("OVMF_VARS_4M.fd"), path)
    return path


class Ovmf(Guest):
    """Boots from folders, each of which becomes a disk with a FAT partition; {name in the folder: file or bytes}."""

    def __init__(self, disks, variables=None, secure=False, machine="q35", memory="128", arguments=(), **options):
        super().__init__("none", machine=machine + (",smm=on" if secure else ""), memory=memory, boot="none", **options)
        code = firmware("OVMF_CODE_4M.secboot.fd" if secure else "OVMF_CODE_4M.fd")
        variables = variables or new_variables(self.folder)
        self.command += ["-drive", f"if=pflash,format=raw,readonly=on,file={code}",
                         "-drive", f"if=pflash,format=raw,file={variables}"]
        if secure:
            self.command += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
        for number, files in enumerate(disks):
            folder = pathlib.Path(self.folder) / f"disk{number}"
            for name, contents in files.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(contents if isinstance(contents, bytes) else pathlib.Path(contents).read_bytes())
            self.command += ["-drive", f"file=fat:{folder},format=raw,readonly=on,if=none,id=disk{number}",
                             "-device", f"virtio-blk-pci,drive=disk{number},bootindex={number}"]
        self.command += list(arguments)


def make_efi(prefix, image, output, *more):
    """The EFI file of an image, by the installed package; its bytes."""
    package = pathlib.Path(prefix) / "lib"
    words = [package / "cmake/baremetal/make-efi", package / "baremetal/uefi/boot.elf", output, *more]
    if image:
        words += ["--image", image]
    run(words)
    return pathlib.Path(output).read_bytes()


def run(words):
    result = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if result.returncode:
        raise TestFailure(" ".join(str(word) for word in words) + " failed:\n" + result.stdout + result.stderr)
    return result.stdout


def build_program(source, folder):
    """An EFI program of the tests: linked with the loader's own console, memory and files."""
    elf, efi = pathlib.Path(folder) / "program.elf", pathlib.Path(folder) / "program.efi"
    uefi = TOP / "boot/uefi"
    run(["gcc", *COMPILE, f"-I{TOP}/libbaremetal/include", f"-I{uefi}", f"-Wl,-T,{uefi}/loader.ld", "-o", elf, source,
         *(uefi / name for name in ("firmware.c", "text.c", "memory.c")), TOP / "libbaremetal/base/format.c"])
    run([TOP / "toolchain/tools/make-efi", elf, efi])
    return efi.read_bytes()


def main(test):
    """Runs test(arguments…, folder) and reports how it ended."""
    with tempfile.TemporaryDirectory(prefix="bm-uefi-") as folder:
        try:
            test(*sys.argv[1:], folder)
        except TestFailure as failure:
            print(f"FAILED: {failure}")
            return 1
    return 0
