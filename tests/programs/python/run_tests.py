# Runs modules of Python's own suite by test.regrtest, in this process: `run_tests.py MODULE…`, on the machine and on Linux alike.
# SPDX-License-Identifier: MIT
"""There is one program in the machine. So that both sides run the same tests, what makes processes is taken away first: a test that asks
for it is skipped by the suite's own marks, and one that starts a process without asking is skipped there and counted below."""
import os
import subprocess
import unittest

import test.support
from test.libregrtest import main

wanted = 0


class NoProcess(unittest.SkipTest, OSError):
    """For a test, that it is skipped; for the library, that no process could be started."""


def no_process(*arguments, **options):
    global wanted
    wanted += 1
    raise NoProcess("starts a process")


def take_processes_away():
    for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp", "fork1"):
        if hasattr(os, name):
            delattr(os, name)
    os.system = no_process
    subprocess.Popen.__init__ = no_process
    test.support.has_fork_support = False
    test.support.has_subprocess_support = False


take_processes_away()
try:
    main()
finally:
    print(f"tests that wanted a process and did not say so: {wanted}", flush=True)
