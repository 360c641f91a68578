# SPDX-License-Identifier: MIT
"""What was tried and what came of it: a line at once, a table at the end."""
import sys
import time

PASSED, FAILED, SKIPPED = "passed", "FAILED", "skipped"


class Report:
    def __init__(self):
        self.rows = []
        self.pings = 0
        self.began = time.time()

    def add(self, case, role, result, words, pings=0):
        self.rows.append((case, role, result, words))
        self.pings += pings
        print("%7.1f s  %-7s %-14s %s: %s" %
              (time.time() - self.began, result, role, case, words), flush=True)

    def check(self, case, role, is_right, words, evidence="", pings=0):
        """A case that passed when is_right; the evidence is printed when it did not."""
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
