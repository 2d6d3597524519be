# A Linux guest to compare with: the kernel of Debian's cloud image, and an initramfs that holds the programs and little else.
# SPDX-License-Identifier: MIT
import os
import re
import struct
import subprocess

from . import tools

PACKAGE = "linux-image-cloud-amd64"
# No self-tests of the kernel's ciphers, and trust in the time-stamp counter: what a careful user would set.
APPEND = "console=ttyS0 quiet loglevel=0 tsc=reliable cryptomgr.notests rdinit=/init"
UNPACKERS = {b"\x02\x21\x4c\x18": ["lz4", "-dc"], b"\x28\xb5\x2f\xfd": ["zstd", "-dc"], b"\xfd7zX": ["xz", "-dc"]}


def folder():
    path = tools.BUILD / "linux"
    path.mkdir(parents=True, exist_ok=True)
    return path


def unpack(package, where):
    """Fetches a Debian package and unpacks it."""
    tools.say(f"fetching {package}")
    packages = folder() / "packages"
    packages.mkdir(exist_ok=True)
    try:
        tools.run(["apt-get", "-q", "download", package], cwd=packages)
    except tools.BenchError:
        tools.run(["apt-get", "-q", "update"])
        tools.run(["apt-get", "-q", "download", package], cwd=packages)
    tools.run(["dpkg-deb", "-x", next(packages.glob(f"{package}_*.deb")), where])
    return where


def kernel():
    """The uncompressed kernel, which QEMU enters by PVH as it does our images; fetched once."""
    result = folder() / "vmlinux"
    if result.exists():
        return result
    depends = tools.run(["apt-cache", "depends", PACKAGE])
    found = re.search(r"Depends: (linux-image-\S+)", depends)
    if not found:
        raise tools.BenchError(f"apt knows no package {PACKAGE}; the Linux guest needs its kernel (run apt-get update).")
    unpacked = unpack(found.group(1), folder() / "kernel")
    image = next((unpacked / "boot").glob("vmlinuz-*")).read_bytes()
    part = folder() / "vmlinux.part"
    part.write_bytes(payload(image))
    part.rename(result)
    return result


def packed_kernel():
    """The kernel as its package brings it."""
    kernel()
    return next((folder() / "kernel" / "boot").glob("vmlinuz-*"))


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


def libraries(program, root=None):
    """Shared libraries of a program, as ldd names them: (path in the guest, file of the host or of unpacked packages)."""
    folders = [str(root / part / "x86_64-linux-gnu") for part in ("lib", "usr/lib")] if root else []
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=False,
                          env={**os.environ, "LD_LIBRARY_PATH": ":".join(folders)}).stdout
    found = []
    for name, path in re.findall(r"^\s*(\S+)(?: => (/\S+|not found))?", said, re.MULTILINE):
        own = next(root.rglob(os.path.basename(name)), None) if root else None
        file = os.path.realpath(own or (path if path.startswith("/") else name))
        if os.path.isfile(file):
            found.append((name if name.startswith("/") else f"/lib/{name}", file))
        elif not name.startswith("linux-vdso"):
            raise tools.BenchError(f"{program} needs {name}, which is not there.")
    return found


NGINX = ["nginx", "libcrypt1", "libpcre2-8-0", "libssl3", "zlib1g", "libc6"]


def modules(*wanted):
    """Kernel modules and what they depend on, in the order of loading: path in the guest -> file."""
    kernel()
    known = {file.stem.replace("-", "_"): file for file in (folder() / "kernel").rglob("*.ko")}
    order = []

    def add(name):
        depends = re.search(rb"\0depends=([^\0]*)\0", known[name].read_bytes()).group(1).decode()
        for other in filter(None, depends.split(",")):
            add(other.replace("-", "_"))
        if name not in order:
            order.append(name)

    for name in wanted:
        add(name)
    return {f"/modules/{index}.ko": known[name] for index, name in enumerate(order)}


def users():
    """/etc/passwd and /etc/group."""
    made = {}
    for name, text in (("passwd", "root:x:0:0:root:/:/bin/false\n"), ("group", "root:x:0:\n")):
        file = folder() / name
        file.write_text(text)
        made[f"/etc/{name}"] = file
    return made


def nginx(site):
    """The initramfs of nginx, which serves the folder `site`; Debian's packages, one worker, no log."""
    root = folder() / "nginx"
    if not (root / "usr/sbin/nginx").exists():
        for package in NGINX:
            unpack(package, root)
    program = root / "usr/sbin/nginx"
    files = {"/usr/sbin/nginx": program, "/etc/nginx/nginx.conf": tools.BENCH / "linux" / "nginx.conf", **users(),
             **modules("virtio_pci", "virtio_mmio", "virtio_net"), **dict(libraries(program, root))}
    for file in site.iterdir():
        files[f"/site/{file.name}"] = file
    return guest("nginx", {}, files, ["var/lib/nginx", "var/log/nginx", "run", "tmp"])


def write_cpio(path, files, more_folders=()):
    """files: path in the guest -> host file. The format is newc (Documentation/driver-api/early-userspace)."""
    folders = {"dev", "proc", "sys"}
    for name in [*files, *(f"{name}/" for name in more_folders)]:
        parts = name.lstrip("/").split("/")[:-1]
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


def guest(name, programs, files=None, folders=()):
    """The initramfs `name` with these programs (path -> host file), their libraries, other files, and init."""
    init = folder() / "init"
    tools.run(["gcc", "-O2", "-static", "-Wall", "-Wextra", "-Werror", "-o", init, tools.BENCH / "linux" / "init.c"])
    files = {"/init": init, **programs, **(files or {})}
    for program in programs.values():
        files.update(libraries(program))
    result = folder() / f"{name}.cpio"
    write_cpio(result, files, folders)
    return result
