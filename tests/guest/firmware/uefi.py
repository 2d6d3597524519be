#!/usr/bin/env python3
# Boots an image by UEFI (OVMF): command lines, memory that is in the way, a map that changes, damaged files.
# SPDX-License-Identifier: MIT
"""Usage: uefi.py IMAGE PREFIX

IMAGE is hello. uefi/steps.c is the EFI program that the firmware starts first."""

import pathlib
import struct
import sys
import zlib

import ovmf
from harness import PASSED, TestFailure, status_name

HELLO = "Hello from a machine"


def expect_hello(guest, *before):
    for pattern in before:
        guest.expect(pattern, 60)
    guest.expect(HELLO, 60)
    status = guest.wait()
    if status != PASSED:
        raise guest.failure(f"QEMU's exit status is {status_name(status)}")


def boot_plainly(efi):
    """No screen; the command line beside the file."""
    files = {ovmf.BOOT_FILE: efi, "EFI/BOOT/BOOTX64.TXT": b"# a comment\r\nsillyfile=1\r\nlog=warn\r\n"}
    with ovmf.Ovmf([files], memory="64") as guest:
        expect_hello(guest, "(?i)warning: .*sillyfile")
        if "comment" in guest.text():
            raise guest.failure("a comment came into the command line")
    print("ok: 64 MiB, no screen, the command line's file", flush=True)


def boot_large(efi):
    """A screen, four cores, RAM above 4 GiB, a CPU without 1 GiB pages."""
    with ovmf.Ovmf([{ovmf.BOOT_FILE: efi}], memory="8G", smp="4", cpu="Nehalem", devices=["VGA"]) as guest:
        expect_hello(guest)
    print("ok: 8 GiB, a screen, 4 cores, no 1 GiB pages", flush=True)


class Payload:
    """The part of an EFI file that holds the image, to be damaged."""

    def __init__(self, efi):
        self.efi = bytearray(efi)
        self.header = self.efi.rindex(b"BMIMAGE1")  # the loader has the word, too
        self.elf = self.header + 64
        self.size = struct.unpack_from("<Q", self.efi, self.header + 16)[0]

    def flip(self, at):
        self.efi[at] ^= 0x10
        return self

    def seal(self):
        """Makes the checksums right again: what is checked beyond them gets its turn."""
        image = bytes(self.efi[self.elf:self.elf + self.size])
        struct.pack_into("<II", self.efi, self.header + 8, 0, zlib.crc32(image))
        crc = zlib.crc32(bytes(self.efi[self.header:self.elf]))
        struct.pack_into("<I", self.efi, self.header + 8, crc)
        return self

    def write(self, offset, form, *values):
        struct.pack_into(form, self.efi, self.elf + offset, *values)
        return self

    def bytes(self):
        return bytes(self.efi)


def damaged(efi):
    """Name -> (file, sentence that it must end in)."""
    good = Payload(efi)
    segments = struct.unpack_from("<Q", efi, good.elf + 32)[0]
    count = struct.unpack_from("<H", efi, good.elf + 56)[0]
    last = max(i for i in range(count) if struct.unpack_from("<I", efi, good.elf + segments + 56 * i)[0] == 1)
    return {
        "A.EFI": (Payload(efi).flip(good.header + 16).bytes(), "error: boot: the header before the image is damaged"),
        "B.EFI": (Payload(efi).flip(good.elf + 4).bytes(), "error: boot: the image is damaged: its checksum is"),
        "C.EFI": (Payload(efi).flip(len(efi) - 600).bytes(), "error: boot: the image is damaged: its checksum is"),
        "D.EFI": (efi[:len(efi) // 2], "steps: D.EFI was not loaded: 0x8"),
        "E.EFI": (Payload(efi).write(segments, "<I", 0).seal().bytes(), "error: boot: the entry 0x[0-9a-f]+ lies in none of"),
        "F.EFI": (Payload(efi).write(segments + 56 + 32, "<Q", 1 << 30).seal().bytes(),
                  r"error: boot: segment 1 \(file offset 0x[0-9a-f]+, 1073741824 bytes\) reaches beyond the image"),
        "G.EFI": (good.write(segments + 56 * last + 40, "<Q", 1 << 30).seal().bytes(),
                  "error: boot: the image needs 10[0-9]* KiB in one piece below 4 GiB, which are not free.*the machine has [0-9]+ KiB"),
    }


def refuse_damaged(steps, efi, plain):
    """Every damage ends in a sentence, and a good file still boots after all of them; its options are the command line."""
    cases = damaged(efi)
    files = {ovmf.BOOT_FILE: steps, "EFI/BOOT/GOOD.EFI": efi, "EFI/BOOT/BARE.EFI": plain}
    files.update({f"EFI/BOOT/{name}": contents for name, (contents, _) in cases.items()})
    lines = [f"start {name}" for name in [*cases, "BARE.EFI"]] + [
        "screen", "start A.EFI", "stale 3", "start GOOD.EFI GOOD.EFI sillyoption=1"]
    files["EFI/BOOT/STEPS.TXT"] = "\n".join(lines).encode()
    with ovmf.Ovmf([files]) as guest:
        for name, (_, sentence) in cases.items():
            guest.expect(sentence, 60)
            if sentence.startswith("error"):
                guest.send("\r")
                guest.expect(f"steps: {name} came back with 0x8", 20)
            print(f"ok: {sentence}", flush=True)
        guest.expect("error: boot: this EFI file carries no image", 20)
        guest.send("\r")
        for _ in range(2):  # by the firmware's console, which is the serial line after all, and by the loader
            guest.expect("error: boot: the header before the image is damaged", 20)
        guest.send("\r")
        expect_hello(guest, *["steps: the map changes"] * 3, "(?i)warning: .*sillyoption")
    print("ok: options as the command line, a map that changed three times", flush=True)


def endless_boot_services(steps, efi):
    """The firmware refuses for good: a sentence, and the machine stops."""
    files = {ovmf.BOOT_FILE: steps, "EFI/BOOT/GOOD.EFI": efi, "EFI/BOOT/STEPS.TXT": b"stale 99\nstart GOOD.EFI"}
    with ovmf.Ovmf([files]) as guest:
        guest.expect("error: boot: the firmware does not end its boot services", 60)
    print("ok: boot services that do not end", flush=True)


def memory_in_the_way(steps, efi):
    """Where the firmware has something at the image's own address, the image runs elsewhere."""
    files = {ovmf.BOOT_FILE: steps, "EFI/BOOT/GOOD.EFI": efi}
    for kind, smp in ((6, "4"), (4, "1,maxcpus=2")):  # runtime services data, boot services data
        files["EFI/BOOT/STEPS.TXT"] = f"take {kind} 0x104000 1\nstart GOOD.EFI".encode()
        with ovmf.Ovmf([files], smp=smp) as guest:
            expect_hello(guest, r"taken 0x104000 \(0x0\)")
    print("ok: memory of the firmware at the image's address", flush=True)


def test(image, prefix, folder):
    efi = ovmf.make_efi(prefix, image, pathlib.Path(folder) / "image.efi")
    if efi != ovmf.make_efi(prefix, image, pathlib.Path(folder) / "again.efi"):
        raise TestFailure("the same image gave two different EFI files")
    plain = ovmf.make_efi(prefix, None, pathlib.Path(folder) / "bare.efi")
    steps = ovmf.build_program(pathlib.Path(__file__).parent / "uefi" / "steps.c", folder)
    boot_plainly(efi)
    boot_large(efi)
    refuse_damaged(steps, efi, plain)
    memory_in_the_way(steps, efi)
    endless_boot_services(steps, efi)


if __name__ == "__main__":
    sys.exit(ovmf.main(test))
