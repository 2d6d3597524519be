# The command line of a compiler, as gcc takes it, sorted by what baremetal-cc does with each word.
# SPDX-License-Identifier: MIT
"""What is not named here goes to the compiler as it is."""

import os

# The next word is the value. (Those that may also be joined to their value only matter when they are not.)
SEPARATE = frozenset("""-o -x -I -D -U -L -l -u -z -A -B -F -include -imacros -isystem -iquote -idirafter -iprefix -iwithprefix
-iwithprefixbefore -isysroot -imultilib -MF -MT -MQ -Xlinker -Xassembler -Xpreprocessor -Xclang -mllvm --param -aux-info -dumpbase
-dumpbase-ext -dumpdir -wrapper -T -e -target --sysroot""".split())
# Other spellings, whose value may also follow behind "=".
LONG = {"--compile": "-c", "--assemble": "-S", "--preprocess": "-E", "--dependencies": "-M", "--user-dependencies": "-MM", "--output": "-o",
        "--write-dependencies": "-MD", "--write-user-dependencies": "-MMD", "--language": "-x", "--define-macro": "-D", "--undefine-macro": "-U",
        "--include-directory": "-I", "--library-directory": "-L", "--force-link": "-u", "--for-linker": "-Xlinker", "--shared": "-shared",
        "--no-standard-libraries": "-nostdlib", "--profile": "-pg"}
LINK_ONLY = ("-L", "-l", "-u", "-z")  # beginnings of words that are the linker's
# They only say what every image is, or what none can be and nothing depends on.
NEEDLESS = frozenset("""-static -static-pie -pie -no-pie -nopie -fno-pie -fno-PIE -fno-pic -fno-PIC -static-libgcc -shared-libgcc -rdynamic
-fuse-ld=bfd -s""".split())
NEEDLESS_BEGINNINGS = ("-fcf-protection",)
REFUSED = {
    "-shared": "images hold no shared libraries; build static ones (configure --disable-shared)",
    "-dynamiclib": "images hold no shared libraries; build static ones",
    "-m32": "images are 64-bit programs", "-mx32": "images are 64-bit programs", "-m16": "images are 64-bit programs",
    "-T": "an image has a link script of its own", "-e": "an image is entered by its boot code, which calls main",
    "--coverage": "images hold no run-time library for coverage", "-fprofile-arcs": "images hold no run-time library for coverage",
    "-pg": "images hold no run-time library for profiling; link --baremetal-link=profile instead",
    "-fsplit-stack": "a stack in an image has a fixed size",
    "-fopenmp": "images hold no run-time library of OpenMP",
}
REFUSED_BEGINNINGS = {
    "-fsanitize=": "images hold no run-time library of sanitizers", "-fprofile-generate": REFUSED["--coverage"],
    "-fuse-ld=": "images are linked by GNU ld", "-T": REFUSED["-T"],
}
# The same for words of the linker itself, which come by -Wl,a,b and by -Xlinker a.
LINKER_NEEDLESS = frozenset("-E --export-dynamic -export-dynamic -Bstatic -Bdynamic -no-pie -pie -static".split())
LINKER_REFUSED = {"-shared": REFUSED["-shared"], "--shared": REFUSED["-shared"], "-Bshareable": REFUSED["-shared"], "-e": REFUSED["-e"],
                  "--entry": REFUSED["-e"]}
LINKER_REFUSED_BEGINNINGS = {"-T": REFUSED["-T"], "--script": REFUSED["-T"], "-dT": REFUSED["-T"], "--default-script": REFUSED["-T"],
                             "--entry=": REFUSED["-e"]}
LINKER_LIBRARIES = {"-l": "-l", "--library": "-l", "-L": "-L", "--library-path": "-L"}
LINKER_QUESTIONS = ("--version", "-v", "-V", "--help")
REFUSED_LINKS = dict.fromkeys(("-nostdlib", "-nodefaultlibs", "-nostartfiles"), "an image does not work without the kernel and its C library")
STOPS = frozenset(("-c", "-S", "-E", "-M", "-MM", "-fsyntax-only"))
QUESTIONS = ("-print-", "--print-", "-dump", "--version", "--help", "--target-help")
SOURCES = frozenset(".c .i .s .S .sx .h .cc .cp .cxx .cpp .c++ .C .CPP .ii .m".split())
PARTS = ("net", "tmpfs", "devfs", "procfs", "initrd", "virtio_9p", "ext4", "ext4_write", "erofs", "bmfs", "virtio_blk", "virtio_scsi", "nvme", "ahci", "executable", "trace_calls", "profile", "jit", "malloc_bump", "malloc_list", "malloc_block")
HEAPS = frozenset(part for part in PARTS if part.startswith("malloc_"))


class WordError(Exception):
    """What is wrong with the command line, as a sentence."""


class Command:
    """One call of the compiler."""

    def __init__(self):
        self.libc = None
        self.files = []  # folders to put into the image
        self.command_line = None
        self.parts = []  # of PARTS
        self.stop = None  # the last one of STOPS
        self.question = None  # one of QUESTIONS
        self.output = None
        self.verbose = False
        self.only_show = False  # -###
        self.threads = False  # -pthread
        self.has_input = False
        self.begun = None  # -l or -L of the linker, whose value is the linker's next word
        self.compile = []  # words of compilations and of the link
        self.link = []  # words of the link and its objects, in order; a source is a Source
        self.words = []  # all that is the compiler's, for calls that do not link

    def links(self):
        return self.stop is None and self.question is None and self.has_input


class Source:
    """A source file that is named on the command line of a link."""

    def __init__(self, name, language):
        self.name, self.language = name, language

    def __eq__(self, other):
        return (self.name, self.language) == (other.name, other.language)


def split(text):
    """The words of a response file: white space parts them, a backslash takes the next character as it is, quotation marks hold together."""
    words, word, quote, at = [], None, None, 0
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            at += 1
            word = (word or "") + text[at]
        elif quote:
            if char == quote:
                quote = None
            else:
                word += char
        elif char in "'\"":
            quote, word = char, word or ""
        elif char.isspace():
            if word is not None:
                words.append(word)
            word = None
        else:
            word = (word or "") + char
        at += 1
    return words if word is None else [*words, word]


def expand(words, depth=0):
    """The words with those of response files (@file) in their places; as with gcc, one that cannot be read stands for itself."""
    for word in words:
        if not word.startswith("@") or not os.path.isfile(word[1:]):
            yield word
            continue
        if depth > 20:
            raise WordError(f"{word}: response files name each other")
        with open(word[1:], encoding="utf-8", errors="surrogateescape") as file:
            yield from expand(split(file.read()), depth + 1)


def refuse(word, exact=REFUSED, beginnings=REFUSED_BEGINNINGS):
    reason = exact.get(word) or next((reason for begin, reason in beginnings.items() if word.startswith(begin)), None)
    if reason:
        raise WordError(f"{word}: {reason}")


def own_option(command, word):
    """Whether the word is one of baremetal-cc's own."""
    name, _, value = word.partition("=")
    if name == "--libc":
        command.libc = value
    elif name == "--baremetal-files":
        command.files.append(value)
    elif name == "--baremetal-cmdline":
        command.command_line = value
    elif name == "--baremetal-link":
        for part in value.split(","):
            if part not in PARTS:
                raise WordError(f"{word}: there is no part '{part}'; known are: {', '.join(PARTS)}")
            command.parts.append(part)
        if len(HEAPS.intersection(command.parts)) > 1:
            raise WordError(f"{word}: a program has one heap; choose one of {', '.join(sorted(HEAPS.intersection(command.parts)))}")
    elif word.startswith("--baremetal"):
        raise WordError(f"there is no option {name}; known are: --baremetal-files=, --baremetal-cmdline=, --baremetal-link=")
    else:
        return False
    return True


def take_linker_word(command, word):
    """Sorts one word of the linker itself: its libraries are looked for as those of the compiler's words are."""
    name, equals, value = word.partition("=")
    if command.begun:
        word, command.begun = command.begun + word, None
    elif word in LINKER_LIBRARIES:
        command.begun = LINKER_LIBRARIES[word]
        return
    elif equals and name in ("--library", "--library-path"):
        word = LINKER_LIBRARIES[name] + value
    else:
        refuse(word, LINKER_REFUSED, LINKER_REFUSED_BEGINNINGS)
    if word in LINKER_QUESTIONS:
        command.question = word
    if word.startswith("-l"):
        command.has_input = True
    if word.startswith(("-l", "-L")):
        command.link.append(word)
    elif word not in LINKER_NEEDLESS:
        command.link += ["-Xlinker", word] if "," in word else ["-Wl," + word]


def take_option(command, word, value):
    """Sorts one option with its value (None: it has none)."""
    both = [word] if value is None else [word, value]
    if word == "-o" or (word.startswith("-o") and not word.startswith("-obj")):
        command.output = value if value is not None else word[2:]
    elif word in ("-pthread", "-pthreads"):
        command.threads = True
        command.compile.append("-pthread")
    elif word == "-###":
        command.only_show = True
    elif word in ("-v", "--verbose"):
        command.verbose = True
        command.compile.append("-v")
    elif word.startswith("-Wl,") or word == "-Xlinker":
        for one in word.split(",")[1:] if value is None else [value]:
            take_linker_word(command, one)
    elif word.startswith(LINK_ONLY) and word != "-undef":
        command.has_input = command.has_input or word.startswith("-l")
        command.link += [word + value] if value is not None and word in ("-l", "-L") else both
    else:
        command.compile += both
    if word in STOPS:
        command.stop = word
        command.compile.remove(word)
    if word.startswith(QUESTIONS) and value is None:
        command.question = word
    command.words += both


def parse(words):
    """The Command of the words of a command line (without the program's own name)."""
    command, language = Command(), None
    following = iter(list(expand(words)))
    for word in following:
        if own_option(command, word) or word in NEEDLESS or word.startswith(NEEDLESS_BEGINNINGS):
            continue
        name, equals, value = word.partition("=")
        word, value = (LONG[name], value if equals else None) if name in LONG else (word, None)
        refuse(word)
        if word in SEPARATE and value is None:
            value = next(following, None)
            if value is None:
                raise WordError(f"a value is missing after {word}")
        if word == "-x" or (word.startswith("-x") and value is None and word[2:3] != ""):
            language = value if value is not None else word[2:]
            language = None if language == "none" else language
            command.words += [word] if value is None else [word, value]
        elif word.startswith("-") and word != "-":
            take_option(command, word, value)
        else:
            source = language or os.path.splitext(word)[1] in SOURCES
            command.link.append(Source(word, language) if source else word)
            command.words.append(word)
            command.has_input = True
    if command.begun:
        raise WordError(f"a value is missing after {command.begun}")
    if command.links():
        for word in command.compile:
            if word in REFUSED_LINKS and "-r" not in command.compile:
                raise WordError(f"{word}: {REFUSED_LINKS[word]}")
    return command
