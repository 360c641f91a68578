/* SPDX-License-Identifier: MIT */
/* UTF-8 and UTF-16, numbers and GUIDs as text. */
#include "kenv/irql.h"

#include <stdbool.h>

#define TAG_STRING  'grtS'
#define REPLACEMENT 0xfffdu
#define GUID_CHARS  38

/* ---- UTF-8 and UTF-16 ---------------------------------------------------------------------- */

/* One character at s[0..n), n > 0; *used says how many octets it took. */
static ULONG decode8(const UCHAR *s, ULONG n, ULONG *used)
{
    ULONG c = s[0];
    ULONG extra = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : 3;

    *used = 1;
    if (extra == 0)
        return c;
    if (c < 0xc2 || c > 0xf4 || extra >= n)
        return REPLACEMENT;
    c &= 0x3fu >> extra;
    for (ULONG i = 1; i <= extra; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return REPLACEMENT;
        c = c << 6 | (s[i] & 0x3fu);
    }
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || (extra == 2 && c < 0x800) ||
        (extra == 3 && c < 0x10000))
        return REPLACEMENT;
    *used = extra + 1;
    return c;
}

/* One character at s[0..n), n > 0, in units. */
static ULONG decode16(const WCHAR *s, ULONG n, ULONG *used)
{
    ULONG c = (USHORT)s[0], low;

    *used = 1;
    if (c < 0xd800 || c >= 0xe000)
        return c;
    low = n > 1 ? (USHORT)s[1] : 0;
    if (c >= 0xdc00 || low < 0xdc00 || low >= 0xe000)
        return REPLACEMENT;
    *used = 2;
    return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

static ULONG encode8(ULONG c, UCHAR out[4])
{
    if (c < 0x80) {
        out[0] = (UCHAR)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (UCHAR)(0xc0 | c >> 6);
        out[1] = (UCHAR)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (UCHAR)(0xe0 | c >> 12);
        out[1] = (UCHAR)(0x80 | (c >> 6 & 0x3f));
        out[2] = (UCHAR)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (UCHAR)(0xf0 | c >> 18);
    out[1] = (UCHAR)(0x80 | (c >> 12 & 0x3f));
    out[2] = (UCHAR)(0x80 | (c >> 6 & 0x3f));
    out[3] = (UCHAR)(0x80 | (c & 0x3f));
    return 4;
}

NTSTATUS RtlUTF8ToUnicodeN(PWSTR UnicodeStringDestination, ULONG UnicodeStringMaxByteCount,
    PULONG UnicodeStringActualByteCount, PCSTR UTF8StringSource, ULONG UTF8StringByteCount)
{
    const UCHAR *s = (const UCHAR *)UTF8StringSource;
    ULONG room = UnicodeStringDestination != NULL ? UnicodeStringMaxByteCount / 2 : 0xffffffff;
    ULONG written = 0, used = 0;
    NTSTATUS status = STATUS_SUCCESS;

    for (ULONG i = 0; i < UTF8StringByteCount; i += used) {
        ULONG c = decode8(s + i, UTF8StringByteCount - i, &used);
        ULONG units = c >= 0x10000 ? 2 : 1;

        if (c == REPLACEMENT && used == 1)
            status = STATUS_SOME_NOT_MAPPED;
        if (units > room - written) {
            status = STATUS_BUFFER_TOO_SMALL;
            break;
        }
        if (UnicodeStringDestination != NULL && units == 1) {
            UnicodeStringDestination[written] = (WCHAR)c;
        } else if (UnicodeStringDestination != NULL) {
            UnicodeStringDestination[written] = (WCHAR)(0xd800 + ((c - 0x10000) >> 10));
            UnicodeStringDestination[written + 1] = (WCHAR)(0xdc00 + ((c - 0x10000) & 0x3ff));
        }
        written += units;
    }
    *UnicodeStringActualByteCount = written * (ULONG)sizeof(WCHAR);
    return status;
}

NTSTATUS RtlUnicodeToUTF8N(PCHAR UTF8StringDestination, ULONG UTF8StringMaxByteCount,
    PULONG UTF8StringActualByteCount, PCWSTR UnicodeStringSource, ULONG UnicodeStringByteCount)
{
    ULONG n = UnicodeStringByteCount / (ULONG)sizeof(WCHAR);
    ULONG room = UTF8StringDestination != NULL ? UTF8StringMaxByteCount : 0xffffffff;
    ULONG written = 0, used = 0;
    NTSTATUS status = STATUS_SUCCESS;

    for (ULONG i = 0; i < n; i += used) {
        ULONG c = decode16(UnicodeStringSource + i, n - i, &used);
        UCHAR octets[4];
        ULONG count = encode8(c, octets);

        if (c == REPLACEMENT && UnicodeStringSource[i] != (WCHAR)REPLACEMENT)
            status = STATUS_SOME_NOT_MAPPED;
        if (count > room - written) {
            status = STATUS_BUFFER_TOO_SMALL;
            break;
        }
        if (UTF8StringDestination != NULL)
            memcpy(UTF8StringDestination + written, octets, count);
        written += count;
    }
    *UTF8StringActualByteCount = written;
    return status;
}

ULONG RtlAnsiStringToUnicodeSize(const STRING *AnsiString)
{
    ULONG n = 0;

    (void)RtlUTF8ToUnicodeN(NULL, 0, &n, AnsiString->Buffer, AnsiString->Length);
    return n + (ULONG)sizeof(WCHAR);
}

ULONG RtlUnicodeStringToAnsiSize(PCUNICODE_STRING UnicodeString)
{
    ULONG n = 0;

    (void)RtlUnicodeToUTF8N(NULL, 0, &n, UnicodeString->Buffer, UnicodeString->Length);
    return n + 1;
}

NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString, PCANSI_STRING SourceString,
    BOOLEAN AllocateDestinationString)
{
    ULONG size = RtlAnsiStringToUnicodeSize(SourceString), n = 0;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (size > UNICODE_STRING_MAX_BYTES)
        return STATUS_INVALID_PARAMETER_2;
    if (AllocateDestinationString) {
        DestinationString->Buffer = ExAllocatePoolWithTag(PagedPool, size, TAG_STRING);
        if (DestinationString->Buffer == NULL)
            return STATUS_NO_MEMORY;
        DestinationString->MaximumLength = (USHORT)size;
    } else if (size > DestinationString->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    (void)RtlUTF8ToUnicodeN(
        DestinationString->Buffer, size, &n, SourceString->Buffer, SourceString->Length);
    DestinationString->Length = (USHORT)n;
    DestinationString->Buffer[n / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString, PCUNICODE_STRING SourceString,
    BOOLEAN AllocateDestinationString)
{
    ULONG size = RtlUnicodeStringToAnsiSize(SourceString), n = 0;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (size > MAXUSHORT)
        return STATUS_INVALID_PARAMETER_2;
    if (AllocateDestinationString) {
        DestinationString->Buffer = ExAllocatePoolWithTag(PagedPool, size, TAG_STRING);
        if (DestinationString->Buffer == NULL)
            return STATUS_NO_MEMORY;
        DestinationString->MaximumLength = (USHORT)size;
    } else if (size > DestinationString->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    (void)RtlUnicodeToUTF8N(
        DestinationString->Buffer, size, &n, SourceString->Buffer, SourceString->Length);
    DestinationString->Length = (USHORT)n;
    DestinationString->Buffer[n] = 0;
    return STATUS_SUCCESS;
}

/* ---- Numbers ------------------------------------------------------------------------------- */

static ULONG digit(ULONG c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* The character at i, 0 at the end: of 16-bit text, or of a terminated 8-bit one. */
struct text {
    const WCHAR *wide;
    const char *narrow;
    ULONG n;
};

static ULONG at(const struct text *t, ULONG i)
{
    if (t->narrow != NULL)
        return (UCHAR)t->narrow[i];
    return i < t->n ? (USHORT)t->wide[i] : 0;
}

static NTSTATUS to_integer(const struct text *t, ULONG base, PULONG value)
{
    ULONG i = 0, result = 0;
    bool is_negative;

    if (base != 0 && base != 2 && base != 8 && base != 10 && base != 16)
        return STATUS_INVALID_PARAMETER;
    while (at(t, i) != 0 && at(t, i) <= ' ')
        i++;
    is_negative = at(t, i) == '-';
    if (is_negative || at(t, i) == '+')
        i++;
    if (base == 0) {
        ULONG letter = at(t, i) == '0' ? at(t, i + 1) | 0x20 : 0;

        base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
        i += base != 10 ? 2 : 0;
    }
    for (; digit(at(t, i)) < base; i++)
        result = result * base + digit(at(t, i));
    *value = is_negative ? 0 - result : result;
    return STATUS_SUCCESS;
}

NTSTATUS RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value)
{
    struct text t = {String->Buffer, NULL, String->Length / (ULONG)sizeof(WCHAR)};

    return to_integer(&t, Base, Value);
}

NTSTATUS RtlCharToInteger(PCSTR String, ULONG Base, PULONG Value)
{
    struct text t = {NULL, String, 0};

    return to_integer(&t, Base, Value);
}

NTSTATUS RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String)
{
    WCHAR digits[65];
    ULONG n = 0, size;

    if (Base == 0)
        Base = 10;
    if (Base != 2 && Base != 8 && Base != 10 && Base != 16)
        return STATUS_INVALID_PARAMETER;
    do {
        digits[n++] = (WCHAR) "0123456789ABCDEF"[Value % Base];
        Value /= Base;
    } while (Value != 0);
    size = n * (ULONG)sizeof(WCHAR);
    if (size > String->MaximumLength)
        return STATUS_BUFFER_OVERFLOW;
    for (ULONG i = 0; i < n; i++)
        String->Buffer[i] = digits[n - 1 - i];
    String->Length = (USHORT)size;
    if (size + sizeof(WCHAR) <= String->MaximumLength)
        String->Buffer[n] = 0;
    return STATUS_SUCCESS;
}

NTSTATUS RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String)
{
    return RtlInt64ToUnicodeString(Value, Base, String);
}

/* ---- GUIDs --------------------------------------------------------------------------------- */

/* Which octet of the GUID (as it lies in memory) two digits of the text mean; -1: punctuation. */
static const signed char guid_layout[GUID_CHARS] = {-1, 3, 3, 2, 2, 1, 1, 0, 0, -1, 5, 5, 4, 4, -1,
    7, 7, 6, 6, -1, 8, 8, 9, 9, -1, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15, -1};
static const char guid_marks[] = "{        -    -    -    -            }";

NTSTATUS RtlStringFromGUID(const GUID *Guid, PUNICODE_STRING GuidString)
{
    const UCHAR *octets = (const UCHAR *)Guid;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    GuidString->Buffer =
        ExAllocatePoolWithTag(PagedPool, (GUID_CHARS + 1) * sizeof(WCHAR), TAG_STRING);
    if (GuidString->Buffer == NULL)
        return STATUS_NO_MEMORY;
    for (int i = 0; i < GUID_CHARS; i++) {
        bool is_high = guid_layout[i] >= 0 && guid_layout[i] == guid_layout[i + 1];
        UCHAR octet = guid_layout[i] >= 0 ? octets[guid_layout[i]] : 0;

        GuidString->Buffer[i] =
            (WCHAR)(guid_layout[i] < 0 ? guid_marks[i]
                                       : "0123456789ABCDEF"[is_high ? octet >> 4 : octet & 15]);
    }
    GuidString->Buffer[GUID_CHARS] = 0;
    GuidString->Length = GUID_CHARS * sizeof(WCHAR);
    GuidString->MaximumLength = (GUID_CHARS + 1) * sizeof(WCHAR);
    return STATUS_SUCCESS;
}

NTSTATUS RtlGUIDFromString(PCUNICODE_STRING GuidString, GUID *Guid)
{
    UCHAR octets[sizeof(GUID)] = {0};

    if (GuidString->Length != GUID_CHARS * sizeof(WCHAR))
        return STATUS_INVALID_PARAMETER;
    for (int i = 0; i < GUID_CHARS; i++) {
        ULONG value = digit((USHORT)GuidString->Buffer[i]);

        if (guid_layout[i] < 0) {
            if (GuidString->Buffer[i] != (WCHAR)guid_marks[i])
                return STATUS_INVALID_PARAMETER;
            continue;
        }
        if (value > 15)
            return STATUS_INVALID_PARAMETER;
        octets[guid_layout[i]] = (UCHAR)((ULONG)octets[guid_layout[i]] << 4 | value);
    }
    memcpy(Guid, octets, sizeof(octets));
    return STATUS_SUCCESS;
}
