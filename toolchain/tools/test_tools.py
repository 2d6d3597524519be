#!/usr/bin/env python3
# Tests of the tools: what they read from ELF files and map files, and what they write. Whole images are the business of tests/.
# SPDX-License-Identifier: MIT
import contextlib
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from baremetal_tools import compiler, crossing, elf, embed, explain, flamegraph, foreign, link, package, run, sizes, symbolize, words

SOURCE = """
.text
.globl bm_image_begin, bm_open
.type local, @function
bm_image_begin:
local: ret
.weak soft
soft:
bm_open: ret
alone: ret
.section .data.rel.ro, "aw"
.globl bm_driver_b, bm_driver_a, bm_rela_begin, bm_rela_end
.weak bm_driver_weak
bm_driver_b: bm_driver_weak: .quad 1
bm_driver_a: .quad 2
bm_rela_begin: .quad 0x1000, 8, 0
{relocations}
bm_rela_end:
.bss
.globl bm_driver_zero
bm_driver_zero: .skip 8
"""


class ToolTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bm-tools-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def build(self, relocations="", *words):
        """A small program at 1 MiB, as Elf."""
        made, linked = self.folder / "a.o", self.folder / "a"
        subprocess.run(["as", "--64", "-o", made, "-"], input=SOURCE.replace("{relocations}", relocations), text=True, check=True)
        subprocess.run(["ld", "-Ttext=0x100000", "-e", "bm_open", "-o", linked, made, *words], check=True, capture_output=True)
        return elf.Elf(linked.read_bytes())


class Elf(ToolTest):
    def test_reads(self):
        image = self.build()
        self.assertEqual(image.values("bm_image_begin", "bm_open"), [0x100000, 0x100001])
        self.assertEqual(image.data[image.offset_of(0x100000)], 0xC3)
        self.assertIsNone(image.offset_of(0x90000))
        self.assertIsNone(image.image_id())
        with self.assertRaisesRegex(elf.ElfError, "has no symbol bm_none"):
            image.values("bm_none")

    def test_refuses(self):
        whole = self.build().data
        for data, sentence in ((b"", "is cut off"), (b"\x7fELF", "is cut off"), (whole[:63], "is cut off"), (b"MZ", "is no 64-bit ELF"),
                               (b"\x7fELF\x01" + whole[5:], "is no 64-bit ELF")):
            with self.subTest(data=data[:8]), self.assertRaisesRegex(elf.ElfError, sentence):
                elf.Elf(data)
        with self.assertRaisesRegex(elf.ElfError, "is cut off"):
            elf.Elf(whole[:100]).segments()
        with self.assertRaisesRegex(elf.ElfError, "is cut off"):
            list(elf.Elf(whole[:-100]).symbols())

    def test_writes_sections(self):
        image = self.build()
        made = elf.Elf(elf.with_sections(image.data, 200, [(".one", elf.PROGBITS, 6, 0x100000, 0, 7), (".two", elf.NOBITS, 3, 0x200000, 200, 9)]))
        found = [(section.name, section.type, section.flags, section.address, section.offset, section.size) for section in made.sections()]
        self.assertEqual(found[1:], [(".one", 1, 6, 0x100000, 0, 7), (".two", 8, 3, 0x200000, 200, 9), (".names", 3, 0, 0, 200, 18)])
        self.assertEqual(made.sections_at % 8, 0)


class Link(ToolTest):
    def test_functions(self):
        """One name for each address: global before weak before local; the first of all is at offset 0."""
        image = self.build()
        self.assertEqual(link.functions(image), [(0x100000, "bm_image_begin"), (0x100001, "bm_open"), (0x100002, "alone")])
        link.write_symbols(image, self.folder / "symbols.s")
        self.assertIn(".long 3\n.long 0x0, n0 - names\n.long 0x1, n1 - names\n", (self.folder / "symbols.s").read_text())

    def test_drivers(self):
        self.assertEqual(link.drivers(self.build()), ["a", "b"])

    def test_checks(self):
        link.check(self.build())
        with self.assertRaisesRegex(link.LinkError, "does not apply.*: 1 7"):
            link.check(self.build(".quad 0x1000, 7, 0, 0x1000, 1, 0, 0x1000, 8, 0"))
        with self.assertRaisesRegex(link.LinkError, "both writable and executable"):
            link.check(self.build("", "-N"))
        with self.assertRaisesRegex(link.LinkError, "makes four segments"):
            link.short_sections(self.build())

    def test_messages(self):
        self.assertTrue(link.expected("ld: warning: allocated section `.dynsym' not in segment\n"))
        self.assertFalse(link.expected("ld: warning: allocated section `.mine' not in segment\n"))
        self.assertEqual(link.undefined_driver("ld: required symbol `bm_driver_card' not defined\n"), "card")
        self.assertIsNone(link.undefined_driver("ld: required symbol `main' not defined\n"))


class Sizes(unittest.TestCase):
    def test_sums(self):
        found = sizes.sums("""Discarded input sections
 .text          0x0000000000000000        0x9 lib/libgone.a(a.o)
Linker script and memory map
 .text.one      0x0000000000100000       0x10 lib/libkernel.a(a.o)
 .text.a_name_that_is_long
                0x0000000000100010        0x4 lib/libkernel.a(b.o)
 *fill*         0x0000000000100014        0xc
 .rodata        0x0000000000200000        0x8 main.c.obj
 .bss           0x0000000000300000       0x20 main.c.obj
 .data.rel.ro   0x0000000000200008        0x8 main.c.obj
 .got           0x0000000000200010        0x8 main.c.obj
 .text          0x0000000000000000        0x9 main.c.obj
.comment
 .comment       0x0000000000000001       0x27 main.c.obj
""".splitlines(keepends=True))
        self.assertEqual({name: tuple(row.values()) for name, row in found.items()},
                         {"libkernel.a": (20, 0, 0, 0), "(padding)": (0, 12, 0, 0), "main.c.obj": (0, 16, 0, 32), "(linker)": (0, 0, 8, 0)})


class Symbolize(unittest.TestCase):
    class Symbols:
        path, base, image_id = "a.debug", 0x100000, 0xABCD

        @staticmethod
        def place(offset):
            return f"named({offset:#x})"

    def copy(self, *lines):
        reader, said = symbolize.Reader(self.Symbols()), io.StringIO()
        for line in lines:
            name, more = reader.line(line)
            said.write(line.decode().rstrip("\n") + name + "\n" + more)
        return said.getvalue()

    def test_own(self):
        self.assertEqual(self.copy(b"  image abcd\n", b"  at image+0x12\n"), "  image abcd\n  at image+0x12  named(0x12)\n")

    def test_foreign(self):
        said = self.copy(b"  image abce\n", b"  at image+0x12\n", b"  image abcd\n", b"  at image+0x12\n")
        self.assertIn("  warning: this report is of image abce, and a.debug belongs to image abcd; no names", said)
        self.assertEqual(said.count("named"), 1)

    def test_usage(self):
        said = io.StringIO()
        with self.assertRaisesRegex(SystemExit, "there is no file /none"), contextlib.redirect_stderr(said):
            sys.argv = ["baremetal-symbolize", "/none"]
            symbolize.main()


class Flamegraph(unittest.TestCase):
    CONSOLE = """hello
profile: 100 samples a second, program at 0x400000
profile: core 0;main;_ZN1a1bEi 3
profile: core 1;main;_ZN1a1bEi 4
profile: core 1;asleep 5
profile: core 1;0x400001 1
profile: core 1;main
exit: 0
"""

    def draw(self, *words, text=CONSOLE):
        said, program = io.StringIO(), ["baremetal-flamegraph", *words]
        with unittest.mock.patch.object(sys, "argv", program), contextlib.redirect_stdout(said), \
                unittest.mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()))):
            flamegraph.main()
        return said.getvalue()

    def test_folded(self):
        self.assertEqual(self.draw("--folded"), "0x400001 1\nasleep 5\nmain;a::b(int) 7\n")
        self.assertEqual(self.draw("--folded", "--cores").splitlines()[2:], ["core 1;asleep 5", "core 1;main;a::b(int) 4"])

    def test_program(self):
        def run(*words, **_options):
            self.assertEqual(words, ("addr2line", "-a", "-f", "-i", "-C", "-e", "a.out", "0x1"))
            return "0x0000000000000001\ninner\na.c:2\nouter\na.c:9\n"
        with unittest.mock.patch.object(flamegraph, "run", run):
            stacks = flamegraph.Profile()
            stacks.base = 0x400000
            stacks.line("core 0;0x400001 1")
            self.assertEqual(stacks.named("a.out", False), {("outer", "inner"): 1})

    def test_picture(self):
        said = self.draw()
        self.assertIn("13 samples, 100 a second of each core", said)
        self.assertIn("<title>a::b(int): 7 samples, 53.8 %</title>", said)

    def test_nothing(self):
        with self.assertRaisesRegex(SystemExit, "there are no samples in what was read"):
            self.draw(text="exit: 0\n")


class Run(unittest.TestCase):
    def copy(self, *parts):
        target = io.BytesIO()
        output = run.Output(target)
        for part in parts:
            output.take(part)
        held = target.getvalue()
        return held, output.end(), target.getvalue()

    def test_last_line(self):
        """However the console comes in pieces, the last line alone is taken for the end, and nothing is lost."""
        console = b"a\r\nexit: 5\r\nexit\r\r\nexit: 1234\r\nexit: 7\r\n"
        for first in range(len(console)):
            for second in range(first, len(console)):
                _, status, said = self.copy(console[:first], console[first:second], console[second:])
                self.assertEqual((status, said), (7, b"a\nexit: 5\nexit\r\nexit: 1234\n"))

    def test_no_last_line(self):
        self.assertEqual(self.copy(b"fault\r\nexit: ")[1:], (None, b"fault\nexit: "))

    def test_prompt_is_shown(self):
        self.assertEqual(self.copy(b"> ")[0], b"> ")

    def test_encoded(self):
        """What stands for something on the line comes changed, and each byte alone can be told."""
        self.assertEqual(run.encoded(b"a\x10\x11\x13\x04b"), b"a\x10\x50\x10\x51\x10\x53\x04b")

    def test_stream(self):
        """terminal=off is for programs that know it, where input or output is no terminal, unless the caller has chosen."""
        given = mock.Mock(terminal=False)
        for knows, line, asked, wanted in ((True, "", False, True), (False, "", False, False), (True, "", True, False),
                                           (True, "terminal=on", False, False), (False, "log=info terminal=off", False, True), (True, "-- terminal=on", False, True)):
            given.terminal = asked
            with self.subTest(line=line), mock.patch.object(run, "links", lambda image, name: knows), mock.patch.dict(os.environ, {"CMDLINE": line}), \
                    mock.patch.object(os, "isatty", lambda descriptor: False):
                self.assertEqual(run.is_stream("image", given), wanted)
        with mock.patch.dict(os.environ, {"CMDLINE": "log=info"}):
            self.assertEqual(run.command_line(["a"], ["terminal=off"]), "terminal=off log=info -- a")

    def test_status(self):
        self.assertEqual([run.status_of(33, 0), run.status_of(35, 7), run.status_of(37, None)], [0, 7, 139])
        for qemu, said in ((0, None), (33, None), (1, None)):
            with self.assertRaises(run.RunError):
                run.status_of(qemu, said)

    def test_network(self):
        """A program that is tested reaches nothing outside, unless that is asked for."""
        with mock.patch.object(run, "has_network", lambda image: True):
            for given, wanted in (({}, "user,id=net0,restrict=on"), ({"RESTRICT": "off"}, "user,id=net0,restrict=off"),
                                  ({"PORT": "8081"}, "user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:8081-:80")):
                with mock.patch.dict(os.environ, given, clear=True):
                    self.assertEqual(run.network("image")[1], wanted)
            for given, sentence in (({"RESTRICT": "no"}, "neither 'on' nor 'off'"), ({"PORT": "0"}, "is not a port number")):
                with mock.patch.dict(os.environ, given, clear=True), self.assertRaisesRegex(run.RunError, sentence):
                    run.network("image")

    def test_words(self):
        self.assertEqual([run.quoted(word) for word in ("a", "", "a b", "it's")], ["a", "''", "'a b'", "'it'\\''s'"])
        for given, sentence in ((["a\nb"], "control character"), (["a" * 1020], "the kernel command line holds 1023"), (["a"] * 65, "there are 65 arguments")):
            with self.assertRaisesRegex(run.RunError, sentence):
                run.command_line(given)

    def test_arguments_of_any_length(self):
        """What the command line cannot hold goes into a file, for an image that reads it."""
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(run, "links", lambda image, name: name == "bm_option_argv"):
            with mock.patch.dict(os.environ, {"CMDLINE": "log=info"}):
                self.assertEqual(run.hand_over("image", ["a"], ["x=y"], folder), ("x=y log=info -- a", []))
                line, more = run.hand_over("image", ["a\nb", "", "c" * 5000], ["x=y"], folder)
                self.assertEqual((line, more), ("x=y argv=fw_cfg log=info", ["-fw_cfg", f"name={run.FILE_OF_ARGUMENTS},file={folder}/arguments"]))
                self.assertEqual(pathlib.Path(folder, "arguments").read_bytes(), b"a\nb\0\0" + b"c" * 5000 + b"\0")
                with self.assertRaisesRegex(run.RunError, f"a program gets at most {run.FILE_MAX}"):
                    run.hand_over("image", ["a" * run.FILE_MAX], [], folder)
            with mock.patch.dict(os.environ, {"CMDLINE": "-- b"}), self.assertRaisesRegex(run.RunError, "CMDLINE has some itself"):
                run.hand_over("image", ["a\n"], [], folder)
        with mock.patch.object(run, "links", lambda image, name: False), self.assertRaisesRegex(run.RunError, "links baremetal::run"):
            run.hand_over("image", ["a\n"], [], "none")

    def test_own_errors(self):
        """Only where the program can, and the two lead to different files; the caller may have chosen."""
        for knows, line, same, wanted in ((True, "", False, True), (False, "", False, False), (True, "", True, False), (True, "stderr=serial2", False, False)):
            with self.subTest(line=line), mock.patch.object(run, "links", lambda image, name: knows), mock.patch.dict(os.environ, {"CMDLINE": line}), \
                    mock.patch.object(os.path, "samestat", lambda one, other: same):
                self.assertEqual(run.has_own_errors("image"), wanted)


class Words(ToolTest):
    def refused(self, sentence, *given):
        with self.subTest(given=given), self.assertRaisesRegex(words.WordError, sentence):
            words.parse(given)

    def test_link(self):
        command = words.parse(["-O2", "a.c", "-o", "a", "-L", "lib", "-lz", "-Wl,--as-needed", "b.o", "-xc", "-", "-x", "none", "-I", "c.c", "d.S"])
        self.assertTrue(command.links())
        self.assertEqual((command.output, command.compile), ("a", ["-O2", "-I", "c.c"]))
        self.assertEqual(command.link, [words.Source("a.c", None), "-Llib", "-lz", "-Wl,--as-needed", "b.o", words.Source("-", "c"),
                                        words.Source("d.S", None)])

    def test_does_not_link(self):
        for given in (["-c", "a.c"], ["-S", "a.c", "-oa.s"], ["-E", "-"], ["-M", "a.c"], ["-MM", "a.c"], ["-fsyntax-only", "a.c"], ["-v"],
                      ["--version"], ["-dumpmachine"], ["-print-file-name=libc.a"], ["-Wl,--version"], ["-O2"]):
            with self.subTest(given=given):
                command = words.parse(given)
                self.assertFalse(command.links())
                self.assertEqual(command.words, given)

    def test_value_is_no_option(self):
        """A value that looks like an option is one no more than a file that is named as a value is a source."""
        command = words.parse(["-MF", "-c", "-include", "b.c", "-D", "-shared", "a.c"])
        self.assertTrue(command.links())
        self.assertEqual(command.link, [words.Source("a.c", None)])
        self.refused("missing after -o", "a.c", "-o")

    def test_needless(self):
        command = words.parse(["-static", "-no-pie", "-fno-pie", "-fPIC", "-rdynamic", "-Wl,-E", "-fcf-protection=full", "a.o"])
        self.assertEqual((command.compile, command.link), (["-fPIC"], ["a.o"]))

    def test_refused(self):
        self.refused("-shared: images hold no shared libraries", "-shared", "a.o")
        self.refused("64-bit", "-m32", "-c", "a.c")
        self.refused("-fsanitize=address: images hold no", "-fsanitize=address", "a.c")
        self.refused("-T: an image has a link script", "-T", "a.ld", "a.o")
        self.refused("linked by GNU ld", "-fuse-ld=gold", "a.o")
        self.refused("does not work without the kernel", "-nostdlib", "a.o")
        self.refused("there is no option --baremetal-file;", "--baremetal-file=a", "a.o")
        self.refused("there is no part 'disk'", "--baremetal-link=disk", "a.o")
        self.assertTrue(words.parse(["-nostdlib", "-r", "a.o"]).links())
        self.assertFalse(words.parse(["-nostdlib", "-c", "a.c"]).links())

    def test_own(self):
        command = words.parse(["--libc=newlib", "--baremetal-files=www", "--baremetal-cmdline=log=info", "--baremetal-link=net,tmpfs", "a.o"])
        self.assertEqual((command.libc, command.files, command.command_line, command.parts), ("newlib", ["www"], "log=info", ["net", "tmpfs"]))
        self.assertEqual(command.words, ["a.o"])

    def test_response_files(self):
        inner, outer = self.folder / "inner", self.folder / "outer"
        inner.write_text("'b c.o' \\-O2\n")
        outer.write_text(f'-o "a \\"b\\"" @{inner} @/none')
        command = words.parse([f"@{outer}"])
        self.assertEqual((command.output, command.compile, command.link), ('a "b"', ["-O2"], ["b c.o", "@/none"]))
        outer.write_text(f"@{outer}")
        self.refused("name each other", f"@{outer}")


class Explain(ToolTest):
    def test_reasons(self):
        lines = ["x.c:1: undefined reference to `fork'", "x.c:2: undefined reference to `fork'", "undefined reference to `mine'",
                 "(.text+0x1): undefined reference to `pthread_create'", "undefined reference to `openat'", "undefined reference to `main'"]
        musl, net = self.archive("musl.a", "openat, pthread_create"), self.archive("libbaremetal-net-posix-picolibc.a", "mine")

        def said(libc):
            return explain.Link(libc, str(net.parent), musl, "--libc=musl", "baremetal::{}").explanations(lines)

        self.assertEqual(said("musl"), ["fork: there are no processes: one program is the whole machine", "main: the program has no main"])
        self.assertEqual(said("picolibc")[1:4], ["mine: link baremetal::net, which has it", "pthread_create: picolibc has no POSIX threads: choose --libc=musl",
                                                 "openat: picolibc lacks it and musl has it: choose --libc=musl"])

    def archive(self, name, symbols, source="\n"):
        """An archive of an object with global symbols."""
        labels = f".globl {symbols}\n{symbols.replace(',', ':')}: ret\n" if symbols else ""
        subprocess.run(["as", "--64", "-o", self.folder / "member.o", "-"], input=labels + source, text=True, check=True)
        subprocess.run(["ar", "rcs", self.folder / name, self.folder / "member.o"], check=True)
        return self.folder / name

    def test_foreign(self):
        """Objects of another C library are named, those of the same and those without any are not."""
        for name, libc in (("a.a", "newlib"), ("b.a", "musl")):
            self.archive(name, "", f".set bm_object_libc_{libc}, 1\n")
        self.archive("c.a", "one")
        command = ["gcc", "-o", str(self.folder / "a.a"), *(str(self.folder / name) for name in ("a.a", "b.a", "c.a", "none"))]
        self.assertEqual(foreign.objects(command[3:], "musl"), [(f"{self.folder}/a.a:member.o", "newlib")])
        self.assertEqual(foreign.objects(command[:3], "musl"), [])
        self.assertIn("a.a, member member.o was compiled with newlib, but the image is linked with musl", foreign.sentence(command, "musl"))
        self.assertIn("another C library, but the image is linked with musl", foreign.sentence([], "musl"))

    def test_libc_of_command(self):
        self.assertEqual(link.libc_of(["gcc", "-lc", "/x/lib/libbaremetal-posix-musl.a"]), ("musl", "/x/lib"))
        self.assertEqual(link.libc_of(["gcc", "-lc"]), (None, None))

    def test_archive(self):
        made = self.folder / "a.o"
        subprocess.run(["as", "--64", "-o", made, "-"], input=".globl one, two\none: two: ret\n", text=True, check=True)
        subprocess.run(["ar", "rcs", self.folder / "a.a", made], check=True)
        self.assertEqual(package.defined_in(self.folder / "a.a"), {"one", "two"})
        for data in (b"", b"!<arch>\n", b"!<arch>\n" + b"/ ".ljust(48) + b"x".ljust(12), b"!<arch>\n" + b"/ ".ljust(48) + b"2".ljust(12) + b"ab"):
            (self.folder / "b.a").write_bytes(data)
            self.assertEqual(package.defined_in(self.folder / "b.a"), frozenset())
        self.assertEqual(package.defined_in(self.folder / "none.a"), frozenset())


class Package(ToolTest):
    def test_words(self):
        tools = self.folder / "lib" / "cmake" / "baremetal"
        tools.mkdir(parents=True)
        (tools / "flags-newlib.txt").write_text("compiler gcc\ncompile -m64\nlink -Wl,-T,@/image.ld\nheader @/newlib/include\n")
        kit = package.Package("newlib", str(tools))
        self.assertEqual(kit.words["link"], [f"-Wl,-T,{self.folder}/lib/baremetal/image.ld"])
        with self.assertRaisesRegex(package.PackageError, "has no musl"):
            package.Package("musl", str(tools))
        with self.assertRaisesRegex(package.PackageError, "no C library 'glibc'; known are: musl, picolibc, newlib"):
            package.Package("glibc", str(tools))


class Crossing(unittest.TestCase):
    def test_quotes(self):
        class Kit:
            libc, root, tools = "newlib", "/it's", "/it's"
        self.assertIn("c = ['/it\\'s/baremetal-cc', '--libc=newlib']\n", crossing.meson_cross_file(Kit))
        self.assertIn("system = 'none'\n", crossing.meson_cross_file(Kit))
        self.assertIn('set(CMAKE_C_COMPILER "/it\'s/baremetal-cc" --libc=newlib)\n', crossing.cmake_toolchain_file(Kit))


class Embed(ToolTest):
    def test_source(self):
        (self.folder / "sub").mkdir()
        (self.folder / "sub" / "b").write_text("bb")
        (self.folder / "a").write_text("")
        text = embed.source(embed.below(self.folder))
        self.assertLess(text.index('{"/a", bm_file_0, 0, "e3b0c44298fc1c14"}'), text.index('{"/sub/b", bm_file_1, 2, "'))
        self.assertIn("bm_embedded_file_count = 2;", text)
        self.assertIn('.incbin \\"' + str(self.folder), text)

    def test_links(self):
        """A link to a folder is a folder, unless it would never end."""
        (self.folder / "elsewhere").mkdir()
        (self.folder / "elsewhere" / "b").write_text("bb")
        (self.folder / "files").mkdir()
        (self.folder / "files" / "linked").symlink_to(self.folder / "elsewhere")
        self.assertEqual([path for path, _ in embed.below(self.folder / "files")], ["/linked/b"])
        (self.folder / "elsewhere" / "back").symlink_to(self.folder / "files")
        with self.assertRaisesRegex(embed.EmbedError, "linked/back leads to a folder that it is in"):
            embed.below(self.folder / "files")

    def test_refuses(self):
        for placed, sentence in (([], "no file was found"), ([("/a", "/none")], "/none does not exist"),
                                 ([("/a", __file__), ("/a", __file__)], "two files have the path /a")):
            with self.assertRaisesRegex(embed.EmbedError, sentence):
                embed.source(placed)
        (self.folder / "a|b").write_text("")
        with self.assertRaisesRegex(embed.EmbedError, "cannot be embedded"):
            embed.below(self.folder)
        with self.assertRaisesRegex(embed.EmbedError, "there is no folder"):
            embed.below("/none")


class Compiler(ToolTest):
    def test_string(self):
        (self.folder / "a.s").write_text(compiler.string("name", ".data", 'a"\\é'))
        subprocess.run(["as", "--64", "-o", self.folder / "a.o", self.folder / "a.s"], check=True)
        self.assertIn(b'a"\\' + "é".encode() + b"\0", (self.folder / "a.o").read_bytes())


if __name__ == "__main__":
    unittest.main()
