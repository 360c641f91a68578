#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ndkinfo: every member, a listener of another process, wrong command lines.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
INFO=$BIN/ndkinfo

for member in Version VendorId DeviceId MaxRegistrationSize MaxWindowSize FRMRPageCount \
    MaxInitiatorRequestSge MaxReceiveRequestSge MaxReadRequestSge MaxTransferLength \
    MaxInlineDataSize MaxInboundReadLimit MaxOutboundReadLimit MaxReceiveQueueDepth \
    MaxInitiatorQueueDepth MaxSrqDepth MaxCqDepth LargeRequestThreshold MaxCallerData \
    MaxCalleeData AdapterFlags RdmaTechnology TerminatesReceived; do
    expect 0 "  $member " "$INFO"
done
expect 0 "Adapter on interface 1" "$INFO" --if lo
start_server 127.0.0.1 "$WORK/server.log" "$BIN/ndkping" --server
expect 0 "Active NetworkDirect Connections" "$INFO" -x
expect 0 "$SERVER" "$INFO" -x
expect 0 "Listener" "$INFO" -x
"$INFO" --json >"$WORK/all.json" && "$INFO" -x --json >"$WORK/x.json" || complain "no JSON"
python3 - "$WORK" "$SERVER" "$SERVER_PID" <<'PYTHON' || failed=1
import json, sys
folder, server, pid = sys.argv[1], sys.argv[2], int(sys.argv[3])
for name in "all", "x":
    found = [c for c in json.load(open("%s/%s.json" % (folder, name)))["connections"]
             if c["local"] == server]
    if [(c["type"], c["mode"], c["pid"]) for c in found] != [("Listener", "User", pid)]:
        sys.exit("the server is not listed: %r" % found)
everything = json.load(open(folder + "/all.json"))
if set(everything) != {"version", "interfaces", "ifindex", "adapter", "connections", "counters"}:
    sys.exit("members: %r" % sorted(everything))
PYTHON
expect_sentence 2 "no interface 'nosuch0'" "$INFO" --if nosuch0
expect_sentence 2 "no option" "$INFO" --everything
expect_sentence 2 "one argument too many" "$INFO" lo
expect 0 "usage: ndkinfo" "$INFO" --help
exit "$failed"
