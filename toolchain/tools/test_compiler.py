#!/usr/bin/env python3
# Tests of baremetal-cc and of the link, with programs of the test in the place of the compiler.
# SPDX-License-Identifier: MIT
import contextlib
import io
import os
import unittest
from unittest import mock

from baremetal_tools import link, words
from test_tools import ToolTest


class LinkMessages(ToolTest):
    def link(self, script, *words, **how):
        """Links by a compiler that is a shell script; returns what went on to standard error."""
        compiler, said = self.folder / "compiler", io.StringIO()
        compiler.write_text("#!/bin/sh\n" + script)
        compiler.chmod(0o755)
        with contextlib.redirect_stderr(said):
            link.link([str(compiler), *words], str(self.folder), **how)
        return said.getvalue()

    def test_other_language(self):
        """Messages are judged in English, whatever the host speaks."""
        speaks = """case ${LC_ALL:-$LANG} in
C) echo "ld: warning: allocated section \\`.dynsym' not in segment" >&2 ;;
*) echo "ld: Warnung: belegter Abschnitt \\`.dynsym' nicht in Segment" >&2 ;;
esac"""
        for set_here in ({"LC_ALL": "de_DE.UTF-8"}, {"LANG": "de_DE.UTF-8", "LC_ALL": ""}, {"LANGUAGE": "de", "LC_ALL": "C.UTF-8"}):
            with self.subTest(set_here=set_here), mock.patch.dict(os.environ, set_here):
                self.assertEqual(self.link(speaks), "")

    def test_as_gcc(self):
        """What gcc takes for a link that went well is one, unless the image would be unsafe."""
        for line in ("lto-wrapper: warning: using serial compilation of 2 LTRANS jobs", "ld: removing unused section '.text' in file 'a.o'",
                     "ld: a.o: warning: the use of `tmpnam' is dangerous"):
            speaks = f"cat >&2 <<'END'\n{line}\nEND\n"
            with self.subTest(line=line):
                self.assertEqual(self.link(speaks, as_gcc=True), line + "\n")
                with self.assertRaisesRegex(link.LinkError, "every warning is an error"):
                    self.link(speaks)
        for line in ("ld: warning: a has a LOAD segment with RWX permissions", "ld: warning: creating DT_TEXTREL in a PIE",
                     "ld: warning: a.o: missing .note.GNU-stack section implies executable stack",
                     "ld: a.o: warning: relocation against `x' in read-only section `.text'"):
            with self.subTest(line=line), self.assertRaisesRegex(link.LinkError, "this warning is an error"):
                self.link(f"cat >&2 <<'END'\n{line}\nEND\n", as_gcc=True)


class LinkerWords(ToolTest):
    def refused(self, sentence, *given):
        with self.subTest(given=given), self.assertRaisesRegex(words.WordError, sentence):
            words.parse(given)

    def test_libraries(self):
        """The linker's own words name libraries, too: they are found as -l is, never in the host's folders."""
        for given in (["-Wl,-Lone,-lz"], ["-Wl,-L,one,-l,z"], ["-Xlinker", "-Lone", "-Xlinker", "-lz"], ["-Xlinker", "-L", "-Xlinker", "one", "-Wl,-l,z"],
                      ["-Wl,--library-path=one,--library=z"], ["-Wl,--library-path,one", "-Wl,--library", "-Wl,z"]):
            with self.subTest(given=given):
                command = words.parse(given)
                self.assertEqual(command.link, ["-Lone", "-lz"])
                self.assertTrue(command.links())
        self.refused("a value is missing after -l", "a.o", "-Wl,-l")

    def test_refused(self):
        for given in (["-Xlinker", "-T", "-Xlinker", "a.ld"], ["-Wl,--gc-sections,-T,a.ld"], ["-Wl,--script=a.ld"], ["-Wl,-dT,a.ld"]):
            self.refused("-d?-?[Ts].*: an image has a link script", "a.o", *given)
        self.refused("-shared: images hold no shared", "a.o", "-Wl,-z,now,-shared")
        self.refused("--entry=f: an image is entered by", "a.o", "-Xlinker", "--entry=f")

    def test_order(self):
        command = words.parse(["-Wl,--start-group,a.a,-lz,--end-group,-Bstatic", "-Xlinker", "--defsym=a=b,c", "-Wl,-E", "-Wl,-z,now", "-Wl,-version-script,v"])
        self.assertEqual(command.link, ["-Wl,--start-group", "-Wl,a.a", "-lz", "-Wl,--end-group", "-Xlinker", "--defsym=a=b,c", "-Wl,-z", "-Wl,now",
                                        "-Wl,-version-script", "-Wl,v"])
        self.assertTrue(command.links())
        self.assertFalse(words.parse(["a.c", "-Wl,--version"]).links())

    def test_values_are_no_inputs(self):
        for given in (["-u", "x"], ["-z", "defs"], ["-Xlinker", "x"], ["-L", "x"]):
            with self.subTest(given=given):
                self.assertFalse(words.parse(given).links())
        command = words.parse(["-undef", "-u", "x", "a.o"])
        self.assertEqual((command.compile, command.link), (["-undef"], ["-u", "x", "a.o"]))

    def test_long(self):
        command = words.parse(["--compile", "--output=a.o", "--define-macro", "A=b", "--language=c", "a"])
        self.assertFalse(command.links())
        self.assertEqual(command.words, ["-c", "-o", "a.o", "-D", "A=b", "-x", "c", "a"])
        self.assertEqual((words.parse(["--output", "a", "a.c"]).output, words.parse(["--preprocess", "a.c"]).stop), ("a", "-E"))
        self.refused("-shared: images hold no", "--shared", "a.o")
        self.refused("missing after -o", "a.o", "--output")


if __name__ == "__main__":
    unittest.main()
