#!/usr/bin/env python3
# Runs a guest test's source on the host's Linux first: what it checks must be so there, too. Then as run.py does.
# SPDX-License-Identifier: MIT
"""Usage: linux_oracle.py SOURCE IMAGE [options of run.py]"""

import os
import pathlib
import subprocess
import sys
import tempfile

GUEST = pathlib.Path(__file__).resolve().parent.parent
TIMEOUT = 120  # seconds


def passes_on_linux(source):
    with tempfile.TemporaryDirectory(prefix="bm-oracle-") as folder:
        program = os.path.join(folder, "program")
        command = ["gcc", "-w", "-O2", "-fno-builtin", "-pthread", f"-I{GUEST}", source, "-o", program, "-lm"]
        subprocess.run(command, check=True, timeout=TIMEOUT)
        done = subprocess.run([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False, timeout=TIMEOUT)
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode == 0 and text.endswith("PASS\n"):
        return True
    print(f"FAILED: on the host's Linux it ends with {done.returncode} and says:\n{text[-2000:]}")
    return False


if __name__ == "__main__":
    if not passes_on_linux(sys.argv[1]):
        sys.exit(1)
    run = str(GUEST / "run.py")
    os.execv(sys.executable, [sys.executable, "-B", run, *sys.argv[1:]])
