#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ndkperf: every operation with every metric, polling and events, threads, both directions, files of
# results, wrong command lines.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PERF=$BIN/ndkperf
LOG=$WORK/server.log

start_server 127.0.0.1 "$LOG" "$PERF" --server || exit 1
for op in send write read; do
    for metric in lat bw rate; do
        for mode in --poll --event; do
            expect 0 "size" "$PERF" "$SERVER" --op $op --metric $metric --size 1,64,100000 \
                --iters 50 $mode
        done
    done
done
expect 0 "qps 3, chain 5" "$PERF" "$SERVER" --op send --metric rate --qps 3 --chain 5 --depth 11 --iters 1000
expect 0 "qps 3, chain 5" "$PERF" "$SERVER" --op write --metric bw --qps 3 --chain 5 --size 5000 --iters 1000
expect 0 "qps 2" "$PERF" "$SERVER" --op read --metric bw --qps 2 --size 1M --depth 200 --iters 300
expect 0 "crc off" "$PERF" "$SERVER" --op send --metric bw --crc off --seconds 0.1 --size 4096
expect 0 "latency" "$PERF" "$SERVER" --seconds 0.1 --transport tcp --from 127.0.0.1
for op in send write read; do
    for mode in --poll --event; do
        expect 0 "both directions" "$PERF" "$SERVER" --op $op --metric bw --bidirectional \
            --size 2,64,70000 --qps 3 --threads 2 --chain 2 --iters 3000 $mode
        expect 0 "4 SGEs" "$PERF" "$SERVER" --op $op --metric rate --sge 4 --size 4,70001 \
            --iters 100 $mode
    done
done
expect 0 "both directions" "$PERF" "$SERVER" --metric rate --bidirectional --seconds 0.1
expect 0 "2 threads" "$PERF" "$SERVER" --metric lat --threads 2 --iters 100
expect 0 "8388608" "$PERF" "$SERVER" --op write --metric bw --all --iters 8
expect 0 "connections" "$PERF" "$SERVER" --metric conn --qps 20 --threads 3

# More than one session can be had; the second is told.
came=$(grep -c 'a client came' "$LOG")
"$PERF" "$SERVER" --seconds 60 >/dev/null 2>&1 &
busy=$!
until [ "$(grep -c 'a client came' "$LOG")" -gt "$came" ]; do sleep 0.05; kill -0 "$busy" || break; done 2>/dev/null
expect 3 "it serves another client" "$PERF" "$SERVER" --iters 1
kill -INT "$busy"
wait "$busy"
[ $? -eq 1 ] || complain "an interrupted client did not end with 1"
say_octets "${SERVER##*:}" 'no iWARP at all'
expect 0 "latency" "$PERF" "$SERVER" --iters 10
kill -INT "$SERVER_PID"
wait "$SERVER_PID"

start_server 127.0.0.1 "$LOG" "$PERF" --once --server
expect 0 "" "$PERF" "$SERVER" --size 1,4096 --iters 20 --json "$WORK/lat.json" \
    --histogram "$WORK/lat.csv"
server_ends 0 "send lat 4096: done" "$LOG"
start_server 127.0.0.1 "$LOG" "$PERF" --once --server
expect 0 "" "$PERF" "$SERVER" --metric bw --op write --iters 20 --crc off --event --json "$WORK/bw.json"
server_ends 0 "write bw 1048576: done" "$LOG"
start_server 127.0.0.1 "$LOG" "$PERF" --once --server
expect 0 "" "$PERF" "$SERVER" --metric rate --iters 400 --qps 4 --threads 2 --sge 2 --bidirectional \
    --json "$WORK/rate.json" --csv "$WORK/rate.csv"
server_ends 0 "send rate 64: done" "$LOG"
start_server 127.0.0.1 "$LOG" "$PERF" --once --server
expect 0 "" "$PERF" "$SERVER" --metric conn --qps 5 --json "$WORK/conn.json" --csv "$WORK/conn.csv"
server_ends 0 "5 queue pairs" "$LOG"
python3 - "$WORK" <<'PYTHON' || failed=1
import csv, json, sys

def check(what, is_right):
    if not is_right:
        sys.exit("the JSON is wrong: " + what)

lat = json.load(open(sys.argv[1] + "/lat.json"))
check("version", isinstance(lat["version"], str))
check("two results", [r["size"] for r in lat["results"]] == [1, 4096])
for r in lat["results"]:
    want = {"op": "send", "metric": "lat", "depth": 1, "qps": 1, "chain": 1, "transport": "tcp",
            "crc": "on", "mode": "poll", "iters": 20}
    check("members", all(r[k] == v for k, v in want.items()))
    check("nothing else", set(r) == set(want) | {"size", "seconds", "lat_us"})
    l = r["lat_us"]
    check("order", 0 < l["min"] <= l["median"] <= l["p99"] <= l["p999"] <= l["max"])
    check("mean", l["min"] <= l["mean"] <= l["max"] and len(l) == 6)
rows = list(csv.DictReader(open(sys.argv[1] + "/lat.csv")))
for r in lat["results"]:
    of_run = [(float(b["us"]), int(b["count"])) for b in rows if b["size"] == str(r["size"])]
    check("all in the histogram", sum(count for _, count in of_run) == 20)
    check("rising", [us for us, _ in of_run] == sorted(us for us, _ in of_run))
    check("within", all(0.99 * r["lat_us"]["min"] <= us <= 1.01 * r["lat_us"]["max"]
                        for us, _ in of_run))
bw, = json.load(open(sys.argv[1] + "/bw.json"))["results"]
check("bandwidth", bw["mode"] == "event" and bw["crc"] == "off" and bw["iters"] == 20)
rate = bw["iters"] * bw["size"] / bw["seconds"] / 1e9
check("GB/s", abs(bw["bw_gbytes_s"] - rate) < 0.001 * rate + 1e-6)
check("only bandwidth", "lat_us" not in bw and "rate_mops" not in bw)
rate, = json.load(open(sys.argv[1] + "/rate.json"))["results"]
want = {"threads": 2, "sge": 2, "bidirectional": True, "qps": 4}
check("specials", all(rate[k] == v for k, v in want.items()))
check("both sides counted", rate["iters"] >= 400 and rate["rate_mops"] > 0)
row, = csv.DictReader(open(sys.argv[1] + "/rate.csv"))
check("CSV", row["op"] == "send" and row["threads"] == "2" and row["bidirectional"] == "1")
check("CSV figures", abs(float(row["rate_mops"]) - rate["rate_mops"]) < 1e-4 * rate["rate_mops"])
check("CSV empty", row["lat_us_median"] == "" and row["bw_gbytes_s"] == "")
conn, = json.load(open(sys.argv[1] + "/conn.json"))["results"]
check("connections", conn["op"] == "connect" and conn["iters"] == 5 and conn["conns_per_s"] > 0)
check("their times", 0 < conn["lat_us"]["min"] <= conn["lat_us"]["max"] and "size" not in conn)
row, = csv.DictReader(open(sys.argv[1] + "/conn.csv"))
check("CSV of connections", row["size"] == "" and float(row["conns_per_s"]) > 0)
PYTHON

expect_sentence 3 "nobody listens there" "$PERF" "127.0.0.1:$(free_port)"
expect_sentence 3 "not an address of this host" "$PERF" --server 192.0.2.77:9000
expect 0 "usage: ndkperf" "$PERF" --help
expect_sentence 2 "which server?" "$PERF"
expect_sentence 2 "not an address" "$PERF" nowhere
expect_sentence 2 "no option '-z'" "$PERF" -z
expect_sentence 2 "one of: send write read" "$PERF" 127.0.0.1 --op atomic
expect_sentence 2 "no shared-memory transport" "$PERF" 127.0.0.1 --transport shm
expect_sentence 2 "exclude each other" "$PERF" 127.0.0.1 --poll --event
expect_sentence 2 "exclude each other" "$PERF" 127.0.0.1 --seconds 1 --iters 1
expect_sentence 2 "does not fit a depth" "$PERF" 127.0.0.1 --metric bw --depth 2 --chain 3
expect_sentence 2 "one queue pair" "$PERF" 127.0.0.1 --qps 2
expect_sentence 2 "commas" "$PERF" 127.0.0.1 --size 0
expect_sentence 2 "is for --server" "$PERF" 127.0.0.1 --once
expect_sentence 2 "exclude each other" "$PERF" 127.0.0.1 --size 1 --all
expect_sentence 2 "as many queue pairs" "$PERF" 127.0.0.1 --metric bw --threads 2
expect_sentence 2 "bw and rate" "$PERF" 127.0.0.1 --bidirectional
expect_sentence 2 "2 octets" "$PERF" 127.0.0.1 --bidirectional --metric bw --size 1
expect_sentence 2 "lower --sge" "$PERF" 127.0.0.1 --size 64,3 --sge 4
expect_sentence 2 "lat and conn" "$PERF" 127.0.0.1 --metric bw --histogram "$WORK/h"
expect_sentence 2 "raise --iters" "$PERF" 127.0.0.1 --threads 3 --iters 2
expect_sentence 2 "cannot write" "$PERF" 127.0.0.1 --csv "$WORK/no/such/folder"
expect_sentence 2 "cannot write" "$PERF" 127.0.0.1 --json "$WORK/no/such/folder"
exit "$failed"
