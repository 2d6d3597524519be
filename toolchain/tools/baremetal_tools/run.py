# Boots an image as if it were a program of the host: its arguments, standard input, output and exit status.
# SPDX-License-Identifier: MIT
"""Usage: baremetal-run [--memory MIB] [--cpus N] [--timeout SECONDS] [--terminal] [--disk [DRIVER:]FILE]… IMAGE [ARGUMENT…]

Boots IMAGE in QEMU. Standard input and output are its console, the arguments its argv[1…], and its exit status is this one's. Where they are
no terminal here, they are none for a program that reads or asks (terminal=off on its command line): bytes pass as they are. Standard error
output, the kernel's messages and a fault report come on this one's in an image that links baremetal::run (baremetal-cc links it), and on
the console in others, or where both are one file here. After a fault the status is 139; 124 when it did not end in time
(no limit, unless one is given), 125 when it could not be run. Configure scripts, CTest and `make check` run what they built by it.

Environment: PORT, a port of 127.0.0.1 that leads to the guest's port GUEST_PORT (80); RESTRICT=off, without which
the program reaches neither the host nor what is beyond it; CMDLINE, words of the kernel command line; QEMU, the program; QEMU_ARGS, more
words for it; ACCEL, kvm or tcg (what works, if unset)."""

import argparse
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

from . import elf

# isa-debug-exit turns a value v into the status 2v + 1: 16 is exit(0), 17 another status, 18 a fault.
ENDED_WELL, ENDED_BADLY, ENDED_BY_FAULT = 33, 35, 37
TIMEOUT, CANNOT_RUN, FAULT = 124, 125, 139
END_OF_FILE = b"\x04"  # as a terminal's
START = b"\x11"  # ^Q, which a terminal takes out of its input
# What libbaremetal/libc/stream_input.c decodes: bytes with a meaning of their own come changed, behind ESCAPE, and the end as ESCAPE and END_OF_FILE.
ESCAPE, SPECIAL, CHANGED = b"\x10", re.compile(rb"[\x10\x11\x13]"), 0x40
NAME_OF_PVH, TYPE_OF_PVH = b"Xen\0", 18  # of the note that has the entry for QEMU's -kernel
LAST_LINE = re.compile(rb"exit: ([0-9]{1,3})\n\Z")
BEGIN_OF_LAST_LINE = re.compile(rb"(?:e(?:x(?:i(?:t(?::(?: (?:[0-9]{1,3}[\r\n]?)?)?)?)?)?)?|\r)\Z")
# How a disk is shown for a driver: words for QEMU, of the drive's name and number.
DISKS = {"virtio_blk": ["virtio-blk-pci,drive={id}"], "virtio_scsi": ["virtio-scsi-pci,id=of-{id}", "scsi-hd,drive={id},bus=of-{id}.0"],
         "nvme": ["nvme,drive={id},serial={id}"], "ahci": ["ide-hd,drive={id},bus=ide.{number}"]}
COMMAND_LINE_MAX = 1023  # BM_BOOT_COMMAND_LINE_MAX without the terminating NUL
ARGUMENTS_MAX = 64  # BM_ARGUMENTS_MAX
FILE_OF_ARGUMENTS, FILE_MAX = "opt/libbaremetal/arguments", 4 << 20  # of libbaremetal/libc/run_arguments.c


class RunError(Exception):
    """Why the image could not be run, as a sentence."""


def links(image, name):
    """Whether the program has a symbol of this name; without its debug information it is assumed not to."""
    try:
        data = pathlib.Path(str(image) + ".debug").read_bytes()
        return any(symbol.name == name and symbol.section for symbol in elf.Elf(data).symbols())
    except (OSError, elf.ElfError):
        return False


def has_network(image):
    return links(image, "bm_net_start")


def check_image(image):
    """Ends with a sentence unless the file is an image."""
    try:
        linked = elf.Elf(image.read_bytes())
        notes = [linked.data[note.offset:note.offset + note.in_file] for note in linked.segments(elf.SEGMENT_NOTE)]
    except OSError as error:
        raise RunError(f"{image} cannot be read: {error.strerror}") from None
    except elf.ElfError as error:
        raise RunError(f"{image} {error}: baremetal-run boots the ELF file that baremetal-cc or baremetal_add_image makes") from None
    if not any(note[8:16] == TYPE_OF_PVH.to_bytes(4, "little") + NAME_OF_PVH for note in notes):
        raise RunError(f"{image} is no image, but another ELF file, such as a program of the host: link it with baremetal-cc, or call baremetal_add_image")


def kernel_words():
    """The caller's words for the kernel, a space around each."""
    return f" {os.environ.get('CMDLINE', '')} ".partition(" -- ")[0] + " "


def is_stream(image, words):
    """Whether standard input and output carry bytes as they are: the program knows of it, and they are no terminal here."""
    given = kernel_words()
    if words.terminal or " terminal=" in given or (os.isatty(0) and os.isatty(1)):
        return " terminal=off" in given
    return links(image, "bm_option_terminal")


def has_own_errors(image):
    """Whether the program's standard error output comes by itself: it can, and leads elsewhere than standard output here, so that nothing
    is lost of the order of the two."""
    if " stderr=" in kernel_words() or not links(image, "bm_option_stderr"):
        return False
    try:
        return not os.path.samestat(os.fstat(1), os.fstat(2))
    except OSError:  # one is closed
        return False


def quoted(word):
    """A word as the kernel's command line splits it: in '…' all characters but ' stand for themselves."""
    if word and re.fullmatch(r"[^\s'\"\\]+", word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"


def command_line(arguments, more=()):
    """The kernel's; RunError when it cannot hold the arguments. `more` are words of ours."""
    if len(arguments) > ARGUMENTS_MAX:
        raise RunError(f"there are {len(arguments)} arguments; the kernel command line holds {ARGUMENTS_MAX}")
    for word in arguments:
        if any(ord(char) < 0x20 for char in word):
            raise RunError(f"the argument {word!r} has a control character, which the kernel command line cannot hold")
    line = " ".join([*more, os.environ.get("CMDLINE", "")])
    if arguments:
        line += (" " if " -- " in f" {line} " else " -- ") + " ".join(map(quoted, arguments))
    if len(os.fsencode(line)) > COMMAND_LINE_MAX:
        raise RunError(f"the arguments take {len(os.fsencode(line))} bytes; the kernel command line holds {COMMAND_LINE_MAX}")
    return line.strip(" ") if not arguments else line.lstrip()


def hand_over(image, arguments, more, folder):
    """The kernel's command line, and words for QEMU with a file of the arguments when that line cannot hold them."""
    try:
        return command_line(arguments, more), []
    except RunError as error:
        if not links(image, "bm_option_argv"):
            raise RunError(f"{error}; an image that links baremetal::run gets them otherwise") from None
    if " -- " in f" {os.environ.get('CMDLINE', '')} ":
        raise RunError("the arguments do not fit on the kernel command line, and CMDLINE has some itself")
    data = b"".join(os.fsencode(word) + b"\0" for word in arguments)
    if len(data) > FILE_MAX:
        raise RunError(f"the arguments take {len(data)} bytes; a program gets at most {FILE_MAX}")
    file = pathlib.Path(folder, "arguments")
    file.write_bytes(data)
    return command_line([], [*more, "argv=fw_cfg"]), ["-fw_cfg", f"name={FILE_OF_ARGUMENTS},file={str(file).replace(',', ',,')}"]


def network(image):
    if not has_network(image):
        return []
    port, guest = os.environ.get("PORT"), os.environ.get("GUEST_PORT", "80")
    for name, value in (("PORT", port), ("GUEST_PORT", guest)):
        if value and not (value.isdecimal() and 1 <= int(value) <= 65535):
            raise RunError(f"{name}='{value}' is not a port number; give one from 1 to 65535")
    restrict = os.environ.get("RESTRICT") or "on"
    if restrict not in ("on", "off"):
        raise RunError(f"RESTRICT='{restrict}' is neither 'on' nor 'off'")
    forward = f",hostfwd=tcp:127.0.0.1:{port}-:{guest}" if port else ""
    return ["-netdev", f"user,id=net0,restrict={restrict}{forward}", "-device", "virtio-net-pci,netdev=net0,romfile="]


def disks(given):
    """QEMU's words for disks, each a file or DRIVER:FILE; what the program writes is written there."""
    words = []
    for number, text in enumerate(given):
        driver, colon, file = text.partition(":")
        if not colon or "/" in driver:
            driver, file = "virtio_blk", text
        if driver not in DISKS:
            raise RunError(f"there is no driver '{driver}' of a disk; known are: {', '.join(DISKS)}")
        if not os.path.exists(file):
            raise RunError(f"there is no disk {file}")
        drive = f"data{number}"
        words += ["-drive", f"if=none,id={drive},format=raw,file={file.replace(',', ',,')}"]
        for device in DISKS[driver]:
            words += ["-device", device.format(id=drive, number=number)]
    return words


def machine(qemu, image, words, folder, errors):
    """QEMU's command line; `errors` is a descriptor to which standard error output goes by itself, or None."""
    chooser = pathlib.Path(__file__).resolve().parent.parent / "choose-accel"
    chosen = subprocess.run([chooser], stdout=subprocess.PIPE, text=True)
    if chosen.returncode:
        raise RunError("no accelerator was chosen")
    given = kernel_words()
    more = ["terminal=off"] if is_stream(image, words) and " terminal=" not in given else []
    second = []
    if errors is not None:
        more.append("stderr=serial2")
        second = ["-chardev", f"file,id=errors,path=/dev/fd/{errors},append=on", "-serial", "chardev:errors"]
    line, file = hand_over(image, words.arguments, more, folder)
    # With a single possible CPU, QEMU's emulator leaves out memory barriers, and virtio devices stall: at least two are possible.
    follow = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []  # it ends with us, whatever ends us
    return [*follow, qemu, "-machine", "q35", "-accel", chosen.stdout.strip(), "-cpu", "max",
            "-m", f"{words.memory}M", "-smp", f"{words.cpus},maxcpus={max(words.cpus, 2)}", "-nodefaults", "-no-user-config",
            "-no-reboot", "-display", "none", "-kernel", str(image), *(["-append", line] if line else []),
            "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console", *second, *file,
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-device", "virtio-rng-pci", *network(image), *disks(words.disk),
            *shlex.split(os.environ.get("QEMU_ARGS", ""))]


def encoded(data):
    """Bytes of a stream as they come over the line."""
    return SPECIAL.sub(lambda found: ESCAPE + bytes([found[0][0] ^ CHANGED]), data)


def feed(source, console, stream):
    """Standard input, and behind it what ends input. When the guest sets up its serial port, that has taken one byte, which
    is lost; so the first byte is one without meaning."""
    try:
        console.write(START)
        while data := os.read(source, 4096):
            console.write(encoded(data) if stream else data)
            console.flush()
        console.write(ESCAPE + END_OF_FILE if stream else END_OF_FILE)
        console.flush()
    except (OSError, ValueError):
        pass  # the machine ended


class Output:
    """Hands the console on to standard output, but for carriage returns of the terminal and the last line, which says how it ended: what
    could be its beginning is held back until more comes."""

    def __init__(self, target):
        self.target, self.held = target, b""

    def take(self, data):
        data = (self.held + data).replace(b"\r\n", b"\n")
        found = BEGIN_OF_LAST_LINE.search(data)
        held_from = found.start() if found else len(data)
        self.write(data[:held_from])
        self.held = data[held_from:]

    def end(self):
        """Writes what is left; returns the status of the last line, or None."""
        found = LAST_LINE.search(self.held)
        self.write(self.held[:found.start()] if found else self.held)
        return int(found[1]) if found else None

    def write(self, data):
        try:
            self.target.write(data)
            self.target.flush()
        except BrokenPipeError:
            pass  # who reads has seen enough; the program runs to its end


def status_of(qemu, said):
    if qemu in (ENDED_WELL, ENDED_BADLY) and said is not None:
        return said
    if qemu == ENDED_BY_FAULT:
        return FAULT
    if qemu == 0:  # a triple fault is a reset
        raise RunError("the machine was reset or switched off before the program ended")
    raise RunError(f"the machine ended with status {qemu}")


def run(words):
    image = pathlib.Path(words.image)
    if not image.is_file():
        raise RunError(f"there is no image {image}")
    check_image(image)
    qemu = os.environ.get("QEMU") or "qemu-system-x86_64"
    if not shutil.which(qemu):
        raise RunError(f"'{qemu}' is missing; it boots the image (package qemu-system-x86)")
    with tempfile.TemporaryDirectory(prefix="baremetal-run-") as folder:
        return boot(qemu, image, words, folder)


def start(qemu, image, words, folder):
    """The machine, and the thread that hands on its standard error output, or None."""
    if not has_own_errors(image):
        return subprocess.Popen(machine(qemu, image, words, folder, None), stdin=subprocess.PIPE, stdout=subprocess.PIPE), None
    reader, writer = os.pipe()
    try:
        process = subprocess.Popen(machine(qemu, image, words, folder, writer), stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[writer])
    finally:
        os.close(writer)
    errors = threading.Thread(target=copy, args=(reader, sys.stderr.buffer), daemon=True)
    errors.start()
    return process, errors


def copy(source, target):
    while data := os.read(source, 65536):
        try:
            target.write(data)
            target.flush()
        except OSError:
            pass  # as in Output.write


def boot(qemu, image, words, folder):
    process, errors = start(qemu, image, words, folder)
    stream = is_stream(image, words)
    ended = []

    def end(reason):
        ended.append(reason)
        process.kill()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: end(128 + number))
    timer = threading.Timer(words.timeout, end, (TIMEOUT,)) if words.timeout else None
    if timer:
        timer.start()
    threading.Thread(target=feed, args=(0, process.stdin, stream), daemon=True).start()
    output = Output(sys.stdout.buffer)
    while data := process.stdout.read1(65536):
        output.take(data)
    status = process.wait()
    if timer:
        timer.cancel()
    said = output.end()
    if errors:
        errors.join()
    if ended:
        if ended[0] == TIMEOUT:
            print(f"error: baremetal-run: {image} did not end within {words.timeout:g} seconds", file=sys.stderr)
        return ended[0]
    return status_of(status, said)


def positive(text):
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")
    return number


def main():
    parser = argparse.ArgumentParser(prog="baremetal-run", description=__doc__.partition("\n\n")[2],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", type=int, default=128, metavar="MIB", help="memory of the machine (128)")
    parser.add_argument("--cpus", type=int, default=1, metavar="N", choices=range(1, 256), help="its cores (1)")
    parser.add_argument("--timeout", type=positive, metavar="SECONDS", help="end it after that time")
    parser.add_argument("--terminal", action="store_true", help="a terminal for the program, whatever standard input and output are here")
    parser.add_argument("--disk", action="append", default=[], metavar="[DRIVER:]FILE",
                        help=f"a disk, by virtio_blk or {', '.join(list(DISKS)[1:])}; what is written is kept there")
    parser.add_argument("image")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    try:
        return run(parser.parse_args())
    except RunError as error:
        print(f"error: baremetal-run: {error}.", file=sys.stderr)
        return CANNOT_RUN
