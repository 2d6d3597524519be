#!/usr/bin/env python3
# Secure Boot with a key of one's own: enrolled by the package's stick; a signed image boots, others are refused.
# SPDX-License-Identifier: MIT
"""Usage: secure_boot.py IMAGE PREFIX

IMAGE is hello; it is built here once more, by a project that names a key."""

import os
import pathlib
import shutil
import sys

import ovmf
from harness import PASSED, TestFailure, status_name

PROJECT = """cmake_minimum_required(VERSION 3.25)
project(signed C)
find_package(baremetal CONFIG REQUIRED)
foreach(name signed open)
    add_executable(${{name}} main.c)
    target_link_libraries(${{name}} PRIVATE baremetal::kernel)
endforeach()
set(how FORMATS efi CMDLINE "env.WHO=signer" SIGN_KEY "{0}/key.pem" SIGN_CERT "{0}/cert.pem")
baremetal_add_image(signed ${{how}})
baremetal_add_image(open ${{how}} CMDLINE_OPEN)
"""
MAIN = """#include <stdio.h>
#include <stdlib.h>
int main(void) { printf("This is a signed image. The command line is the %s's.\\n", getenv("WHO")); return 0; }
"""
STRANGER = {"EFI/BOOT/BOOTX64.TXT": b"env.WHO=stranger\n"}  # on a disk that anybody can write
IGNORED = "warning: boot: under Secure Boot the command line in the image is the only one"


def make_key(prefix, folder):
    key = folder / "key"
    ovmf.run([pathlib.Path(prefix) / "bin/baremetal-make-key", key])
    if (key / "key.pem").stat().st_mode & 0o077:
        raise TestFailure("others may read the secret key")
    try:
        ovmf.run([pathlib.Path(prefix) / "bin/baremetal-make-key", key])
    except TestFailure as failure:
        if "is there already" not in str(failure):
            raise
    else:
        raise TestFailure("baremetal-make-key has overwritten a key")
    return key


def configure(prefix, source, key):
    (source / "CMakeLists.txt").write_text(PROJECT.format(key))
    package = pathlib.Path(prefix).resolve()
    ovmf.run(["cmake", "-G", "Ninja", "-S", source, "-B", source.parent / "build", f"-DCMAKE_PREFIX_PATH={package}",
              f"-DCMAKE_TOOLCHAIN_FILE={package}/lib/cmake/baremetal/toolchain.cmake"])


def refuse_key_in_build(prefix, source, key):
    inside = source.parent / "build" / "key"
    shutil.copytree(key, inside)
    try:
        configure(prefix, source, inside)
    except TestFailure as failure:
        if "lies in the build folder" not in " ".join(str(failure).split()):
            raise
    else:
        raise TestFailure("a key in the build folder was taken")
    shutil.rmtree(inside)


def build(prefix, folder, key):
    """The signed EFI files that baremetal_add_image makes; the key must not come into the build folder."""
    source = folder / "source"
    source.mkdir()
    (source / "main.c").write_text(MAIN)
    refuse_key_in_build(prefix, source, key)
    configure(prefix, source, key)
    ovmf.run(["cmake", "--build", folder / "build"])
    secret = (key / "key.pem").read_bytes().splitlines()[1]
    for place, _, names in os.walk(folder / "build"):
        for name in names:
            if secret in (pathlib.Path(place) / name).read_bytes():
                raise TestFailure(f"the secret key is in the build folder: {name}")
    return [(folder / "build" / name).read_bytes() for name in ("signed.efi", "open.efi")]


def enroll(key, variables):
    stick = {f"EFI/BOOT/{name.name}": name for name in (key / "stick/EFI/BOOT").iterdir()}
    with ovmf.Ovmf([stick], variables=variables, secure=True) as guest:
        guest.expect("enroll: PK is enrolled", 60)
        guest.expect("enroll: done", 20)
        guest.send("\r")
        guest.wait()


def boot_signed_only(signed, unsigned, variables):
    """Three disks: unsigned, signed but changed afterwards, signed. The firmware tries them in this order."""
    tampered = bytearray(signed)
    tampered[tampered.rindex(b"This is a signed image.")] ^= 1
    disks = [{ovmf.BOOT_FILE: efi} for efi in (unsigned, bytes(tampered), signed)]
    with ovmf.Ovmf(disks, variables=variables, secure=True) as guest:
        guest.expect("failed to load Boot.*Access Denied", 60)
        guest.expect("failed to load Boot.*Access Denied", 20)
        guest.expect("This is a signed image", 20)
        status = guest.wait()
        if status != PASSED:
            raise guest.failure(f"QEMU's exit status is {status_name(status)}")
        if "Hello" in guest.text():
            raise guest.failure("an unsigned image was started")


def command_line(efi, whose, warned, **firmware):
    """Whose command line counts when there is another one beside the file."""
    with ovmf.Ovmf([{ovmf.BOOT_FILE: efi, **STRANGER}], **firmware) as guest:
        if warned:
            guest.expect(IGNORED, 60)
        guest.expect(f"The command line is the {whose}'s", 60)
        guest.wait()
        if (IGNORED in guest.text()) != warned:
            raise guest.failure("the console says that the wrong command line is ignored")


def test(image, prefix, folder):
    folder = pathlib.Path(folder)
    key = make_key(prefix, folder)
    unsigned = ovmf.make_efi(prefix, image, folder / "unsigned.efi")
    signed, is_open = build(prefix, folder, key)
    variables = ovmf.new_variables(folder)
    enroll(key, variables)
    print("ok: key made and enrolled", flush=True)
    boot_signed_only(signed, unsigned, variables)
    print("ok: the signed image boots, the unsigned and the changed one are refused", flush=True)
    command_line(signed, "signer", True, variables=variables, secure=True)
    command_line(is_open, "stranger", False, variables=variables, secure=True)
    command_line(signed, "stranger", False)  # without Secure Boot
    print("ok: under Secure Boot the signed command line is the only one, unless the image is open", flush=True)


if __name__ == "__main__":
    sys.exit(ovmf.main(test))
