/* SPDX-License-Identifier: MIT */
/* Strings that do not run over their destination; the wide ones are in ntstrsafe_wide.c. */
#include "kenv/format.h"

#include <ntstrsafe.h>
#include <stdbool.h>

static bool is_destination(const void *dest, SIZE_T cch)
{
    return dest != NULL && cch > 0 && cch <= NTSTRSAFE_MAX_CCH;
}

static SIZE_T length_within(PCSTR s, SIZE_T max)
{
    SIZE_T n = 0;

    while (n < max && s[n] != 0)
        n++;
    return n;
}

/* Copies up to `most` characters to dest[at...], terminates. */
static NTSTATUS copy_at(PSTR dest, SIZE_T cch, SIZE_T at, PCSTR src, SIZE_T most)
{
    SIZE_T n = length_within(src, most);
    bool is_cut = n > cch - at - 1;

    if (is_cut)
        n = cch - at - 1;
    memcpy(dest + at, src, n);
    dest[at + n] = 0;
    return is_cut ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

NTSTATUS RtlStringCchCopyNA(PSTR pszDest, SIZE_T cchDest, PCSTR pszSrc, SIZE_T cchToCopy)
{
    if (!is_destination(pszDest, cchDest) || pszSrc == NULL)
        return STATUS_INVALID_PARAMETER;
    return copy_at(pszDest, cchDest, 0, pszSrc, cchToCopy < cchDest ? cchToCopy : cchDest);
}

NTSTATUS RtlStringCbCopyNA(PSTR pszDest, SIZE_T cbDest, PCSTR pszSrc, SIZE_T cbToCopy)
{
    return RtlStringCchCopyNA(pszDest, cbDest, pszSrc, cbToCopy);
}

NTSTATUS RtlStringCchCopyA(PSTR pszDest, SIZE_T cchDest, PCSTR pszSrc)
{
    return RtlStringCchCopyNA(pszDest, cchDest, pszSrc, cchDest);
}

NTSTATUS RtlStringCbCopyA(PSTR pszDest, SIZE_T cbDest, PCSTR pszSrc)
{
    return RtlStringCchCopyA(pszDest, cbDest, pszSrc);
}

NTSTATUS RtlStringCchCatNA(PSTR pszDest, SIZE_T cchDest, PCSTR pszSrc, SIZE_T cchToAppend)
{
    SIZE_T at;

    if (!is_destination(pszDest, cchDest) || pszSrc == NULL)
        return STATUS_INVALID_PARAMETER;
    at = length_within(pszDest, cchDest);
    if (at == cchDest) /* not terminated */
        return STATUS_INVALID_PARAMETER;
    return copy_at(pszDest, cchDest, at, pszSrc, cchToAppend < cchDest ? cchToAppend : cchDest);
}

NTSTATUS RtlStringCbCatNA(PSTR pszDest, SIZE_T cbDest, PCSTR pszSrc, SIZE_T cbToAppend)
{
    return RtlStringCchCatNA(pszDest, cbDest, pszSrc, cbToAppend);
}

NTSTATUS RtlStringCchCatA(PSTR pszDest, SIZE_T cchDest, PCSTR pszSrc)
{
    return RtlStringCchCatNA(pszDest, cchDest, pszSrc, cchDest);
}

NTSTATUS RtlStringCbCatA(PSTR pszDest, SIZE_T cbDest, PCSTR pszSrc)
{
    return RtlStringCchCatA(pszDest, cbDest, pszSrc);
}

NTSTATUS RtlStringCchVPrintfA(PSTR pszDest, SIZE_T cchDest, PCSTR pszFormat, va_list argList)
{
    struct kenv_text text = {pszDest, cchDest, 0};

    if (!is_destination(pszDest, cchDest) || pszFormat == NULL)
        return STATUS_INVALID_PARAMETER;
    kenv_format(&text, pszFormat, argList);
    return text.length < cchDest ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

NTSTATUS RtlStringCbVPrintfA(PSTR pszDest, SIZE_T cbDest, PCSTR pszFormat, va_list argList)
{
    return RtlStringCchVPrintfA(pszDest, cbDest, pszFormat, argList);
}

NTSTATUS RtlStringCchPrintfA(PSTR pszDest, SIZE_T cchDest, PCSTR pszFormat, ...)
{
    va_list arguments;
    NTSTATUS status;

    va_start(arguments, pszFormat);
    status = RtlStringCchVPrintfA(pszDest, cchDest, pszFormat, arguments);
    va_end(arguments);
    return status;
}

NTSTATUS RtlStringCbPrintfA(PSTR pszDest, SIZE_T cbDest, PCSTR pszFormat, ...)
{
    va_list arguments;
    NTSTATUS status;

    va_start(arguments, pszFormat);
    status = RtlStringCchVPrintfA(pszDest, cbDest, pszFormat, arguments);
    va_end(arguments);
    return status;
}

NTSTATUS RtlStringCchLengthA(PCSTR psz, SIZE_T cchMax, SIZE_T *pcchLength)
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

NTSTATUS RtlStringCbLengthA(PCSTR psz, SIZE_T cbMax, SIZE_T *pcbLength)
{
    return RtlStringCchLengthA(psz, cbMax, pcbLength);
}
