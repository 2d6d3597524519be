# Boots over the network by the BIOS ROM of iPXE, which QEMU's network cards bring.
# SPDX-License-Identifier: MIT
"""The ROM asks QEMU's DHCP for a file name and gets a script by TFTP, which attaches the ISO file of a web server as a CD:
`sanboot http://…/image.iso`. The web server has to answer requests for ranges of bytes, as nginx, Apache and Caddy do."""

import http.server
import re
import threading

SCRIPT = "#!ipxe\nsanboot http://10.0.3.2:{port}/image.iso\n"  # 10.0.3.2 is the host's 127.0.0.1


def handler(data):
    class Ranges(http.server.BaseHTTPRequestHandler):
        """One file, whole or in pieces."""

        def answer(self, body):
            wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            first, last = (int(number) for number in wanted.groups()) if wanted else (0, len(data) - 1)
            piece = data[first:last + 1]
            self.send_response(206 if wanted else 200)
            if wanted:
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(piece)))
            self.end_headers()
            if body:
                self.wfile.write(piece)

        def do_GET(self):
            self.answer(True)

        def do_HEAD(self):
            self.answer(False)

        def log_message(self, *_):
            pass

    return Ranges


def words(machine, card):
    """QEMU's words for a boot from that network card; the web server lives as long as the test."""
    def ipxe_words(image):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(image.file(".iso").read_bytes()))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (image.folder / "boot.ipxe").write_text(SCRIPT.format(port=server.server_address[1]))
        return [machine, "-netdev", f"user,id=boot,net=10.0.3.0/24,tftp={image.folder},bootfile=boot.ipxe", "-device",
                f"{card},netdev=boot,addr=0x10,bootindex=0,mac=52:54:00:12:34:99"]
    return ipxe_words
