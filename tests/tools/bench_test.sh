#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The programs of bench/ in small: they run, what they print is JSON with every figure, wrong command
# lines are said. How good the figures are is not looked at.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

measure() { # FILE COMMAND...
    local file=$1
    shift
    timeout 250 "$@" >"$WORK/$file" 2>"$WORK/stderr" ||
        complain "$*: status $?; it printed: $(cat "$WORK/$file" "$WORK/stderr")"
}

measure micro "$BIN/bench_micro" --rounds 4
measure guard "$BIN/bench_micro" --rounds 2 --guard
measure core "$BIN/bench_core" --rounds 2
measure scale "$BIN/bench_scale" --qps 20 --threads 2 --seconds 0.05 --lanes 1
measure lat "$BIN/bench_raw_tcp" lat --seconds 0.05
measure bw "$BIN/bench_raw_tcp" bw --seconds 0.05 --size 4096
python3 - "$WORK" <<'PYTHON' || failed=1
import json, sys

def check(what, is_right):
    if not is_right:
        sys.exit("a benchmark printed something wrong: " + what)

def load(name):
    return json.load(open(sys.argv[1] + "/" + name))

calls = {"post_send", "post_receive", "flush", "poll_one", "poll_many", "poll_empty", "arm_first", "arm"}
protocol = {p + s for p in ("send", "plain", "write") for s in ("_tx", "_rx")}
for name, want in ("micro", calls), ("core", protocol):
    results = {r["op"]: r for r in load(name)["results"]}
    check(name, set(results) == want)
    check(name + " times", all(0 < r["ns_min"] <= r["ns"] and r["calls"] > 0 for r in results.values()))
check("no clock", all("ns" not in r and r["calls"] > 0 for r in load("guard")["results"]))
scale = load("scale")
check("scale", scale["qps"] == 20 and scale["depth"] == 16)
check("rates", all(scale[k] > 0 for k in ("connects_per_s", "rate_few", "rate_all", "rate_ratio")))
check("latency", all(0 < scale[k]["median"] <= scale[k]["p99"] for k in ("quiet_us", "busy_us")))
check("raw", load("lat")["results"][0]["lat_us"]["median"] > 0)
check("raw bandwidth", load("bw")["results"][0]["size"] == 4096)
PYTHON
for program in bench_micro bench_core bench_scale; do
    expect 0 "usage: $program" "$BIN/$program" --help
    expect_sentence 2 "no option '--nope'" "$BIN/$program" --nope
    expect_sentence 2 "too many" "$BIN/$program" something
done
(
    ulimit -n 200
    "$BIN/bench_scale" --qps 500 >/dev/null 2>"$WORK/stderr"
    [ $? -eq 1 ]
) && grep -q "ulimit -Hn" "$WORK/stderr" || complain "no word about descriptors: $(cat "$WORK/stderr")"
exit "$failed"
