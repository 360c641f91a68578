#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ndkrun: its command line. What it says of drivers is tested by tests/drivers/run.sh.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
RUN=$BIN/ndkrun

expect 0 "usage: ndkrun" "$RUN" --help
expect 0 "ndkrun " "$RUN" --version
expect_sentence 2 "no driver is named" "$RUN"
expect_sentence 2 "no option '--nonsense'" "$RUN" x.so --nonsense
expect_sentence 2 "one of: off warn break" "$RUN" x.so --verify loudly
expect_sentence 2 "one of: lenient pend inline hostile" "$RUN" x.so --schedule bad
expect_sentence 2 "more than 0" "$RUN" x.so --seconds 0
expect_sentence 2 "expected CODE or CODE=HEX" "$RUN" x.so --ioctl nonsense
expect_sentence 2 "expected CODE or CODE=HEX" "$RUN" x.so --ioctl 0x222000=123
expect_sentence 3 "no.so: it cannot be read" "$RUN" no.so
echo text >"$WORK/text.so"
expect_sentence 3 "text.so: it is no shared object" "$RUN" "$WORK/text.so"
# An object file with a broken table of sections, and a library that is no driver.
head -c 64 "$BIN/ndkrun" >"$WORK/cut.so"
expect 3 "cut.so" "$RUN" "$WORK/cut.so"
expect 3 "exports no DriverEntry" "$RUN" "$BIN/../lib/libsoftndk.so"
exit "$failed"
