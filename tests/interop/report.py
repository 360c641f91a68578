# SPDX-License-Identifier: MIT
"""What was tried and what came of it: a line at once, a table at the end."""
import sys
import threading
import time

PASSED, FAILED, SKIPPED = "passed", "FAILED", "skipped"


class Stillness(threading.Thread):
    """Notices when the machine stands still: a sleep of half a second that takes many. A virtual
    machine may be stopped for a minute; every limit of ours, of the guest and of the programs is
    over when it goes on."""

    STEP_S, NOTABLE_S = 0.5, 10

    def __init__(self):
        super().__init__(daemon=True)
        self.stood_s = 0.0
        self.start()

    def run(self):
        while True:
            began = time.monotonic()
            time.sleep(self.STEP_S)
            late = time.monotonic() - began - self.STEP_S
            if late >= self.NOTABLE_S:
                self.stood_s += late

    def take(self):
        """Seconds since the last call."""
        stood, self.stood_s = self.stood_s, 0.0
        return stood


class Report:
    def __init__(self):
        self.stillness = Stillness()
        self.rows = []
        self.pings = 0
        self.began = time.time()

    def add(self, case, role, result, words, pings=0):
        self.rows.append((case, role, result, words))
        self.pings += pings
        print("%7.1f s  %-7s %-14s %s: %s" %
              (time.time() - self.began, result, role, case, words), flush=True)

    def check(self, case, role, is_right, words, evidence="", pings=0):
        """A case that passed when is_right; the evidence is printed when it did not. One that did
        not while the machine stood still proves nothing."""
        stood_s = self.stillness.take()
        if not is_right and stood_s:
            self.skip(case, role, "the machine stood still for %.0f s: %s" % (stood_s, words))
        else:
            self.add(case, role, PASSED if is_right else FAILED, words, pings)
        if not is_right and evidence:
            print("    " + evidence.strip()[-3000:].replace("\n", "\n    "), flush=True)

    def skip(self, case, role, reason):
        self.add(case, role, SKIPPED, reason)

    def count(self, result):
        return sum(1 for row in self.rows if row[2] == result)

    def table(self):
        """Prints it; true when nothing failed and something passed."""
        wide = max((len(row[0]) for row in self.rows), default=0)
        print("\n%-*s  %-14s %-8s %s" % (wide, "case", "role", "result", "what happened"))
        for case, role, result, words in self.rows:
            print("%-*s  %-14s %-8s %s" % (wide, case, role, result, words))
        pings = "%d pings, every octet verified; " % self.pings if self.pings else ""
        print("\n%d passed, %d failed, %d skipped; %s%.0f s" %
              (self.count(PASSED), self.count(FAILED), self.count(SKIPPED), pings,
               time.time() - self.began))
        sys.stdout.flush()
        return self.count(FAILED) == 0 and self.count(PASSED) > 0
