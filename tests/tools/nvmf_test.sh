#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# examples/nvmf without an NVMe target: command lines, nobody there, peers that are something else.
# tests/interop/nvmf.py has the target.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
NVMF=$BIN/example_nvmf
LOG=$WORK/server.log
NQN=nqn.2026-01.example:disk

expect 0 "usage: nvmf" "$NVMF" --help
expect_sentence 2 "an address and the NQN" "$NVMF"
expect_sentence 2 "an address and the NQN" "$NVMF" 127.0.0.1
expect_sentence 2 "is no address" "$NVMF" here "$NQN"
expect_sentence 2 "is too much" "$NVMF" 127.0.0.1 "$NQN" more
expect_sentence 2 "no option '--fast'" "$NVMF" 127.0.0.1 "$NQN" --fast
expect_sentence 2 "--depth takes" "$NVMF" 127.0.0.1 "$NQN" --depth 0
expect_sentence 2 "--depth takes" "$NVMF" 127.0.0.1 "$NQN" --depth
expect_sentence 2 "--span takes" "$NVMF" 127.0.0.1 "$NQN" --span 8G
expect_sentence 2 "--block takes" "$NVMF" 127.0.0.1 "$NQN" --block 99999999999999999999M
expect_sentence 2 "exclude each other" "$NVMF" 127.0.0.1 "$NQN" --prove --no-invalidate
expect_sentence 2 "longer than" "$NVMF" 127.0.0.1 "$(printf '%0300d' 0)"

# A port where nobody listens: that of a server which has ended.
start_server 127.0.0.1 "$LOG" "$BIN/ndkping" --count 1 --server
expect 0 "completes" "$BIN/ndkping" "$SERVER" --count 1
server_ends 0 "every octet verified" "$LOG"
expect_sentence 3 "cannot be connected" "$NVMF" "$SERVER" "$NQN"

# Servers that speak iWARP but no NVMe: one refuses our private data, the other our first command.
start_server 127.0.0.1 "$LOG" "$BIN/ndkping" --count 1 --server
expect_sentence 3 "does an NVMe target over iWARP listen there" "$NVMF" "$SERVER" "$NQN"
expect 0 "completes" "$BIN/ndkping" "$SERVER" --count 1
server_ends 1 "does not speak ndkping" "$LOG"
start_server 127.0.0.1 "$LOG" "$BIN/ndkping" --count 1 --rping --server
expect_sentence 1 "fabrics connect: queue 0 is broken" "$NVMF" "$SERVER" "$NQN" --timeout 2
server_ends 1 "failed" "$LOG"
exit "$failed"
