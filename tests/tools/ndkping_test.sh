#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ndkping: both exchanges, both families, odd sizes; wrong command lines; peers that are none.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PING=$BIN/ndkping
LOG=$WORK/server.log

pings() { # ADDRESS CLIENT-ARGUMENTS... (--rping goes to both sides)
    local address=$1 rping=
    shift
    case " $* " in *" --rping "*) rping=--rping ;; esac
    start_server "$address" "$LOG" "$PING" --count 1 $rping --server || { failed=1; return; }
    expect 0 "every octet verified" "$PING" "$SERVER" "$@"
    server_ends 0 "every octet verified" "$LOG"
}

pings 127.0.0.1 --count 3
for size in 1 65535 65537 1000001; do pings 127.0.0.1 --count 2 --size $size; done
for size in 1 14 64 65000; do pings 127.0.0.1 --rping --count 3 --size $size; done
if has_ipv6_loopback; then
    pings '[::1]' --count 2
    pings '[::1]' --rping --count 2
fi

# The Windows tool's spellings, the third client of one server, an interval.
start_server 127.0.0.1 "$LOG" "$PING" --count 3 -S -TestType rping -W 60 -V -serveraddr
expect 0 "completes" "$PING" -C -TestType rping -ServerAddr "$SERVER" -ClientAddr 127.0.0.1 -V
expect 0 "ping=2" "$PING" --rping "$SERVER" --count 2 --interval 0.1
expect 0 "completes" "$PING" --rping "$SERVER" --count 1
server_ends 0 "4 pings" "$LOG"

# What is no client of ours: octets that are no iWARP, an rping where none is expected.
start_server 127.0.0.1 "$LOG" "$PING" --count 1 --server
port=${SERVER##*:}
say_octets "$port" 'GET / HTTP/1.0\r\n\r\n'
say_octets "$port" ''
expect_sentence 3 "refused" "$PING" --rping "$SERVER" --count 1
expect 0 "completes" "$PING" "$SERVER" --count 1
server_ends 1 "does not speak ndkping" "$LOG"

# A server that is busy elsewhere, or not there.
start_server 127.0.0.1 "$LOG" "$PING" --server
expect_sentence 3 "another program uses it" "$PING" --server "$SERVER"
kill -INT "$SERVER_PID"
server_ends 0 "listens" "$LOG"
expect_sentence 3 "nobody listens there" "$PING" "$SERVER"
expect_sentence 3 "not an address of this host" "$PING" --server 192.0.2.77:9000
expect 1 "no client came" "$PING" --server "127.0.0.1:$(free_port)" -W 0.2

# A client that goes away in the middle; the server says so and serves the next.
start_server 127.0.0.1 "$LOG" "$PING" --count 2 --server
"$PING" "$SERVER" --count 100000 >/dev/null 2>&1 &
client=$!
until grep -q ping=3 "$LOG"; do sleep 0.05; kill -0 "$SERVER_PID" 2>/dev/null || break; done
kill -KILL "$client"
wait "$client" 2>/dev/null
expect 0 "completes" "$PING" "$SERVER" --count 1
wait "$SERVER_PID" # 0 if it was between two pings, else 1
grep -qF "ping=1 " "$LOG" || complain "the server did not serve the second client: $(cat "$LOG")"

# A client that is interrupted ends in good order.
start_server 127.0.0.1 "$LOG" "$PING" --count 1 --server
"$PING" "$SERVER" --count 100000 --interval 0.05 >"$WORK/client.log" 2>&1 &
client=$!
until grep -q ping=2 "$WORK/client.log"; do sleep 0.05; kill -0 "$client" 2>/dev/null || break; done
kill -INT "$client"
wait "$client" || complain "an interrupted client ended with $?: $(cat "$WORK/client.log")"
server_ends 0 "every octet verified" "$LOG"

expect 0 "usage: ndkping" "$PING" --help
expect 0 "ndkping " "$PING" --version
expect_sentence 2 "which server?" "$PING"
expect_sentence 2 "no option '--nonsense'" "$PING" --nonsense
expect_sentence 2 "not an address" "$PING" nowhere
expect_sentence 2 "not an address" "$PING" 127.0.0.1:0
expect_sentence 2 "not an address" "$PING" --server 127.0.0.1:65536
expect_sentence 2 "from 1 to 1073741824" "$PING" 127.0.0.1 --size 0
expect_sentence 2 "from 1 to 1073741824" "$PING" 127.0.0.1 --size 1073741825
expect_sentence 2 "from 1 to" "$PING" 127.0.0.1 --count none
expect_sentence 2 "one of: rping" "$PING" 127.0.0.1 -TestType rperf
expect_sentence 2 "exclude each other" "$PING" -S -C
expect_sentence 2 "given twice" "$PING" 127.0.0.1 -ServerAddr 127.0.0.1
expect_sentence 2 "one argument too many" "$PING" 127.0.0.1 127.0.0.2
expect_sentence 2 "no interface with index" "$PING" 127.0.0.1 --if 999999
expect_sentence 2 "not an IPv4 or IPv6 address" "$PING" 127.0.0.1 --from here
exit "$failed"
