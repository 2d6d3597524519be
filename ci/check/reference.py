#!/usr/bin/env python3
# Checks that all of the public interface is documented, and writes the reference: headers, CMake functions, keys of the command line.
# SPDX-License-Identifier: MIT
"""Usage: reference.py [--write FOLDER]

What counts as documented: a function, type, constant or member with a comment of its own or of its group (headers.py); a constant of an
enum that has a comment; a member that its structure's comment names, or whose structure is laid out by a specification, of which the
comment names the section, or whose members only its functions touch, as the comment says. A parameter must be named in the function's comment, unless it is
the object of the function (a pointer to a structure) or a word of VOCABULARY. A file reference.pending beside
this one may list, as HEADER NAME a line, what still lacks its words."""

import html
import pathlib
import re
import sys

import headers
import tree

HEADERS = ("libbaremetal/include/baremetal/", "net/include/baremetal/")
STANDARD = ("net/include/", "libbaremetal/libc/include/")  # what POSIX and Linux say of these holds; they are listed
CMAKE = ("baremetal_add_image", "baremetal_add_files", "baremetal_add_data_disk", "baremetal_install_images", "baremetal_add_driver")  # for programs
PENDING = "ci/check/reference.pending"
# Structures that a specification lays out, or whose members are nobody's business but the functions'.
COVERED = re.compile(r"\bsections? \d|\bthe members\b", re.IGNORECASE)
# Parameters that mean the same wherever they stand.
VOCABULARY = {
    "arg": "passed on as it is to the function that is called",
    "address": "a virtual address",
    "arguments": "of `format`",
    "buffer": "where the result goes, of `size` bytes",
    "cookie": "comes back when the device is done; never NULL",
    "count": "how many sectors",
    "data": "the bytes to read, `size` of them",
    "format": "a text with the conversions of bm_log",
    "length": "bytes from the address on",
    "nanoseconds": "a time: of the clock or of the wait that the function's name says",
    "offset": "bytes from the start of what the function reads or writes",
    "sector": "the first sector, counted in the device's sector size",
    "size": "bytes of the memory that the parameter before it points to",
    "subject": "the word that names the part of the system, as in bm_log",
    "text": "characters; ends with a NUL unless a size follows",
    "value": "of the register or the key that the parameter before it names",
}
OTHER_KEYS = {"virtio_mmio.device": "SIZE@BASE:INTERRUPT: a virtio device behind memory-mapped registers, in Linux's words",
              "env.NAME": "an environment variable"}


# --- C ---

def read_headers(folders, skip=()):
    """Path, own comment and declarations of each header of the folders."""
    for path in tree.files(".h"):
        if str(path).startswith(folders) and not str(path).startswith(skip):
            yield (path, *headers.read(tree.text(path)))


def members_of(item):
    for member in item.members:
        yield member
        yield from members_of(member)


def names(name, comment):
    return re.search(rf"\b{re.escape(name)}\b", comment) is not None


def is_object(item, parameter):
    """Whether the function takes its object so: the one pointer to a structure of that kind."""
    return re.search(rf"struct \w+ \*\s*(const )?{parameter}\b", item.text) is not None


def undocumented(path, about, declared):
    """(name, sentence) of what lacks its words."""
    if not about:
        yield path.name, f"{path}:1: the header does not say what it is about"
    for item in declared:
        if item.kind == "declaration":
            continue
        if not item.comment and (item.name or item.kind != "enum"):
            yield item.name, f"{path}:{item.line}: the {item.kind} {item.name} has no comment"
        for member in members_of(item):
            covered = item.comment and (member.kind == "constant" or names(member.name, item.comment) or COVERED.search(item.comment))
            if not member.comment and not covered:
                yield member.name, f"{path}:{member.line}: the {member.kind} {member.name} of {item.name or 'an enum'} has no comment"
        for parameter in item.parameters if item.kind in ("function", "macro") and item.comment else []:
            if not parameter:
                yield item.name, f"{path}:{item.line}: {item.name} has a parameter without a name"
            elif parameter not in VOCABULARY and not names(parameter, item.comment) and not is_object(item, parameter):
                yield f"{item.name}({parameter})", f"{path}:{item.line}: the comment of {item.name} does not speak of '{parameter}'"


# --- CMake ---

def cmake_functions():
    """(path, line, name, comment, keywords) of each function of cmake/."""
    for path in tree.files(".cmake", under="cmake/"):
        lines = tree.text(path).splitlines()
        for number, line in enumerate(lines):
            found = re.match(r"function\((\w+)(.*)\)", line)
            if not found:
                continue
            comment, above = [], number - 1
            while above >= 0 and lines[above].startswith("#"):
                comment.insert(0, lines[above].lstrip("#").strip())
                above -= 1
            body = "\n".join(lines[number:lines.index("endfunction()", number)])
            words = re.search(r"cmake_parse_arguments\(PARSE_ARGV \d+ \w+((?:\s+\"[^\"]*\")+)\)", body)
            yield path, number + 1, found[1], "\n".join(comment), re.findall(r"[A-Z_]+", words[1]) if words else []


def check_cmake():
    missing = set(CMAKE)
    for path, line, name, comment, keywords in cmake_functions():
        if not comment:
            yield f"{path}:{line}: the function {name} has no comment"
        if name in CMAKE:
            missing.remove(name)
            if not comment.startswith(f"{name}(<"):
                yield f"{path}:{line}: the comment of {name} does not begin with its call"
            for word in keywords:
                if not names(word, comment):
                    yield f"{path}:{line}: the comment of {name} does not speak of {word}"
    for name in sorted(missing):
        yield f"cmake/: there is no function {name}"


# --- Keys ---

def keys():
    """Each key of the kernel command line with its description and its file."""
    found = {}
    for path in tree.files(".c"):
        if path.parts[0] in ("boot", "libbaremetal", "net", "drivers"):
            for key, text in re.findall(r"^BM_OPTION\((\w+),\s*((?:\"[^\"]*\"\s*)+)\);", tree.text(path), re.MULTILINE):
                found[key] = ("".join(re.findall(r'"([^"]*)"', text)), str(path))
    return found


def keys_of_readme():
    """The keys in the first column of README's table below "The command line"."""
    section = tree.text("README.md").partition("## The command line\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return {key for row in rows for key in re.findall(r"`([\w.]+)=", row.split("|")[1])}


def check_keys():
    known, told = keys(), keys_of_readme()
    for key, (text, path) in sorted(known.items()):
        if key not in told:
            yield f"README.md: the table of the command line lacks {key}= of {path}: {text}"
        if not text:
            yield f"{path}: BM_OPTION({key}) has no description"
    for key in sorted(told - set(known) - set(OTHER_KEYS)):
        yield f"README.md: no source declares {key}= by BM_OPTION"
    if not known:
        yield "no source declares a key by BM_OPTION"


# --- Pages ---

STYLE = """body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}pre,code{font:14px/1.4 monospace}
pre{background:#f4f4f4;padding:.6em;overflow-x:auto;margin:1.6em 0 .3em}td,th{vertical-align:top;text-align:left;padding:.15em .8em .15em 0}
p{margin:.3em 0}h2{margin-top:2em}"""


def page(title, body):
    return (f"<!doctype html><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{html.escape(title)}</title>"
            f"<style>{STYLE}</style><p><a href=\"index.html\">libbaremetal reference</a><h1>{html.escape(title)}</h1>\n{body}\n")


def prose(text):
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def table(rows):
    return "<table>" + "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) + "\n" for row in rows) + "</table>"


def without_body(text):
    """A function's head, a type's whole text."""
    if re.match(r"\s*(struct|enum|union|typedef|#)", text):
        return text
    return text.partition("\n{")[0]


def members_by_comment(item):
    """Members that follow each other and share a comment."""
    groups = []
    for member in members_of(item):
        if not groups or groups[-1][0] != member.comment:
            groups.append((member.comment, []))
        groups[-1][1].append(member.name)
    return groups


def header_page(path, about, declared):
    parts = [f"<p>{prose(about)}"]
    for item in declared:
        if item.kind == "declaration":
            continue
        text = re.sub(r" +\\\n", r" \\\n", re.sub(r"\n\s*\n", "\n", without_body(item.text)).strip())
        parts.append(f"<pre id=\"{item.name}\">{html.escape(text)}</pre><p>{prose(item.comment)}")
        rows = [(", ".join(f"<code>{html.escape(name)}</code>" for name in group), prose(comment))
                for comment, group in members_by_comment(item) if comment and comment != item.comment]
        if rows:
            parts.append(table(rows))
    return page(f"<{path.as_posix().partition('/include/')[2]}>", "\n".join(parts))


def index_of_names(documents):
    rows = sorted((item.name, name) for name, _, _, declared in documents for item in declared
                  if item.name and item.kind != "declaration")
    return "<p>" + ", ".join(f"<a href=\"{name}#{item}\"><code>{item}</code></a>" for item, name in rows)


def write(folder):
    """The pages; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    pages, lists = {}, []
    for title, folders, skip in (("Headers", HEADERS, ()), ("Headers of POSIX and Linux", STANDARD, HEADERS)):
        documents = []
        for path, about, declared in read_headers(folders, skip):
            name = path.as_posix().partition("/include/")[2].replace("/", "_").removesuffix(".h") + ".html"
            documents.append((name, path, about, declared))
            pages[name] = header_page(path, about, declared)
        rows = [(f"<a href=\"{name}\"><code>&lt;{path.as_posix().partition('/include/')[2]}&gt;</code></a>", prose(about))
                for name, path, about, _ in documents]
        lists.append(f"<h2>{title}</h2>{table(rows)}")
        if folders == HEADERS:
            names_index = index_of_names(documents)
    words = table((f"<code>{word}</code>", prose(text)) for word, text in VOCABULARY.items())
    functions = [(name, comment) for _, _, name, comment, _ in cmake_functions() if name in CMAKE]
    pages["cmake.html"] = page("CMake functions", "".join(f"<h2 id=\"{name}\">{name}</h2><pre>{html.escape(comment)}</pre>"
                                                           for name, comment in functions))
    known = {key: text for key, (text, _) in keys().items()} | OTHER_KEYS
    pages["command_line.html"] = page("Keys of the kernel command line",
                                      table((f"<code>{key}=</code>", prose(text)) for key, text in sorted(known.items())))
    more = ("<h2>More</h2><p><a href=\"cmake.html\">CMake functions</a><p><a href=\"command_line.html\">Keys of the kernel command line</a>")
    pages["index.html"] = page("libbaremetal reference", f"{lists[0]}{more}{lists[1]}<h2>Words of parameters</h2>{words}<h2>All names</h2>{names_index}")
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    return len(pages)


def main():
    pending = set(tree.text(PENDING).split("\n")) if (tree.TOP / PENDING).is_file() else set()
    problems, count = [], 0
    for path, about, declared in read_headers(HEADERS):
        count += len(declared)
        problems += [sentence for name, sentence in undocumented(path, about, declared) if f"{path.name} {name}" not in pending]
    if not count:
        problems.append("no public header was found")
    problems += [*check_cmake(), *check_keys()]
    pages = 0
    if len(sys.argv) == 3 and sys.argv[1] == "--write":
        pages = write(pathlib.Path(sys.argv[2]))
    tree.finish(problems, f"{count} declarations, {len(keys())} keys" + (f", {pages} pages in {sys.argv[2]}" if pages else ""))


if __name__ == "__main__":
    main()
