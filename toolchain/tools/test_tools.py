#!/usr/bin/env python3
# Tests of the tools: what they read from ELF files and map files, and what they write. Whole images are the business of tests/.
# SPDX-License-Identifier: MIT
import contextlib
import io
import pathlib
import subprocess
import sys
import tempfile
import unittest

from baremetal_tools import elf, link, run, sizes, symbolize

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

    def test_status(self):
        self.assertEqual([run.status_of(33, 0), run.status_of(35, 7), run.status_of(37, None)], [0, 7, 139])
        for qemu, said in ((0, None), (33, None), (1, None)):
            with self.assertRaises(run.RunError):
                run.status_of(qemu, said)

    def test_words(self):
        self.assertEqual([run.quoted(word) for word in ("a", "", "a b", "it's")], ["a", "''", "'a b'", "'it'\\''s'"])
        with self.assertRaisesRegex(run.RunError, "control character"):
            run.quoted("a\nb")
        with self.assertRaisesRegex(run.RunError, "the kernel command line holds 1023"):
            run.command_line(["a" * 1020])


if __name__ == "__main__":
    unittest.main()
