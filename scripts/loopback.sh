# SPDX-License-Identifier: MIT
# Servers on free loopback ports, for the demo, the measurements and the tests of the tools.
# Sourced, not run. Every server started here ends when the script does.

SERVER_PIDS=()
stop_servers() {
    local pid
    for pid in "${SERVER_PIDS[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    SERVER_PIDS=()
}
trap stop_servers EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# port_state PORT: "listening", "used" or "free", from the kernel's tables (no connection is made).
port_state() {
    local hex
    hex=$(printf '%04X' "$1")
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port=":$hex" '
        index($2, port) == length($2) - 4 { state = $4 == "0A" ? "listening" : state ? state : "used" }
        END { print state ? state : "free" }'
}

# free_port: a port below the range that the kernel itself hands out.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        [ "$(port_state "$port")" = free ] && { echo "$port"; return; }
    done
}

has_ipv6_loopback() { grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6 2>/dev/null; }

# start_server ADDRESS LOG COMMAND...: runs COMMAND with ADDRESS:PORT appended; sets SERVER (what a
# client connects to) and SERVER_PID. Another port is tried when somebody was faster.
start_server() {
    local address=$1 log=$2 port tries waited
    shift 2
    for tries in 1 2 3 4 5; do
        port=$(free_port)
        SERVER=$address:$port
        "$@" "$SERVER" >"$log" 2>&1 </dev/null &
        SERVER_PID=$!
        for ((waited = 0; waited < 200; waited++)); do
            [ "$(port_state "$port")" = listening ] && { SERVER_PIDS+=("$SERVER_PID"); return 0; }
            kill -0 "$SERVER_PID" 2>/dev/null || break
            sleep 0.05
        done
        kill "$SERVER_PID" 2>/dev/null || true
        wait "$SERVER_PID" 2>/dev/null && break || [ $? -eq 3 ] || break
    done
    echo "'$*' did not start listening on $SERVER; it printed:" >&2
    cat "$log" >&2
    return 1
}

# finish_server LOG: waits for the server to end by itself; fails with its output if it failed.
finish_server() {
    local rc=0 waited
    for ((waited = 0; waited < 200; waited++)); do
        kill -0 "$SERVER_PID" 2>/dev/null || break
        sleep 0.05
    done
    if kill -0 "$SERVER_PID" 2>/dev/null; then
        echo "the server at $SERVER did not end after its last client had gone" >&2
        rc=1
    else
        wait "$SERVER_PID" || rc=$?
    fi
    [ "$rc" -eq 0 ] || { echo "the server at $SERVER ended with status $rc; it printed:" >&2; cat "$1" >&2; }
    return "$rc"
}
