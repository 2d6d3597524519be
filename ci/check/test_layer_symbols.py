#!/usr/bin/env python3
# The layer check itself: it sees what it is for, and nothing else.
# SPDX-License-Identifier: MIT
import pathlib
import subprocess
import tempfile
import unittest

import layer_symbols
import tree

RULES = """
layer low
layer middle
layer high
above beside middle
compiler memcpy
hook bm_high_sink low high where lines go
"""


def objects(*changed):
    """A tree that keeps the rules, and what is added to it."""
    return [layer_symbols.Object("low/log.c", "low", {"bm_low_log"}, {"bm_high_sink", "memcpy"}),
            layer_symbols.Object("middle/core.c", "middle", {"bm_core_id"}, {"bm_low_log"}),
            layer_symbols.Object("high/sink.c", "high", {"bm_high_sink", "memcpy"}, {"bm_core_id", "bm_low_log"}),
            layer_symbols.Object("beside/entry.c", "beside", {"bm_beside_enter"}, {"bm_core_id", "main"}),
            *[layer_symbols.Object(*words) for words in changed]]


class LayerCheck(unittest.TestCase):
    def problems(self, *changed, rules=RULES):
        return layer_symbols.check(layer_symbols.Rules(rules), objects(*changed))

    def expect(self, problems, *words):
        self.assertEqual(1, len(problems), problems)
        for word in words:
            self.assertIn(word, problems[0])

    def test_kept(self):
        self.assertEqual([], self.problems())

    def test_upwards(self):
        self.expect(self.problems(("low/new.c", "low", {"bm_low_new"}, {"bm_core_id"})), "low/new.c", "bm_core_id", "middle")

    def test_hook_of_another_folder(self):
        self.expect(self.problems(("middle/new.c", "middle", set(), {"bm_high_sink"})), "middle/new.c", "bm_high_sink", "high")

    def test_watcher(self):
        rules = RULES + "watcher guard\n"
        kept = [("guard/watch.c", "guard", {"bm_guard_see"}, {"bm_core_id", "bm_low_log"}), ("low/new.c", "low", set(), {"bm_guard_see"})]
        self.assertEqual([], self.problems(*kept, rules=rules))
        self.assertEqual([], self.problems(rules=rules))  # only the checked build has it
        self.expect(self.problems(("guard/watch.c", "guard", set(), {"bm_beside_enter"}), rules=rules), "guard/watch.c", "bm_beside_enter")

    def test_optional(self):
        rules = RULES + "layer apart\nhook bm_low_log apart low says so\n"
        self.assertEqual(2, len(self.problems(rules=rules)))
        self.assertEqual([], self.problems(rules=rules + "optional apart\n"))

    def test_beside(self):
        self.expect(self.problems(("beside/new.c", "beside", set(), {"bm_high_sink"})), "beside/new.c", "bm_high_sink")
        self.expect(self.problems(("high/new.c", "high", set(), {"bm_beside_enter"})), "high/new.c", "bm_beside_enter")

    def test_one_of_several_definitions_below(self):
        self.assertEqual([], self.problems(("high/new.c", "high", {"bm_core_id"}, set()), ("middle/new.c", "middle", set(), {"bm_core_id"})))

    def test_word_of_another_folder(self):
        self.expect(self.problems(("low/new.c", "low", {"bm_middle_make"}, set())), "low/new.c", "bm_middle_make", "folder middle")
        self.assertEqual([], self.problems(("low/middle_maker.c", "low", {"bm_middle_make"}, set())))

    def test_rules_that_nothing_needs(self):
        self.expect(self.problems(rules=RULES + "hook bm_low_log high low why\n"), "bm_low_log")
        self.expect(self.problems(rules=RULES + "layer other\n"), "other")

    def test_folder_without_a_line(self):
        self.expect(self.problems(("new/new.c", "new", {"bm_new"}, set())), "folder new")

    def test_rooms(self):
        low = layer_symbols.Object("net/low/a.c", "net", {"a"}, {"b", "c", "memcpy"})
        high = layer_symbols.Object("net/high/b.c", "net", {"b", "c", "memcpy"}, {"a"})
        with tempfile.TemporaryDirectory() as folder:
            self.addCleanup(setattr, tree, "TOP", tree.TOP)
            tree.TOP = pathlib.Path(folder)
            (tree.TOP / "net/low").mkdir(parents=True)
            (tree.TOP / "net/low/hooks.h").write_text("void c(void);\n")
            self.expect(list(layer_symbols.check_rooms("net", ["low", "high"], [low, high], {"memcpy"})), "net/low/a.c", "b of high")
            self.expect(list(layer_symbols.check_rooms("net", ["high", "low"], [low, high], {"memcpy"})), "net/high/b.c", "a of low")

    def test_bad_rule(self):
        for rule in ("hook bm_x low high", "layer", "above x nowhere", "what is this"):
            with self.assertRaises(ValueError):
                layer_symbols.Rules(RULES + rule + "\n")

    def test_objects_are_read(self):
        rules = layer_symbols.Rules(tree.text(layer_symbols.RULES))
        with tempfile.TemporaryDirectory() as folder:
            for path in ("base/lock.c", "base/gone.c"):  # the second is a leftover of a source that is no more
                built = pathlib.Path(folder) / "libbaremetal/CMakeFiles/baremetal_archive_core.dir" / (path + ".obj")
                built.parent.mkdir(parents=True, exist_ok=True)
                source = ".globl bm_base_new\nbm_base_new: call bm_console_add\n.weak bm_poll\n.quad bm_poll\n"
                subprocess.run(["as", "-o", str(built), "-"], input=source, text=True, check=True)
            self.assertEqual([("libbaremetal/base/lock.c", "base", {"bm_base_new"}, {"bm_console_add", "bm_poll"})],
                             list(map(tuple, layer_symbols.read(rules, pathlib.Path(folder)))))


if __name__ == "__main__":
    unittest.main()
