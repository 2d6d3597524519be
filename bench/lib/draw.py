# Drawings as SVG, without a library.
# SPDX-License-Identifier: MIT
import html
import math
import statistics

COLOURS = ["#0b6e4f", "#c1440e", "#3d5a98", "#777777", "#8a4f9e"]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 440, 64, 176, 48, 56


def text(x, y, words, anchor="start", size=13, colour="#222222", more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{more}>'
            f"{html.escape(words)}</text>")


def line(x1, y1, x2, y2, colour, width=1.0, more=""):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"{more}/>'


def page(width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            'font-family="sans-serif">\n<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")


def spread_out(wanted, distance):
    """Heights near the wanted ones, at least `distance` apart."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed = list(wanted)
    for before, after in zip(order, order[1:]):
        placed[after] = max(placed[after], placed[before] + distance)
    return placed


def curve(title, x_title, y_title, series, top):
    """series: (name, [(x, values)]): a line through the medians, a bar from the least to the most; x is logarithmic."""
    xs = sorted({x for _, points in series for x, _ in points})
    low, high = math.log10(xs[0]) - 0.15, math.log10(xs[-1]) + 0.15
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def place_x(x):
        return LEFT + (math.log10(x) - low) / (high - low) * (right - LEFT)

    def place_y(y):
        return bottom - min(y, top) / top * (bottom - TOP)

    parts = [text(LEFT, 26, title, size=17)]
    for step in range(int(top / 0.5) + 1):
        y = place_y(step * 0.5)
        parts += [line(LEFT, y, right, y, "#dddddd"), text(LEFT - 8, y + 4, f"{step * 0.5:.1f}", "end")]
    for x in xs:
        parts += [line(place_x(x), bottom, place_x(x), bottom + 5, "#222222"), text(place_x(x), bottom + 20, f"{x:g}", "middle")]
    parts += [line(LEFT, bottom, right, bottom, "#222222"), text((LEFT + right) / 2, HEIGHT - 14, x_title, "middle"),
              text(16, (TOP + bottom) / 2, y_title, "middle", more=f' transform="rotate(-90 16 {(TOP + bottom) / 2:.0f})"')]
    ends = []
    for index, (_, points) in enumerate(series):
        colour, shift = COLOURS[index % len(COLOURS)], (index - (len(series) - 1) / 2) * 7
        places = [(place_x(x) + shift, place_y(statistics.median(values))) for x, values in points]
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="' +
                     " ".join(f"{x:.1f},{y:.1f}" for x, y in places) + '"/>')
        for (x, y), (_, values) in zip(places, points):
            parts += [line(x, place_y(min(values)), x, place_y(max(values)), colour, 1.5),
                      f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>']
        ends.append(places[-1])
    for index, height in enumerate(spread_out([y for _, y in ends], 17)):
        parts.append(text(right + 12, height + 4, series[index][0], colour=COLOURS[index % len(COLOURS)]))
    return page(WIDTH, HEIGHT, parts)
