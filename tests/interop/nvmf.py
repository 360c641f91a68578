#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A kernel's NVMe target as the peer: nvmf.py BIN

BIN is the folder with example_nvmf, an NDK consumer; the target is nvmet-rdma over siw in the guest
(lab.py), which serves a RAM disk. Exit status 0: all passed; 77: not here, with the reason; else 1.
"""
import os
import shutil
import signal
import sys
import tempfile

import decode
import lab
import netns
from nvmf_run import NQN, Run
from report import Report

HERE, BOTH = "we connect", "both here"
PORT, DEAD_PORT = 4420, 4421
MIB = 64
CONFIG = "/sys/kernel/config/nvmet"
# Messages that the target needs to serve us, by opcode: Write, Read Request, Read Response, Send,
# Send with Invalidate.
OPCODES_NEEDED = [0, 1, 2, 3, 4]


class Test:
    """What the cases share."""

    def __init__(self, bin_dir, work):
        self.bin = bin_dir
        self.work = work
        self.report = Report()
        self.guest = None
        self.suffix = ""

    def start(self, *options, port=PORT, nqn=NQN, settings=None):
        return Run(self.bin, self.guest.address(port), nqn, options, settings, self.guest.netns)


def start_target(guest, in_capsule=None):
    """The lab's target at PORT; in_capsule: its data in a capsule, if not the default of 4 KiB. Not
    two ports of different sizes: nvmet has one buffer size per adapter, that of the first."""
    guest.must("lab-nvmet %d %d" % (MIB, PORT))
    if in_capsule:
        link = "%s/ports/1/subsystems/%s" % (CONFIG, NQN)
        guest.must("set -e; rm %s; echo %d >%s/ports/1/param_inline_data_size; "
                   "ln -s %s/subsystems/%s %s" % (link, in_capsule, CONFIG, CONFIG, NQN, link))


def whole(t, case, run, *wanted):
    """The run ends well and says each of these, in order; what it says becomes the words."""
    rc = run.end()
    missing = [word for word in wanted if not run.line(word)]
    t.report.check(case + t.suffix, HERE, rc == 0 and not missing,
                   "; ".join(run.line(word) for word in wanted),
                   "status %d, missing: %s\n%s" % (rc, missing, run.text))


def run_whole(t):
    whole(t, "identify, read, shut down", t.start(), "controller", "namespace",
          "shut down and disconnected")
    whole(t, "all sizes, span, errors", t.start("--overwrite"), "sizes", "in capsule", "span",
          "errors", "regions", "shut down and disconnected")
    whole(t, "one command at a time", t.start("--overwrite", "--depth", "1", "--span", "1M"),
          "sizes", "span", "shut down and disconnected")
    whole(t, "127 commands at a time", t.start("--overwrite", "--depth", "127", "--span", "4M"),
          "span", "shut down and disconnected")


def run_invalidation(t):
    """Who takes the target's rights away: it, when it is asked to; else we."""
    run = t.start("--overwrite", "--span", "1M", "--prove")
    rc = run.end()
    theirs, ours = run.regions()
    # The command for an unknown namespace fails before the target knows of a region: that is ours.
    t.report.check("the target invalidates" + t.suffix, HERE,
                   rc == 0 and theirs > 50 and ours <= 1 and run.line("proof") != "",
                   "%d regions by Send with Invalidate; %s" % (theirs, run.line("proof")),
                   run.text)
    run = t.start("--overwrite", "--span", "1M", "--no-invalidate")
    rc = run.end()
    theirs, ours = run.regions()
    t.report.check("it is not asked to" + t.suffix, HERE, rc == 0 and theirs == 0 and ours > 50,
                   "%d regions invalidated by us" % ours, run.text)


def run_verified(t):
    """The rules of NDKPI, the risky habits among them: the verifier ends a run that breaks one."""
    for options in ([], ["--no-invalidate", "--depth", "3"]):
        run = t.start("--overwrite", "--span", "1M", "--seconds", "2", *options,
                      settings={"VERIFY": "break", "VERIFY_RISKY": 1})
        rc = run.end()
        t.report.check(" ".join(["the verifier looks on", *options]), HERE,
                       rc == 0 and "verifier" not in run.text, "has nothing to say", run.text)


def run_settings(t):
    """Messages that fit a segment, so that CRCs are safe here (see bulk() of ours.py)."""
    short = ["--overwrite", "--depth", "1", "--max", "1024", "--span", "16K"]
    for name, settings in (("CRC", {"CRC": 2}), ("RTR write", {"RTR": 2}), ("RTR read", {"RTR": 4}),
                           ("no RTR", {"RTR": 0})):
        whole(t, name, t.start(*short, settings=settings), "sizes", "shut down and disconnected")


def run_mixes(t):
    for block, depth, seconds in (("4K", 16, 5), ("64K", 8, 3), ("1M", 4, 3)):
        run = t.start("--overwrite", "--no-checks", "--span", "32M", "--block", block, "--depth",
                      str(depth), "--seconds", str(seconds))
        whole(t, "mix of %s" % block, run, "mix: ", "shut down and disconnected")


def run_capture(t):
    if not decode.is_here():
        t.report.skip("capture, by tshark", BOTH, "tshark is not installed")
        return
    path = os.path.join(t.work, "nvmf.pcap")
    run = t.start("--overwrite", "--depth", "1", "--max", "1024", "--span", "16K", "--no-checks",
                  "--seconds", "1", "--block", "1024", settings={"CRC": 2, "PCAP": path})
    rc = run.end()
    capture = decode.Capture(path)
    capture.check_all_is_iwarp()
    missing = [decode.OPCODES[code] for code in OPCODES_NEEDED if not capture.counts.get(code)]
    t.report.check("capture, by tshark", HERE, rc == 0 and not capture.faults and not missing,
                   capture.words(), "; ".join(capture.faults + missing) + run.text)


def fails(t, case, run, status, words="", timeout=150):
    """The run ends with this status and one line about it, which holds the words."""
    rc = run.end(timeout)
    line = run.complaint()
    t.report.check(case + t.suffix, HERE, rc == status and words in line and
                   run.complaints() == 1, "status %d: %s" % (rc, line), run.text)


def run_refusals(t):
    fails(t, "nobody listens", t.start(port=DEAD_PORT), 3)
    fails(t, "an unknown subsystem", t.start(nqn="nqn.2026-01.example:none"), 1,
          "invalid parameters")
    fails(t, "an unknown namespace", t.start("--namespace", "7"), 1,
          "there is no namespace 7")


def begin_mix(t):
    run = t.start("--overwrite", "--no-checks", "--seconds", "300")
    if not run.said("mix: begins", 200):
        run.kill()
        raise RuntimeError("the mix does not begin: " + run.text)
    run.wait_for_progress(t.guest)
    return run


def run_faults(t):
    subsystem = "%s/subsystems/%s" % (CONFIG, NQN)
    link = "%s/ports/1/subsystems/%s" % (CONFIG, NQN)
    run = begin_mix(t)
    t.guest.must("echo 0 >%s/namespaces/1/enable" % subsystem)
    fails(t, "the namespace is taken away under I/O", run, 1, "mix: status 0x")
    t.guest.must("echo 1 >%s/namespaces/1/enable" % subsystem)
    whole(t, "the next run after that", t.start("--overwrite", "--span", "1M"), "sizes", "span",
          "shut down and disconnected")

    run = begin_mix(t)
    t.guest.must("rm %s" % link)
    fails(t, "the target is taken away under I/O", run, 1)
    fails(t, "a connect while it is away", t.start(), 3)
    t.guest.must("for i in $(seq 60); do ln -s %s %s && exit 0; sleep 1; done; exit 1" %
                 (subsystem, link))
    whole(t, "the next run when it is back", t.start("--overwrite", "--span", "1M"), "sizes",
          "span", "shut down and disconnected")

    begin_mix(t).kill()
    whole(t, "the next run after we were killed", t.start("--overwrite", "--span", "1M"), "sizes",
          "span", "shut down and disconnected")
    complaints = t.guest.kernel_complaints()
    t.report.check("the guest's kernel", "siw", not complaints, "has nothing to complain of",
                   complaints)
    run = begin_mix(t)
    t.guest.vanish()
    fails(t, "the guest is ended under I/O", run, 1)


def run_real_tcp(t, cache):
    why = netns.why_not()
    if why is not None:
        t.report.skip("real TCP", HERE, why)
        return
    t.guest.stop()
    t.guest = lab.Guest(cache, os.path.join(t.work, "guest-netns"),
                        netns="softndk-%d" % os.getpid(), extra=["--mtu", "1500"])
    start_target(t.guest)
    for suffix, impairment in ((", MTU 1500", None), (", 2 % lost", "loss 2% delay 1ms")):
        t.suffix = suffix
        why = netns.netem(t.guest, impairment) if impairment else None
        if why is not None:
            t.report.skip("real TCP" + suffix, HERE, why)
            continue
        whole(t, "all sizes, span, errors, mix",
              t.start("--overwrite", "--span", "4M", "--seconds", "3"), "sizes", "in capsule",
              "span", "errors", "mix: ", "shut down and disconnected")
    t.suffix = ""


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cache = os.environ.get("SOFTNDK_INTEROP_CACHE", os.path.join(lab.TOP, "build", "interop-cache"))
    work = tempfile.mkdtemp(prefix="softndk-interop-")
    t = Test(sys.argv[1], work)
    try:
        print("the guest was made in %.0f s" % lab.prepare(cache), flush=True)
        t.guest = lab.Guest(cache, os.path.join(work, "guest"), [PORT, DEAD_PORT])
        start_target(t.guest, 16384)
        for part in (run_whole, run_invalidation, run_verified, run_settings, run_mixes,
                     run_capture, run_refusals, run_faults):
            part(t)
        run_real_tcp(t, cache)
    except lab.Skip as reason:
        print("skipped: %s" % reason)
        return 77
    finally:
        Run.kill_all()
        if t.guest:
            t.guest.stop()
        shutil.rmtree(work, ignore_errors=True)
    return 0 if t.report.table() else 1


sys.exit(main())
