# SPDX-License-Identifier: MIT
"""The lab: a Linux guest with the kernel's soft-iWARP driver (siw), under emulation.

It is no part of this tree: a folder with the programs make-guest, run-guest, guest-exec and
stop-guest, at ../shared/lab/siw beside the tree or where SOFTNDK_SIW_LAB says. Who lacks it gets
Skip with the reason.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOST_IN_GUEST = "10.0.2.2"  # this side, as the guest sees it
GUEST_IN_NETNS = "10.0.2.15"

# Limits are for a guest that has the machine to itself, times this.
PATIENCE = 4

# What the driver starts with; set(...) puts everything else back to this.
SIW_DEFAULTS = {"mpa_version": 2, "mpa_crc_required": 0, "mpa_crc_strict": 0, "peer_to_peer": 0,
                "rtr_type": 192}


class Skip(Exception):
    """The reason why nothing can be tested here."""


def folder():
    path = os.environ.get("SOFTNDK_SIW_LAB") or os.path.join(TOP, "..", "shared", "lab", "siw")
    if not os.path.exists(os.path.join(path, "run-guest")):
        raise Skip("there is no lab at %s (SOFTNDK_SIW_LAB names another place)" % path)
    return os.path.abspath(path)


def prepare(cache):
    """The guest in the folder `cache`, made on the first call (minutes)."""
    lab = folder()
    qemu = os.environ.get("SIWLAB_QEMU", "qemu-system-x86_64")
    if not shutil.which(qemu):
        raise Skip("%s is not installed (Debian: qemu-system-x86)" % qemu)
    os.makedirs(cache, exist_ok=True)
    began = time.time()
    made = subprocess.run([os.path.join(lab, "make-guest"), cache, "--no-smbdirect"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    if made.returncode != 0:
        raise Skip("the guest cannot be made here: " + " / ".join(made.stdout.split("\n")[-4:]))
    return time.time() - began


def rping(seconds):
    """The command of rping's client in the guest (guest/rping-client), ended after so long."""
    return "/usr/bin/timeout %d /host/rping-client" % (PATIENCE * seconds)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Guest:
    """A running guest. forward: its TCP ports that are to appear on 127.0.0.1."""

    def __init__(self, cache, rundir, forward=(), netns=None, extra=()):
        self.lab = folder()
        self.rundir = rundir
        self.netns = netns
        command = [os.path.join(self.lab, "run-guest"), cache, rundir, "--max-seconds", "2400"]
        for port in forward:
            command += ["--fwd", "0:%d" % port]
        if netns:
            command += ["--netns", netns]
        for last in (False, True):  # a machine under load may be too slow, once
            began = time.time()
            done = subprocess.run(command + list(extra), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  errors="replace")
            if done.returncode == 0:
                break
            self.stop()
            if last:
                raise RuntimeError("the guest does not start: " + done.stdout[-2000:])
        self.boot_seconds = time.time() - began
        shutil.copy(os.path.join(TOP, "tests", "interop", "guest", "rping-client"),
                    self.share("rping-client"))
        self.ports = {}
        with open(os.path.join(rundir, "ports")) as f:
            for line in f:
                guest, host = line.split()
                self.ports[int(guest)] = int(host)

    def address(self, port):
        """Where a program on this side reaches the guest's port."""
        if self.netns:
            return "%s:%d" % (GUEST_IN_NETNS, port)
        return "127.0.0.1:%d" % self.ports[port]

    def run(self, script, timeout=120):
        """A shell script in the guest: (status, output). 124: it took too long."""
        done = subprocess.run([os.path.join(self.lab, "guest-exec"), "--timeout", str(PATIENCE * timeout),
                               self.rundir, script], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace")
        return done.returncode, done.stdout

    def must(self, script, timeout=120):
        rc, text = self.run(script, timeout)
        if rc != 0:
            raise RuntimeError("in the guest, status %d: %s: %s" % (rc, script, text[-2000:]))
        return text

    def set_siw(self, **parameters):
        """The driver's parameters for the next connections; those not named: as in the start."""
        self.must("cd /sys/module/siw/parameters; " + "; ".join(
            "echo %d >%s" % (value, name)
            for name, value in {**SIW_DEFAULTS, **parameters}.items()))

    def need_rping(self, port, size=65535):
        """An rping that serves one client after the other at the port; started when there is none
        (its threads race at the end of a connection and may take it along: rping's own fault)."""
        listens = "grep -q ':%04X 00000000:0000 0A' /proc/net/tcp" % port
        self.must("%s && exit 0; rping -s -P -S %d -a 0.0.0.0 -p %d >/tmp/rping%d.log 2>&1 & "
                  "for i in $(seq 400); do %s && exit 0; sleep 0.1; done; cat /tmp/rping%d.log; "
                  "exit 1" % (listens, size, port, port, listens, port))

    def share(self, name):
        """A file's path here; in the guest it is /host/NAME."""
        return os.path.join(self.rundir, "share", name)

    def kernel_complaints(self):
        """What no test may leave behind in the guest's kernel log; that it had to wait for a
        processor is the machine's fault."""
        _, text = self.run("dmesg | grep -E 'BUG:|Oops|WARNING:|Kernel panic' | "
                           "grep -v 'soft lockup' | head -5; true")
        return text.strip()

    def vanish(self):
        """Ends it as a power cut does."""
        with open(os.path.join(self.rundir, "qemu.json")) as f:
            pid = json.load(f)["pid"]  # of timeout(1), the head of its own session
        os.killpg(pid, signal.SIGKILL)

    def stop(self):
        subprocess.run([os.path.join(self.lab, "stop-guest"), self.rundir],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
