# SPDX-License-Identifier: MIT
# Shared by the tests of the tools; $1 of the test is the folder of the programs. Sourced.

BIN=${1:?the folder of the programs}
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$TOP/scripts/loopback.sh"
WORK=$(mktemp -d)
trap 'stop_servers; rm -rf "$WORK"' EXIT
failed=0

complain() {
    echo "$*" >&2
    failed=1
}

# expect STATUS TEXT COMMAND...: runs it; its status and its output must be as said.
expect() {
    local want=$1 text=$2 out rc=0
    shift 2
    out=$(timeout 120 "$@" 2>&1 </dev/null) || rc=$?
    [ "$rc" -eq "$want" ] || complain "$*: status $rc, expected $want; it printed: $out"
    case $out in *"$text"*) ;; *) complain "$*: no '$text' in: $out" ;; esac
}

# expect_sentence STATUS TEXT COMMAND...: likewise, and stderr is one line, stdout empty.
expect_sentence() {
    local want=$1 text=$2 rc=0
    shift 2
    timeout 120 "$@" >"$WORK/stdout" 2>"$WORK/stderr" </dev/null || rc=$?
    [ "$rc" -eq "$want" ] || complain "$*: status $rc, expected $want: $(cat "$WORK/stderr")"
    grep -qF -- "$text" "$WORK/stderr" || complain "$*: no '$text' in: $(cat "$WORK/stderr")"
    [ "$(wc -l <"$WORK/stderr")" -eq 1 ] || complain "$*: stderr is not one line: $(cat "$WORK/stderr")"
    [ ! -s "$WORK/stdout" ] || complain "$*: printed to stdout: $(cat "$WORK/stdout")"
}

# server_ends STATUS TEXT LOG: waits for the server of start_server.
server_ends() {
    local want=$1 text=$2 log=$3 rc=0
    wait "$SERVER_PID" || rc=$?
    [ "$rc" -eq "$want" ] || complain "the server ended with $rc, expected $want: $(cat "$log")"
    grep -qF -- "$text" "$log" || complain "the server did not say '$text': $(cat "$log")"
}

# Octets to a TCP port, and the connection closed.
say_octets() { # PORT OCTETS
    (exec 3<>"/dev/tcp/127.0.0.1/$1" && printf '%b' "$2" >&3) 2>/dev/null || true
}
