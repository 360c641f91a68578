# SPDX-License-Identifier: MIT
"""One exchange with siw, captured twice: the frames of the guest's network card, and SOFTNDK_PCAP.
Both are iWARP to the last octet, with good CRCs, and tell of the same FPDUs."""
import os
import shutil
import time

import decode
from lab import HOST_IN_GUEST, rping
from matrix import RPING_PORT, SIW, WE
from ours import Client, Server


def run(t):
    """The first thing that a guest does: its capture holds nothing else then."""
    frames = os.path.join(t.guest.rundir, "guest.pcap")
    if not decode.is_here():
        t.report.skip("captures", WE, "tshark is not installed")
        return
    paths = {role: os.path.join(t.work, role.replace(" ", "-") + ".pcap") for role in (WE, SIW)}
    t.guest.need_rping(RPING_PORT)
    client = Client(t.bin, t.guest.address(RPING_PORT), 10000, 2, {"PCAP": paths[WE]})
    rc = client.end()
    server = Server(t.bin, os.path.join(t.work, "capture.log"), {"PCAP": paths[SIW]})
    rc_siw, text = t.guest.run("%s -V -C 2 -S 10000 -a %s -p %d" %
                               (rping(40), HOST_IN_GUEST, server.port))
    server.end()
    time.sleep(0.5)
    copy = shutil.copy(frames, os.path.join(t.work, "frames.pcap"))
    t.report.check("an exchange is captured", "both roles", rc == 0 and rc_siw == 0, "4 pings",
                   client.text + text, 4)
    on_wire = decode.Capture(copy)
    on_wire.check_all_is_iwarp()
    t.report.check("frames of the guest, by tshark", "both roles",
                   on_wire.fpdus > 0 and not on_wire.faults, on_wire.words(),
                   "; ".join(on_wire.faults))
    sums = {}
    for role, path in paths.items():
        ours = decode.Capture(path)
        ours.check_all_is_iwarp()
        for code, n in ours.counts.items():
            sums[code] = sums.get(code, 0) + n
        t.report.check("SOFTNDK_PCAP, by tshark", role, ours.fpdus > 0 and not ours.faults,
                       ours.words(), "; ".join(ours.faults))
    t.report.check("both captures tell of the same FPDUs", "both roles", sums == on_wire.counts,
                   "%d FPDUs" % on_wire.fpdus, "%r, %r" % (sums, on_wire.counts))
