# SPDX-License-Identifier: MIT
"""Programs of this side: ndkping in both roles, with settings given by the environment."""
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

from lab import free_port


def environment(settings):
    env = {k: v for k, v in os.environ.items() if not k.startswith("SOFTNDK_")}
    env["SOFTNDK_TRANSPORT"] = "tcp"
    env.update({"SOFTNDK_" + name: str(value) for name, value in settings.items()})
    return env


# Octets of a message that one TCP segment holds whole on every path here.
ONE_SEGMENT = 1400


def bulk(size, netns=None):
    """Settings for messages of this size to siw: it misreads a CRC that the end of a segment cuts
    in two. The user-mode network of a guest (not a namespace) cuts the stream anew, and brings
    that about once in 500. siw does without CRCs when nobody asks for them."""
    return {"CRC": 0} if size > ONE_SEGMENT and netns is None else {}


def in_netns(netns, command):
    return (["ip", "netns", "exec", netns] if netns else []) + command


class Client:
    """ndkping --rping, begun at once. `verified`: pings that it says were verified."""

    def __init__(self, bin_dir, address, size=64, count=1, settings=None, netns=None, interval=0,
                 own=False):
        command = [os.path.join(bin_dir, "ndkping"), address, "--size", str(size), "--count",
                   str(count), "--wait", "60"]
        command += [] if own else ["--rping"]
        command += ["--interval", str(interval)] if interval else []
        self.log = tempfile.NamedTemporaryFile(prefix="softndk-ndkping-")
        self.process = subprocess.Popen(in_netns(netns, command), stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT,
                                        env=environment({"MPA_TIMEOUT_MS": 60000,
                                                         **(settings or {})}))
        self.text = ""
        self.verified = 0

    def end(self, timeout=150):
        """Its status; 124 when it had to be ended."""
        try:
            rc = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            rc = 124
        self._read()
        self.log.close()
        return rc

    def _read(self):
        with open(self.log.name, errors="replace") as f:
            self.text = f.read()
        self.verified = len(re.findall(r"^\d+ octets of data successfully", self.text, re.M))

    def has_verified(self, count, seconds):
        """Whether so many pings were verified before the time was over."""
        end = time.time() + seconds
        while True:
            self._read()
            if self.verified >= count or self.process.poll() is not None or time.time() > end:
                return self.verified >= count
            time.sleep(0.02)

    def last_line(self):
        return (self.text.strip().split("\n") or [""])[-1]


class Server:
    """ndkping --server --rping, listening when the constructor returns."""

    def __init__(self, bin_dir, log, settings=None, netns=None, own=False):
        self.log = log
        address = "10.0.2.2" if netns else "127.0.0.1"
        for _ in range(5):
            self.port = free_port()
            command = [os.path.join(bin_dir, "ndkping"), "--server",
                       "%s:%d" % (address, self.port), "--wait", "600"]
            command += [] if own else ["--rping"]
            with open(log, "wb") as out:
                self.process = subprocess.Popen(in_netns(netns, command), stdout=out, stderr=out,
                                                stdin=subprocess.DEVNULL,
                                                env=environment(settings or {}))
            if self.said("listens on", 60):
                return
            self.end()
        raise RuntimeError("ndkping does not listen: " + self.text())

    def text(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def said(self, words, seconds, times=1):
        """Whether its output held the words so many times before the time was over."""
        end = time.time() + seconds
        while self.text().count(words) < times:
            if time.time() > end or self.process.poll() is not None:
                return self.text().count(words) >= times
            time.sleep(0.02)
        return True

    def verified(self):
        return len(re.findall(r"^\d+ octets of data successfully", self.text(), re.M))

    def is_alive(self):
        return self.process.poll() is None

    def tcp(self):
        """A TCP connection to it that speaks no iWARP yet."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def end(self, how=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                return 124
        return self.process.returncode
