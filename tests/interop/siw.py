#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Interoperability with Linux siw: siw.py BIN

BIN is the folder with ndkping. The guest is made in the folder that SOFTNDK_INTEROP_CACHE names,
else in build/interop-cache. Exit status 0: all passed; 77: not here, with the reason; else 1.
"""
import os
import shutil
import signal
import sys
import tempfile

import capture_siw
import faults
import lab
import matrix
import netns
import verbs
from report import Report


class Test:
    """What the cases share."""

    def __init__(self, bin_dir, work):
        self.bin = bin_dir
        self.work = work
        self.report = Report()
        self.guest = None
        self.suffix = ""


def cases(t):
    capture_siw.run(t)
    matrix.run_sizes(t)
    matrix.run_settings(t)
    matrix.run_many(t)
    verbs.run(t)
    faults.run_nobody(t)
    faults.run_other_size(t)
    faults.run_reject(t)
    faults.run_garbage(t)
    faults.run_rping_killed(t)
    faults.run_we_are_killed(t)
    complaints = t.guest.kernel_complaints()
    t.report.check("the guest's kernel", "siw", not complaints, "has nothing to complain of",
                   complaints)
    faults.run_guest_vanishes(t)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cache = os.environ.get("SOFTNDK_INTEROP_CACHE", os.path.join(lab.TOP, "build", "interop-cache"))
    work = tempfile.mkdtemp(prefix="softndk-interop-")
    t = Test(sys.argv[1], work)
    try:
        print("the guest was made in %.0f s" % lab.prepare(cache), flush=True)
        ports = [matrix.RPING_PORT, faults.SMALL_PORT, faults.DEAD_PORT, verbs.PEER_PORT]
        t.guest = lab.Guest(cache, os.path.join(work, "guest"), ports, extra=["--pcap"])
        print("it was ready in %.0f s" % t.guest.boot_seconds, flush=True)
        cases(t)
        netns.run(t, cache)
    except lab.Skip as reason:
        print("skipped: %s" % reason)
        return 77
    finally:
        if t.guest:
            t.guest.stop()
        shutil.rmtree(work, ignore_errors=True)
    return 0 if t.report.table() else 1


sys.exit(main())
