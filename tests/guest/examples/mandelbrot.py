#!/usr/bin/env python3
# mandelbrot: the picture on the console is the one that the host computes, on 1, 2 and 4 cores.
# SPDX-License-Identifier: MIT
"""Usage: mandelbrot.py IMAGE"""

import sys

from example import CORES, boot, equal, match, refuses, run

ITERATIONS = 256
STEP = 8
STOPS = ((0, 7, 60), (20, 80, 180), (120, 190, 240), (250, 250, 220), (255, 180, 30), (160, 60, 10), (60, 10, 40))


def escape_time(c):
    """z = z * z + c, in the example's order of operations: Python's floats are IEEE doubles, too."""
    x = y = 0.0
    for n in range(ITERATIONS):
        if x * x + y * y > 4.0:
            return n
        x, y = x * x - y * y + c.real, x * y + x * y + c.imag
    return ITERATIONS


def colour(n):
    if n == ITERATIONS:
        return (0, 0, 0)
    place, after = divmod(n, STEP)
    pairs = zip(STOPS[place % len(STOPS)], STOPS[(place + 1) % len(STOPS)])
    return tuple((a * (STEP - after) + b * after) // STEP for a, b in pairs)


def picture(width, height):
    step = 3.0 / width
    return [value
            for row in range(height) for column in range(width)
            for value in colour(escape_time(complex((column - width / 2.0) * step - 0.75, (row - height / 2.0) * step)))]


def checksum(values):
    result = 0xcbf29ce484222325
    for value in values:
        result = (result ^ value) * 0x100000001b3 % 2**64
    return f"{result:016x}"


def read_ppm(text):
    """Width, height and values of the plain PPM between the lines that frame it."""
    body, = match(text, r"^-----BEGIN PPM-----\n([^-]*)^-----END PPM-----$")
    if max(map(len, body.split("\n"))) > 70:
        equal("longest line of the PPM", max(map(len, body.split("\n"))), 70)
    magic, width, height, depth, *values = body.split()
    equal("kind and depth", (magic, depth), ("P3", "255"))
    return int(width), int(height), list(map(int, values))


def check(image):
    for arguments, width, height in (("", 160, 120), ("size=37x23", 37, 23), ("size=1x1", 1, 1)):
        expected = picture(width, height)
        for cores in CORES:
            text = boot(image, cores, arguments)
            found = read_ppm(text)
            equal("width and height", found[:2], (width, height))
            equal("values", len(found[2]), len(expected))
            wrong = sorted({i // 3 for i, (a, b) in enumerate(zip(found[2], expected)) if a != b})
            equal("wrong pixels (the first ones)", wrong[:10], [])
            equal("size, cores and checksum", match(text, r"^mandelbrot: (\S+), cores: (\d+), checksum: (\w+)$"),
                  (f"{width}x{height}", str(cores), checksum(expected)))
            if cores == 1:
                match(text, r"^mandelbrot: 100 %$")
            print(f"ok: {width}x{height} on {cores} cores", flush=True)
    for bad in ("size=", "size=160", "size=0x5", "size=5x4097", "size=160x120x", "size=-1x5", "big"):
        refuses(image, bad, rf"'{bad}' is not known; known: size=160x120, 1x1 to 4096x4096$")
    refuses(image, "size=4096x4096", r"no memory for 4096x4096 pixels; start the machine with more$", memory="32")
    print("ok: refusals")


if __name__ == "__main__":
    sys.exit(run(check))
