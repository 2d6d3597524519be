#!/usr/bin/env python3
# ci/programs itself, in a tree of its own whose recipes are the tests'.
# SPDX-License-Identifier: MIT
import pathlib
import shutil
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILDS = "recipe_build() { echo bytes >image; }\n"


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


class Programs(unittest.TestCase):
    def run_recipe(self, recipe):
        """The status and the output of ci/programs with one program."""
        with tempfile.TemporaryDirectory(prefix="bm-programs-") as name:
            top = pathlib.Path(name)
            (top / "ci").mkdir()
            shutil.copy(TOP / "ci" / "programs", top / "ci")
            (top / "ci" / "setup").write_text("setup_tools() { :; }\nsay() { echo \"$@\"; }\ndie() { echo \"$@\"; exit 9; }\n")
            (top / "tests" / "programs").mkdir(parents=True)
            (top / "tests" / "programs" / "some.sh").write_text("image=image\n" + recipe)
            (top / "tests" / "programs" / "pins").write_text("some 1.5 debian 0 place\n")
            (top / "some-1.5").mkdir()
            subprocess.run(["tar", "-cf", top / "some.tar", "-C", top, "some-1.5"], check=True)
            program(top / "toolchain" / "fetch", f"echo '{top}/some.tar'\n")
            program(top / "prefix" / "bin" / "baremetal-cc", "echo machine\n")
            ended = subprocess.run([top / "ci" / "programs", "--prefix", top / "prefix"], capture_output=True, text=True, check=False)
            return ended.returncode, ended.stdout + ended.stderr

    def expect(self, status, sentence, recipe):
        with self.subTest(recipe=recipe):
            found, said = self.run_recipe(recipe)
            self.assertEqual(found, status, said)
            self.assertIn(sentence, said)

    def test_passes(self):
        self.expect(0, "2/2", "expects=2\n" + BUILDS + "recipe_test() { passes one true; count 1 1; }\n")

    def test_fails(self):
        self.expect(1, "some: one failed with status 3", "expects=1\n" + BUILDS + "recipe_test() { passes one sh -c 'exit 3'; }\n")
        self.expect(1, "no ", "expects=1\nrecipe_build() { false; echo bytes >image; }\n")

    def test_ends_half_way(self):
        self.expect(1, "the recipe ended half-way, with status 1", "expects=1\n" + BUILDS + "recipe_test() { passes one true; false; passes two true; }\n")

    def test_too_few(self):
        self.expect(1, "1 tests were run; the recipe expects 2", "expects=2\n" + BUILDS + "recipe_test() { passes one true; }\n")
        self.expect(1, "0/5", "expects=1\n" + BUILDS + "recipe_test() { count '' 5; }\n")
        self.expect(1, "0/0", "expects=1\n" + BUILDS + "recipe_test() { count '' ''; }\n")


if __name__ == "__main__":
    unittest.main()
