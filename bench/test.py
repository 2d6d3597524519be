#!/usr/bin/env python3
# Tests of what bench/ computes: shares of an image, verdicts, comparisons, options. Nothing is booted.
# SPDX-License-Identifier: MIT
import argparse
import contextlib
import io
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BENCH = pathlib.Path(__file__).resolve().parent
from lib import busy, compare, first, footprint, goals, net, peers, sets, sizes, soak, tools, wan, web, work_report

MAP = """Discarded input sections

 .text.unused   0x0000000000000000       0x99 lib/libbaremetal.a(gone.c.obj)

Linker script and memory map

.text           0x0000000000100000      0x100
 *(.boot)
 .boot          0x0000000000100000       0x10 lib/libbaremetal.a(entry.S.obj)
                0x0000000000100000                bm_boot_begin
 .text.startup.main_of_the_program
                0x0000000000100010       0x20 hello.dir/main.c.obj
 *fill*         0x0000000000100030        0x8
 .text.tcp_input
                0x0000000000100038       0x40 lib/libbaremetal-lwip.a(tcp_in.c.obj)
 .text          0x0000000000100078        0x5 libc/picolibc/lib/libc.a(string_memset.S.o)
 .text.send     0x000000000010007d        0x3 lib/libbaremetal-driver-virtio_net.a(virtio_net.c.obj)

.rodata         0x0000000000101000       0x30
 .rodata.text.str1.1
                0x0000000000101000       0x21 lib/libbaremetal.a(entry.S.obj)
                                         0x29 (size before relaxing)
 .rodata.page   0x0000000000101021        0xf hello.dir/hello.files.c.obj

.bss            0x0000000000102000     0x1000
 .bss.heap      0x0000000000102000     0x1000 lib/libbaremetal.a(heap.c.obj)
"""


class Sizes(unittest.TestCase):
    def test_parts(self):
        self.assertEqual(sizes.parts(MAP), {"kernel and boot": 0x10, "program": 0x20, "lwIP": 0x40, "C library": 5, "drivers": 3,
                                            sizes.STRINGS: 0x21, "files in the image": 0xf})

    def test_foreign_file(self):
        with self.assertRaises(tools.BenchError):
            sizes.parts("no map")

    def test_sum_is_the_file(self):
        with tempfile.TemporaryDirectory() as folder:
            image = pathlib.Path(folder) / "image"
            image.with_name("image.map").write_text(MAP)
            image.write_bytes(bytes(1000))
            found = sizes.of_image(image)
            self.assertEqual(sum(found.values()), 1000)
            self.assertEqual(found[sizes.REST], 1000 - 0xa8)
            image.write_bytes(bytes(100))
            with self.assertRaises(tools.BenchError):
                sizes.of_image(image)


def runs(tool, rates, instructions, errors=""):
    return [{"tool": tool, "rate": rate, "instructions": count, "errors": errors} for rate, count in zip(rates, instructions)]


class Soak(unittest.TestCase):
    def test_steady(self):
        steady = runs("wrk", [100] * 10, [4000] * 9 + [4300]) + runs("ab", [10, 9, 11, 10], [17000] * 4)
        self.assertEqual((soak.lost(steady), list(soak.dearer(steady)), soak.slower(steady)), ([], [], []))

    def test_one_bad_run_is_none(self):
        self.assertEqual(list(soak.dearer(runs("wrk", [100] * 8, [4000] * 7 + [9000]))), [])

    def test_dearer(self):
        found = list(soak.dearer(runs("ab", [100] * 8, [1000] * 5 + [1101] * 3)))
        self.assertEqual(len(found), 1)
        self.assertIn("ab: 1,000", found[0])
        self.assertEqual(list(soak.dearer(runs("ab", [100] * 8, [1000] * 5 + [1099] * 3))), [])

    def test_slower(self):
        self.assertEqual(soak.slower(runs("wrk", [100] * 5 + [89] * 3, [1] * 8)), ["wrk"])
        self.assertEqual(soak.slower(runs("wrk", [100] * 5 + [91] * 3, [1] * 8)), [])

    def test_lost(self):
        self.assertEqual(soak.lost(runs("ab", [1], [1]) + runs("ab", [1], [1], "reset")), ["run 2, ab: reset"])


class Peers(unittest.TestCase):
    def test_words(self):
        one = peers.peer(f"some={__file__},initrd={__file__},memory=64,page=/x,cmdline=ip=10.7.0.2/24,10.7.0.1 -- a=b,c")
        self.assertEqual((one.name, one.append, one.memory, one.page, one.initrd), (
            "some", "ip=10.7.0.2/24,10.7.0.1 -- a=b,c", "64", "/x", pathlib.Path(__file__).resolve()))

    def test_wrong(self):
        for text in ("", "x", "x=", f"={__file__}", "x=/none", f"x={__file__},initrd=/none", f"x={__file__},memory=0", f"x={__file__},memory=a",
                     f"x={__file__},page=a", f"x={__file__},memory=1,memory=2", f"x={__file__},unknown=1"):
            with self.assertRaises(tools.BenchError, msg=text):
                peers.peer(text)


class Numbers(unittest.TestCase):
    def test_spread(self):
        self.assertEqual(work_report.spread([3, 1000, 2]), "3 (2 … 1,000)")

    def test_busy(self):
        machine = type("Machine", (), {"processor_times": lambda self: next(self.times)})()
        machine.times = iter([(1, 2), (3, 2.5)])
        run = busy.during(machine, lambda: {"rate": 5}, units=1000)
        self.assertEqual((run["rate"], run["guest's CPU"], run["devices"]), (5, 2000, 500))
        self.assertEqual(busy.cell([dict.fromkeys(busy.WHO, value) for value in (1, 2, 40)]), "2.0, 2.0, 2.0")

    def test_ratios_are_paired(self):
        ours, theirs = ([{"MB/s": value} for value in values] for values in ([100, 300], [50, 100]))
        self.assertEqual(net.ratios(ours, theirs), [2, 3])

    def test_least_memory(self):
        for need in (1, 2, 3, 85, 86, 87, footprint.MOST):
            for guess in (1, 2, 86):
                self.assertEqual(footprint.least(lambda size, need=need: size >= need, guess), need)
        self.assertIsNone(footprint.least(lambda size: False, 2))

    def test_goals(self):
        parts = {"guard": {"counts": {"entry to main, no network device": 100001}}, "boot": {"seconds": {"q35": {
            "http_server": [0.1, 0.1, 0.4], goals.NGINX: [2, 2.5, 2]}, "q35-lean": {"http_server": [0.12], goals.NGINX: [2]}}}}
        self.assertEqual(list(goals.rows(parts)), [
            ["instructions, entry to main", "at most 100,000", "100,001", "NOT met"],
            ["start to first response, q35: part of Linux' time", "at most 0.05", "0.050 (0.040 … 0.200)", "met"],
            ["start to first response, q35-lean: part of Linux' time", "at most 0.05", "0.060", "NOT met"]])


class Web(unittest.TestCase):
    def test_lost_requests_are_told(self):
        result = {"counts": {"a": {"x": 1, "y": None}, "b": {"x": None}}, "times": {"a": {"x": [{"errors": ""}, {"errors": "reset"}]}}}
        self.assertEqual(web.lost(result, "a"), ["y, while counting", "x: reset"])


class Server(threading.Thread):
    """On 127.0.0.1: refuses until listen() is called, then does with its connections what the steps say, one step each."""

    def __init__(self, *steps):
        super().__init__(daemon=True)
        self.steps, self.socket, self.asked, self.kept = steps, socket.socket(), [], []
        self.socket.bind(("127.0.0.1", 0))
        self.address = self.socket.getsockname()

    def listen(self):
        self.socket.listen(64)
        self.start()

    def run(self):
        for step in self.steps:
            connection, _ = self.socket.accept()
            self.kept.append(connection)
            if step:
                self.asked.append(connection.recv(1000))
                step(connection)

    def close(self):
        if self.is_alive():
            self.join(10)
        for one in (self.socket, *self.kept):
            one.close()


def says(*pieces, pause=0.0):
    def step(connection):
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
        connection.shutdown(socket.SHUT_WR)
    return step


def keeps(*pieces):
    """Sends and leaves the connection open."""
    return lambda connection: [connection.sendall(piece) for piece in pieces]


HEAD, BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", b"page"


class First(unittest.TestCase):
    """The client that waits for the first answer."""

    def client(self, server, **rules):
        self.addCleanup(server.close)
        client = first.Client(server.address, "/page", **rules)
        self.addCleanup(client.__exit__)
        return client

    def answer(self, client, timeout=10):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if found := client.look():
                return found
        self.fail(f"no answer; the last try: {client.said}")

    def test_refused_ones_come_again_soon(self):
        server = Server(says(HEAD, BODY))
        client = self.client(server)
        end = time.monotonic() + 0.1
        while time.monotonic() < end:
            self.assertIsNone(client.look())
        self.assertIn("refused", client.said)
        self.assertTrue(8 <= client.opened <= 51, client.opened)
        server.listen()
        began = time.monotonic()
        self.assertEqual(self.answer(client), (200, BODY))
        self.assertLess(time.monotonic() - began, 0.5)
        self.assertEqual(server.asked, [b"GET /page HTTP/1.1\r\nHost: guest\r\nConnection: close\r\n\r\n"])

    def test_pieces(self):
        for pieces in ((HEAD, BODY), (HEAD[:7], HEAD[7:-3], HEAD[-3:], BODY[:1], BODY[1:]), (b"HTTP/1.1 200 OK\r\n\r\n", BODY)):
            server = Server(says(*pieces, pause=0.01))
            server.listen()
            self.assertEqual(self.answer(self.client(server)), (200, BODY))

    def test_whole_answer_is_not_waited_for_any_longer(self):
        server = Server(keeps(HEAD, BODY))
        server.listen()
        self.assertEqual(self.answer(self.client(server)), (200, BODY))

    def test_wrong_answers_are_handed_on(self):
        for said, found in ((b"HTTP/1.1 404 None\r\ncontent-length: 2\r\n\r\nno", (404, b"no")), (b"what\r\n\r\never", (0, b"ever"))):
            server = Server(says(said))
            server.listen()
            self.assertEqual(self.answer(self.client(server)), found)

    def test_broken_ones_are_followed_by_another(self):
        server = Server(says(), says(HEAD, BODY[:3]), says(b"HTTP/1.1 200"), says(HEAD, BODY))
        server.listen()
        client = self.client(server)
        self.assertEqual(self.answer(client), (200, BODY))
        self.assertIn("ended after 12 bytes", client.said)

    def test_who_accepts_late_gets_one_request(self):
        server = Server(lambda connection: (time.sleep(0.3), says(HEAD, BODY)(connection)))
        server.listen()
        client = self.client(server)
        self.assertEqual(self.answer(client), (200, BODY))
        self.assertEqual((client.opened, len(server.asked)), (1, 1))

    def test_others_wait_unasked_and_step_in(self):
        server = Server(lambda connection: time.sleep(0.1), None, says(HEAD, BODY))
        server.socket.listen(64)
        client = self.client(server)
        for _ in range(3):
            client.open()
        server.start()
        for one in client.ready(1):
            one.advance()
        asked, unasked, last = client.tries
        client.look(0.02)
        self.assertEqual([one.asked for one in client.tries], [True, False, False])
        client.drop(asked)
        client.drop(unasked)
        self.assertEqual(self.answer(client, 0.9), (200, BODY))
        self.assertTrue(last.asked)

    def silent(self, **rules):
        """A client whose server is never heard: its backlog is full, so that SYNs are forgotten as on a tap without a guest."""
        server = Server()
        server.socket.listen(0)
        self.full = [first.Try(server.address) for _ in range(2)]
        for one in self.full:
            self.addCleanup(one.socket.close)
        return self.client(server, **rules)

    def looks(self, client, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.assertIsNone(client.look(0.01))

    def test_who_is_connected_is_kept_and_asked_once(self):
        asked = []
        server = Server(lambda connection: asked.append(connection.recv(1000)))
        server.listen()
        client = self.client(server, most=1)
        self.looks(client, 0.05)
        one, = client.tries
        client.open()
        self.assertEqual((client.tries, one.asked), ([one], True))
        client.drop(one)
        server.close()
        self.assertEqual(asked, [b""])

    def test_many_refused_ones_are_rarer_later(self):
        client = self.silent()
        for waited, least in ((0, first.AGAIN), (10, 10 / first.PART)):
            client.last = client.heard = client.began + waited
            self.assertAlmostEqual(client.due() - client.last, least)

    def test_few_wait(self):
        client = self.silent(most=3)
        self.looks(client, 0.3)
        end = time.monotonic() + 20  # on a busy host there were fewer looks
        while client.opened < 4 and time.monotonic() < end:
            self.looks(client, 0.05)
        self.assertTrue(4 <= client.opened <= 11, client.opened)
        self.assertEqual(len(client.tries), 3)

    def test_signs_of_life(self):
        count = [0]
        client = self.silent(signs=lambda: count[0])
        self.looks(client, 0.3)
        before = client.opened
        self.looks(client, 0.03)
        self.assertLessEqual(client.opened - before, 1)
        count[0] += 50
        before = client.opened
        self.looks(client, 0.1)
        self.assertGreaterEqual(client.opened - before, 3)

    def test_own_frames_are_none(self):
        client = self.silent()
        client.signs = lambda: client.opened
        self.looks(client, 0.3)
        self.assertLessEqual(client.opened, 11)

    def test_counted_machines_get_one_a_second(self):
        client = self.silent(least=1, most=1)
        self.looks(client, 1.2)
        self.assertEqual((client.opened, len(client.tries)), (2, 1))

    def test_frames(self):
        before = first.frames("lo")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", ("127.0.0.1", 9))
        self.assertGreater(first.frames("lo"), before)
        self.assertEqual(first.frames("none"), 0)


class Compare(unittest.TestCase):
    def test_figures(self):
        found = dict(compare.figures({"date": 5, "a": {"b": 1}, "runs": [{"rate": 2}, {"rate": 4}], "list": [1, 2]}))
        self.assertEqual(found, {("a", "b"): [1], ("runs", "rate"): [2, 4], ("list",): [1, 2]})

    def test_change(self):
        self.assertEqual(compare.change([100], [101]), 0)
        self.assertAlmostEqual(compare.change([100], [110]), 0.1)
        self.assertEqual(compare.change([90, 100, 112], [110, 120, 130]), 0)
        self.assertAlmostEqual(compare.change([90, 100, 105], [110, 120, 130]), 0.2)
        self.assertEqual(compare.change([100], [90, 120]), 0)
        self.assertEqual(compare.change([0], [3]), float("inf"))

    def test_report(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as said:
            paths = [pathlib.Path(folder) / name for name in ("a", "b")]
            paths[0].write_text(json.dumps({"counts": {"x": 100, "y": 5}, "times": {"x": [1, 2]}, "parts": {"p": {"q": {"r": 1, "s": 2}}}}))
            paths[1].write_text(json.dumps({"counts": {"x": 110, "y": 5}, "times": {"x": [3, 4]}}))
            compare.run_compare(type("Options", (), {"before": paths[0], "after": paths[1]}))
        said = said.getvalue()
        for line in ("Counts and bytes: 1 of 2 moved", "counts / x: 100 -> 110 (+10.0 %)", "other work, too: 1 of 1 moved",
                     "parts / p / q and 1 more of it"):
            self.assertIn(line, said)


class Sets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(setattr, tools, "BUILD", tools.BUILD)
        self.addCleanup(setattr, tools, "BENCH", tools.BENCH)
        tools.BUILD = tools.BENCH = self.folder = pathlib.Path(folder.name)

    def program(self, text):
        (self.folder / "bench.py").write_text("import sys, time, pathlib\nname = sys.argv[1]\n" + text)

    def test_one_failure_loses_nothing(self):
        self.program("sys.exit(3) if name == 'bad' else 0\n"
                     f"pathlib.Path({str(self.folder)!r}, name + '.json').write_text('{{\"figure\": 7}}')\n")
        (self.folder / "bad.json").write_text('{"of": "an earlier run"}')
        options = type("Options", (), {"lines": [["one"], ["bad"], ["two"]], "priority": False, "peer": []})
        with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(sets.run_set(options), 1)
        self.assertIn("FAILED: bad", said.getvalue())
        result = json.loads((self.folder / "results.json").read_text())
        self.assertEqual(result["parts"], {"one": {"figure": 7}, "two": {"figure": 7}})
        self.assertEqual(result["became"], {"one": "done", "bad": "FAILED (status 3)", "two": "done"})

    def test_sources_that_change_are_told(self):
        self.program("(pathlib.Path(__file__).parent / 'state').write_text(name)")
        state = self.folder / "state"
        state.write_text("")
        self.addCleanup(setattr, sets, "sources", sets.sources)
        sets.sources = state.read_text
        options = type("Options", (), {"lines": [["one"], ["two"]], "priority": False, "peer": []})
        with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(io.StringIO()):
            sets.run_set(options)
        self.assertEqual(said.getvalue().count(sets.CHANGED), 1)

    def test_hanging_part_is_stopped(self):
        self.program("time.sleep(1000)\n")
        self.assertEqual(sets.run_part(["any"], limit=0.5), "did not end within 0.5 s")

    def test_skipped(self):
        self.program("print('SKIPPED: no such tool'); sys.exit(77)\n")
        self.assertEqual(sets.run_part(["any"]), "skipped: no such tool")


class Options(unittest.TestCase):
    def test_unknown_ones_are_refused(self):
        for words, known in ((["htp"], "'http'"), (["--fast"], "ci/bench all [-h]"), (["http", "--fast"], "--rounds"), (["soak", "--runs", "4"], "8 are the least"),
                             (["net", "--rounds", "0"], "at least 1"), (["compare", "/none", "/none"], "cannot be read")):
            done = subprocess.run([sys.executable, "-B", str(BENCH / "bench.py"), *words], capture_output=True, text=True, check=False,
                                  env={**os.environ, "COLUMNS": "200"})
            self.assertNotEqual(done.returncode, 0, words)
            self.assertIn(known, done.stderr, words)
            self.assertNotIn("Traceback", done.stderr, words)


class Wan(unittest.TestCase):
    @staticmethod
    def row(cell, who, number, rate, again=0):
        way = {"data": 1000, "again": again, "behind_max": 0}
        return {"cell": cell, "who": who, "round": number, "bytes": int(rate * 1e6), "seconds": 1, "done": True,
                "wire": {"in": dict(way), "out": dict(way)}}

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder, wan.folder = wan.folder, lambda: pathlib.Path(self.temporary.name)

    def tearDown(self):
        wan.folder = self.folder
        self.temporary.cleanup()

    def measured(self, cell, pairs, again=0):
        rows = wan.Rows("key", False)
        for number, (mine, other) in enumerate(pairs):
            rows.add(self.row(cell, "libbaremetal", number, mine, again))
            rows.add(self.row(cell, "Linux", number, other))
        return rows

    def test_cells(self):
        self.assertEqual(len(wan.CELLS), 56)
        self.assertLessEqual(set(wan.DEFAULT), set(wan.CELLS))
        for tcp in ("lwip", "own"):
            self.assertEqual(set(json.loads(wan.BOUNDS.read_text())[tcp]), set(wan.DEFAULT))
        self.assertEqual(wan.CELLS["up-50-20M"].properties(7), {"seed": 7, "delay_us": 25000, "rate_kbit": 20000, "queue": 65536})

    def test_a_path_of_ones_own(self):
        down, up = wan.own_cells("delay_us=50000 delay_us_out=10000 burst_ppm=5 burst_end_ppm=6")
        self.assertEqual((down.rtt, down.name), (60, "down-60-delay_us=50000,delay_us_out=10000,burst_ppm=5,burst_end_ppm=6"))
        self.assertEqual(up.properties(3), {"seed": 3, "delay_us": 50000, "delay_us_out": 10000, "burst_ppm": 5, "burst_end_ppm": 6})
        for text in ("", "delay", "delay_us=x", "path=3", "seed=1 delay_us=3", "a=1=2"):
            with self.assertRaises(argparse.ArgumentTypeError):
                wan.own_cells(text)

    def test_a_run_goes_on_where_it_was_ended(self):
        rows = self.measured("down-50-none", [(1, 2)])
        with rows.file.open("a") as out:
            out.write('{"key": "key", "cell": "down-50-no')
        self.assertEqual(len(wan.Rows("other", False).rows), 0)
        rows = wan.Rows("key", False)
        self.assertEqual(len(rows.rows), 2)
        rows.add(self.row("down-50-none", "Linux", 1, 3))
        self.assertEqual(len(wan.Rows("key", False).rows), 3)
        self.assertEqual(wan.Rows("key", False).of("down-50-none", "libbaremetal", 2), [])
        self.assertEqual(len(wan.Rows("key", True).rows), 0)
        self.assertEqual(len(wan.Rows("key", False).rows), 0)

    def test_ratios_are_paired(self):
        cells = [wan.CELLS["down-50-none"], wan.CELLS["up-50-none"]]
        found = wan.figures(self.measured("down-50-none", [(1, 2), (6, 3), (3, 3)], 100), cells, 3)
        self.assertEqual(list(found), ["down-50-none"])
        self.assertEqual(found["down-50-none"]["ratios"], [0.5, 2, 1])
        self.assertEqual(found["down-50-none"]["again"], [0.1, 0])
        self.assertIn("down, none", wan.picture(found, cells))
        alone = wan.figures(wan.Rows("key", False), cells, 3, ("libbaremetal",))
        self.assertEqual((alone["down-50-none"]["rates"], alone["down-50-none"]["ratios"]), ([[1, 6, 3]], []))
        options = argparse.Namespace(tcp="lwip", ipv6=False, mib=1, seconds=1, rounds=3)
        self.assertIn("| down-50-none | 3.00 (1.00 … 6.00) | 10.0 % | 0 |", wan.report(alone, options, ["libbaremetal"]))
        self.assertIn("| 3.00 (1.00 … 6.00) | 3.00 (2.00 … 3.00) | 1.00 (0.50 … 2.00) |", wan.report(found, options, ["libbaremetal", "Linux"]))

    def test_bounds(self):
        cell, cells = "down-50-none", [wan.CELLS["down-50-none"]]
        good, slow, repeats = ([(ratio * 10, 10)] for ratio in (0.9, 0.01, 0.9))
        self.assertEqual(wan.check(wan.figures(self.measured(cell, good), cells, 1), cells, "lwip"), [])
        for pairs, again, word in ((slow, 0, "of Linux, below"), (repeats, 500, "sent again, above")):
            wan.Rows("key", True)
            wrong = wan.check(wan.figures(self.measured(cell, pairs, again), cells, 1), cells, "lwip")
            self.assertEqual(len(wrong), 1)
            self.assertIn(word, wrong[0])
        self.assertEqual(wan.check({}, cells, "lwip"), ["down-50-none was not measured"])
        with self.assertRaises(tools.BenchError):
            wan.check({}, cells, "none")

    def test_short(self):
        def statistic(**changes):
            way = {"lost": 0, "overflowed": 0, "too_large": 0, "dropped": 1, "data": wan.SHORT_SIZE + 1460, "again": 1460, "behind_max": 0}
            return {"in": {**way, "dropped": 0}, "out": {**way, **changes}}
        self.assertIsNone(wan.judge_short("down", statistic()))
        for changes in ({"lost": 1}, {"overflowed": 1}, {"too_large": 1}, {"dropped": 0}, {"data": wan.SHORT_SIZE}, {"data": wan.SHORT_SIZE, "again": 0},
                        {"data": wan.SHORT_SIZE + 300000, "again": 300000}):
            self.assertIsNotNone(wan.judge_short("down", statistic(**changes)), changes)
        late = {"data": wan.SHORT_SIZE + 300000, "again": 300000, "behind_max": 200000}
        self.assertIsNone(wan.judge_short("down", statistic(**late)))

    def test_what_the_tree_cannot_build(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("CMakeLists.txt", "net/CMakeLists.txt"):
                file = pathlib.Path(folder) / name
                file.parent.mkdir(exist_ok=True)
                file.write_text("project(none)")
            top, tools.TOP = tools.TOP, pathlib.Path(folder)
            try:
                with self.assertRaisesRegex(tools.BenchError, "no option BAREMETAL_TCP"):
                    wan.build_image("own")
            finally:
                tools.TOP = top


if __name__ == "__main__":
    unittest.main()
