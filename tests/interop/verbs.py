# SPDX-License-Identifier: MIT
"""What rping does not do: verbs_test.c here, guest/verbs_peer.c in the guest."""
import os
import re
import subprocess

from lab import TOP
from matrix import WE
from ours import bulk, environment

PEER_PORT = 7177
SOURCE = os.path.join(TOP, "tests", "interop", "guest", "verbs_peer.c")


def build(path):
    """The guest's program, built here: the guest is of the same distribution. Why not, or None."""
    if not os.path.exists("/usr/include/rdma/rdma_cma.h"):
        return "librdmacm-dev and libibverbs-dev are not installed"
    done = subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-Wall", "-Wextra",
                           "-Werror", "-o", path, SOURCE, "-lrdmacm", "-libverbs", "-pthread"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode != 0:
        raise RuntimeError("%s does not compile: %s" % (SOURCE, done.stdout))
    return None


def run(t):
    program = os.path.join(t.bin, "interop_verbs_test")
    why = build(t.guest.share("verbs_peer"))
    if why is None and not os.path.exists(program):
        why = program + " is not built"
    if why is not None:
        t.report.skip("verbs", WE, why)
        return
    t.guest.must("cp /host/verbs_peer /tmp; /tmp/verbs_peer -s %d >/tmp/verbs.log 2>&1 & "
                 "for i in $(seq 400); do grep -q ':%04X 00000000:0000 0A' /proc/net/tcp && "
                 "exit 0; sleep 0.1; done; cat /tmp/verbs.log; exit 1" % (PEER_PORT, PEER_PORT))
    in_guest = "%s %s" % (os.path.join(t.guest.lab, "guest-exec"), t.guest.rundir)
    env = environment(bulk(1 << 20))
    env.update(INTEROP_PEER_PORT=str(t.guest.ports[PEER_PORT]), INTEROP_IN_GUEST=in_guest)
    try:
        done = subprocess.run([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", env=env,
                              timeout=900)
        text = done.stdout
    except subprocess.TimeoutExpired as late:
        text = (late.stdout or b"").decode(errors="replace") + "\nended after 900 s"
    names = re.findall(r"^\[ RUN      \] (\w+)", text, re.M)
    for name in names:
        part = re.search(r"\[ RUN      \] %s\n(.*?)(?=\[ RUN|\[====|\Z)" % name, text, re.S)
        lines = part.group(1) if part else ""
        role = "siw connects" if name == "siw_connects" else WE
        notes = [line[5:] for line in lines.split("\n") if line.startswith("NOTE ")]
        t.report.check("verbs: " + name.replace("_", " "), role, "[       OK ] " + name in text,
                       "; ".join(notes) or "as expected", lines + t.guest.run(
                           "cat /tmp/verbs.log")[1] if "FAILED" in lines else lines)
    t.report.check("verbs: the program ran to its end", WE, bool(names) and
                   "test(s) run." in text, "%d tests" % len(names), text)
