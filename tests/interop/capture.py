#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""SOFTNDK_PCAP: capture.py BIN

Runs ndkping and some of the API's tests with a capture and lets tshark judge: everything is iWARP
with a good CRC, nothing is malformed, every operation that tshark knows occurs. Exit status 0; 77
where there is no tshark; else 1.
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

import decode
from ours import Client, Server, environment
from report import Report

BOTH = "both here"
# Tests that bring both ends with them, and between them send each kind of message.
PROGRAMS = ["api_capture_test", "api_qp_data_test", "api_srq_test"]


def judge(report, case, path, known):
    capture = decode.Capture(path)
    capture.check_all_is_iwarp()
    for code, n in capture.counts.items():
        known[code] = known.get(code, 0) + n
    report.check(case, BOTH, capture.fpdus > 0 and not capture.faults, capture.words(),
                 "; ".join(capture.faults))


def run_ndkping(report, bin_dir, work, known):
    for name, settings in (("", {}), (", revision 1", {"MPA_REVISION": 1}),
                           (", RTR read", {"RTR": 4})):
        paths = [os.path.join(work, end + name.replace(" ", "_") + ".pcap")
                 for end in ("server", "client")]
        server = Server(bin_dir, os.path.join(work, "log"), {"PCAP": paths[0], **settings},
                        own=True)
        client = Client(bin_dir, "127.0.0.1:%d" % server.port, 100000, 2,
                        {"PCAP": paths[1], **settings}, own=True)
        rc = client.end()
        server.end()
        report.check("ndkping" + name, BOTH, rc == 0, "%d pings" % client.verified, client.text,
                     client.verified)
        for path in paths:
            judge(report, "ndkping%s, %s" % (name, os.path.basename(path)), path, known)


def run_programs(report, bin_dir, work, known):
    """Both ends of each connection are in one process: each octet is to be there once."""
    for program in PROGRAMS:
        path = os.path.join(bin_dir, program)
        if not os.path.exists(path):
            report.skip(program, BOTH, "is not built")
            continue
        rc = subprocess.run([path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, timeout=200,
                            env=environment({"PCAP": os.path.join(work, program + "-%p.pcap")})
                            ).returncode
        found = glob.glob(os.path.join(work, program + "-*.pcap"))
        report.check(program, BOTH, rc == 0 and len(found) == 1, "ran, one capture",
                     "status %d, %d captures" % (rc, len(found)))
        for capture in found:
            judge(report, program + ", captured", capture, known)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not decode.is_here():
        print("skipped: tshark is not installed")
        return 77
    work = tempfile.mkdtemp(prefix="softndk-capture-")
    report, known = Report(), {}
    try:
        run_ndkping(report, sys.argv[1], work, known)
        run_programs(report, sys.argv[1], work, known)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    missing = [name for code, name in decode.OPCODES.items() if not known.get(code)]
    report.check("every operation that tshark knows", BOTH, not missing,
                 "%d kinds of message" % len(known), "missing: " + ", ".join(missing))
    return 0 if report.table() else 1


sys.exit(main())
