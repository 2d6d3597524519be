# Makes a key for Secure Boot and what makes a firmware trust it.
# SPDX-License-Identifier: MIT
#
# FOLDER must not exist. It gets key.pem (keep it secret), cert.pem and cert.der (the certificate), PK.auth, KEK.auth and db.auth (the
# certificate as platform key, key exchange key and signature database, signed), and stick/: the contents of a FAT-formatted stick that
# enrols the three in a machine that is in Setup Mode. docs/uefi.md says how to go on.
import argparse
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import uuid

# UEFI specification 2.10, section 32.4.1 (signature lists), 8.2.2 (signed variables), 32.2.4 (PKCS #7).
CERT_X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
CERT_PKCS7 = uuid.UUID("4aafd29d-68df-49ee-8aa9-347d375665a7")
GLOBAL = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
DATABASE = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
ATTRIBUTES = 0x27  # non-volatile, boot services, run time, authenticated by time
VARIABLES = {"PK": GLOBAL, "KEK": GLOBAL, "db": DATABASE}
PACKAGE_FOLDER = "../../../baremetal/uefi"  # from lib/cmake/baremetal/baremetal_tools/


class Failure(Exception):
    """What is wrong, as a sentence."""


def openssl(*words):
    result = subprocess.run(["openssl", *map(str, words)], capture_output=True, check=False)
    if result.returncode:
        raise Failure(f"openssl {words[0]} failed:\n" + result.stderr.decode(errors="replace").strip())
    return result.stdout


def signature_list(certificate, owner):
    body = owner.bytes_le + certificate
    return CERT_X509.bytes_le + struct.pack("<III", 28 + len(body), 0, len(body)) + body


def unwrap(der):
    """SignedData without the ContentInfo around it, as the specification wants it."""
    def header(at):
        length, size = der[at + 1], 2
        if length & 0x80:
            size += length & 0x7F
            length = int.from_bytes(der[at + 2:at + size], "big")
        return at + size, length
    inner, _ = header(0)
    start, length = header(inner)  # the object identifier
    start, length = header(start + length)  # [0]
    return der[start:start + length]


def signed_variable(name, space, contents, folder):
    now = time.gmtime()
    stamp = struct.pack("<HBBBBBBIhBB", now.tm_year, now.tm_mon, now.tm_mday, now.tm_hour, now.tm_min, now.tm_sec, 0, 0, 0, 0, 0)
    covered = folder / "covered"
    covered.write_bytes(name.encode("utf-16-le") + space.bytes_le + struct.pack("<I", ATTRIBUTES) + stamp + contents)
    signature = unwrap(openssl("smime", "-sign", "-binary", "-noattr", "-md", "sha256", "-outform", "DER",
                               "-signer", folder / "cert.pem", "-inkey", folder / "key.pem", "-in", covered))
    covered.unlink()
    head = struct.pack("<IHH", 24 + len(signature), 0x200, 0xEF1) + CERT_PKCS7.bytes_le
    return stamp + head + signature + contents


def find_enroll(given):
    path = pathlib.Path(given) if given else pathlib.Path(__file__).resolve().parent / PACKAGE_FOLDER / "enroll.efi"
    if path.is_file():
        return path
    raise Failure(f"there is no file {given}" if given else "the package's enroll.efi is not found; name it with --enroll")


def fill(folder, name, enroll):
    openssl("req", "-x509", "-newkey", "rsa:2048", "-sha256", "-nodes", "-days", 7300, "-subj", f"/CN={name}",
            "-keyout", folder / "key.pem", "-out", folder / "cert.pem")
    openssl("x509", "-in", folder / "cert.pem", "-outform", "DER", "-out", folder / "cert.der")
    contents = signature_list((folder / "cert.der").read_bytes(), uuid.uuid4())
    stick = folder / "stick" / "EFI" / "BOOT"
    stick.mkdir(parents=True)
    for variable, space in VARIABLES.items():
        (folder / f"{variable}.auth").write_bytes(signed_variable(variable, space, contents, folder))
        shutil.copyfile(folder / f"{variable}.auth", stick / f"{variable}.auth")
    shutil.copyfile(enroll, stick / "BOOTX64.EFI")


def make():
    arguments = argparse.ArgumentParser(prog="baremetal-make-key")
    arguments.add_argument("--name", default="libbaremetal image signing", help="name in the certificate")
    arguments.add_argument("--enroll", help="the program enroll.efi (default: the package's)")
    arguments.add_argument("folder", type=pathlib.Path)
    options = arguments.parse_args()
    folder = options.folder.absolute()
    if not re.fullmatch(r"[A-Za-z0-9 ._-]{1,60}", options.name):
        raise Failure("--name takes at most 60 letters, digits, blanks, dots and dashes")
    if folder.exists():
        raise Failure(f"{folder} is there already, and keys are never overwritten; name another folder")
    if not shutil.which("openssl"):
        raise Failure("'openssl' is missing; it makes the key (package openssl)")
    enroll = find_enroll(options.enroll)
    os.umask(0o077)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".baremetal-key-", dir=folder.parent) as work:
        made = pathlib.Path(work) / "made"
        made.mkdir()
        fill(made, options.name, enroll)
        os.rename(made, folder)
    print(f"""-- {folder}/key.pem signs; keep it secret and out of the build folder:
   baremetal_add_image(... SIGN_KEY {folder}/key.pem SIGN_CERT {folder}/cert.pem)
-- {folder}/stick: copy its contents to a FAT-formatted stick, put the machine into Setup Mode (its menu clears the platform key),
   boot the stick; it enrols the key.
-- {folder}/cert.der and *.auth are for firmware menus that enrol from files.""")


def main():
    try:
        make()
    except Failure as failure:
        sys.exit(f"error: baremetal-make-key: {failure}")
