#!/usr/bin/env python3
# Tests of the checks: each gets a small tree that keeps its rules, and one that breaks them, and has to say which.
# SPDX-License-Identifier: MIT
import contextlib
import io
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

import demo
import deploy
import documents
import format as form  # the function of that name stays
import layers
import rebuild
import reference
import sizes
import symbols
import tree
import words

LICENCE = "// SPDX-License-Identifier: MIT\n"
REPOSITORY = tree.TOP


class CheckTest(unittest.TestCase):
    """`self.write` fills a tree, `self.run_check` runs a check's main() on it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bm-check-")
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name).resolve()
        subprocess.run(["git", "init", "--quiet", self.top], check=True)
        self.addCleanup(setattr, tree, "TOP", tree.TOP)
        tree.TOP = self.top

    def write(self, path, contents):
        path = self.top / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        return path

    def run_check(self, check, *arguments):
        """Whether the check passed, and what it printed."""
        said, argv, status = io.StringIO(), sys.argv, 0
        sys.argv = ["check", *map(str, arguments)]
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                status = check.main()
        except SystemExit as end:
            status = end.code
        finally:
            sys.argv = argv
        return not status, f"{said.getvalue()}{status if isinstance(status, str) else ''}"

    def passes(self, check, *arguments):
        passed, said = self.run_check(check, *arguments)
        self.assertTrue(passed, said)
        self.assertIn("ok: ", said)

    def fails(self, sentences, check, *arguments):
        """Each of the sentences is said."""
        passed, said = self.run_check(check, *arguments)
        self.assertFalse(passed, said)
        for sentence in sentences:
            self.assertIn(sentence, said)


class Words(CheckTest):
    def test_good(self):
        self.write("a.c", LICENCE + "int a;\n")
        self.write("README.md", "# a\n" * 100)
        self.passes(words)

    def test_banned(self):
        self.write("docs/a.md", "It halts" " never.\n")
        self.write("tests/guest/a.c", LICENCE + "enum { CORES_MO" "ST = 1 };\n")
        self.write("net/a.c", LICENCE + "int a(int mo" "st); // at mo" "st\n")
        self.fails(["docs/a.md:1: 'halts" " never' is said otherwise here: never halts", "tests/guest/a.c:2: 'CORES_MO" "ST' is said otherwise here: _MAX",
                    "net/a.c:2: 'mo" "st' is said otherwise here: max", "3 problems"], words)

    def test_broken(self):
        self.write("none.c", "int a;\n")
        self.write("loose.py", "# " + LICENCE[3:] + "# TO" + "DO: more\n")
        self.write("blank.c", LICENCE + "int a; \n")
        self.write("long.c", LICENCE + "int a;\n" * words.LINES_MAX)
        self.write("twice.h", LICENCE + "int a;\n")
        self.write("folder/README.md", "a\n" * 41)
        self.fails(["none.c: the line 'SPDX-License-Identifier: MIT' is missing", "loose.py:2: a loose end", "blank.c:2: blanks",
                    f"long.c: {words.LINES_MAX + 1} lines", "twice.h: '#pragma once' is missing", "folder/README.md: 41 lines"], words)


class Format(CheckTest):
    def setUp(self):
        super().setUp()
        self.write(".clang-format", (REPOSITORY / ".clang-format").read_bytes())

    def test_good(self):
        self.write("good.c", "int a;\n")
        self.passes(form)

    def test_broken(self):
        self.write("good.c", "int a;\n")
        self.write("folder/bad.c", "int   a ;\n")
        self.fails(["folder/bad.c: run clang-format -i on it"], form)


class Documents(CheckTest):
    def setUp(self):
        super().setUp()
        self.write("net/a.c", "void bm_net_open(void)\n{\n}\n")
        self.write("ci/test", "#!/bin/sh\n")
        self.write("CMakePresets.json", '{"configurePresets": [{"name": "default"}]}')

    def test_good(self):
        self.write("README.md", "`net/a.c:bm_net_open` and [more](docs/more.md)\n\n    ci/test\n    cmake --preset default\n")
        self.write("docs/more.md", "`net/a.c`, [back](../README.md#up), [out](https://example.org/)\n")
        self.passes(documents)

    def test_broken(self):
        self.write("README.md", "`net/a.c:bm_net_close`\n`net/b.c:f`\n`net/c.c`\n[more](docs/none.md)\n`ci/none`\n`cmake --preset none`\n")
        self.fails(["README.md:1: net/a.c holds no bm_net_close", "README.md:2: there is no file net/b.c",
                    "README.md:3: there is no file net/c.c", "README.md:4: the link to docs/none.md leads nowhere",
                    "README.md:5: there is no command ci/none", "README.md:6: there is no preset none"], documents)

    def test_no_reference(self):
        self.write("README.md", "a\n")
        self.write("docs/a.md", "a\n")
        self.fails(["nothing was checked"], documents)


class Layers(CheckTest):
    def setUp(self):
        super().setUp()
        self.write("libbaremetal/include/baremetal/work.h", "#pragma once\n")
        self.write("net/device/interface.h", "#pragma once\n")

    def test_good(self):
        self.write("drivers/net/card.c", "#include <baremetal/work.h>\n#include <stdint.h>\n")
        self.write("net/device/a.c", '#include "interface.h"\n#include <lwip/tcp.h>\n#include <string.h>\n#include <stdint.h>\n')
        self.write("net/posix/a.c", "#include <stdlib.h>\n")
        self.write("net/standard/stdint.h", "#pragma once\n")
        self.write("net/standard/string.h", "#pragma once\n")
        self.passes(layers)

    def test_broken(self):
        self.write("drivers/net/card.c", '#include "interface.h"\n')
        self.write("drivers/net/other.c", "#include <stdio.h>\n")
        self.write("net/standard/stdio.h", "#pragma once\n")
        self.write("net/device/a.c", '#include <stdlib.h>\n#include "../posix/b.h"\n')
        self.write("boot/a.c", "#include <lwip/tcp.h>\n")
        self.write("libbaremetal/device/bus.c", "#include <baremetal/none.h>\nint bm_driver_card;\n")
        self.fails(["drivers/net/card.c:1: drivers must not include interface.h of net", "drivers/net/other.c:1: drivers is freestanding",
                    "net/device/a.c:1: net/device is compiled without a C library; <stdlib.h>", "net/device/a.c:2: net/device must not include ../posix/b.h",
                    "boot/a.c:1: only net may include <lwip/tcp.h>", "libbaremetal/device/bus.c:1: there is no public header",
                    "libbaremetal/device/bus.c: a bus names the driver card"], layers)

    def test_nothing(self):
        (self.top / "libbaremetal/include/baremetal/work.h").unlink()
        (self.top / "net/device/interface.h").unlink()
        self.fails(["no source was found"], layers)


class Binaries(CheckTest):
    """Checks of what was built."""

    def assemble(self, path, source):
        path = self.write(path, "")
        subprocess.run(["as", "--64", "-o", path, "-"], input=source, text=True, check=True)
        return path

    @staticmethod
    def function(name):
        return f".globl {name}\n{name}: ret\n"

    def test_symbols(self):
        made = self.assemble("prefix/a.o", self.function("bm_a"))
        self.write("ci/check/symbols.allowed", "*.o main\n")
        self.fails(["the line '*.o main' allows nothing that exists"], symbols, made.parent)
        self.assemble("prefix/b.o", self.function("main"))
        self.passes(symbols, made.parent)
        self.assemble("prefix/c.o", self.function("leak"))
        self.fails(["c.o: leak lacks the prefix bm_"], symbols, made.parent)
        self.fails(["no archive of the project was found"], symbols, self.top / "ci")

    def test_sizes(self):
        header = b"\x7fELF".ljust(60, b"\0") + struct.pack("<HH", 0, 0)
        image = self.write("image", header.ljust(5000, b"\0"))
        self.passes(sizes, image, 5)
        self.fails(["image has 5000 bytes, stripped; its budget is 4096"], sizes, image, 4)
        self.fails(["that is no image"], sizes, self.write("small", header), 4)


class Deploy(CheckTest):
    def page(self, comment, language, block):
        self.write("docs/deploy/page.md", f"<!-- {comment} -->\n```{language}\n{block}```\n")

    def test_good(self):
        self.page("check: firecracker", "json", '{"boot-source": {"kernel_image_path": "http_server"}, "drives": []}\n')
        self.passes(deploy)

    def test_broken(self):
        for comment, language, block, sentence in (
                ("check: firecracker", "json", '{"drives": []}\n', "needed ['boot-source', 'drives']"),
                ("check: shell", "sh", "if true\n", "syntax error"),
                ("check: ovf", "xml", "<Envelope/>\n", "the root is Envelope"),
                ("check: libvirt", "xml", "<domain/>\n", "check: libvirt"),
                ("check: kubevirt", "yaml", "apiVersion: v1\nkind: Pod\nmetadata: {}\n", "no kubevirt.io/v1 VirtualMachine"),
                ("check: pictures", "sh", "true\n", "it should be check, run or file and a known kind"),
                ("check: shell", "json", "{}\n", "none that fits a block of json"),
                ("check: shell", "sh", "cp http_server.vdx /tmp\n", "http_server.vdx is no file")):
            with self.subTest(comment=comment, sentence=sentence):
                self.page(comment, language, block)
                self.fails([sentence], deploy)


class Reference(CheckTest):
    def setUp(self):
        super().setUp()
        self.write("README.md", "## The command line\n| `ip=dhcp`, `ip=off` | the address |\n\n## More\n| `none=` | not here |\n")
        self.write("net/words.c", 'BM_OPTION(ip, "ADDRESS"\n    " or off");\n')
        for name in reference.CMAKE:
            self.write(f"cmake/{name}.cmake", f"# {name}(<target> [WORD <word>])\nfunction({name} target)\n"
                       '    cmake_parse_arguments(PARSE_ARGV 1 one "" "WORD" "")\nendfunction()\n')
        self.header("// Adds `most` things to the list, of `size` bytes.\nint bm_add(struct bm_list *list, unsigned most, size_t size);\n")

    def header(self, text):
        self.write("libbaremetal/include/baremetal/list.h", "// Lists.\n" + LICENCE + "#pragma once\n\n" + text)

    def test_good(self):
        self.passes(reference)
        self.passes(reference, "--write", self.top / "pages")
        page = (self.top / "pages/baremetal_list.html").read_text()
        self.assertIn('<pre id="bm_add">int bm_add(struct bm_list *list, unsigned most, size_t size);</pre><p>Adds <code>most</code>', page)
        self.assertIn("ADDRESS or off", (self.top / "pages/command_line.html").read_text())

    def test_groups(self):
        self.header("""// A list. The lock is the list's.
struct bm_list {
    int first; // the oldest
    int lock;
    // Counts:
    int taken, given;
    int (*call)(int a);

    union {
        int number; // of it
    } inner;         // more
};

// Kinds.
enum bm_kind { BM_ONE, BM_TWO };
enum { BM_MAX = 3 }; // at most

// The list's layout, section 4.2.
struct bm_layout {
    int a;
};

// Turns it round.
static inline int bm_turn(int arg)
{
    if (arg) {
        return 1;
    }
    return 0;
}
#define BM_TURN(arg)                 \\
    {                                \\
        bm_turn(arg)                 \\
    }
""")
        self.passes(reference)

    def test_broken(self):
        self.header("""struct bm_list {
    int first;
    int last; // of them

    int (*call)(int a);
};

// Kinds.
struct bm_kind {
    int one;
};

int bm_alone(void);

// Adds.
int bm_add(struct bm_list *list, unsigned most, size_t);
enum { BM_MAX = 3, BM_MIN };
""")
        self.write("net/words.c", 'BM_OPTION(route, "NETWORK");\n')
        self.write("cmake/baremetal_add_image.cmake", "function(baremetal_add_image target)\n"
                   '    cmake_parse_arguments(PARSE_ARGV 1 one "" "MEMORY" "")\nendfunction()\n')
        self.fails(["the struct bm_list has no comment", "the member first of bm_list has no comment", "the member call of bm_list has no",
                    "the member one of bm_kind has no comment", "the function bm_alone has no comment",
                    "the comment of bm_add does not speak of 'most'", "README.md: the table of the command line lacks route=",
                    "README.md: no source declares ip= by BM_OPTION", "the function baremetal_add_image has no comment",
                    "the comment of baremetal_add_image does not speak of MEMORY"], reference)
        self.write("libbaremetal/include/baremetal/list.h", "int bm_add(void);\n")
        self.fails(["list.h:1: the header does not say what it is about"], reference)

    def test_pending(self):
        self.header("int bm_alone(void);\n")
        self.fails(["the function bm_alone has no comment"], reference)
        self.write(reference.PENDING, "list.h bm_alone\n")
        self.passes(reference)


class Commands(CheckTest):
    """Checks that run a command: here one that is played by a script."""

    def play(self, name, script):
        path = self.write(f"bin/{name}", "#!/bin/sh\n" + script)
        path.chmod(0o755)
        self.addCleanup(os.environ.__setitem__, "PATH", os.environ["PATH"])
        os.environ["PATH"] = f"{path.parent}:{os.environ['PATH']}"
        return str(path)

    def test_rebuild(self):
        self.write(rebuild.CHANGED, "int a;\n")
        self.play("cmake", "echo no work to do\n")
        self.fails(["nothing was built after a change"], rebuild, self.top)
        self.play("cmake", "echo Building fault.c\n")
        self.passes(rebuild, self.top)

    def test_demo(self):
        said = io.StringIO()
        for script, sentence in (("echo there is no no_such >&2; exit 0\n", "status 0"), ("echo one >&2; echo two >&2; exit 1\n", "not one sentence"),
                                 ("echo something else >&2; exit 1\n", "not one sentence")):
            self.addCleanup(setattr, demo, "DEMO", demo.DEMO)
            demo.DEMO = self.play("demo", script)
            with self.subTest(sentence=sentence), self.assertRaisesRegex(SystemExit, sentence), contextlib.redirect_stdout(said):
                demo.check_refusal("a refusal", "no_such", "no_such")
        demo.DEMO = self.play("demo", "echo there is no no_such >&2; exit 1\n")
        with contextlib.redirect_stdout(said):
            demo.check_refusal("a refusal", "no_such", "no_such")


if __name__ == "__main__":
    unittest.main()
