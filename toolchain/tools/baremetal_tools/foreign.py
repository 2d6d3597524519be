# Objects in a link command that were compiled with the headers of another C library.
# SPDX-License-Identifier: MIT
"""The headers give each object a local symbol, bm_object_libc_<libc>: libbaremetal/libc/include/sys/features.h, toolchain/musl.sh."""

import os
import re
import subprocess

from .link import OBJECT_LIBC

SHOWN_MAX = 3
LINE = re.compile(r"(.+):[0-9a-f]+ a " + OBJECT_LIBC + r"(\w+)")


def objects(command, libc):
    """Pairs of an object's name and its C library, which is not `libc`. Without nm, and for objects of link-time optimisation, none."""
    files = [word for before, word in zip(["", *command], command) if before != "-o" and not word.startswith("-") and os.path.isfile(word)]
    try:
        said = subprocess.run(["nm", "-A", "--defined-only", *files], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    except FileNotFoundError:
        return []
    found = filter(None, map(LINE.fullmatch, said.stdout.splitlines()))
    return list(dict.fromkeys((match[1], match[2]) for match in found if match[2] != libc))


def sentence(command, libc):
    """What is wrong and what to do, for a link that has such objects."""
    found = objects(command, libc)
    names = [f"{name.replace('.a:', '.a, member ')} was compiled with {other}" for name, other in found[:SHOWN_MAX]]
    names += [f"and {len(found) - SHOWN_MAX} more"] if len(found) > SHOWN_MAX else []
    return (f"{', '.join(names) or 'an object was compiled with another C library'}, but the image is linked with {libc}: compile all of it with one "
            "C library (baremetal-cc --libc=…; CMake: -DBAREMETAL_LIBC=…, or the property BAREMETAL_LIBC of every target)")
