#!/usr/bin/env python3
# Checks that the files, functions, commands and presets that the documents name are there.
# SPDX-License-Identifier: MIT
import json
import re

import tree


def presets():
    path = tree.TOP / "CMakePresets.json"
    if not path.is_file():
        return set()
    return {preset["name"] for kind in json.loads(path.read_text()).values() if isinstance(kind, list) for preset in kind}


def exists(path, name):
    """A name in a document is relative to the document or to the repository."""
    return (tree.TOP / path.parent / name).exists() or (tree.TOP / name).exists()


def find(path, name):
    for base in (tree.TOP / path.parent, tree.TOP):
        if (base / name).is_file():
            return base / name
    return None


def check_references(path, number, line, folders):
    """`folder/file.c:function` or `folder/file.c`, in backquotes."""
    for name, function in re.findall(r"`([\w.-]+(?:/[\w.-]+)+):(\w+)(?:\(\))?`", line):
        target = find(path, name)
        if target is None:
            yield f"{path}:{number}: there is no file {name}"
        elif not re.search(rf"\b{function}\b", target.read_text(errors="replace")):
            yield f"{path}:{number}: {name} holds no {function}"
    for name in re.findall(r"`([\w.-]+(?:/[\w.-]+)+/?)`", line):
        if name.split("/")[0] in folders and not name.startswith("build/") and not exists(path, name):
            yield f"{path}:{number}: there is no file {name}"


def check_links(path, number, line):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", line):
        if "://" not in target and not target.startswith("mailto:") and not exists(path, target):
            yield f"{path}:{number}: the link to {target} leads nowhere"


def check_commands(path, number, line, known_presets):
    for command in re.findall(r"(?:^\s*|`)(?:\./)?((?:ci|\.ci)/[\w.-]+)", line):
        if not exists(path, command):
            yield f"{path}:{number}: there is no command {command}"
    for preset in re.findall(r"--preset[ =](\w+)", line):
        if preset not in known_presets:
            yield f"{path}:{number}: there is no preset {preset}"


def main():
    problems = []
    known_presets = presets()
    folders = {path.parts[0] for path in tree.files() if len(path.parts) > 1}
    documents = [path for path in tree.files(".md")]
    references = 0
    for path in documents:
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            references += len(re.findall(r"`[\w.-]+(?:/[\w.-]+)+:\w+", line))
            problems += check_references(path, number, line, folders)
            problems += check_links(path, number, line)
            problems += check_commands(path, number, line, known_presets)
    if (tree.TOP / "docs").is_dir() and references == 0:
        problems.append("the documents name no function as `folder/file.c:function`; nothing was checked")
    if not (tree.TOP / "README.md").is_file():
        problems.append("README.md is missing")
    tree.finish(problems, f"{len(documents)} documents, {references} functions")


if __name__ == "__main__":
    main()
