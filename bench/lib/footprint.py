# How large images are, and the least memory in which they do their work.
# SPDX-License-Identifier: MIT
import datetime
import json

import linux
import tools
import web
from machine import Machine
from work_report import number, table

from network import TapNetwork, connect, enter_namespace  # tests/guest

MOST = 256  # MiB


def add_commands(commands):
    footprint = commands.add_parser("footprint", help="bytes of the images, and the least memory in which they run")
    footprint.add_argument("--ours-alone", action="store_true", help="without the Linux guest")
    footprint.set_defaults(run=run_footprint)


def least(works):
    """The smallest number of MiB with which works(mebibytes) holds, by halving."""
    low, high = 1, MOST
    while low < high:
        middle = (low + high) // 2
        if works(middle):
            high = middle
        else:
            low = middle + 1
    return low


def hello_runs(image, mebibytes):
    with Machine(image, memory=str(mebibytes)) as machine:
        try:
            return machine.guest.wait(20) == 33
        except Exception:  # a machine too small may hang as well as stop
            return False


def page_comes(server, mebibytes):
    with TapNetwork() as network, server.machine(network, memory=str(mebibytes)) as machine:
        try:
            with connect((web.GUEST4, 80), 12) as client:
                client.settimeout(5)
                client.sendall(b"GET /page.html HTTP/1.1\r\nHost: guest\r\nConnection: close\r\n\r\n")
                data = b""
                while piece := client.recv(65536):
                    data += piece
                return data.startswith(b"HTTP/1.1 200") and machine.guest.alive()
        except OSError:
            return False


def run_footprint(options):
    hello = tools.images("hello") / "hello" / "hello"
    servers = [web.Ours()] if options.ours_alone else [web.Ours(), web.Nginx()]
    for server in servers:
        server.build()
    enter_namespace()
    result = {"date": datetime.datetime.now().isoformat(timespec="minutes"),
              "hello": {"bytes": hello.stat().st_size, "least MiB": least(lambda size: hello_runs(hello, size))}}
    for server in servers:
        files = [server.image] if isinstance(server, web.Ours) else [linux.packed_kernel(), server.initrd]
        result[server.name] = {"bytes": sum(file.stat().st_size for file in files),
                               "least MiB": least(lambda size, server=server: page_comes(server, size))}
    rows = [[name, number(figures["bytes"]), str(figures["least MiB"])] for name, figures in result.items() if name != "date"]
    text = "\n".join(["# Images", "", *table(["", "bytes", "least memory, MiB"], rows)]) + "\n"
    (tools.BUILD / "footprint.json").write_text(json.dumps(result, indent=1))
    (tools.BUILD / "footprint.md").write_text(text)
    print(text)
    return 0
