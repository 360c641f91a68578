#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./dev answers wrong usage with one sentence and status 2, and its help names every verb.
set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
failed=0

expect() { # STATUS TEXT ARGUMENTS...
    local want=$1 text=$2 out rc=0
    shift 2
    out=$("$TOP/dev" "$@" 2>&1 </dev/null) || rc=$?
    if [ "$rc" -ne "$want" ] || [[ $out != *"$text"* ]]; then
        echo "dev $*: status $rc, expected $want and '$text', printed: $out" >&2
        failed=1
    fi
}

for verb in demo test build check sim fuzz coverage perf docs fmt install; do
    expect 0 "  $verb" --help
done
expect 2 "usage: ./dev"
expect 2 "there is no verb 'frobnicate'" frobnicate
expect 2 "'fast' is not a flavour" build fast
expect 2 "takes no arguments" demo now
expect 2 "takes no arguments" fmt now
expect 2 "sim needs its arguments" sim
expect 2 "install takes one argument" install
expect 2 "there is no step 'churned'" check --only churned
expect 2 "install takes one argument" install a b
exit "$failed"
