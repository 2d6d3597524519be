#!/usr/bin/env python3
# Boots images over the network by UEFI: PXE (TFTP) and HTTP boot, from QEMU's user network; http_server then serves its page.
# SPDX-License-Identifier: MIT
"""Usage: uefi_network.py IMAGE PREFIX

IMAGE is http_server. The same EFI file comes over both protocols; by HTTP it gets a command line in its load options."""

import contextlib
import functools
import http.client
import http.server
import pathlib
import struct
import sys
import threading
import uuid

from harness import network
import ovmf
from harness import PATIENCE, TestFailure

GLOBAL = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
STORE = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792").bytes_le  # of variables with authentication
STORE_HEADER, VARIABLE_HEADER = 28, 60


def add_variable(image, name, data):
    """Appends a variable to OVMF's store (edk2: MdeModulePkg/Include/Guid/VariableFormat.h)."""
    at = image.index(STORE) + STORE_HEADER
    while image[at:at + 2] == b"\xaa\x55":
        name_size, data_size = struct.unpack_from("<II", image, at + 36)
        at += (VARIABLE_HEADER + name_size + data_size + 3) & ~3
    text = name.encode("utf-16-le") + b"\0\0"
    header = struct.pack("<HBBIQ16xIII", 0x55AA, 0x3F, 0, 7, 0, 0, len(text), len(data)) + GLOBAL.bytes_le
    entry = header + text + data
    image[at:at + len(entry)] = entry


def boot_from_uri(variables, uri, options):
    """Makes the address the next thing to boot: a load option whose device path is a URI (UEFI specification 2.10, 3.1.2)."""
    node = struct.pack("<BBH", 3, 24, 4 + len(uri)) + uri.encode() + b"\x7f\xff\4\0"
    option = struct.pack("<IH", 1, len(node)) + "test\0".encode("utf-16-le") + node + (options + "\0").encode("utf-16-le")
    image = bytearray(variables.read_bytes())
    add_variable(image, "Boot0042", option)
    add_variable(image, "BootNext", struct.pack("<H", 0x42))
    variables.write_bytes(image)


class Requests(http.server.SimpleHTTPRequestHandler):
    seen = []

    def log_message(self, *_):
        self.seen.append(self.path)


@contextlib.contextmanager
def web_server(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Requests, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def fetch(guest, user):
    """The page of http_server."""
    guest.expect("http_server: serving", 60)
    try:
        connection = http.client.HTTPConnection(*user.address(80), timeout=20 * PATIENCE)
        connection.request("GET", "/")
        answer = connection.getresponse()
        page = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise guest.failure(f"no page came: {error}") from None
    if answer.status != 200 or b"<html" not in page.lower():
        raise guest.failure(f"the answer is {answer.status} with {len(page)} bytes, not a page")


def boot_by_pxe(folder):
    with network.UserNetwork(80, options=f",tftp={folder},bootfile=image.efi") as user, \
            ovmf.Ovmf([], arguments=user.arguments) as guest:
        guest.expect("Start PXE over IPv4", 60)
        guest.expect("NBP file downloaded successfully", 30)
        fetch(guest, user)
    print("ok: PXE, the page is served", flush=True)


def boot_by_http(folder):
    variables = ovmf.new_variables(folder)
    with web_server(folder) as port, network.UserNetwork(80) as user:
        boot_from_uri(variables, f"http://10.0.2.2:{port}/image.efi", "sillyuri=1")
        with ovmf.Ovmf([], variables=variables, arguments=user.arguments) as guest:
            guest.expect("Start HTTP Boot over IPv4", 60)
            guest.expect("(?i)warning: .*sillyuri", 60)
            fetch(guest, user)
    if "/image.efi" not in Requests.seen:
        raise TestFailure(f"the web server was asked for {Requests.seen}, not for /image.efi")
    print("ok: HTTP boot with load options, the page is served", flush=True)


def test(image, prefix, folder):
    ovmf.make_efi(prefix, image, pathlib.Path(folder) / "image.efi")
    boot_by_pxe(folder)
    boot_by_http(folder)


if __name__ == "__main__":
    network.enter_namespace(required=False)
    sys.exit(ovmf.main(test))
