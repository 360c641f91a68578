# SPDX-License-Identifier: MIT
"""What a 64-bit long makes different: it has 32 bits where these sources come from."""
import re

from adapt import line_of

WORDS = re.compile(r"\b(?:unsigned|signed|long|int|double|const|volatile|short|char)\b"
                   r"(?:\s+(?:unsigned|signed|long|int|double|const|volatile)\b)*")
LITERAL = re.compile(r"(?<![\w.])(?:0[xX][0-9A-Fa-f]+|[0-9]+)(?:[uU][lL]|[lL][uU]?)(?![\w.])")
FORMAT = re.compile(r"%[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?l[diouxX]")
# These take their formats from the C library, where l means 64 bits; DbgPrint, RtlStringCbPrintf
# and what tools/ndkcc/include maps to them read formats as Windows does.
C_LIBRARY = re.compile(r"\b(?:f?printf|vf?printf|snprintf|vsnprintf|s?scanf|vs?scanf)\s*\(")


def call_end(code, begin):
    depth = 0
    for at in range(begin, len(code)):
        if code[at] == "(":
            depth += 1
        elif code[at] == ")":
            depth -= 1
            if depth == 0:
                return at
    return len(code)


def warnings(file):
    """[(line, sentence)] for one File of adapt.Tree."""
    found = []
    code = file.code
    for match in WORDS.finditer(code):
        words = match.group(0).split()
        if words.count("long") == 1 and "double" not in words:
            wide = "ULONG" if "unsigned" in words else "LONG"
            found.append((match.start(), "'%s' has 64 bits here and 32 on Windows; write %s"
                          % (" ".join(w for w in words if w not in ("const", "volatile")), wide)))
    for match in LITERAL.finditer(code):
        text = match.group(0)
        short = text.rstrip("lLuU") + ("U" if "u" in text.lower() else "")
        found.append((match.start(), "the literal %s has 64 bits here and 32 on Windows; write %s"
                      % (text, short)))
    for match in C_LIBRARY.finditer(code):
        begin = match.end() - 1
        for use in FORMAT.finditer(file.with_strings[begin:call_end(code, begin)]):
            found.append((begin + use.start(), "the C library reads '%s' as 64 bits, Windows as 32;"
                          " leave out the l" % use.group(0)))
    return [(line_of(code, at), text) for at, text in sorted(found)]
