#!/usr/bin/env python3
# Checks who includes whom: boot, drivers and net know libbaremetal; drivers and net never see each other. Rooms of net/ know those below.
# SPDX-License-Identifier: MIT
import pathlib
import re

import layer_symbols
import tree

# Folder -> top folders whose headers it may include. Installed headers (<...>) of the kernel are libbaremetal's.
ALLOWED = {
    "libbaremetal": {"libbaremetal"},
    "boot": {"boot", "libbaremetal"},
    "drivers": {"drivers", "libbaremetal"},
    "net": {"net", "libbaremetal"},
}
FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "stdatomic.h", "limits.h", "stdalign.h", "stdnoreturn.h"}
# Rooms of net/, from below: each may include those before it. What it calls in a later one stands in its hooks.h.
ROOMS = ("lwip", "device", "tcp", "start", "socket", "linux", "posix")
PRIVATE = "net/lwip/private.h"
# Stand where the C library's headers would, for what of net/ is compiled without one: nobody else sees them.
STANDARD = "net/standard/"
BUS_FOLDERS = ("drivers/bus/", "libbaremetal/device/")


def includes(path):
    for number, line in enumerate(tree.text(path).splitlines(), 1):
        found = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if found:
            yield number, found.group(1), found.group(2)


def owner(path, name, everything):
    """Top folder of the file that an include names; None when no file of the repository has that name."""
    beside = pathlib.PurePosixPath(path.parent / name)
    if (tree.TOP / beside).is_file():
        return (tree.TOP / beside).resolve().relative_to(tree.TOP).parts[0]
    owners = {other.parts[0] for other in everything if other.parts[0] in ALLOWED and str(other).endswith("/" + name)
              and not str(other).startswith(STANDARD)}
    return owners.pop() if len(owners) == 1 else None


def check_include(path, number, name, bracket, everything):
    folder = path.parts[0]
    if name.startswith("baremetal/"):
        public = ["libbaremetal"] + (["net"] if folder == "net" else [])
        if any((tree.TOP / place / "include" / name).is_file() for place in public):
            return None
        return f"{path}:{number}: there is no public header <{name}> that {folder} may include"
    freestanding = folder in ("boot", "drivers") or (folder == "libbaremetal" and path.parts[1] not in ("libc", "include"))
    found = owner(path, name, everything)
    if found is None:
        if bracket == '"' and "lwip" not in name:
            return None  # a third-party header that is not in the tree
        if name.startswith(("lwip/", "netif/", "arch/")) and folder != "net":
            return f"{path}:{number}: only net may include <{name}>"
        if freestanding and name not in FREESTANDING:
            return f"{path}:{number}: {folder} is freestanding; <{name}> is not one of {' '.join(sorted(FREESTANDING))}"
        return None
    if found not in ALLOWED[folder]:
        return f"{path}:{number}: {folder} must not include {name} of {found}"
    return None


def check_room(path, number, name, bracket):
    """A room of net/ knows only those below it; between rooms an include says which: "../room/file.h". posix/ alone has a C library."""
    if path.parts[0] != "net" or path.parts[1] not in ROOMS:
        return None
    outside = bracket == "<" and not name.startswith(("baremetal/", "lwip/", "netif/", "arch/")) and name not in FREESTANDING
    if outside and path.parts[1] != "posix" and not any((tree.TOP / place / name).is_file() for place in (STANDARD, "net/include")):
        return f"{path}:{number}: net/{path.parts[1]} is compiled without a C library; <{name}> is neither in {STANDARD} nor in net/include"
    if name.startswith("lwip/priv/") and str(path) != PRIVATE:
        return f"{path}:{number}: <{name}> is lwIP's own; {PRIVATE} includes it and says who writes what of it"
    if name.endswith("lwip/private.h") and path.parts[1] not in ("lwip", "tcp"):
        return f"{path}:{number}: what lwIP keeps to itself is touched in net/lwip and net/tcp alone"
    if not name.startswith("../"):
        return None
    if (tree.TOP / path.parent / name).resolve().parent == tree.TOP / "net" / path.parts[1]:
        return None  # of the same room, seen from a folder in it
    room, other = path.parts[1], name.split("/")[1]
    if other in ROOMS and ROOMS.index(other) <= ROOMS.index(room):
        return None
    return f"{path}:{number}: net/{room} must not include {name}: it is not below (hooks go into net/{room}/hooks.h)"


def check_bus(path, drivers):
    """A bus never names its drivers."""
    words = re.findall(r"\bbm_driver_(\w+)", re.sub(r"//.*|/\*.*?\*/", "", tree.text(path)))
    return [f"{path}: a bus names the driver {word}" for word in words if word in drivers and word != path.stem]


def check_layer(path, rules):
    """A layer of libbaremetal includes no header of one above it, hook or not: a hook is declared below."""
    user = layer_symbols.folder_of(rules, path)
    for number, bracket, name in includes(path):
        beside = (tree.TOP / path.parent / name).resolve()
        owner = layer_symbols.folder_of(rules, beside.relative_to(tree.TOP)) if bracket == '"' and beside.is_file() else None
        if user in rules.layers and owner in rules.layers and not rules.allowed(user, owner):
            yield f"{path}:{number}: {user} must not include {name}, which is above it"


def main():
    problems = []
    rules = layer_symbols.Rules(tree.text(layer_symbols.RULES) if (tree.TOP / layer_symbols.RULES).is_file() else "")
    everything = list(tree.files(".h", ".c", ".S"))
    drivers = {path.stem for path in everything if path.parts[0] == "drivers"}
    seen = 0
    for path in everything:
        if path.parts[0] not in ALLOWED:
            continue
        seen += 1
        for number, bracket, name in includes(path):
            problem = check_include(path, number, name, bracket, everything) or check_room(path, number, name, bracket)
            if problem:
                problems.append(problem)
        if str(path).startswith(BUS_FOLDERS):
            problems += check_bus(path, drivers)
        problems += check_layer(path, rules)
    if seen == 0:
        problems.append("no source was found")
    tree.finish(problems, f"{seen} files include only what their folders may know")


if __name__ == "__main__":
    main()
