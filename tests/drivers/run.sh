#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh BIN CC SANITIZER DRIVER: compiles a driver of this folder with ndkcc, runs it with ndkrun and
# compares what comes out. SANITIZER as of SOFTNDK_SANITIZE ("", "address,undefined", "thread").
# `run.sh BIN CC SANITIZER broken` does so with every driver of broken/, which must be found out.
set -uo pipefail
[ "${1:-}" != --help ] || { sed -n '3,6s/^# //p' "${BASH_SOURCE[0]}"; exit 0; }
BIN=${1:?run.sh BIN CC SANITIZER DRIVER}
CC=${2:?} SANITIZER=${3?} DRIVER=${4:?}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/../../scripts/loopback.sh"
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
failed=0
ulimit -c 0
flags=()
case $SANITIZER in
*address*) flags=(--asan) ;;
*thread*) flags=(--tsan) ;;
esac
# A machine under load with a sanitizer is slow; what hangs hangs longer.
export SOFTNDK_VERIFY_LINGER_MS=1000 SOFTNDK_VERIFY_CALLBACK_MS=30000

complain() {
    echo "$*" >&2
    failed=1
}

# compile NAME OPTION-OR-SOURCE...: gives $WORK/NAME.so
compile() {
    local name=$1
    shift
    "$BIN/ndkcc" --cc "$CC" ${flags[@]+"${flags[@]}"} -o "$WORK/$name.so" "$@" \
        >"$WORK/$name.cc" 2>&1 || { cat "$WORK/$name.cc" >&2; exit 1; }
}

# run STATUS TEXT... -- ARGUMENTS OF NDKRUN: the status, and every text in what it prints.
run() {
    local want=$1 texts=() rc=0
    shift
    while [ "$1" != -- ]; do texts+=("$1"); shift; done
    shift
    (cd "$WORK" && timeout 600 "$BIN/ndkrun" "$@") >"$WORK/out" 2>&1 </dev/null || rc=$?
    [ "$rc" -eq "$want" ] || complain "ndkrun $*: status $rc, expected $want; it printed:
$(cat "$WORK/out")"
    for text in "${texts[@]}"; do
        grep -qF -- "$text" "$WORK/out" || complain "ndkrun $*: no '$text' in:
$(cat "$WORK/out")"
    done
}

rsock() {
    compile rsock "$HERE"/rsock/*.c
    [ ! -s "$WORK/rsock.cc" ] || complain "ndkcc says: $(cat "$WORK/rsock.cc")"
    # The driver's addresses and interface indexes are those of somebody's lab.
    run 0 "RSOCK: a connection from 192.168.77.2 at IRQL 2" \
        "RSOCK: 256 messages and 512 regions verified" "RSOCK: self test passed" \
        "RSOCK: unloaded" "ndkrun: clean: 1 driver" -- rsock.so --patience 300 \
        --map 192.168.77.1=127.0.0.1 --map 192.168.77.2=127.0.0.2 --map 12=0 --map 13=0
}

settings() { # PORT
    printf '%s\n' 'Windows Registry Editor Version 5.00' ''
    for name in nvmft nvmfi; do
        printf '[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\%s]\n' "$name"
        printf '"Port"=dword:%08x\n\n' "$1"
    done
}

nvmf() {
    local port
    compile nvmft "$HERE"/nvmf/target.c "$HERE"/nvmf/ndklib.c
    compile nvmfi "$HERE"/nvmf/initiator.c "$HERE"/nvmf/ndklib.c
    # The port is free now; somebody may take it before the target does.
    for _ in 1 2 3 4 5; do
        port=$(free_port)
        settings "$port" >"$WORK/nvmf.reg"
        (cd "$WORK" && timeout 600 "$BIN/ndkrun" nvmft.so nvmfi.so --registry nvmf.reg \
            --ioctl 0x222004 --patience 300) >"$WORK/out" 2>&1 </dev/null
        grep -qF "cannot start, 0xc0000043" "$WORK/out" || break
    done
    for text in "NVMFT: port $port (from the registry)" "NVMFI: rejected, reason 6" \
        "DISPATCH NVMFT: queue 1 accepted, status 0x00000000" \
        "NVMFI: 128 blocks verified, test passed" "NVMFT: 256 commands served" \
        "control code 0x222004: STATUS_SUCCESS (0x00000000), 4 octets: 80000000" \
        "ndkrun: clean: 2 drivers"; do
        grep -qF -- "$text" "$WORK/out" || complain "nvmf: no '$text' in:
$(cat "$WORK/out")"
    done
}

shared() {
    compile shared "$HERE/shared/shared.c" "$HERE/nvmf/ndklib.c"
    run 0 "SHARED: connection 0: 6000 bytes through a window" \
        "SHARED: connection 1: 6000 bytes through a window" \
        "SHARED: status 0x00000000, the shared queue notified 1 times" "ndkrun: clean: 1 driver" \
        -- shared.so --patience 300
}

broken() {
    local name
    for name in "$HERE"/broken/*.c; do
        name=$(basename "$name" .c)
        compile "$name" --debug "$HERE/broken/$name.c"
    done
    run 3 "missing.so needs 3 routines that softndk" "  IoOpenTheGates" "  KeMakeCoffee" \
        "  ExTimeMachine" "The driver was not loaded." -- missing.so refuses.so
    run 4 "no such hardware" "DriverEntry of refuses returned STATUS_NOT_SUPPORTED (0xC00000BB)" \
        -- refuses.so
    run 134 "BUGCHECK 0x0000000A IRQL_NOT_LESS_OR_EQUAL" "KeWaitForSingleObject was called at IRQL 2" \
        "KeWaitForSingleObject (libsoftndk" "DrainQueue at wait_at_dispatch.c:11" "IRQL: DISPATCH" \
        -- wait_at_dispatch.so
    run 134 "BUGCHECK 0x0000000A" "wsk_close_ndk_adapter was called at IRQL 2" "Shut at wrong_irql.c:13" \
        -- wrong_irql.so
    run 4 "RULE BROKEN: initialised-while-waited-for" "ResetWork at event_reinit.c:17" \
        -- event_reinit.so
    run 4 "RULE BROKEN: size-of-a-pointer" "RDMA is not available" \
        "DriverEntry of sizeof_pointer returned STATUS_INVALID_PARAMETER" -- sizeof_pointer.so
    run 1 "left behind a system thread" "DriverEntry at open_adapter.c" \
        "left behind a pool block" "tag 'Leak', 100 bytes" "left open are 1 NDK object" "adapter" \
        -- open_adapter.so --seconds 1
    run 1 "verifier: N-L5" "the MR was not closed" "CreateRegion at leak_mr.c:1" \
        "HANG: DriverUnload of leak_mr has not returned for 8 seconds" "Unload at leak_mr.c:29" \
        "still open are 2 NDK objects" -- leak_mr.so --seconds 1 --patience 8
    run 1 "the connect ended with 0xc0000236" "the connector was not closed" "CreateConnector at lost_connector.c:2" \
        "HANG: DriverUnload of lost_connector" -- lost_connector.so --seconds 1 --patience 8
    run 1 "verifier: N-L6" "the close completion is NULL" "ForgetDomain at null_close.c:10" "1 rule broken" \
        -- null_close.so
    [ -n "$SANITIZER" ] ||
        run 139 "BUGCHECK 0x000000D1 DRIVER_IRQL_NOT_LESS_OR_EQUAL" \
            "an access through a NULL pointer at DISPATCH_LEVEL" "ReadDepth at null_pointer.c:9" \
            -- null_pointer.so
    if [ -z "$SANITIZER" ] && command -v valgrind >/dev/null; then
        (cd "$WORK" && timeout 300 valgrind -q "$BIN/ndkrun" unset_length.so --verify off) \
            >"$WORK/out" 2>&1 </dev/null
        grep -qF "uninitialised value" "$WORK/out" && grep -qF "QueryInfo (unset_length.c:" "$WORK/out" ||
            complain "valgrind says nothing of the length: $(cat "$WORK/out")"
    fi
    case $SANITIZER in
    *address*)
        # The completion may come while the frame still stands: then nothing is wrong yet.
        for _ in 1 2 3 4 5 6 7 8 9; do
            (cd "$WORK" && "$BIN/ndkrun" stack_context.so --schedule pend) >/dev/null 2>&1 || break
        done
        run 1 "AddressSanitizer: stack-use-after-return" "LateCompletion" \
            -- stack_context.so --schedule pend ;;
    esac
}

case $DRIVER in
rsock | nvmf | shared | broken) "$DRIVER" ;;
*) echo "there is no driver '$DRIVER' here" >&2; exit 2 ;;
esac
exit "$failed"
