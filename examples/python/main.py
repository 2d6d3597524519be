# A web server in plain Python, with nothing of libbaremetal in it: each connection has a thread, / tells of the machine, /sum?n=1000 computes.
# SPDX-License-Identifier: MIT
import http.server
import json
import os
import sys
import threading
import time
import urllib.parse

BEGAN = time.monotonic()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60  # of a connection that says nothing

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/":
            self.answer(200, machine())
        elif url.path == "/sum":
            self.answer(*squares(urllib.parse.parse_qs(url.query)))
        else:
            self.answer(404, {"error": f"there is no {url.path}"})

    def answer(self, status, fields):
        body = json.dumps(fields).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass  # the console is slower than the network


def machine():
    return {"python": sys.version.split()[0], "system": " ".join(os.uname()[:3:2]), "cores": os.cpu_count(),
            "threads": threading.active_count(), "seconds": round(time.monotonic() - BEGAN, 3)}


def squares(query):
    try:
        count = int(query["n"][0])
    except (KeyError, ValueError):
        return 400, {"error": "say /sum?n=NUMBER"}
    if not 0 <= count <= 1_000_000:
        return 400, {"error": "n is from 0 to 1000000"}
    return 200, {"n": count, "sum": sum(number * number for number in range(count))}


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64


if __name__ == "__main__":
    with Server(("", 80), Handler) as server:
        print("serving on port 80", flush=True)
        server.serve_forever()
