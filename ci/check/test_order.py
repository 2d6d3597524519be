#!/usr/bin/env python3
# The check of the packet path's place itself.
# SPDX-License-Identifier: MIT
import unittest

import order

HOT = {"poll": "wait.c", "send": "net.c"}
PLACES = [(0x10, 0x20, "boot"), (0x100, 0x20, "send"), (0x120, 0x40, "poll"), (0x170, 0x10, "first"), (0x180, 0x10, "second"), (0x190, 8, "other"), (0x900, 8, "poll")]


class OrderCheck(unittest.TestCase):
    def expect(self, listed, hot, places, *words):
        problems = order.check(listed, hot, places)
        self.assertEqual(1, len(problems), problems)
        for word in words:
            self.assertIn(word, problems[0])

    def test_kept(self):
        self.assertEqual([], order.check(["first", "second"], HOT, PLACES))

    def test_listed_in_another_order(self):
        self.expect(["second", "first"], HOT, PLACES, "first second")

    def test_gone(self):
        self.expect(["first", "third", "second"], HOT, PLACES, ".text.third")
        self.expect(["first", "second"], {**HOT, "receive": "net.c"}, PLACES, "net.c", "receive")

    def test_elsewhere(self):
        self.expect(["first", "second"], {**HOT, "lost": "net.c"}, [*PLACES, (0x800, 8, "lost")], "lost")

    def test_nothing_is_marked(self):
        self.expect([], {}, PLACES, "BM_HOT")

    def test_marks_are_found(self):
        found = dict(order.marked())
        self.assertIn("bm_poll", found)
        self.assertIn("memcpy", found)
        self.assertIn("bm_packet_allocate", found)


if __name__ == "__main__":
    unittest.main()
