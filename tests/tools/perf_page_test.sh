#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./dev perf: a tiny run; the JSON and the page are well-formed and hold every figure.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PERF=$TOP/scripts/perf

run() { # ARGUMENTS: what must succeed
    timeout 250 "$PERF" "$BIN" --runs 1 --seconds 0.03 --no-peers "$@" >"$WORK/out" 2>&1 ||
        complain "perf $*: status $?; it printed: $(cat "$WORK/out")"
}

expect 0 "usage: ./dev perf" "$PERF" --help
expect 2 "there are raw_lat" "$PERF" "$BIN" --only nothing
expect 2 "sizes are numbers" "$PERF" "$BIN" --sizes 64,x
run --only raw_lat,send_lat,post,poll --sizes 64,4096 --html "$WORK/page.html" --json "$WORK/page.json"
grep -q "half round trip, CRC on" "$WORK/out" || complain "no table in: $(cat "$WORK/out")"
python3 - "$WORK" "$TOP/scripts" <<'PYTHON' || failed=1
import copy, json, sys
import xml.etree.ElementTree as xml

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[2])
import perf_page

def check(what, is_right):
    if not is_right:
        sys.exit("the report is wrong: " + what)

def elements(text):
    first, rest = text.split("\n", 1)
    check("document type", first == "<!DOCTYPE html>")
    return xml.fromstring(rest)

report = json.load(open(sys.argv[1] + "/page.json"))
rows = {row["name"]: row for row in report["rows"]}
check("rows", set(rows) == {"raw_lat", "send_lat", "post", "poll"})
check("ratio", abs(rows["send_lat"]["ratio"] * rows["raw_lat"]["median"]
                   - rows["send_lat"]["median"]) < 1e-6)
for row in report["rows"]:
    if "target" in row:
        compared = row.get("ratio", row["median"])
        check("met", row["met"] == (compared <= row["target"]) and row["is_at_most"])
check("targets", all("target" in rows[n] for n in ("send_lat", "post", "poll")))
want = {"lat": {"raw", "softndk", "softndk_nocrc"}, "bw": {"raw", "softndk", "softndk_nocrc"},
        "rate": {"softndk", "softndk_nocrc"}}
check("series", {plot: set(series) for plot, series in report["sweep"].items()} == want)
for plot, series in report["sweep"].items():
    for points in series.values():
        check("sizes", [p["size"] for p in points] == [64, 4096])
        # On a busy machine a short run may have counted nothing.
        check("figures", all(p["median" if plot == "lat" else "value"] >= 0 for p in points))
        check("p99", plot != "lat" or all(p["p99"] >= p["median"] * 0.99 for p in points))

page = open(sys.argv[1] + "/page.html", encoding="utf-8").read()
tree = elements(page)
check("one file", "http://" not in page and "https://" not in page and "<script" not in page)
for plot in tree.iter("svg"):
    lines = [line.get("data-series") for line in plot.iter("polyline")]
    name = plot.get("data-plot")
    want[name] = {s for s in want[name] if any(p.get("value", 1) > 0 for p in report["sweep"][name][s])}
    check("lines of " + name, set(lines) == want[name])
    check("percentiles", len(lines) == len(want[name]) * (2 if name == "lat" else 1))
    if all(p.get("value", 1) > 0 for points in report["sweep"][name].values() for p in points):
        check("points", all(len(l.get("points").split()) == 2 for l in plot.iter("polyline")))
check("plots", len(list(tree.iter("svg"))) == 3)
words = [cell.text for cell in tree.iter("td")]
check("pass and miss", words.count("pass") + words.count("miss") == 3)

# All that may be there: peers, one size only, what must be escaped, nothing at all.
full = copy.deepcopy(report)
full["machine"]["processor"] = "A & B <C>"
for series in full["sweep"].values():
    for name in ("fabric", "ucx"):
        series[name] = [{"size": 64, "median": 5.0, "value": 0.001}]
lines = {line.get("data-series") for line in elements(perf_page.page(full)).iter("polyline")}
check("peers", lines == {"raw", "softndk", "softndk_nocrc", "fabric", "ucx"})
empty = dict(report, sweep={}, rows=[])
check("empty", not list(elements(perf_page.page(empty)).iter("svg")))
PYTHON
exit "$failed"
