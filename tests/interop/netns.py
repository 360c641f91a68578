# SPDX-License-Identifier: MIT
"""The same over a real TCP end to end: a network namespace with a tap device, segments that are
lost or late, and frames of 9000 octets. Needs root."""
import os
import re
import shutil
import subprocess

import lab
import matrix

# Suffix of the case, MTU, what tc's netem does to both directions.
NETWORKS = [(", MTU 1500", 1500, None), (", 2 % lost", 1500, "loss 2% delay 1ms"),
            (", MTU 9000", 9000, None)]
SIZES = [1, 1000, 1437, 4096, 65535]


def why_not():
    if os.geteuid() != 0:
        return "only root makes namespaces"
    if not os.path.exists("/dev/net/tun"):
        return "there is no /dev/net/tun"
    if not shutil.which("ip"):
        return "there is no ip (Debian: iproute2)"
    name = "softndk-try-%d" % os.getpid()
    if subprocess.run(["ip", "netns", "add", name], stderr=subprocess.DEVNULL).returncode != 0:
        return "namespaces cannot be made here"
    subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL)
    return None


def netem(guest, what):
    """Lets the guest lose and delay what it sends, and by way of ifb0 what it gets. Why not."""
    rc, text = guest.run(
        "set -e; for m in sch_netem sch_ingress cls_u32 act_mirred; do modprobe $m; done; "
        "modprobe ifb numifbs=1; ip link set ifb0 up; "
        "tc qdisc add dev eth0 root netem %s; tc qdisc add dev ifb0 root netem %s; "
        "tc qdisc add dev eth0 ingress; tc filter add dev eth0 parent ffff: protocol ip "
        "u32 match u32 0 0 action mirred egress redirect dev ifb0" % (what, what))
    return None if rc == 0 else text.strip().split("\n")[-1]


def run(t, cache):
    why = why_not()
    if why is not None:
        t.report.skip("real TCP", "both roles", why)
        return
    name = "softndk-%d" % os.getpid()
    mtu = None
    for suffix, wanted, impairment in NETWORKS:
        if wanted != mtu:
            t.guest.stop()
            t.guest = lab.Guest(cache, os.path.join(t.work, "guest%d" % wanted), netns=name,
                                extra=["--mtu", str(wanted)])
            mtu = wanted
        t.suffix = suffix
        why = netem(t.guest, impairment) if impairment else None
        if why is not None:
            t.report.skip("real TCP" + suffix, "both roles", why)
            continue
        matrix.run_sizes(t, SIZES, 5)
        if impairment:
            _, text = t.guest.run("tc -s qdisc show dev eth0; tc -s qdisc show dev ifb0")
            lost = sum(int(n) for n in re.findall(r"netem(?:.|\n)*?dropped (\d+)", text))
            t.report.check("something was lost", "both roles", lost > 0, "%d segments" % lost,
                           text)
    t.suffix = ""
