#!/usr/bin/env python3
# Tests of baremetal-cc and of the link, with programs of the test in the place of the compiler.
# SPDX-License-Identifier: MIT
import contextlib
import io
import os
import unittest
from unittest import mock

from baremetal_tools import link
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


if __name__ == "__main__":
    unittest.main()
