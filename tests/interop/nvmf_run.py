# SPDX-License-Identifier: MIT
"""A run of example_nvmf: its output as it comes, its status, what its lines say."""
import os
import re
import subprocess
import tempfile
import time

from ours import bulk, environment, in_netns

NQN = "nqn.2026-01.lab:ram"  # the lab's
SETTINGS = {"MPA_TIMEOUT_MS": 60000}


class Run:
    """Begun at once. `text`: what it said on both streams, after end() or kill()."""

    running = []

    def __init__(self, bin_dir, address, nqn, options, settings, netns):
        self.log = tempfile.NamedTemporaryFile(prefix="softndk-nvmf-")
        command = [os.path.join(bin_dir, "example_nvmf"), address, nqn, "--timeout",
                   "120", *options]
        self.process = subprocess.Popen(in_netns(netns, command), stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT,
                                        env=environment({**SETTINGS, **bulk(1 << 20, netns),
                                                         **(settings or {})}))
        self.text = ""
        Run.running.append(self)

    def _read(self):
        with open(self.log.name, errors="replace") as f:
            self.text = f.read()
        return self.text

    def end(self, timeout=240):
        """Its status; 124 when it had to be ended."""
        try:
            rc = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            rc = 124
        self._read()
        return rc

    def kill(self):
        self.process.kill()
        self.process.wait()
        self._read()

    @classmethod
    def kill_all(cls):
        for run in cls.running:
            if run.process.poll() is None:
                run.kill()

    def said(self, words, seconds):
        end = time.time() + seconds
        while words not in self._read():
            if time.time() > end or self.process.poll() is not None:
                return words in self._read()
            time.sleep(0.02)
        return True

    @staticmethod
    def wait_for_progress(guest):
        """Until the guest has received some more of what goes on."""
        count = "$(cat /sys/class/net/eth0/statistics/rx_bytes)"
        guest.must("n=%s; for i in $(seq 900); do [ %s -gt $((n + 200000)) ] && exit 0; "
                   "sleep 0.1; done; exit 1" % (count, count))

    def line(self, begin):
        """The last line that begins so, or nothing."""
        found = [line for line in self.text.split("\n") if line.startswith(begin)]
        return found[-1] if found else ""

    def complaints(self):
        return len(re.findall(r"^nvmf: ", self.text, re.M))

    def complaint(self):
        return self.line("nvmf: ")

    def regions(self):
        """How many regions the target invalidated, and how many we did."""
        found = re.search(r"^regions: (\d+) invalidated by the target, (\d+) by us", self.text,
                          re.M)
        return (int(found.group(1)), int(found.group(2))) if found else (-1, -1)
