/* SPDX-License-Identifier: MIT */
/*
 * ntstrsafe.h: string routines that never run over their destination.
 *
 * Cch counts characters, Cb bytes, both with the terminator. Every routine terminates what it
 * writes. STATUS_SUCCESS; STATUS_BUFFER_OVERFLOW: truncated; STATUS_INVALID_PARAMETER: no room at
 * all, more than NTSTRSAFE_MAX_CCH characters, or NULL. Any IRQL for the A forms here, PASSIVE on
 * Windows for some. Formats mean what they mean on Windows (see DbgPrint in wdm.h).
 */
#ifndef SOFTNDK_NTSTRSAFE_H
#define SOFTNDK_NTSTRSAFE_H

#include <ntdef.h>
#include <ntstatus.h>

SOFTNDK_BEGIN_DECLS

#define NTSTRSAFE_MAX_CCH 2147483647

typedef PSTR NTSTRSAFE_PSTR;
typedef PCSTR NTSTRSAFE_PCSTR;
typedef PWSTR NTSTRSAFE_PWSTR;
typedef PCWSTR NTSTRSAFE_PCWSTR;

SOFTNDK_API NTSTATUS RtlStringCchCopyA(PSTR pszDest, SIZE_T cchDest, PCSTR pszSrc);
SOFTNDK_API NTSTATUS RtlStringCbCopyA(PSTR pszDest, SIZE_T cbDest, PCSTR pszSrc);
/* At most cchToCopy characters of the source. */
SOFTNDK_API NTSTATUS RtlStringCchCopyNA(
    PSTR pszDest, SIZE_T cchDest, PCSTR pszSrc, SIZE_T cchToCopy);
SOFTNDK_API NTSTATUS RtlStringCbCopyNA(PSTR pszDest, SIZE_T cbDest, PCSTR pszSrc, SIZE_T cbToCopy);
SOFTNDK_API NTSTATUS RtlStringCchCatA(PSTR pszDest, SIZE_T cchDest, PCSTR pszSrc);
SOFTNDK_API NTSTATUS RtlStringCbCatA(PSTR pszDest, SIZE_T cbDest, PCSTR pszSrc);
SOFTNDK_API NTSTATUS RtlStringCchPrintfA(PSTR pszDest, SIZE_T cchDest, PCSTR pszFormat, ...);
SOFTNDK_API NTSTATUS RtlStringCbPrintfA(PSTR pszDest, SIZE_T cbDest, PCSTR pszFormat, ...);
SOFTNDK_API NTSTATUS RtlStringCchVPrintfA(
    PSTR pszDest, SIZE_T cchDest, PCSTR pszFormat, va_list argList);
SOFTNDK_API NTSTATUS RtlStringCbVPrintfA(
    PSTR pszDest, SIZE_T cbDest, PCSTR pszFormat, va_list argList);
/* Length without the terminator, which must come within the limit; the length may be NULL. */
SOFTNDK_API NTSTATUS RtlStringCchLengthA(PCSTR psz, SIZE_T cchMax, SIZE_T *pcchLength);
SOFTNDK_API NTSTATUS RtlStringCbLengthA(PCSTR psz, SIZE_T cbMax, SIZE_T *pcbLength);

/* The same for 16-bit characters; a byte count that is odd counts one less. */
SOFTNDK_API NTSTATUS RtlStringCchCopyW(PWSTR pszDest, SIZE_T cchDest, PCWSTR pszSrc);
SOFTNDK_API NTSTATUS RtlStringCbCopyW(PWSTR pszDest, SIZE_T cbDest, PCWSTR pszSrc);
SOFTNDK_API NTSTATUS RtlStringCchCatW(PWSTR pszDest, SIZE_T cchDest, PCWSTR pszSrc);
SOFTNDK_API NTSTATUS RtlStringCbCatW(PWSTR pszDest, SIZE_T cbDest, PCWSTR pszSrc);
SOFTNDK_API NTSTATUS RtlStringCchLengthW(PCWSTR psz, SIZE_T cchMax, SIZE_T *pcchLength);
SOFTNDK_API NTSTATUS RtlStringCbLengthW(PCWSTR psz, SIZE_T cbMax, SIZE_T *pcbLength);

SOFTNDK_API NTSTATUS RtlStringCchCopyNW(
    PWSTR pszDest, SIZE_T cchDest, PCWSTR pszSrc, SIZE_T cchToCopy);
SOFTNDK_API NTSTATUS RtlStringCbCopyNW(
    PWSTR pszDest, SIZE_T cbDest, PCWSTR pszSrc, SIZE_T cbToCopy);
SOFTNDK_API NTSTATUS RtlStringCchCatNA(
    PSTR pszDest, SIZE_T cchDest, PCSTR pszSrc, SIZE_T cchToAppend);
SOFTNDK_API NTSTATUS RtlStringCbCatNA(PSTR pszDest, SIZE_T cbDest, PCSTR pszSrc, SIZE_T cbToAppend);
SOFTNDK_API NTSTATUS RtlStringCchCatNW(
    PWSTR pszDest, SIZE_T cchDest, PCWSTR pszSrc, SIZE_T cchToAppend);
SOFTNDK_API NTSTATUS RtlStringCbCatNW(
    PWSTR pszDest, SIZE_T cbDest, PCWSTR pszSrc, SIZE_T cbToAppend);
/* In wide formats %s and %c are wide, %S and %C narrow. At most 32,767 characters of output, and
 * 511 octets of format. STATUS_NO_MEMORY besides. PASSIVE_LEVEL on Windows. */
SOFTNDK_API NTSTATUS RtlStringCchVPrintfW(
    PWSTR pszDest, SIZE_T cchDest, PCWSTR pszFormat, va_list argList);
SOFTNDK_API NTSTATUS RtlStringCbVPrintfW(
    PWSTR pszDest, SIZE_T cbDest, PCWSTR pszFormat, va_list argList);
SOFTNDK_API NTSTATUS RtlStringCchPrintfW(PWSTR pszDest, SIZE_T cchDest, PCWSTR pszFormat, ...);
SOFTNDK_API NTSTATUS RtlStringCbPrintfW(PWSTR pszDest, SIZE_T cbDest, PCWSTR pszFormat, ...);

/* ---- Counted strings ---- */
/* STATUS_BUFFER_OVERFLOW: as much as fits was written. Nothing is terminated. */

#define NTSTRSAFE_UNICODE_STRING_MAX_CCH (0xffff / sizeof(WCHAR))

SOFTNDK_API NTSTATUS RtlUnicodeStringInit(PUNICODE_STRING DestinationString, PCWSTR pszSrc);
SOFTNDK_API NTSTATUS RtlUnicodeStringCopy(
    PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString);
SOFTNDK_API NTSTATUS RtlUnicodeStringCopyString(PUNICODE_STRING DestinationString, PCWSTR pszSrc);
SOFTNDK_API NTSTATUS RtlUnicodeStringCat(
    PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString);
SOFTNDK_API NTSTATUS RtlUnicodeStringCatString(PUNICODE_STRING DestinationString, PCWSTR pszSrc);
SOFTNDK_API NTSTATUS RtlUnicodeStringVPrintf(
    PUNICODE_STRING DestinationString, PCWSTR pszFormat, va_list argList);
SOFTNDK_API NTSTATUS RtlUnicodeStringPrintf(
    PUNICODE_STRING DestinationString, PCWSTR pszFormat, ...);
/* STATUS_INVALID_PARAMETER: lengths are odd, or more than there is room for. */
SOFTNDK_API NTSTATUS RtlUnicodeStringValidate(PCUNICODE_STRING SourceString);

SOFTNDK_END_DECLS

#endif /* SOFTNDK_NTSTRSAFE_H */
