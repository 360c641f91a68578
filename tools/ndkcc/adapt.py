# SPDX-License-Identifier: MIT
"""What stands between Windows sources and a compiler on Linux, and is no matter of flags.

A Tree follows the includes of the sources without regard to case or to the direction of the
slashes. A file that a compiler here would not take as it is gets an adapted copy in the work
folder: the same lines, with a #line that names the original, so that messages and debuggers show
the author's file. Files that need nothing are compiled where they are.
"""
import os
import re

INCLUDE = re.compile(r'^([ \t]*#[ \t]*include[ \t]*)([<"])([^>"\n]+)[>"]', re.M)
PIECE = re.compile(r'/\*.*?\*/|//(?:\\\r?\n|[^\n])*|"(?:\\(?:.|\r?\n)|[^"\\\n])*"'
                   r"|'(?:\\.|[^'\\\n])*'", re.S)
WPP_BLOCK = re.compile(r"begin_wpp\s+config(.*?)end_wpp", re.S)
WPP_NAME = re.compile(r"\b(?:FUNC|MACRO:)\s+([A-Za-z_]\w*)")
JOINED_FUNCTION = re.compile(r'__FUNCTION__\s*L?"|"\s*__FUNCTION__')
STATIC_INLINE = re.compile(r"\bstatic(\s+)(?=(?:C?FORCEINLINE)\b)|\b(?<=INLINE)(\s+)static\b")
MSVC_LITERAL = re.compile(r"\b(0[xX][0-9A-Fa-f]+|[0-9]+)([uU]?)[iI](8|16|32|64)\b")
COMMA_ELISION = re.compile(r",(\s*)(?=__VA_ARGS__)")
DEFINE = re.compile(r"^[ \t]*#[ \t]*define\b(?:\\\r?\n|[^\n])*", re.M)
VARIADIC = re.compile(r"#[ \t]*define[ \t]+\w+\([^)]*\.\.\.\s*\)")
PLAIN_INLINE = re.compile(r"\b(?:__inline|__forceinline|_inline|inline)\b")
SEH = re.compile(r"\b__(?:try|except|finally)\b")


class Problem(Exception):
    """A sentence for the user."""


def blank(text, keep_strings):
    """text of the same length with comments (and contents of literals) blanked."""
    def spaces(match):
        piece = match.group(0)
        if piece[0] in "\"'":
            return piece if keep_strings else \
                piece[0] + re.sub(r"[^\n]", " ", piece[1:-1]) + piece[-1]
        return re.sub(r"[^\n]", " ", piece)
    return PIECE.sub(spaces, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def read_source(path):
    """The text, and whether the compilers could read the file as it is (they know no UTF-16)."""
    with open(path, "rb") as f:
        data = f.read()
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace"), False
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    return data.decode("utf-8", "surrogateescape"), True


class Folders:
    """Looks files up without regard to case."""

    def __init__(self):
        self.listings = {}

    def listing(self, folder):
        if folder not in self.listings:
            names = {}
            try:
                for name in sorted(os.listdir(folder or ".")):
                    names.setdefault(name.lower(), name)
            except OSError:
                pass
            self.listings[folder] = names
        return self.listings[folder]

    def find(self, folder, name, wants_folder=False):
        """The file `name` (any case, either slash) below `folder`, or None."""
        name = name.replace("\\", "/")
        is_right = os.path.isdir if wants_folder else os.path.isfile
        exact = os.path.join(folder, name)
        if is_right(exact):
            return exact
        path = "/" if name.startswith("/") else folder
        for part in name.split("/"):
            if part in ("", "."):
                continue
            if part == "..":
                path = os.path.join(path, "..")
                continue
            real = self.listing(path).get(part.lower())
            if real is None:
                return None
            path = os.path.join(path, real)
        return path if is_right(path) else None


class File:
    """One file of the driver."""

    def __init__(self, path, is_source, asked_from):
        self.path = path
        self.is_source = is_source
        self.asked_from = asked_from  # folders of the files that include it, nearest first
        self.text, self.is_readable = read_source(path)
        self.with_strings = blank(self.text, True)
        self.code = blank(self.text, False)
        self.includes = []  # (start, end, spelling as it must be, or File)
        self.edits = []     # (start, end, replacement), from the text alone
        self.copy = None    # path of the adapted copy, if one is needed


class Tree:
    def __init__(self, include_folders, softndk_folders, work):
        self.folders = Folders()
        self.include_folders = include_folders
        self.softndk_folders = softndk_folders
        self.work = work
        self.files = {}       # real path -> File
        self.order = []       # Files in the order in which they were met
        self.wpp_names = set()
        self.tmh_names = set()
        self.missing_headers = []

    # ---- Following the includes ----

    def add(self, path, is_source=False, asked_from=()):
        real = os.path.realpath(path)
        if real in self.files:
            return self.files[real]
        file = File(os.path.abspath(path), is_source, asked_from)
        self.files[real] = file
        self.order.append(file)
        for block in WPP_BLOCK.findall(file.text):
            self.wpp_names.update(WPP_NAME.findall(block))
        for match in INCLUDE.finditer(file.with_strings):
            self.follow(file, match)
        self.find_edits(file)
        return file

    def follow(self, file, match):
        head, quote, name = match.groups()
        start, end = match.start(2), match.end()
        here = os.path.dirname(file.path)
        nearby = [here] + list(file.asked_from) if quote == '"' else []
        for folder in nearby + self.include_folders:
            path = self.folders.find(folder, name)
            if path is not None:
                target = self.add(path, False, [here] + list(file.asked_from))
                file.includes.append((start, end, target, self.is_plain(file, quote, name, path)))
                return
        for folder in self.softndk_folders:
            path = self.folders.find(folder, name)
            if path is not None:
                real = os.path.relpath(path, folder)
                if real != name:
                    file.includes.append((start, end, "<%s>" % real, False))
                return
        if name.lower().endswith(".tmh"):
            self.tmh_names.add(name)
            file.includes.append((start, end, '"%s"' % os.path.join(self.work, "wpp.tmh"), False))
            return
        lower = name.replace("\\", "/").lower()
        if lower != name and any(os.path.isfile(os.path.join(f, lower))
                                 for f in ("/usr/include", "/usr/local/include")):
            file.includes.append((start, end, "<%s>" % lower, False))
            return
        self.missing_headers.append((file.path, line_of(file.text, start), name))

    def is_plain(self, file, quote, name, found):
        """Would a compiler find the same file by itself?"""
        folders = ([os.path.dirname(file.path)] if quote == '"' else []) + self.include_folders
        for folder in folders:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                return os.path.realpath(path) == os.path.realpath(found)
        return False

    # ---- What must change in the text ----

    def find_edits(self, file):
        code = file.code
        for define in DEFINE.finditer(file.with_strings):
            if VARIADIC.match(define.group(0)):
                for comma in COMMA_ELISION.finditer(define.group(0)):
                    at = define.start() + comma.end()
                    file.edits.append((at, at, "##"))
        for match in STATIC_INLINE.finditer(code):
            text = match.group(0)
            file.edits.append((match.start(), match.end(), text.replace("static", "      ")))
        for match in MSVC_LITERAL.finditer(code):
            digits, sign, bits = match.groups()
            suffix = ("u" if sign else "") + ("ll" if bits == "64" else "")
            file.edits.append((match.start(), match.end(), digits + suffix))

    def name_functions(self, file):
        """__FUNCTION__ is a literal for the compiler that these sources know: a macro before each
        function body makes it one here."""
        code = file.code
        depth, position = 0, 0
        for match in re.finditer(r"[{}]", code):
            if match.group(0) == "}":
                depth = max(0, depth - 1)
                continue
            depth += 1
            if depth != 1:
                continue
            name = function_before(code, position, match.start())
            if name is not None:
                at = code.rfind("\n", 0, match.start()) + 1
                number = line_of(code, at)
                file.edits.append((at, at, '#undef __FUNCTION__\n#define __FUNCTION__ "%s"\n'
                                   '#line %d\n' % (name, number)))
            position = match.end()

    # ---- Copies ----

    def adapt(self):
        """Decides which files need a copy and writes the copies."""
        if any(JOINED_FUNCTION.search(f.with_strings) for f in self.order):
            for file in self.order:
                self.name_functions(file)
        needs = set(f for f in self.order if f.edits or not f.is_readable or
                    any(not plain for _, _, _, plain in f.includes))
        grew = True
        while grew:
            grew = False
            for file in self.order:
                if file not in needs and any(t in needs for _, _, t, _ in file.includes):
                    needs.add(file)
                    grew = True
        for number, file in enumerate(self.order):
            if file in needs:
                file.copy = os.path.join(self.work, "src", str(number),
                                         os.path.basename(file.path))
        if self.tmh_names:
            self.write(os.path.join(self.work, "wpp.tmh"), self.wpp_text())
        for file in needs:
            self.write(file.copy, self.adapted_text(file))

    def adapted_text(self, file):
        edits = list(file.edits)
        for start, end, target, _ in file.includes:
            if isinstance(target, File):
                target = '"%s"' % (target.copy or target.path)
            edits.append((start, end, target))
        pieces, position = [], 0
        for start, end, replacement in sorted(edits):
            if start < position:
                continue
            pieces += [file.text[position:start], replacement]
            position = end
        pieces.append(file.text[position:])
        quoted = file.path.replace("\\", "\\\\").replace('"', '\\"')
        return '#line 1 "%s"\n' % quoted + "".join(pieces)

    def wpp_text(self):
        lines = ["/* Stands for what the WPP preprocessor generates: tracing compiles to nothing. */"]
        for name in sorted(self.wpp_names | {"DoTraceMessage", "DoTraceMessageEx"}):
            lines += ["#ifndef %s" % name, "#define %s(...) ((void)0)" % name, "#endif"]
        for name in ("WPP_INIT_TRACING", "WPP_CLEANUP"):
            lines += ["#ifndef %s" % name, "#define %s(...) ((void)0)" % name, "#endif"]
        return "\n".join(lines) + "\n"

    @staticmethod
    def write(path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as f:
            f.write(text)

    # ---- Questions about the whole ----

    def has_plain_inline(self):
        """Is there an inline function that is not static? Each file that includes it then holds one
        of the same name, which the linker must take as one."""
        for file in self.order:
            for match in PLAIN_INLINE.finditer(file.code):
                begin = max(file.code.rfind(c, 0, match.start()) for c in ";}\n") + 1
                before = file.code[begin:match.start()]
                if "static" not in before and not before.lstrip().startswith("#"):
                    return True
        return False

    def uses_seh(self, file):
        return SEH.search(file.code) is not None

    def inputs(self):
        return [f.path for f in self.order]


def function_before(code, begin, brace):
    """The name of the function whose body starts at `brace`, or None."""
    text = code[begin:brace].rstrip()
    # Attributes and SAL after the parameters, as in "f(void) _Acquires_lock_(x) {".
    if not text.endswith(")"):
        return None
    while True:
        depth, at = 0, len(text)
        while at > 0:
            at -= 1
            if text[at] == ")":
                depth += 1
            elif text[at] == "(":
                depth -= 1
                if depth == 0:
                    break
        match = re.search(r"([A-Za-z_]\w*)\s*$", text[:at])
        if match is None:
            return None
        rest = text[:match.start()].rstrip()
        if rest.endswith(")"):
            text = rest
            continue
        name = match.group(1)
        return None if name in ("if", "for", "while", "switch", "struct", "union") else name
