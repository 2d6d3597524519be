# A client that sends what it is given and reads whole HTTP responses.
# SPDX-License-Identifier: MIT
import socket

from .guest import PATIENCE, TestFailure


class Client:
    """One connection; reads whole responses."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=15 * PATIENCE)
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def _more(self):
        piece = self.socket.recv(65536)
        self.data += piece
        return bool(piece)

    def response(self, head_only=False):
        """Returns (status, headers by lower-case name, body), by Content-Length or to the end of the connection."""
        while b"\r\n\r\n" not in self.data:
            if not self._more():
                raise TestFailure(f"the connection ended in a head: {self.data!r}")
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        status = int(lines[0].split()[1])
        body = b""
        if not head_only and status not in (204, 304):
            length = int(headers["content-length"])
            while len(self.data) < length:
                if not self._more():
                    raise TestFailure("the connection ended in a body")
            body, self.data = self.data[:length], self.data[length:]
        return status, headers, body

    def at_end(self):
        try:
            return not self.data and self.socket.recv(1) == b""
        except ConnectionError:
            return True


def get(path="/", headers="", method="GET", version="1.1"):
    return f"{method} {path} HTTP/{version}\r\nHost: test\r\n{headers}\r\n"
