# Why a name is undefined in an image, for those that have a reason.
# SPDX-License-Identifier: MIT
import re

UNDEFINED = re.compile(r"undefined reference to [`']([^'@]+)")
REASONS = (
    (re.compile(r"_?v?fork|exec[vl]p?e?|execvpe|fexecve|posix_spawnp?|system|popen|pclose|wait(pid|3|4|id)?|daemon"),
     "there are no processes: one program is the whole machine"),
    (re.compile(r"dl(open|sym|close|error|addr|iterate_phdr)"), "nothing is loaded at run time: link the code into the program"),
    (re.compile(r"main"), "the program has no main"),
    (re.compile(r"__(asan|ubsan|tsan|msan|sanitizer|gcov|llvm_prof)\w*|_?_?mcount|__fentry__"),
     "the object was compiled for a sanitizer, a coverage or a profile: compile it without"),
    (re.compile(r"_Z\w+|__cxa_\w+|__gxx_\w+|_Unwind_\w+"), "there is no run-time library of C++ in the package"),
    (re.compile(r"__\w+_chk|__isoc\d+_\w+|__libc_start_main|__errno_location|__ctype_b_loc"),
     "the object was compiled with the headers of another C library: compile it with baremetal-cc"),
)
THREADS = re.compile(r"(pthread|sem|thrd|mtx|cnd|tss)_\w+")


def reason_of(name, libc, in_musl):
    """A sentence's rest about one undefined name, or None. `in_musl` tells whether musl has it."""
    if libc != "musl" and THREADS.fullmatch(name):
        return f"{libc} has no POSIX threads: choose --libc=musl"
    for pattern, reason in REASONS:
        if pattern.fullmatch(name):
            return reason
    return f"{libc} lacks it and musl has it: choose --libc=musl" if libc != "musl" and in_musl(name) else None


def explanations(lines, libc, in_musl):
    """One line for each undefined name in what the linker said that has a reason."""
    names = dict.fromkeys(found[1] for line in lines if (found := UNDEFINED.search(line)))
    return [f"{name}: {reason}" for name in names if (reason := reason_of(name, libc, in_musl))]
