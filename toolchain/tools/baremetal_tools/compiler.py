# A compiler for build systems that know none but gcc: compiles for images, and links images.
# SPDX-License-Identifier: MIT
"""Usage: baremetal-cc [--libc=musl|picolibc|newlib] [--baremetal-files=FOLDER] [--baremetal-cmdline=TEXT] [--baremetal-link=PART,…] WORD…

WORD… is what gcc (or clang) takes. What it links is a bootable image, which baremetal-run runs; IMAGE.debug beside it has its symbols.

--baremetal-files puts all files below FOLDER into the image; --baremetal-cmdline is its kernel command line where the loader gives none;
--baremetal-link=net,tmpfs,devfs,procfs,initrd,virtio_9p,ext4,ext4_write,erofs,bmfs,virtio_blk,virtio_scsi,nvme,ahci,trace_calls,profile,malloc_bump,malloc_list,malloc_block are CMake's baremetal:: targets of these names (a program that calls socket() gets net by itself).
--print-meson-cross-file and --print-cmake-toolchain-file print one. Environment, for what a build system passes no words for: BAREMETAL_LIBC, BAREMETAL_FILES,
BAREMETAL_CMDLINE, BAREMETAL_LINK; BAREMETAL_COMPILER, the compiler that is driven."""

import os
import shutil
import signal
import sys
import tempfile

from . import crossing, elf, embed, explain, foreign, link, package, words

# Folders of the host that gcc and clang would look into as well.
HOST_FOLDERS = ("CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH")
NETWORK_MARK = "bm_net_lock"  # in every program that calls the network


class CompileFailure(Exception):
    def __init__(self, status):
        super().__init__()
        self.status = status


def run(command):
    status = link.run(command)
    if status:
        raise CompileFailure(status if status > 0 else 128 - status)


class Driver:
    """One call of baremetal-cc."""

    def __init__(self, command):
        self.command = command
        self.package = package.Package(command.libc)
        self.compiler = self.package.compiler()
        self.before, self.behind = self.package.compile_words(self.compiler)
        if command.threads and self.package.libc != "musl":
            raise words.WordError(f"-pthread: {self.package.libc} has no POSIX threads: choose --libc=musl")

    def make(self):
        if not self.command.links():
            os.execvp(self.compiler, [self.compiler, *self.before, *self.command.words, *self.behind])
        if "-r" in self.command.compile:  # an object made of objects
            output = ["-o", self.command.output] if self.command.output else []
            objects = [item.name if isinstance(item, words.Source) else item for item in self.command.link]
            os.execvp(self.compiler, [self.compiler, "-nostdlib", *self.before, *self.command.compile, *objects, *output, *self.behind])
        output = self.command.output or "a.out"
        if os.path.isdir(output):
            raise words.WordError(f"the output {output} is a folder")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda number, _: sys.exit(128 + number))  # what is temporary is removed
        with tempfile.TemporaryDirectory(prefix="baremetal-cc-") as work:
            objects = self.compile_sources(output, work)
            path = os.path.join(work, "image", os.path.basename(output))
            os.mkdir(os.path.dirname(path))
            try:
                self.link_image([*objects, *self.describe(os.path.basename(output), work)], path, work)
                deliver(path, output)
            except BaseException:  # as with gcc, an older image does not stay behind either
                remove_files(output, output + ".debug")
                raise

    def compile_sources(self, output, work):
        """The link's words, with an object in the place of each source."""
        objects = []
        for number, item in enumerate(self.command.link):
            if isinstance(item, words.Source):
                made = os.path.join(work, f"{number}.o")
                language = ["-x", item.language] if item.language else []
                self.compile([*self.dependencies(output, item.name), *self.command.compile, "-c", *language, item.name, "-o", made])
                item = made
            objects.append(item)
        return objects

    def compile(self, more):
        command = [self.compiler, *self.before, *more, *self.behind]
        run([command[0], "-###", *command[1:]] if self.command.only_show else command)

    def dependencies(self, output, name):
        """Where gcc writes what -MD and the like ask for when it compiles and links at once, and what it calls the target."""
        given, (base, extension) = self.command.compile, os.path.splitext(os.path.basename(name))
        begin, more = f"{os.path.splitext(output)[0]}-", []

        def has(*options):
            return any(word.startswith(options) for word in given)

        if "-MD" in given or "-MMD" in given:
            more += [] if has("-MF") else ["-MF", f"{begin}{base}.d"]
            more += [] if has("-MT", "-MQ") else ["-MQ", output]
        if not package.is_clang(self.compiler) and not has("-dumpbase", "-dumpdir") and extension:
            more += ["-dumpdir", begin, "-dumpbase", base + extension, "-dumpbase-ext", extension]
        return more

    def describe(self, name, work):
        """Objects with what an image knows of itself: its name, its command line, its files."""
        made = [os.path.join(work, "name.o")]
        text = string("bm_program_name", ".data", name)
        line = self.command.command_line or os.environ.get("BAREMETAL_CMDLINE")
        if line:
            if len(line) > 1000 or not all(" " <= char <= "~" for char in line):
                raise words.WordError("the command line of the image must be at most 1000 printable ASCII characters")
            text += string("bm_command_line_default", ".rodata", line)
        source = os.path.join(work, "name.s")
        with open(source, "w", encoding="utf-8") as file:
            file.write(text + ".section .note.GNU-stack\n")
        run(["as", "--64", "-o", made[0], source])
        folders = self.command.files or list(filter(None, [os.environ.get("BAREMETAL_FILES")]))
        if folders:
            source = os.path.join(work, "files.c")
            with open(source, "w", encoding="utf-8") as file:
                file.write(embed.source([pair for folder in folders for pair in embed.below(folder)]))
            made.append(os.path.join(work, "files.o"))
            self.compile(["-c", source, "-o", made[1]])
        return made

    def link_image(self, objects, path, work):
        given, library = self.package.words, self.package.words["library"]
        command = [self.compiler, *given["link"], *map(self.parallel, self.command.compile), *self.find_libraries(objects), "-o", path]
        parts = {*self.command.parts, *filter(None, os.environ.get("BAREMETAL_LINK", "").split(","))}
        for part in sorted({*parts, "run"}):
            command += self.part(part)
        command += library
        if self.command.only_show:
            run([command[0], "-###", *command[1:]])
            return

        def also(image):
            used = "net" not in parts and any(symbol.name == NETWORK_MARK and symbol.section for symbol in image.symbols())
            return [*self.part("net"), *library] if used else []

        try:
            link.make_or_remove(command, path, False, work, also)
        except link.LinkFailure as failure:
            for line in self.explanations(failure, command):
                print(f"baremetal-cc: {line}.", file=sys.stderr)
            raise CompileFailure(failure.status) from None

    def explanations(self, failure, command):
        libc, root = self.package.libc, self.package.root
        if foreign.objects(command, libc):
            return [foreign.sentence(command, libc)]
        musl = os.path.join(root, "musl", "lib", "libc.a")
        return explain.Link(libc, os.path.join(root, "lib"), musl, "--libc=musl", "--baremetal-link={}").explanations(failure.lines)

    def parallel(self, word):
        """-flto alone makes gcc warn that it uses one core only, when the program is large."""
        if word != "-flto" or package.is_clang(self.compiler):
            return word
        return "-flto=auto" if shutil.which("make") else "-flto=1"

    def part(self, name):
        use = "network" if name == "net" else name
        if use not in self.package.words:
            raise words.WordError(f"--baremetal-link={name}: {self.package.libc} has no such part yet; choose picolibc or newlib for it")
        return self.package.words[use]

    def find_libraries(self, items):
        """Each -l as the file that it means: in the folders of -L or the C library's own, never the host's. What every image links comes behind
        the kernel, some of whose names replace the C library's."""
        folders = [item[2:] for item in items if item.startswith("-L")] + [self.package.folder()]
        found = []
        for item in items:
            if item in ("-lc", "-lm", "-lgcc"):
                continue
            if item.startswith("-l"):
                name = item[3:] if item.startswith("-l:") else f"lib{item[2:]}.a"
                file = next((file for folder in folders if os.path.isfile(file := os.path.join(folder, name))), None)
                if not file:
                    print(f"baremetal-cc: cannot find {item}: no {name} in {', '.join(folders)}", file=sys.stderr)
                    raise CompileFailure(1)
                item = file
            found.append(item)
        return found


def remove_files(*paths):
    for path in paths:
        if os.path.isfile(path):
            os.remove(path)


def deliver(made, output):
    """Puts an image that was checked, and its debug information, where they were asked for: each at once, whole. A device gets nothing."""
    if os.path.exists(output) and not os.path.isfile(output):
        return
    for end in (".debug", ""):
        if not os.path.exists(made + end):  # it was only shown
            continue
        part = f"{output}{end}.{os.getpid()}"
        try:
            shutil.copy(made + end, part)
            os.replace(part, output + end)
        except OSError as error:
            raise words.WordError(f"the output {output}{end} cannot be written: {error.strerror}") from None
        finally:
            remove_files(part)


def string(name, section, text):
    """A global string as assembly source."""
    octal = "".join(f"\\{byte:03o}" for byte in os.fsencode(text))
    return f'.section {section}\n.globl {name}\n.type {name}, @object\n{name}: .asciz "{octal}"\n.size {name}, . - {name}\n'


def answer(driver, question):
    """What is asked of the compiler and answered differently here; None for what it answers itself."""
    kit = driver.package
    if question == "-dumpmachine":
        return kit.triple()
    if question.lstrip("-") == "print-multiarch":
        return ""
    if question.lstrip("-") == "print-sysroot":
        return os.path.join(kit.root, kit.libc)
    if question.lstrip("-") == "print-search-dirs":
        return f"install: {kit.folder()}/\nprograms: =/nonexistent/\nlibraries: ={kit.folder()}/"
    if question.lstrip("-").startswith("print-file-name=lib"):
        file = os.path.join(kit.folder(), question.partition("=")[2])
        return file if os.path.exists(file) else None if "libgcc" in question else question.partition("=")[2]
    return None


def compile_or_link(given):
    if given in ([], ["--baremetal-help"], ["--help"]):
        print(__doc__)
        if given != ["--help"]:
            return 0 if given else 1
        print(flush=True)  # what the compiler says of its own options comes behind
    command = words.parse(given)
    driver = Driver(command)
    if command.question in crossing.FILES:
        print(crossing.FILES[command.question](driver.package), end="")
        return 0
    said = answer(driver, command.question) if command.question else None
    if said is not None:
        print(said)
        return 0
    driver.make()
    return 0


def main():
    for name in HOST_FOLDERS:
        os.environ.pop(name, None)
    try:
        return compile_or_link(sys.argv[1:])
    except CompileFailure as failure:
        return failure.status
    except (words.WordError, package.PackageError, embed.EmbedError, link.LinkError, elf.ElfError) as error:
        print(f"error: baremetal-cc: {error}.", file=sys.stderr)
        return 1


def binutils(name):
    """baremetal-ar and baremetal-ranlib: gcc's, which reads objects of link-time optimisation, or else the host's."""
    program = shutil.which(f"gcc-{name}") or shutil.which(name)
    if not program:
        sys.exit(f"error: baremetal-{name}: '{name}' is missing (package binutils).")
    os.execv(program, [program, *sys.argv[1:]])


def pkg_config():
    """The host's pkg-config, which sees no library of the host: those of PKG_CONFIG_PATH, and those beside the C library that --libc= or
    BAREMETAL_LIBC names. All libraries are static: what they need themselves (Libs.private) is always told."""
    given = [word for word in sys.argv[1:] if not word.startswith("--libc=")]
    libc = next((word.partition("=")[2] for word in reversed(sys.argv[1:]) if word.startswith("--libc=")), None)
    program = shutil.which("pkg-config") or shutil.which("pkgconf")
    if not program:
        sys.exit("error: baremetal-pkg-config: 'pkg-config' is missing (package pkg-config).")
    try:
        os.environ["PKG_CONFIG_LIBDIR"] = os.path.join(package.Package(libc).folder(), "pkgconfig")
    except package.PackageError as error:
        sys.exit(f"error: baremetal-pkg-config: {error}.")
    os.environ["PKG_CONFIG_ALLOW_SYSTEM_CFLAGS"] = os.environ["PKG_CONFIG_ALLOW_SYSTEM_LIBS"] = "1"
    os.execv(program, [program, "--static", *given])
