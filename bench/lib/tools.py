# What the parts of bench/ share: folders, commands, the plugin, images.
# SPDX-License-Identifier: MIT
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
BENCH = TOP / "bench"
BUILD = pathlib.Path(os.environ.get("BAREMETAL_BENCH_BUILD", TOP / "build" / "bench"))
QEMU = os.environ.get("QEMU", "qemu-system-x86_64")


class BenchError(Exception):
    """What could not be measured, and why: one sentence."""


def say(text):
    print("-- " + text, file=sys.stderr, flush=True)


def positive(text):
    """A whole number of at least 1, for the options of commands."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return int(text)


def turn(servers, index):
    """Who goes first changes from round to round."""
    return servers if index % 2 == 0 else servers[::-1]


def store(name, result, text):
    """Writes a command's figures and tables to files."""
    for suffix, content in (("json", json.dumps(result, indent=1) + "\n"), ("md", text)):
        part = BUILD / f"{name}.{suffix}.{os.getpid()}"
        part.write_text(content)
        part.rename(BUILD / f"{name}.{suffix}")


def keep(name, result, text):
    """The same, and prints the tables."""
    store(name, result, text)
    print(text)
    print(f"The same in {BUILD}/{name}.md, the figures in {name}.json.", flush=True)


def run(command, log=None, **options):
    """Runs a command; its output is shown only when it fails."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", **options)
    if done.returncode:
        sys.stderr.write(done.stdout[-6000:])
        raise BenchError(f"this command failed (its output stands above): {' '.join(map(str, command))}")
    return done.stdout


def compiler():
    return "gcc " + run(["gcc", "-dumpversion"]).strip().split(".")[0]


def qemu_version():
    try:
        said = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise BenchError(f"'{QEMU}' does not run; it boots the images (package qemu-system-x86).") from None
    return re.search(r"version (\d+\.\d+)", said).group(1)


def plugin_header():
    """The folder that holds qemu-plugin.h for the installed QEMU: from the system, else out of QEMU's pinned source."""
    for folder in ("/usr/include", "/usr/local/include"):
        if (pathlib.Path(folder) / "qemu-plugin.h").is_file():
            return pathlib.Path(folder)
    version = qemu_version()
    folder = BUILD / f"qemu-plugin-{version}"
    if (folder / "qemu-plugin.h").is_file():
        return folder
    pins = BENCH / "pins"
    if f"qemu-{version} " not in pins.read_text():
        raise BenchError(f"QEMU is {version}, whose plugin header is neither installed nor in {pins.relative_to(TOP)}; add a row "
                         "for that version's source there.")
    archive = run_output([TOP / "toolchain" / "fetch", f"qemu-{version}"], {"BAREMETAL_PINS": str(pins)})
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "part"
    part.mkdir(exist_ok=True)
    run(["tar", "-xf", archive, "-C", part, "--strip-components=3", "--wildcards", "*/include/qemu/qemu-plugin.h"])
    (part / "qemu-plugin.h").rename(folder / "qemu-plugin.h")
    part.rmdir()
    return folder


def run_output(command, environment):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **environment})
    if done.returncode:
        raise BenchError(f"this command failed (its reason stands above): {' '.join(map(str, command))}")
    return done.stdout.strip()


def plugin():
    """The path of the counter plugin, built when it is not there or older than its source."""
    sources = [BENCH / "plugin" / "count.c", BENCH / "marker.h"]
    result = BUILD / "count.so"
    if result.exists() and all(result.stat().st_mtime > source.stat().st_mtime for source in sources):
        return result
    BUILD.mkdir(parents=True, exist_ok=True)
    part = BUILD / f"count.{os.getpid()}.so"
    run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden", "-pthread",
         "-I", plugin_header(), "-o", part, sources[0]])
    part.rename(result)
    return result


def images(*targets, source=TOP, options=(), name="images"):
    """Builds images of bench/ (and examples) with the libraries of the tree; returns their folder. Other options take another name."""
    folder = BUILD / name
    if not (folder / "build.ninja").exists():
        shutil.rmtree(folder, ignore_errors=True)
        run(["cmake", "-S", BENCH, "-B", folder, "-G", "Ninja", f"-DLIBRARY_SOURCE={source}",
             f"-DCMAKE_TOOLCHAIN_FILE={source}/cmake/toolchain.cmake", *options])
    run(["cmake", "--build", folder, "-j", os.environ.get("BAREMETAL_JOBS", "2"), "--target", *targets])
    return folder


def take_priority():
    """For this program and those that it starts. Linux shares processors among sessions first (sched(7), autogroups)."""
    say("measuring with priority over other programs of this host")
    with contextlib.suppress(PermissionError):  # the leader of a group stays in its session
        os.setsid()
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    except PermissionError:
        raise BenchError("--priority takes root; measure without it.") from None
    group = pathlib.Path("/proc/self/autogroup")
    if group.exists():
        group.write_text("-15")
