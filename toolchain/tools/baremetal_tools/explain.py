# Why a name is undefined in an image, for those that have a reason.
# SPDX-License-Identifier: MIT
import os
import re

from . import foreign, link, package

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




class Link:
    """What is known of a link that failed. `choose` is how another C library is chosen, `part` how a part of libbaremetal is linked, with the
    part's name in the place of {}; `folder` has the archives, `musl` is musl's."""

    def __init__(self, libc, folder, musl, choose, part):
        self.libc, self.choose = libc, choose
        self.in_musl = package.defined_in(musl) if libc != "musl" else frozenset()
        self.parts = [(part.format(name), package.defined_in(os.path.join(folder, f"libbaremetal-{archive}-{libc}.a")))
                      for name, archive in (("net", "net-posix"), ("tmpfs", "files"))]

    def reason_of(self, name):
        """A sentence's rest about one undefined name, or None."""
        if self.libc != "musl" and THREADS.fullmatch(name):
            return f"{self.libc} has no POSIX threads: choose {self.choose}"
        for pattern, reason in REASONS:
            if pattern.fullmatch(name):
                return reason
        for part, names in self.parts:
            if name in names:
                return f"link {part}, which has it"
        return f"{self.libc} lacks it and musl has it: choose {self.choose}" if name in self.in_musl else None

    def explanations(self, lines):
        """One line for each undefined name in what the linker said that has a reason."""
        names = dict.fromkeys(found[1] for line in lines if (found := UNDEFINED.search(line)))
        return [f"{name}: {reason}" for name in names if (reason := self.reason_of(name))]


def of_command(lines, command):
    """The same for a link command of CMake, and of objects that were compiled with another C library."""
    libc, folder = link.libc_of(command)
    if not libc:
        return []
    if foreign.objects(command, libc):
        return [foreign.sentence(command, libc)]
    own = next((word for word in command if word.endswith(f"/{libc}/lib/libc.a")), "")
    musl = os.path.join(own.removesuffix(f"/{libc}/lib/libc.a"), "musl", "lib", "libc.a")
    return Link(libc, folder, musl, "-DBAREMETAL_LIBC=musl", "baremetal::{}").explanations(lines)
