/* SPDX-License-Identifier: MIT */
/*
 * Wide strings that do not run over their destination, wide formats and counted strings. A wide
 * format is brought to UTF-8 with %s and %c turned round, formatted as DbgPrint would, and the
 * result brought back.
 */
#include "base/alloc.h"
#include "kenv/format.h"

#include <ntstrsafe.h>
#include <stdbool.h>

#define FORMAT_MAX 512
#define OUTPUT_MAX 32768u

static SIZE_T length_within(PCWSTR s, SIZE_T max)
{
    SIZE_T n = 0;

    while (n < max && s[n] != 0)
        n++;
    return n;
}

/* ---- Parts of strings ---------------------------------------------------------------------- */

static bool is_destination(const void *dest, SIZE_T cch)
{
    return dest != NULL && cch > 0 && cch <= NTSTRSAFE_MAX_CCH;
}

static NTSTATUS copy_at(PWSTR dest, SIZE_T cch, SIZE_T at, PCWSTR src, SIZE_T most)
{
    SIZE_T n = length_within(src, most);
    bool is_cut = n > cch - at - 1;

    if (is_cut)
        n = cch - at - 1;
    memcpy(dest + at, src, n * sizeof(WCHAR));
    dest[at + n] = 0;
    return is_cut ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

NTSTATUS RtlStringCchCopyNW(PWSTR pszDest, SIZE_T cchDest, PCWSTR pszSrc, SIZE_T cchToCopy)
{
    if (!is_destination(pszDest, cchDest) || pszSrc == NULL)
        return STATUS_INVALID_PARAMETER;
    return copy_at(pszDest, cchDest, 0, pszSrc, cchToCopy < cchDest ? cchToCopy : cchDest);
}

NTSTATUS RtlStringCbCopyNW(PWSTR pszDest, SIZE_T cbDest, PCWSTR pszSrc, SIZE_T cbToCopy)
{
    return RtlStringCchCopyNW(pszDest, cbDest / sizeof(WCHAR), pszSrc, cbToCopy / sizeof(WCHAR));
}

NTSTATUS RtlStringCchCopyW(PWSTR pszDest, SIZE_T cchDest, PCWSTR pszSrc)
{
    return RtlStringCchCopyNW(pszDest, cchDest, pszSrc, cchDest);
}

NTSTATUS RtlStringCbCopyW(PWSTR pszDest, SIZE_T cbDest, PCWSTR pszSrc)
{
    return RtlStringCchCopyW(pszDest, cbDest / sizeof(WCHAR), pszSrc);
}

NTSTATUS RtlStringCchCatNW(PWSTR pszDest, SIZE_T cchDest, PCWSTR pszSrc, SIZE_T cchToAppend)
{
    SIZE_T at;

    if (!is_destination(pszDest, cchDest) || pszSrc == NULL)
        return STATUS_INVALID_PARAMETER;
    at = length_within(pszDest, cchDest);
    if (at == cchDest)
        return STATUS_INVALID_PARAMETER;
    return copy_at(pszDest, cchDest, at, pszSrc, cchToAppend < cchDest ? cchToAppend : cchDest);
}

NTSTATUS RtlStringCbCatNW(PWSTR pszDest, SIZE_T cbDest, PCWSTR pszSrc, SIZE_T cbToAppend)
{
    return RtlStringCchCatNW(pszDest, cbDest / sizeof(WCHAR), pszSrc, cbToAppend / sizeof(WCHAR));
}

NTSTATUS RtlStringCchCatW(PWSTR pszDest, SIZE_T cchDest, PCWSTR pszSrc)
{
    return RtlStringCchCatNW(pszDest, cchDest, pszSrc, cchDest);
}

NTSTATUS RtlStringCbCatW(PWSTR pszDest, SIZE_T cbDest, PCWSTR pszSrc)
{
    return RtlStringCchCatW(pszDest, cbDest / sizeof(WCHAR), pszSrc);
}

NTSTATUS RtlStringCchLengthW(PCWSTR psz, SIZE_T cchMax, SIZE_T *pcchLength)
{
    SIZE_T n = 0;
    bool is_good = psz != NULL && cchMax <= NTSTRSAFE_MAX_CCH;

    if (is_good) {
        n = length_within(psz, cchMax);
        is_good = n < cchMax;
    }
    if (pcchLength != NULL)
        *pcchLength = is_good ? n : 0;
    return is_good ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

NTSTATUS RtlStringCbLengthW(PCWSTR psz, SIZE_T cbMax, SIZE_T *pcbLength)
{
    NTSTATUS status = RtlStringCchLengthW(psz, cbMax / sizeof(WCHAR), pcbLength);

    if (pcbLength != NULL)
        *pcbLength *= sizeof(WCHAR);
    return status;
}

/* ---- Formats ------------------------------------------------------------------------------- */

static bool is_one_of(WCHAR c, const char *set)
{
    return c != 0 && c < 0x80 && strchr(set, c) != NULL;
}

/* Brings a wide format to UTF-8. False: it is too long. */
static bool narrow_format(PCWSTR format, char out[FORMAT_MAX])
{
    SIZE_T n = 0;

    while (*format != 0) {
        ULONG used = 0;
        PCWSTR from = format;
        bool has_size = false;

        if (n + 8 > FORMAT_MAX)
            return false;
        if (*format != '%') {
            while (*format != 0 && *format != '%' && format - from < 64)
                format++;
            if (RtlUnicodeToUTF8N(out + n, (ULONG)(FORMAT_MAX - n - 1), &used, from,
                    (ULONG)((SIZE_T)(format - from) * sizeof(WCHAR))) == STATUS_BUFFER_TOO_SMALL)
                return false;
            n += used;
            continue;
        }
        for (out[n++] = (char)*format++;
             is_one_of(*format, "-+ #0123456789.*") && n + 8 < FORMAT_MAX;)
            out[n++] = (char)*format++;
        for (; is_one_of(*format, "hlwI") && n + 8 < FORMAT_MAX; has_size = true)
            out[n++] = (char)*format++;
        for (; has_size && is_one_of(*format, "3624") && n + 8 < FORMAT_MAX;)
            out[n++] = (char)*format++;
        if (!has_size && is_one_of(*format, "sc"))
            out[n++] = 'w';
        if (!has_size && is_one_of(*format, "SC")) {
            out[n++] = 'h';
            out[n++] = (char)(*format++ | 0x20);
            continue;
        }
        if (*format != 0)
            out[n++] = *format < 0x80 ? (char)*format : '?';
        if (*format != 0)
            format++;
    }
    out[n] = 0;
    return true;
}

/* Writes at most `cch` characters, without terminator; *written says how many. */
static NTSTATUS print(PWSTR dest, SIZE_T cch, PCWSTR format, va_list arguments, SIZE_T *written)
{
    char narrow[FORMAT_MAX];
    struct kenv_text text = {NULL, 0, 0};
    NTSTATUS status;
    ULONG n = 0;

    *written = 0;
    if (!narrow_format(format, narrow))
        return STATUS_INVALID_PARAMETER;
    if (cch > OUTPUT_MAX)
        cch = OUTPUT_MAX;
    text.size = 3 * cch + 4;
    text.out = sn_zalloc(text.size);
    if (text.out == NULL)
        return STATUS_NO_MEMORY;
    kenv_format(&text, narrow, arguments);
    status = RtlUTF8ToUnicodeN(dest, (ULONG)(cch * sizeof(WCHAR)), &n, text.out,
        (ULONG)(text.length < text.size ? text.length : text.size - 1));
    sn_free(text.out);
    *written = n / sizeof(WCHAR);
    return status == STATUS_BUFFER_TOO_SMALL || text.length >= text.size ? STATUS_BUFFER_OVERFLOW
                                                                         : STATUS_SUCCESS;
}

NTSTATUS RtlStringCchVPrintfW(PWSTR pszDest, SIZE_T cchDest, PCWSTR pszFormat, va_list argList)
{
    SIZE_T n = 0;
    NTSTATUS status;

    if (!is_destination(pszDest, cchDest) || pszFormat == NULL)
        return STATUS_INVALID_PARAMETER;
    status = print(pszDest, cchDest - 1, pszFormat, argList, &n);
    pszDest[n] = 0;
    return status;
}

NTSTATUS RtlStringCbVPrintfW(PWSTR pszDest, SIZE_T cbDest, PCWSTR pszFormat, va_list argList)
{
    return RtlStringCchVPrintfW(pszDest, cbDest / sizeof(WCHAR), pszFormat, argList);
}

NTSTATUS RtlStringCchPrintfW(PWSTR pszDest, SIZE_T cchDest, PCWSTR pszFormat, ...)
{
    va_list arguments;
    NTSTATUS status;

    va_start(arguments, pszFormat);
    status = RtlStringCchVPrintfW(pszDest, cchDest, pszFormat, arguments);
    va_end(arguments);
    return status;
}

NTSTATUS RtlStringCbPrintfW(PWSTR pszDest, SIZE_T cbDest, PCWSTR pszFormat, ...)
{
    va_list arguments;
    NTSTATUS status;

    va_start(arguments, pszFormat);
    status = RtlStringCbVPrintfW(pszDest, cbDest, pszFormat, arguments);
    va_end(arguments);
    return status;
}

/* ---- Counted strings ----------------------------------------------------------------------- */

NTSTATUS RtlUnicodeStringValidate(PCUNICODE_STRING SourceString)
{
    if (SourceString == NULL)
        return STATUS_SUCCESS;
    if (SourceString->Length % sizeof(WCHAR) != 0 ||
        SourceString->MaximumLength % sizeof(WCHAR) != 0 ||
        SourceString->Length > SourceString->MaximumLength ||
        (SourceString->Buffer == NULL && SourceString->MaximumLength != 0))
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

static bool is_good(PCUNICODE_STRING s)
{
    return s != NULL && NT_SUCCESS(RtlUnicodeStringValidate(s));
}

NTSTATUS RtlUnicodeStringInit(PUNICODE_STRING DestinationString, PCWSTR pszSrc)
{
    if (DestinationString == NULL ||
        (pszSrc != NULL && length_within(pszSrc, NTSTRSAFE_UNICODE_STRING_MAX_CCH) >=
                               NTSTRSAFE_UNICODE_STRING_MAX_CCH))
        return STATUS_INVALID_PARAMETER;
    RtlInitUnicodeString(DestinationString, pszSrc);
    return STATUS_SUCCESS;
}

/* Puts n characters behind the first `at` ones. */
static NTSTATUS put(PUNICODE_STRING to, SIZE_T at, PCWSTR from, SIZE_T n)
{
    SIZE_T room = to->MaximumLength / sizeof(WCHAR) - at;
    bool is_cut = n > room;

    if (is_cut)
        n = room;
    if (n != 0)
        memmove(to->Buffer + at, from, n * sizeof(WCHAR));
    to->Length = (USHORT)((at + n) * sizeof(WCHAR));
    return is_cut ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

NTSTATUS RtlUnicodeStringCopy(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    if (!is_good(DestinationString) || !is_good(SourceString))
        return STATUS_INVALID_PARAMETER;
    return put(DestinationString, 0, SourceString->Buffer, SourceString->Length / sizeof(WCHAR));
}

NTSTATUS RtlUnicodeStringCopyString(PUNICODE_STRING DestinationString, PCWSTR pszSrc)
{
    if (!is_good(DestinationString) || pszSrc == NULL)
        return STATUS_INVALID_PARAMETER;
    return put(DestinationString, 0, pszSrc, length_within(pszSrc, NTSTRSAFE_MAX_CCH));
}

NTSTATUS RtlUnicodeStringCat(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    if (!is_good(DestinationString) || !is_good(SourceString))
        return STATUS_INVALID_PARAMETER;
    return put(DestinationString, DestinationString->Length / sizeof(WCHAR), SourceString->Buffer,
        SourceString->Length / sizeof(WCHAR));
}

NTSTATUS RtlUnicodeStringCatString(PUNICODE_STRING DestinationString, PCWSTR pszSrc)
{
    if (!is_good(DestinationString) || pszSrc == NULL)
        return STATUS_INVALID_PARAMETER;
    return put(DestinationString, DestinationString->Length / sizeof(WCHAR), pszSrc,
        length_within(pszSrc, NTSTRSAFE_MAX_CCH));
}

NTSTATUS RtlUnicodeStringVPrintf(
    PUNICODE_STRING DestinationString, PCWSTR pszFormat, va_list argList)
{
    SIZE_T n = 0;
    NTSTATUS status;

    if (!is_good(DestinationString) || pszFormat == NULL || DestinationString->Buffer == NULL)
        return STATUS_INVALID_PARAMETER;
    status = print(DestinationString->Buffer, DestinationString->MaximumLength / sizeof(WCHAR),
        pszFormat, argList, &n);
    DestinationString->Length = (USHORT)(n * sizeof(WCHAR));
    return status;
}

NTSTATUS RtlUnicodeStringPrintf(PUNICODE_STRING DestinationString, PCWSTR pszFormat, ...)
{
    va_list arguments;
    NTSTATUS status;

    va_start(arguments, pszFormat);
    status = RtlUnicodeStringVPrintf(DestinationString, pszFormat, arguments);
    va_end(arguments);
    return status;
}
