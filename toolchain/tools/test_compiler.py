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
    def link(self, script, *words):
        """Links by a compiler that is a shell script; returns what went on to standard error."""
        compiler, said = self.folder / "compiler", io.StringIO()
        compiler.write_text("#!/bin/sh\n" + script)
        compiler.chmod(0o755)
        with contextlib.redirect_stderr(said):
            link.link([str(compiler), *words], str(self.folder))
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


if __name__ == "__main__":
    unittest.main()
