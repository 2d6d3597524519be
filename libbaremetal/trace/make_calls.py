#!/usr/bin/env python3
# Makes the wrappers of all calls, with the kinds of their arguments, of the headers that declare them.
# SPDX-License-Identifier: MIT
"""Usage: make_calls.py OUTPUT NUMBERS ERRORS HEADER… (numbers.def, error.h, calls.h and its kin)

An output that is the same already keeps its time."""

import pathlib
import re
import sys

ENDS = {"exit", "exit_group", "rt_sigreturn"}  # they do not return


def kind(parameter):
    """One letter: s a string, b a buffer that is read, p another pointer, d a signed number, x others."""
    if "*" in parameter or "[" in parameter:
        text = re.sub(r"\b\w+$", "", parameter).replace(" ", "")
        return {"constchar*": "s", "constvoid*": "b"}.get(text, "p")
    return "d" if re.match(r"(int|long|ssize_t|int64_t)\b", parameter) else "z" if parameter.startswith("size_t") else "x"


def calls(text):
    for name, parameters in re.findall(r"^long bm_linux_(\w+)\(([^)]*)\)[^;]*;", text, re.MULTILINE):
        listed = [] if parameters.strip() == "void" else [" ".join(one.split()) for one in parameters.split(",")]
        yield name, "".join(map(kind, listed))


def wrapper(name, kinds):
    arguments = "long a, long b, long c, long d, long e, long f"
    return (f"long __real_bm_linux_{name}({arguments});\nlong __wrap_bm_linux_{name}({arguments});\n"
            f"long __wrap_bm_linux_{name}({arguments})\n{{\n"
            f'    static const struct bm_trace_call call = {{"{name}", "{kinds}", {int(name in ENDS)}, __real_bm_linux_{name}}};\n'
            "    return bm_trace_call(&call, (const long[]){a, b, c, d, e, f});\n}\n\n")


def main():
    output, numbers, errors, *headers = map(pathlib.Path, sys.argv[1:])
    known = set(re.findall(r"^BM_LINUX_NUMBER\(\d+, (\w+)\)", numbers.read_text(), re.MULTILINE))
    names = {int(number): name for name, number in re.findall(r"BM_(E\w+) = (\d+)", errors.read_text())}
    found = sorted({call for header in headers for call in calls(header.read_text()) if call[0] in known})
    text = '// Made by libbaremetal/trace/make_calls.py.\n#include "trace.h"\n\n' + "".join(wrapper(*call) for call in found)
    text += "const char *const bm_trace_errors[BM_TRACE_ERRORS] = {\n"
    text += "".join(f'    [{number}] = "{name}",\n' for number, name in sorted(names.items())) + "};\n"
    if not output.exists() or output.read_text() != text:
        output.write_text(text)


if __name__ == "__main__":
    main()
