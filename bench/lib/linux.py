# A Linux guest to compare with: the kernel of Debian's cloud image, and an initramfs that holds the programs and little else.
# SPDX-License-Identifier: MIT
import os
import re
import struct
import subprocess

import tools

PACKAGE = "linux-image-cloud-amd64"
# No self-tests of the kernel's ciphers, and trust in the time-stamp counter: what a careful user would set.
APPEND = "console=ttyS0 quiet loglevel=0 tsc=reliable cryptomgr.notests rdinit=/init"
UNPACKERS = {b"\x02\x21\x4c\x18": ["lz4", "-dc"], b"\x28\xb5\x2f\xfd": ["zstd", "-dc"], b"\xfd7zX": ["xz", "-dc"]}


def folder():
    path = tools.BUILD / "linux"
    path.mkdir(parents=True, exist_ok=True)
    return path


def kernel():
    """The uncompressed kernel, which QEMU enters by PVH as it does our images; fetched once."""
    result = folder() / "vmlinux"
    if result.exists():
        return result
    depends = tools.run(["apt-cache", "depends", PACKAGE])
    found = re.search(r"Depends: (linux-image-\S+)", depends)
    if not found:
        raise tools.BenchError(f"apt knows no package {PACKAGE}; the Linux guest needs its kernel (run apt-get update).")
    name = found.group(1)
    tools.say(f"fetching {name}")
    packages = folder() / "packages"
    packages.mkdir(exist_ok=True)
    try:
        tools.run(["apt-get", "-q", "download", name], cwd=packages)
    except tools.BenchError:
        tools.run(["apt-get", "-q", "update"])
        tools.run(["apt-get", "-q", "download", name], cwd=packages)
    archive = next(packages.glob(f"{name}_*.deb"))
    unpacked = folder() / "kernel"
    tools.run(["dpkg-deb", "-x", archive, unpacked])
    image = next((unpacked / "boot").glob("vmlinuz-*")).read_bytes()
    part = folder() / "vmlinux.part"
    part.write_bytes(payload(image))
    part.rename(result)
    return result


def payload(image):
    """The kernel inside a bzImage (Documentation/x86/boot.rst: setup_sects, payload_offset, payload_length)."""
    if image[0x202:0x206] < b"\x08\x02":
        raise tools.BenchError("the kernel's boot protocol is older than 2.8.")
    offset, length = struct.unpack_from("<II", image, 0x248)
    begin = (image[0x1f1] + 1) * 512 + offset
    packed = image[begin:begin + length - 4]
    command = UNPACKERS.get(packed[:4])
    if not command:
        raise tools.BenchError(f"the kernel is packed in an unknown way ({packed[:4].hex()}).")
    return subprocess.run(command, input=packed, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout


def libraries(program):
    """Shared libraries of a program, as ldd names them: (path in the guest, file of the host)."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return [(path, os.path.realpath(path)) for path in re.findall(r"(/\S+) \(0x", said)]


def write_cpio(path, files):
    """files: path in the guest -> host file, or None for a folder. The format is newc (Documentation/driver-api/early-userspace)."""
    folders = {"dev", "proc", "sys"}
    for name in files:
        parts = name.strip("/").split("/")[:-1]
        folders |= {"/".join(parts[:i + 1]) for i in range(len(parts))}
    with open(path, "wb") as out:
        number = 0

        def entry(name, mode, data=b"", device=(0, 0)):
            nonlocal number
            number += 1
            fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0]
            head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
            out.write(head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4))

        for name in sorted(folders):
            entry(name, 0o40755)
        entry("dev/console", 0o20600, device=(5, 1))
        entry("dev/null", 0o20666, device=(1, 3))
        for name, file in sorted(files.items()):
            with open(file, "rb") as source:
                entry(name.strip("/"), 0o100755, source.read())
        entry("TRAILER!!!", 0)


def guest(name, programs):
    """The initramfs `name` with these programs (path -> host file), their libraries and init."""
    init = folder() / "init"
    tools.run(["gcc", "-O2", "-static", "-Wall", "-Wextra", "-Werror", "-o", init, tools.BENCH / "linux" / "init.c"])
    files = {"/init": init, **programs}
    for program in programs.values():
        for path, file in libraries(program):
            files[path] = file
    result = folder() / f"{name}.cpio"
    write_cpio(result, files)
    return result
