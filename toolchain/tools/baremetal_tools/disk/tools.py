# Running the tools that make disks, and naming those that are missing.
# SPDX-License-Identifier: MIT
import hashlib
import os
import shutil
import subprocess
import uuid

PACKAGES = {"sfdisk": "fdisk", "mformat": "mtools", "mmd": "mtools", "mcopy": "mtools", "xorriso": "xorriso",
            "qemu-img": "qemu-utils", "tar": "tar", "gzip": "gzip", "mkfs.ext4": "e2fsprogs", "debugfs": "e2fsprogs",
            "mkfs.erofs": "erofs-utils"}


class DiskError(Exception):
    """What is wrong, as one sentence."""


def find(tool):
    """The tool's path; administrators' tools may be outside of PATH."""
    path = shutil.which(tool, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")
    if not path:
        raise DiskError(f"'{tool}' is missing; it is needed for this format (Debian package {PACKAGES[tool]})")
    return path


def epoch():
    """The time that goes into files: SOURCE_DATE_EPOCH, or 1 January 2020, the same for every build."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "1577836800")
    if not text.isdigit() or not 315532800 <= int(text) < 1 << 32:
        raise DiskError(f"SOURCE_DATE_EPOCH is '{text}'; it must be seconds since 1970, from 1980 on")
    return int(text)


def run(tool, *words, text=None, errors=False, **environment):
    """Runs a tool; what it says is shown only when it fails. Returns its output, or with `errors` what it said beside it."""
    result = subprocess.run([find(tool), *map(str, words)], input=text, capture_output=True, text=True, check=False,
                            env={**os.environ, "LC_ALL": "C", "TZ": "UTC", "SOURCE_DATE_EPOCH": str(epoch()), **environment})
    if result.returncode:
        raise DiskError(f"{tool} failed:\n{result.stdout}{result.stderr}".rstrip())
    return result.stderr if errors else result.stdout


def identity(name, *contents):
    """A UUID that follows from a name and from contents."""
    digest = hashlib.sha256(name.encode())
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return uuid.UUID(bytes=digest.digest()[:16], version=4)


def round_up(size, unit):
    return (size + unit - 1) // unit * unit
