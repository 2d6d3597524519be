#!/usr/bin/env python3
# Checks the blocks of docs/deploy: XML, JSON and YAML against what their readers demand, shell, and the files they speak of.
# SPDX-License-Identifier: MIT
"""Usage: deploy.py [--files PREFIX] [--only PAGE]

A comment before each block of a page says what it is: <!-- check: KIND -->, <!-- run: WHAT IT PRINTS --> or <!-- file: KIND -->.
With --files (PREFIX, PREFIX.img, PREFIX.qcow2 … of a built image) blocks to run are run, in a folder where these files
are called http_server, and the files are looked at."""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import xml.etree.ElementTree as xml

import tree
from harness import PATIENCE
from harness.network import enter_namespace, free_port

LIBVIRT = pathlib.Path("/usr/share/libvirt/schemas/domain.rng")
SUFFIXES = {"", ".efi", ".iso", ".img", ".qcow2", ".vmdk", ".vhd", ".tar.gz"}
RUN_SECONDS = 120 * PATIENCE
LANGUAGES = {"libvirt": "xml", "ovf": "xml", "firecracker": "json", "kubevirt": "yaml"}

# Firecracker's API description (src/firecracker/swagger/firecracker.yaml): what a configuration file may and must hold.
LIMITER = {"bandwidth": None, "ops": None}
FIRECRACKER = {
    "boot-source": ({"kernel_image_path"}, {"boot_args": str, "initrd_path": str, "kernel_image_path": str}),
    "machine-config": ({"vcpu_count", "mem_size_mib"},
                       {"vcpu_count": int, "mem_size_mib": int, "smt": bool, "track_dirty_pages": bool, "cpu_template": str, "huge_pages": str}),
    "drives": ({"drive_id", "is_root_device"},
               {"drive_id": str, "is_root_device": bool, "path_on_host": str, "is_read_only": bool, "cache_type": str, "partuuid": str,
                "io_engine": str, "rate_limiter": dict, "socket": str}),
    "network-interfaces": ({"iface_id", "host_dev_name"},
                           {"iface_id": str, "host_dev_name": str, "guest_mac": str, "mtu": int, "rx_rate_limiter": dict,
                            "tx_rate_limiter": dict}),
    "entropy": (set(), {"rate_limiter": dict}),
}
FIRECRACKER_LISTS = {"drives", "network-interfaces"}
FIRECRACKER_REQUIRED = {"boot-source", "drives"}  # has no default in a configuration file


class Wrong(Exception):
    """What is wrong with a block or a file."""


def tool(name, package):
    if not shutil.which(name):
        raise Wrong(f"{name} is missing, which checks it: install the package {package}")


def ask(*words, **options):
    result = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **options)
    if result.returncode:
        raise Wrong((result.stdout + result.stderr).strip())
    return result.stdout


def check_libvirt(text, folder):
    tool("xmllint", "libxml2-utils")
    if not LIBVIRT.exists():
        raise Wrong(f"{LIBVIRT} is missing, which checks it: install the package libvirt0")
    path = folder / "domain.xml"
    path.write_text(text, encoding="utf-8")
    ask("xmllint", "--noout", "--relaxng", LIBVIRT, path)


OVF = "{http://schemas.dmtf.org/ovf/envelope/1}"
RASD = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData}"


def check_ovf(text, folder):
    """The references of DSP0243 (OVF 1.1): files, disks, networks and parents that are named exist, once."""
    del folder
    root = xml.fromstring(text.encode())
    if root.tag != OVF + "Envelope":
        raise Wrong(f"the root is {root.tag}")

    def names(path, attribute):
        found = [element.get(OVF + attribute) for element in root.iterfind(path)]
        if None in found or len(set(found)) != len(found) or not found:
            raise Wrong(f"{path}: {attribute} is missing or not unique: {found}")
        return set(found)

    files = names(f"{OVF}References/{OVF}File", "id")
    disks = names(f"{OVF}DiskSection/{OVF}Disk", "diskId")
    networks = names(f"{OVF}NetworkSection/{OVF}Network", "name")
    items = root.findall(f"{OVF}VirtualSystem/{OVF}VirtualHardwareSection/{OVF}Item")
    identifiers = [item.findtext(RASD + "InstanceID") for item in items]
    if None in identifiers or len(set(identifiers)) != len(identifiers):
        raise Wrong(f"InstanceID is missing or not unique: {identifiers}")
    for disk in root.iterfind(f"{OVF}DiskSection/{OVF}Disk"):
        if disk.get(OVF + "fileRef") not in files or not disk.get(OVF + "capacity", "").isdigit():
            raise Wrong("a disk names no file or has no capacity")
    for item in items:
        order = [child.tag.removeprefix(RASD) for child in item]
        if order != sorted(order):
            raise Wrong(f"the elements of an Item stand in alphabetical order; these do not: {order}")
        if not item.findtext(RASD + "ResourceType", "").isdigit() or not item.findtext(RASD + "ElementName"):
            raise Wrong(f"Item {item.findtext(RASD + 'InstanceID')} lacks ResourceType or ElementName")
        resource, connection, parent = (item.findtext(RASD + name) for name in ("HostResource", "Connection", "Parent"))
        if resource and resource.removeprefix("ovf:/disk/") not in disks:
            raise Wrong(f"there is no disk {resource}")
        if connection and connection not in networks:
            raise Wrong(f"there is no network {connection}")
        if parent and parent not in identifiers:
            raise Wrong(f"there is no parent {parent}")


def check_firecracker(text, folder):
    del folder
    whole = json.loads(text)
    if not FIRECRACKER_REQUIRED <= whole.keys() <= FIRECRACKER.keys():
        raise Wrong(f"keys {sorted(whole)}; known are {sorted(FIRECRACKER)}, needed {sorted(FIRECRACKER_REQUIRED)}")
    for key, value in whole.items():
        required, known = FIRECRACKER[key]
        for part in value if key in FIRECRACKER_LISTS else [value]:
            if not required <= part.keys() <= known.keys():
                raise Wrong(f"{key} has {sorted(part)}; known are {sorted(known)}, needed {sorted(required)}")
            for name, inner in part.items():
                if type(inner) is not known[name]:
                    raise Wrong(f"{key}.{name} is no {known[name].__name__}")


def check_kubevirt(text, folder):
    """The shape that KubeVirt's API (kubevirt.io/v1) demands: each disk has its volume, each interface its network."""
    del folder
    try:
        import yaml
    except ImportError:
        raise Wrong("PyYAML is missing, which checks it: install the package python3-yaml") from None
    documents = list(yaml.safe_load_all(text))
    machine = documents[0]
    if machine["apiVersion"] != "kubevirt.io/v1" or machine["kind"] != "VirtualMachine" or "name" not in machine["metadata"]:
        raise Wrong("no kubevirt.io/v1 VirtualMachine with a name")
    unknown = machine["spec"].keys() - {"runStrategy", "template", "dataVolumeTemplates", "instancetype", "preference"}
    if unknown or machine["spec"]["runStrategy"] not in ("Always", "Halted", "Manual", "RerunOnFailure", "Once"):
        raise Wrong(f"spec: {unknown or machine['spec']['runStrategy']}")
    spec = machine["spec"]["template"]["spec"]
    if spec.keys() - {"domain", "networks", "volumes"}:
        raise Wrong(f"template: {sorted(spec)}")
    if spec["domain"].keys() - {"cpu", "memory", "devices", "firmware", "machine", "resources", "features"}:
        raise Wrong(f"domain: {sorted(spec['domain'])}")
    devices = spec["domain"]["devices"]
    if devices.keys() - {"autoattachGraphicsDevice", "autoattachSerialConsole", "disks", "interfaces", "rng"}:
        raise Wrong(f"devices: {sorted(devices)}")
    for inner, outer in (("disks", "volumes"), ("interfaces", "networks")):
        owner = spec if outer in spec else spec["domain"]
        one, other = [entry["name"] for entry in devices[inner]], [entry["name"] for entry in owner[outer]]
        if sorted(one) != sorted(other) or len(set(one)) != len(one):
            raise Wrong(f"{inner} {one} are not {outer} {other}")
    service = documents[1]
    if service["kind"] != "Service" or service["spec"]["selector"].items() - machine["spec"]["template"]["metadata"]["labels"].items():
        raise Wrong("the service selects other labels than the machine has")


def check_shell(text, folder):
    path = folder / "block.sh"
    path.write_text(text, encoding="utf-8")
    ask("bash", "-n", path)
    if shutil.which("shellcheck"):
        ask("shellcheck", "-s", "bash", "-f", "gcc", path)


CHECKS = {"libvirt": check_libvirt, "ovf": check_ovf, "firecracker": check_firecracker, "kubevirt": check_kubevirt, "shell": check_shell}


# --- With an image's files ---

def file_gce(folder):
    """Google's documentation, "Manually import boot disks": one file disk.raw of whole GiB, old GNU format."""
    with tarfile.open(folder / "http_server.tar.gz") as archive:
        members = archive.getmembers()
    if [member.name for member in members] != ["disk.raw"] or members[0].size % (1 << 30) or not members[0].size:
        raise Wrong(f"it holds {[(member.name, member.size) for member in members]}, not disk.raw of whole GiB")
    import gzip
    with gzip.open(folder / "http_server.tar.gz") as stream:
        if stream.read(512)[257:265] != b"ustar  \0":
            raise Wrong("it is not in the old GNU format")


def file_vhd(folder):
    """Microsoft's "Virtual Hard Disk Image Format Specification": the footer; Azure: fixed, of whole MiB."""
    data = (folder / "http_server.vhd").read_bytes()
    footer = bytearray(data[-512:])
    checksum, = struct.unpack_from(">I", footer, 64)
    footer[64:68] = bytes(4)
    size, = struct.unpack_from(">Q", footer, 48)
    kind, = struct.unpack_from(">I", footer, 60)
    if footer[:8] != b"conectix" or checksum != ~sum(footer) & 0xffffffff:
        raise Wrong("the last 512 bytes are no footer with a right checksum")
    if kind != 2 or size != len(data) - 512 or size % (1 << 20):
        raise Wrong(f"type {kind}, {size} bytes: not fixed, or not of whole MiB")


FILES = {"gce": file_gce, "vhd": file_vhd}


def run_ova(text, folder, page):
    """An OVA file is a tar file whose first member is the description (DSP0243, section 6.4)."""
    (folder / "http_server.ovf").write_text(next(block for kind, block in blocks(page) if kind == "check: ovf"), encoding="utf-8")
    ask("bash", "-e", "-c", text, cwd=folder)
    with tarfile.open(folder / "http_server.ova") as archive:
        members = archive.getnames()
    if members != ["http_server.ovf", "http_server.vmdk"]:
        raise Wrong(f"the OVA file holds {members}")
    described = xml.fromstring((folder / "http_server.ovf").read_bytes()).find(f"{OVF}DiskSection/{OVF}Disk").get(OVF + "capacity")
    real = json.loads(ask("qemu-img", "info", "--output=json", "http_server.vmdk", cwd=folder))["virtual-size"]
    if real != int(described) << 20:
        print(f"note: this disk has {real >> 20} MiB, the page's example {described}")


def run_shell(text, folder, wanted):
    """Runs a block until the wanted text is on its output."""
    text = text.replace(":8080-", f":{free_port()}-")
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(["bash", "-e", "-c", text], cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        deadline = time.monotonic() + RUN_SECONDS
        try:
            while True:
                ended = process.poll() is not None
                output.seek(0)
                said = output.read().decode("utf-8", "replace")
                if re.search(wanted, said):
                    return
                if ended or time.monotonic() > deadline:
                    raise Wrong(f"/{wanted}/ did not come:\n{said}")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


# --- The pages ---

def blocks(path):
    """The fenced blocks of a page with the comment before each."""
    comment = block = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if block is not None:
            if line.startswith("```"):
                yield comment or f"none before a block of {language}", "\n".join(block) + "\n"
                comment = block = None
            else:
                block.append(line)
        elif line.startswith("```"):
            language, block = line[3:], []
            if comment and LANGUAGES.get(comment.partition(": ")[2], "sh") != language:
                comment = f"none that fits a block of {language}"
        elif found := re.fullmatch(r"<!-- (\w+: .*) -->", line):
            comment = found.group(1)


def look(page, comment, text, folder, files):
    kind, _, argument = comment.partition(": ")
    if kind == "check" and argument in CHECKS:
        CHECKS[argument](text, folder)
    elif kind == "run":
        check_shell(text, folder)
        if files and argument == "ova":
            run_ova(text, folder, page)
        elif files:
            run_shell(text, folder, argument)
    elif kind == "file" and argument in FILES:
        check_shell(text, folder)
        if files:
            ask("bash", "-e", "-c", text, cwd=folder)
            FILES[argument](folder)
    else:
        raise Wrong(f"the comment is {comment}; it should be check, run or file and a known kind")


def look_at_page(page, files):
    text = page.read_text(encoding="utf-8")
    for suffix in re.findall(r"\bhttp_server(\.[\w.]*\w)?", text):
        if suffix not in SUFFIXES | {".json", ".yaml", ".xml", ".ovf", ".ova", ".vdi", ".log"}:
            yield f"{page.relative_to(tree.TOP)}: http_server{suffix} is no file that baremetal_add_image or the page makes"
    for comment, block in blocks(page):
        with tempfile.TemporaryDirectory(prefix="bm-deploy-") as name:
            folder = pathlib.Path(name)
            for suffix in SUFFIXES if files else ():
                (folder / f"http_server{suffix}").symlink_to(f"{files.resolve()}{suffix}")
            try:
                look(page, comment, block, folder, files)
            except (Wrong, ValueError, KeyError, IndexError, TypeError, xml.ParseError, OSError, tarfile.TarError) as problem:
                yield f"{page.relative_to(tree.TOP)}: {comment}: {type(problem).__name__ if not isinstance(problem, Wrong) else ''} {problem}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--files", type=pathlib.Path)
    arguments.add_argument("--only", default="")
    options = arguments.parse_args()
    if options.files:
        enter_namespace(required=False)  # its ports are its own
    problems, count = [], 0
    for page in sorted((tree.TOP / "docs" / "deploy").glob("*.md")):
        if options.only in page.name:
            problems += look_at_page(page, options.files)
            count += len(list(blocks(page)))
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems" if problems else f"ok: {count} blocks of docs/deploy{', run with ' + str(options.files) if options.files else ''}")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
