# SPDX-License-Identifier: MIT
"""An independent reader of captures: what tshark makes of the iWARP in one.

It recognises iWARP by itself, provided that the start-up frames are in the capture; it verifies
the CRC of each FPDU. Two upper protocols that it tries on every Send are switched off: they take
our data for theirs and call it malformed.
"""
import re
import shutil
import subprocess

OPCODES = {0: "Write", 1: "Read Request", 2: "Read Response", 3: "Send",
           4: "Send with Invalidate", 5: "Send with Solicited Event",
           6: "Send with Solicited Event and Invalidate", 7: "Terminate"}
QUIET = ["--disable-protocol", "rpcordma", "--disable-protocol", "smb_direct"]
START_FRAME_LEN = 20


def is_here():
    return shutil.which("tshark") is not None


def tshark(path, *arguments):
    done = subprocess.run(["tshark", "-n", "-r", path, *QUIET, *arguments],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace")
    # 2: the capture ends in the middle of a packet, as one does whose writer was ended.
    if done.returncode not in (0, 2):
        raise RuntimeError("tshark: " + done.stderr[-1000:])
    return done.stdout


class Stream:
    def __init__(self):
        self.octets = 0     # of TCP payload
        self.explained = 0  # by start-up frames and FPDUs
        self.frames = 0     # start-up frames


class Capture:
    """counts: FPDUs by opcode. good, bad: CRCs. faults: sentences about what is not as it is to
    be. with_crc: every FPDU is to have a CRC that is right; without: those that have one."""

    def __init__(self, path, with_crc=True):
        self.counts = {}
        self.streams = {}
        self.faults = []
        text = tshark(path, "-V")
        self.good = text.count("(Good CRC32)")
        self.bad = text.count("(Bad CRC32")
        for code in re.findall(r"OpCode: .*\(0x([0-9a-f]+)\)", text):
            code = int(code, 16)
            self.counts[code] = self.counts.get(code, 0) + 1
        if "Malformed Packet" in text:
            self.faults.append("%d malformed packets" % text.count("[Malformed Packet"))
        self.fpdus = len(re.findall(r"^    FPDU$", text, re.M))
        if self.bad:
            self.faults.append("%d of %d CRCs are wrong" % (self.bad, self.fpdus))
        if with_crc and self.good != self.fpdus:
            self.faults.append("%d FPDUs, %d good CRCs" % (self.fpdus, self.good))
        if sum(self.counts.values()) != self.fpdus:
            self.faults.append("%d FPDUs, %d of them with an opcode" %
                               (self.fpdus, sum(self.counts.values())))
        self._account(path)

    def _account(self, path):
        """Every octet of TCP payload belongs to a start-up frame or to an FPDU."""
        fields = ["tcp.stream", "tcp.len", "iwarp_mpa.ulpdulength", "iwarp_mpa.pdlength"]
        arguments = ["-T", "fields"]
        for field in fields:
            arguments += ["-e", field]
        for line in tshark(path, *arguments).split("\n"):
            values = (line + "\t\t\t\t").split("\t")
            if not values[0]:
                continue
            stream = self.streams.setdefault(int(values[0]), Stream())
            stream.octets += int(values[1] or 0)
            for length in filter(None, values[2].split(",")):
                stream.explained += (2 + int(length) + 3) // 4 * 4 + 4
            for length in filter(None, values[3].split(",")):
                stream.explained += START_FRAME_LEN + int(length)
                stream.frames += 1

    def check_all_is_iwarp(self, complete=None):
        """complete: the streams that have to be explained to the last octet (None: all)."""
        for number, stream in sorted(self.streams.items()):
            if (complete is None or number in complete) and stream.octets != stream.explained:
                self.faults.append("stream %d: %d octets, %d of them are iWARP" %
                                   (number, stream.octets, stream.explained))

    def words(self):
        return "%d streams, %d FPDUs (%s), %d good CRCs" % (
            len(self.streams), self.fpdus,
            ", ".join("%d %s" % (n, OPCODES.get(code, "opcode %d" % code))
                      for code, n in sorted(self.counts.items())), self.good)
