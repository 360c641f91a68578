# SPDX-License-Identifier: MIT
"""The page of `./dev perf --html`: plots and the table of targets in one file that needs no other.

Used by scripts/perf. page(report) takes the document that --json writes and returns HTML which is
well-formed XML too, so that tests can read it.
"""
import html
import math

WIDTH, HEIGHT = 800, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 190, 16, 44

# Name in the report, words, colour (told apart by those who do not see all colours as well).
SERIES = [
    ("raw", "raw TCP", "#777777"),
    ("softndk", "softndk, CRC on", "#0072b2"),
    ("softndk_nocrc", "softndk, CRC off", "#d55e00"),
    ("fabric", "libfabric tcp", "#009e73"),
    ("ucx", "UCX tcp", "#cc79a7"),
]
# Name in the report, title, unit, is the y axis logarithmic, figures: (member, dash pattern, words).
PLOTS = [
    ("lat", "Latency: half the round trip, median and 99th percentile", "microseconds", True,
     (("median", "", "median"), ("p99", "6 4", "p99"))),
    ("bw", "Bandwidth, one direction", "GB/s", False, (("value", "", ""),)),
    ("rate", "Message rate", "million messages a second", True, (("value", "", ""),)),
]

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #6b6b6b; --line: #d9d9d9; --back: #ffffff;
  --good: #00734f; --bad: #b03a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --soft: #a2a2a2; --line: #3a3a3a;
  --back: #161616; --good: #4cc79c; --bad: #ff9a5c; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p, figcaption { color: var(--soft); } figure { margin: 0; }
svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
svg .grid { stroke: var(--line); stroke-width: 1; } svg .label { font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
.pass { color: var(--good); font-weight: 600; } .miss { color: var(--bad); font-weight: 600; }
"""


def size_words(size):
    for unit, name in ((1 << 20, "M"), (1 << 10, "K")):
        if size >= unit and size % unit == 0:
            return "%d%s" % (size // unit, name)
    return str(size)


def number(value):
    return "%.3g" % value if value < 1000 else "%.0f" % value


class Axis:
    """From values to places."""

    def __init__(self, low, high, is_log, first, last):
        if is_log:
            low, high = math.log10(low), math.log10(high)
        if high - low < 1e-9:
            high = low + 1
        self.low, self.high, self.is_log, self.first, self.last = low, high, is_log, first, last

    def place(self, value):
        value = math.log10(value) if self.is_log else value
        return self.first + (value - self.low) / (self.high - self.low) * (self.last - self.first)


def linear_ticks(high):
    """Round steps from 0 on, five or so, the last not below high."""
    step = 10 ** math.floor(math.log10(high))
    for factor in (0.2, 0.5, 1, 2):
        if high / (step * factor) <= 6:
            step *= factor
            break
    return [i * step for i in range(int(math.ceil(high / step)) + 1)]


def log_ticks(low, high):
    """1, 2 and 5 of each power of ten, around what there is; only the powers where there are many."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    digits = (1, 2, 5) if last - first <= 2 else (1,)
    ticks = [d * 10.0 ** e for e in range(first, last + 1) for d in digits]
    under = [t for t in ticks if t <= low] or ticks[:1]
    above = [t for t in ticks if t >= high] or ticks[-1:]
    return [t for t in ticks if under[-1] <= t <= above[0]]


def lines_of(data, figures):
    """(series, words, colour, dash, [(size, value)]) of everything that was measured."""
    found = []
    for name, words, colour in SERIES:
        for member, dash, figure in figures:
            points = [(p["size"], p[member]) for p in data.get(name, []) if p.get(member)]
            if points:
                found.append((name, words + (", " + figure if figure else ""), colour, dash, points))
    return found


def spread(places, gap):
    """Moves labels apart that would stand on each other; [(place, anything)] by place."""
    moved = []
    for place, what in sorted(places, key=lambda p: p[0]):
        moved.append((max(place, moved[-1][0] + gap) if moved else place, what))
    return moved


def grid(x, y, x_ticks, y_ticks, unit):
    out = []
    for tick in y_ticks:
        at = y.place(tick)
        out.append('<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>'
                   % (LEFT, WIDTH - RIGHT, at, at))
        out.append('<text x="%d" y="%.1f" text-anchor="end">%s</text>'
                   % (LEFT - 8, at + 4, number(tick)))
    for tick in x_ticks:
        out.append('<text x="%.1f" y="%d" text-anchor="middle">%s</text>'
                   % (x.place(tick), HEIGHT - BOTTOM + 18, size_words(tick)))
    out.append('<text x="%.1f" y="%d" text-anchor="middle">octets of a message</text>'
               % ((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6))
    out.append('<text x="14" y="%d" text-anchor="middle" transform="rotate(-90 14 %d)">%s</text>'
               % ((HEIGHT - BOTTOM) // 2, (HEIGHT - BOTTOM) // 2, html.escape(unit)))
    return out


def curve(x, y, line):
    name, words, colour, dash, points = line
    places = [(x.place(size), y.place(value)) for size, value in points]
    out = ['<polyline data-series="%s" fill="none" stroke="%s" stroke-width="2"%s points="%s"/>'
           % (name, colour, ' stroke-dasharray="%s"' % dash if dash else "",
              " ".join("%.1f,%.1f" % p for p in places))]
    for (at_x, at_y), (size, value) in zip(places, points):
        out.append('<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"><title>%s, %s octets: %s</title>'
                   '</circle>' % (at_x, at_y, colour, html.escape(words), size_words(size),
                                  number(value)))
    return out


def plot(data, plot_of):
    name, title, unit, is_log, figures = plot_of
    lines = lines_of(data, figures)
    if not lines:
        return ""
    sizes = sorted({size for line in lines for size, _ in line[4]})
    values = [value for line in lines for _, value in line[4]]
    ticks = log_ticks(min(values), max(values)) if is_log else linear_ticks(max(values))
    x = Axis(sizes[0], sizes[-1], True, LEFT + 10, WIDTH - RIGHT - 10)
    y = Axis(ticks[0], ticks[-1], is_log, HEIGHT - BOTTOM, TOP)
    out = ['<figure><h2>%s</h2><svg viewBox="0 0 %d %d" role="img" aria-label="%s" data-plot="%s">'
           % (html.escape(title), WIDTH, HEIGHT, html.escape(title), name)]
    out += grid(x, y, sizes, ticks, unit)
    for line in lines:
        out += curve(x, y, line)
    labels = [(y.place(line[4][-1][1]), line) for line in lines]
    for place, line in spread(labels, 15):
        out.append('<text class="label" x="%d" y="%.1f" style="fill:%s">%s</text>'
                   % (WIDTH - RIGHT + 2, place + 4, line[2], html.escape(line[1])))
    return "\n".join(out) + "</svg></figure>" + figures_table(lines, unit)


def figures_table(lines, unit):
    sizes = sorted({size for line in lines for size, _ in line[4]})
    out = ["<details><summary>The figures, in %s</summary><table><tr><th>octets</th>%s</tr>"
           % (html.escape(unit), "".join("<th>%s</th>" % html.escape(l[1]) for l in lines))]
    for size in sizes:
        cells = (number(dict(line[4])[size]) if size in dict(line[4]) else "" for line in lines)
        out.append("<tr><td>%s</td>%s</tr>"
                   % (size_words(size), "".join("<td>%s</td>" % cell for cell in cells)))
    return "\n".join(out) + "</table></details>"


def targets(rows):
    out = ["<h2>Targets</h2><table><tr><th>what</th><th>median</th><th>ratio</th><th>target</th>"
           "<th></th></tr>"]
    for row in rows:
        bound = ""
        if "target" in row:
            bound = "%s %s" % ("≤" if row["is_at_most"] else "≥", number(row["target"]))
        word = {True: "pass", False: "miss", None: ""}[row.get("met")]
        out.append('<tr><td>%s</td><td>%s %s</td><td>%s</td><td>%s</td><td class="%s">%s</td></tr>'
                   % (html.escape(row["what"]), number(row["median"]), html.escape(row["unit"]),
                      "%.2f" % row["ratio"] if "ratio" in row else "", bound, word, word))
    return "\n".join(out) + "</table>"


def page(report):
    """The whole page as text."""
    machine = report["machine"]
    out = ['<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
           '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
           "<title>softndk: performance</title><style>%s</style></head><body>" % STYLE,
           "<h1>softndk: performance</h1>",
           "<p>%s, %d processors, Linux %s, softndk %s. TCP over loopback, both sides on processors "
           "of their own. Medians of %d alternating runs of %g s; only what one run measured side by "
           "side can be compared.</p>"
           % (html.escape(machine["processor"]), machine["processors"],
              html.escape(machine["kernel"]), html.escape(machine["version"]), report["runs"],
              report["seconds"])]
    out += [plot(report["sweep"].get(p[0], {}), p) for p in PLOTS]
    if report["rows"]:
        out.append(targets(report["rows"]))
    out.append("</body></html>\n")
    return "\n".join(out)
