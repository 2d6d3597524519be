#!/usr/bin/env python3
# Checks by the symbols of what was built that no layer uses one above it, but by the hooks of libbaremetal/layers.txt.
# SPDX-License-Identifier: MIT
"""Usage: layer_symbols.py BUILD (a build folder of the tree)"""
import collections
import os
import pathlib
import re
import subprocess
import sys

import tree

RULES = "libbaremetal/layers.txt"
Object = collections.namedtuple("Object", "source folder defines uses")


class Rules:
    """What layers.txt says."""

    def __init__(self, text):
        self.layers, self.above, self.watchers, self.compiler, self.hooks, self.rooms, self.optional = [], {}, set(), set(), {}, {}, set()
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split("#")[0].split()
            if words and not self.take(*words):
                raise ValueError(f"{RULES}:{number}: '{line}' is no rule")

    def take(self, kind, *words):
        if kind == "layer" and len(words) == 1:
            self.layers.append(words[0])
        elif kind == "above" and len(words) == 2 and words[1] in self.layers:
            self.above[words[0]] = words[1]
        elif kind == "watcher" and len(words) == 1:
            self.watchers.add(words[0])
        elif kind == "optional" and len(words) == 1 and words[0] in self.layers:
            self.optional.add(words[0])
        elif kind == "hook" and len(words) > 3:  # a hook without a reason is none
            self.hooks[words[0]] = (words[1].split(","), words[2])
        elif kind == "rooms" and len(words) > 2:
            self.rooms[words[0]] = words[1:]
        elif kind == "compiler":
            self.compiler.update(words)
        else:
            return False
        return True

    def allowed(self, user, owner):
        if user == owner or owner in self.watchers or (user in self.watchers and owner in self.layers):
            return True
        highest = self.above.get(user, user)
        return owner in self.layers and highest in self.layers and self.layers.index(owner) <= self.layers.index(highest)

    def known(self, folder):
        return folder in self.layers or folder in self.above or folder in self.watchers


def check(rules, objects):
    """The problems of a list of objects: uses upwards, names that belong elsewhere, rules that nothing needs."""
    owners = collections.defaultdict(set)
    for built in objects:
        for symbol in built.defines:
            owners[symbol].add(built.folder)
    problems, used = set(), set()
    for built in objects:
        for symbol in built.uses - rules.compiler:
            above = owners[symbol]  # of several definitions a program links one: it may be the one below
            if not above or any(rules.allowed(built.folder, owner) for owner in above):
                continue
            users, owner = rules.hooks.get(symbol, ((), None))
            if built.folder in users and owner in above:
                used.add((symbol, built.folder))
            else:
                problems.add(f"{built.source}: {built.folder} uses {symbol} of {', '.join(sorted(above))}, above it and no hook of {RULES}")
        problems.update(misnamed(rules, built, owners))
    seen = {built.folder for built in objects}
    missing = rules.optional - seen
    for symbol, (users, owner) in rules.hooks.items():
        problems.update(f"{RULES}: {user} uses no hook {symbol} of {owner}" for user in users
                        if (symbol, user) not in used and not {*users, owner} & missing)  # what builds for a C library beside it lacks, too
    for top, rooms in rules.rooms.items():
        problems.update(check_rooms(top, rooms, [built for built in objects if built.source.startswith(top + "/")], rules.compiler))
    problems.update(f"{RULES}: the folder {folder} has no line" for folder in seen if not rules.known(folder))
    problems.update(f"{RULES}: nothing of the folder {folder} was built" for folder in [*rules.layers, *rules.above] if folder not in seen | missing)
    return sorted(problems)


def check_rooms(top, rooms, objects, anywhere):
    """The same for the folders inside of one, whose hooks are those that FOLDER/hooks.h declares."""
    owners = collections.defaultdict(set)
    for built in objects:
        for symbol in built.defines:
            owners[symbol].add(built.source.split("/")[1])
    for built in objects:
        room = built.source.split("/")[1]
        hooks = tree.TOP / top / room / "hooks.h"
        declared = set(re.findall(r"\w+", hooks.read_text())) if hooks.is_file() else set()
        for symbol in built.uses - anywhere - declared:
            above = owners[symbol]
            if room in rooms and above and not any(other in rooms and rooms.index(other) <= rooms.index(room) for other in above):
                yield f"{built.source}: {room} uses {symbol} of {', '.join(sorted(above))}, above it and not in {top}/{room}/hooks.h"


def misnamed(rules, built, owners):
    """A function that bears the word of another folder, which has no such function; the word of its own file is its own."""
    for symbol in built.defines:
        word = symbol.split("_")[1] if symbol.startswith("bm_") and symbol.count("_") > 1 else None
        if rules.known(word) and word not in owners[symbol] and not pathlib.PurePosixPath(built.source).stem.startswith(word):
            yield f"{built.source}: {symbol} bears the word of the folder {word}"


def symbols(paths):
    """What each object defines for others, and what it wants of them."""
    command = ["nm", "--extern-only", "--format=posix", "--print-file-name", *map(str, paths)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout if paths else ""
    found = {str(path): (set(), set()) for path in paths}
    for line in said.splitlines():
        path, _, words = line.rpartition(": ")
        name, kind = words.split()[:2]
        found[path][kind in "Uwv"].add(name)
    return found


def folder_of(rules, source):
    """The folder that a file counts to; None when layers.txt says nothing of such files."""
    if source.parts[0] == "libbaremetal" and len(source.parts) > 2:
        return source.parts[1]
    return source.parts[0] if source.parts[0] in rules.above else None


def read(rules, build):
    """The objects of the build's archives, by the sources that they were made of. What was made of a file that is gone is old."""
    sources = {}
    written = pathlib.Path(str(tree.TOP).replace(" ", "_"))  # as CMake writes it into the names of objects
    for top in ["libbaremetal", *rules.above]:
        for path in (build / top).glob("**/CMakeFiles/baremetal_archive_*.dir/**/*.obj"):
            target = next(parent for parent in path.parents if parent.suffix == ".dir")
            name = str(path.relative_to(target).with_suffix("")).replace("__/", "../")
            whole = pathlib.Path("/", name)  # so it stands below a build that is a part of another one
            source = str(whole.relative_to(written)) if whole.is_relative_to(written) else os.path.normpath(target.parents[1].relative_to(build) / name)
            if (tree.TOP / source).is_file() and not source.startswith("build/") and folder_of(rules, pathlib.PurePosixPath(source)):
                sources[str(path)] = source
    for path, (defines, uses) in sorted(symbols(sources).items()):
        yield Object(sources[path], folder_of(rules, pathlib.PurePosixPath(sources[path])), defines, uses)


def main():
    rules = Rules(tree.text(RULES))
    objects = list(read(rules, pathlib.Path(sys.argv[1]).resolve()))
    tree.finish(check(rules, objects), f"{len(objects)} objects in {len(rules.layers)} layers, {len(rules.hooks)} hooks")


if __name__ == "__main__":
    main()
