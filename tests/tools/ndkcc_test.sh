#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ndkcc: what Windows sources do and compilers here do not expect, with gcc and clang; what it says.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
CC_TOOL=$BIN/ndkcc
cd "$WORK" || exit 1
mkdir -p src inc/Deep
export NDKCC_CC=

# Lines end as on Windows; names differ in case; paths have backslashes.
sed 's/$/\r/' >inc/Driver.h <<'EOT'
#pragma once
#include <NTDDK.H>
#include <Wsk.h>
#include "Deep\Types.h"
#define T(fmt, ...) DbgPrint("[%s] " fmt, __FUNCTION__, __VA_ARGS__)
#define E(fmt, ...) DbgPrint(__FUNCTION__ ": " fmt, __VA_ARGS__)
// begin_wpp config
// FUNC TraceInfo{LEVEL=TRACE_LEVEL_INFORMATION}(FLAGS, MSG, ...);
// FUNC TraceEnter();
// end_wpp
__inline ULONG Twice(ULONG x) { return x * 2; }
static FORCEINLINE ULONG Thrice(ULONG x) { return x * 3; }
extern ULONG g_Count;
EOT
printf '\xef\xbb\xbf#pragma once\n' >inc/Deep/types.h
cat >>inc/Deep/types.h <<'EOT'
#include <pshpack1.h>
typedef struct _WIRE { UCHAR Kind; __int64 Value; } WIRE;
#include <PopPack.h>
C_ASSERT(sizeof(WIRE) == 9);
typedef struct _BITS { UCHAR a : 4; ULONG b : 4; } BITS;
C_ASSERT(sizeof(BITS) == 8);
typedef struct _OUTER { struct _WIRE; ULONG Rest; } OUTER;
typedef struct __declspec(align(64)) _LINE { ULONG x; } LINE;
C_ASSERT(sizeof(LINE) == 64);
EOT
cat >src/main.c <<'EOT'
#include "..\Inc\driver.h"
#include <stdio.h>
#include <Sal.h>
#include "main.tmh"

DRIVER_INITIALIZE DriverEntry;
#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#endif
#pragma warning(disable:4100)
#pragma prefast(suppress:28167, "known")

ULONG g_Count = 'kdN1';
C_ASSERT(sizeof(L"wide") == 10);
static VOID connect(VOID) { g_Count++; }
static int log(const char *x) { return (int)strlen(x); }
static ULONG index, linux;
VOID send(_In_reads_bytes_opt_(n) const VOID *p, __in ULONG n) { index += n; linux = Twice(n); }
NTSTATUS remove(__in_bcount_opt(n) PVOID p, IN ULONG n OPTIONAL) { return STATUS_SUCCESS; }

_Use_decl_annotations_
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    CHAR Text[32];
    unsigned __int64 Big = 0xFFFFFFFFFFui64 + 5i64;
    OUTER Outer = { 0 };

    WPP_INIT_TRACING(DriverObject, RegistryPath);
    TraceEnter();
    TraceInfo(FLAG_X, "status %!STATUS!", 0);
    connect();
    send(NULL, 3);
    log("x");
    remove(NULL, 0);
    Outer.Value = 7;
    _snprintf(Text, sizeof(Text), "%I64x %lu", Big, g_Count);
    E("hello %s %d\n", Text, (int)wcslen(L"abc"));
    E("bare\n");
    do { T("end %d\n", Thrice(2)); } while (__pragma(warning(suppress:4127)) 0);
    return STATUS_UNSUCCESSFUL;
}
EOT
# UTF-16, as Visual Studio sometimes writes.
printf '#include "DRIVER.H"\n#include "Other.tmh"\nULONG Other(void) { T("x\\n"); return Twice(1); }\n' |
    iconv -f UTF-8 -t UTF-16 >src/other.c

for compiler in gcc clang; do
    command -v $compiler >/dev/null || continue
    rm -f d.so
    expect 0 "" "$CC_TOOL" --cc $compiler -I INC -o d.so src/main.c src/other.c --check --deps d.d
    [ -f d.so ] || { complain "$compiler made no driver"; continue; }
    out=$(nm -D --defined-only d.so | awk '{ print $3 }')
    [ "$out" = DriverEntry ] || complain "the driver exports: $out"
    for file in src/main.c src/other.c inc/Driver.h inc/Deep/types.h; do
        grep -qF "$PWD/$file" d.d || complain "--deps lacks $file: $(cat d.d)"
    done
    expect 4 "DriverEntry: hello 10000000004" "$BIN/ndkrun" d.so
    expect 4 "DriverEntry: bare" "$BIN/ndkrun" d.so
    expect 4 "[DriverEntry] end 6" "$BIN/ndkrun" d.so
done
[ -z "$(find inc src -newer d.so)" ] || complain "ndkcc has changed the sources"

# Messages name the author's lines.
printf '#include "DRIVER.H"\n\nULONG f(void) { E("x"); return Nothing; }\n' >src/wrong.c
expect 1 "src/wrong.c:3:" "$CC_TOOL" -I inc src/wrong.c
expect 1 "1 of 1 sources did not compile" "$CC_TOOL" -I inc src/wrong.c
printf '#include <ntddk.h>\n#include "lost.h"\n' >src/lost.c
expect 1 "src/lost.c:2 includes <lost.h>, which neither" "$CC_TOOL" src/lost.c
printf '#include <ntddk.h>\nULONG f(void) { return 1; }\n' >src/none.c
expect 1 "no source defines DriverEntry" "$CC_TOOL" src/none.c

# What a long of 64 bits makes different: one line each.
cat >src/long.c <<'EOT'
#include <ntddk.h>
/* long in a comment, 1L too */
unsigned long Bad;
long long Good;
DRIVER_INITIALIZE DriverEntry;
NTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING r)
{
    ULONG x = 0x10UL + 1L + 2;
    DbgPrint("%ld long\n", x);
    return (NTSTATUS)x;
}
EOT
expect 0 "src/long.c:3: warning: 'unsigned long' has 64 bits here and 32 on Windows; write ULONG" \
    "$CC_TOOL" -o l.so src/long.c
expect 0 "src/long.c:8: warning: the literal 0x10UL has 64 bits here and 32 on Windows; write 0x10U" \
    "$CC_TOOL" -o l.so src/long.c
count=$("$CC_TOOL" -o l.so src/long.c 2>&1 | grep -c 'lp64')
[ "$count" -eq 3 ] || complain "$count warnings of long, expected 3"
expect_quiet() {
    local out
    out=$("$@" 2>&1) || complain "$*: status $?"
    [ -z "$out" ] || complain "$* printed: $out"
}
expect_quiet "$CC_TOOL" --no-lp64 -o l.so src/long.c

# Missing routines: a warning, with --check an error.
printf '#include <ntddk.h>\nVOID KeNothing(VOID);\nNTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING r) { KeNothing(); return 0; }\n' >src/missing.c
expect 0 "libsoftndk has no routine KeNothing; ndkrun will refuse the driver" "$CC_TOOL" -o m.so src/missing.c
expect 1 "libsoftndk has no routine KeNothing" "$CC_TOOL" --check -o m.so src/missing.c

# C++, statuses that are raised, compile commands.
if command -v g++ >/dev/null; then
    printf '#include <ntddk.h>\nclass C { public: int n; C() : n(3) {} };\nextern "C" DRIVER_INITIALIZE DriverEntry;\nextern "C" NTSTATUS DriverEntry(PDRIVER_OBJECT, PUNICODE_STRING)\n{ C c; DbgPrint("n %%d\\n", c.n); return STATUS_UNSUCCESSFUL; }\n' >src/cpp.cpp
    expect 0 "" "$CC_TOOL" --cc gcc -o c.so src/cpp.cpp
    expect 4 "n 3" "$BIN/ndkrun" c.so
fi
expect 0 "" "$CC_TOOL" --compile-commands -I inc -o d.so src/main.c src/other.c
python3 -c 'import json; assert len(json.load(open("compile_commands.json"))) == 2' ||
    complain "compile_commands.json is wrong: $(cat compile_commands.json)"

expect 0 "usage: ndkcc" "$CC_TOOL" --help
expect 0 "ndkcc " "$CC_TOOL" --version
expect_sentence 2 "no source file is named" "$CC_TOOL"
expect_sentence 2 "no option '--nonsense'" "$CC_TOOL" --nonsense
expect_sentence 2 "there is no file 'gone.c'" "$CC_TOOL" gone.c
expect_sentence 2 "neither a C nor a C++ source" "$CC_TOOL" notes.txt
expect_sentence 3 "no compiler 'nocc' is here" "$CC_TOOL" --cc nocc src/none.c
exit "$failed"
