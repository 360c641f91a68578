/* SPDX-License-Identifier: MIT */
/* Counted strings: compare, append, change case, hash, free. */
#include "kenv/irql.h"

#define TAG_STRING 'grtS'

WCHAR RtlUpcaseUnicodeChar(WCHAR SourceCharacter)
{
    ULONG c = SourceCharacter;

    if ((c >= 'a' && c <= 'z') || (c >= 0xe0 && c <= 0xfe && c != 0xf7))
        return (WCHAR)(c - 0x20);
    return c == 0xff ? (WCHAR)0x178 : SourceCharacter;
}

WCHAR RtlDowncaseUnicodeChar(WCHAR SourceCharacter)
{
    ULONG c = SourceCharacter;

    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7))
        return (WCHAR)(c + 0x20);
    return c == 0x178 ? (WCHAR)0xff : SourceCharacter;
}

CHAR RtlUpperChar(CHAR Character)
{
    return (CHAR)(Character >= 'a' && Character <= 'z' ? Character - 0x20 : Character);
}

NTSTATUS RtlInitUnicodeStringEx(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    SIZE_T n = 0;

    while (SourceString != NULL && SourceString[n] != 0)
        if (++n > UNICODE_STRING_MAX_CHARS - 1)
            return STATUS_NAME_TOO_LONG;
    RtlInitUnicodeString(DestinationString, SourceString);
    return STATUS_SUCCESS;
}

VOID RtlCopyString(PSTRING DestinationString, const STRING *SourceString)
{
    USHORT n = SourceString != NULL ? SourceString->Length : 0;

    if (n > DestinationString->MaximumLength)
        n = DestinationString->MaximumLength;
    if (n != 0)
        memmove(DestinationString->Buffer, SourceString->Buffer, n);
    DestinationString->Length = n;
}

LONG RtlCompareString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive)
{
    USHORT n = String1->Length < String2->Length ? String1->Length : String2->Length;

    for (USHORT i = 0; i < n; i++) {
        CHAR a = String1->Buffer[i], b = String2->Buffer[i];

        if (CaseInSensitive) {
            a = RtlUpperChar(a);
            b = RtlUpperChar(b);
        }
        if (a != b)
            return (LONG)(UCHAR)a - (LONG)(UCHAR)b;
    }
    return (LONG)String1->Length - (LONG)String2->Length;
}

/* Of the first n characters. */
static LONG compare(const WCHAR *one, const WCHAR *two, SIZE_T n, BOOLEAN is_insensitive)
{
    for (SIZE_T i = 0; i < n; i++) {
        WCHAR a = one[i], b = two[i];

        if (is_insensitive) {
            a = RtlUpcaseUnicodeChar(a);
            b = RtlUpcaseUnicodeChar(b);
        }
        if (a != b)
            return (LONG)(USHORT)a - (LONG)(USHORT)b;
    }
    return 0;
}

LONG RtlCompareUnicodeString(
    PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    USHORT n = String1->Length < String2->Length ? String1->Length : String2->Length;
    LONG result = compare(String1->Buffer, String2->Buffer, n / sizeof(WCHAR), CaseInSensitive);

    return result != 0 ? result : (LONG)String1->Length - (LONG)String2->Length;
}

BOOLEAN RtlPrefixUnicodeString(
    PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    return String1->Length <= String2->Length &&
           compare(String1->Buffer, String2->Buffer, String1->Length / sizeof(WCHAR),
               CaseInSensitive) == 0;
}

NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
    ULONG n = (ULONG)Destination->Length + Source->Length;

    if (n > Destination->MaximumLength)
        return STATUS_BUFFER_TOO_SMALL;
    if (Source->Length != 0)
        memmove(Destination->Buffer + Destination->Length / sizeof(WCHAR), Source->Buffer,
            Source->Length);
    Destination->Length = (USHORT)n;
    if (n + sizeof(WCHAR) <= Destination->MaximumLength)
        Destination->Buffer[n / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
    UNICODE_STRING source;

    if (Source == NULL)
        return STATUS_SUCCESS;
    if (!NT_SUCCESS(RtlInitUnicodeStringEx(&source, Source)))
        return STATUS_BUFFER_TOO_SMALL;
    return RtlAppendUnicodeStringToString(Destination, &source);
}

/* ---- Case ---------------------------------------------------------------------------------- */

VOID RtlUpperString(PSTRING DestinationString, const STRING *SourceString)
{
    RtlCopyString(DestinationString, SourceString);
    for (USHORT i = 0; i < DestinationString->Length; i++)
        DestinationString->Buffer[i] = RtlUpperChar(DestinationString->Buffer[i]);
}

static NTSTATUS change_case(
    PUNICODE_STRING to, PCUNICODE_STRING from, BOOLEAN may_allocate, WCHAR (*change)(WCHAR))
{
    if (may_allocate) {
        to->Buffer =
            ExAllocatePoolWithTag(PagedPool, from->Length != 0 ? from->Length : 1, TAG_STRING);
        if (to->Buffer == NULL)
            return STATUS_NO_MEMORY;
        to->MaximumLength = from->Length;
    } else if (from->Length > to->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    for (SIZE_T i = 0; i < from->Length / sizeof(WCHAR); i++)
        to->Buffer[i] = change(from->Buffer[i]);
    to->Length = from->Length;
    return STATUS_SUCCESS;
}

NTSTATUS RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
    BOOLEAN AllocateDestinationString)
{
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    return change_case(
        DestinationString, SourceString, AllocateDestinationString, RtlUpcaseUnicodeChar);
}

NTSTATUS RtlDowncaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
    BOOLEAN AllocateDestinationString)
{
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    return change_case(
        DestinationString, SourceString, AllocateDestinationString, RtlDowncaseUnicodeChar);
}

NTSTATUS RtlHashUnicodeString(
    PCUNICODE_STRING String, BOOLEAN CaseInSensitive, ULONG HashAlgorithm, PULONG HashValue)
{
    ULONG hash = 0;

    if (String == NULL || HashValue == NULL || HashAlgorithm > HASH_STRING_ALGORITHM_X65599)
        return STATUS_INVALID_PARAMETER;
    for (SIZE_T i = 0; i < String->Length / sizeof(WCHAR); i++) {
        WCHAR c = CaseInSensitive ? RtlUpcaseUnicodeChar(String->Buffer[i]) : String->Buffer[i];

        hash = hash * 65599 + (USHORT)c;
    }
    *HashValue = hash;
    return STATUS_SUCCESS;
}

/* ---- Freeing ------------------------------------------------------------------------------- */

VOID RtlFreeUnicodeString(PUNICODE_STRING UnicodeString)
{
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (UnicodeString->Buffer != NULL)
        ExFreePool(UnicodeString->Buffer);
    memset(UnicodeString, 0, sizeof(*UnicodeString));
}

VOID RtlFreeAnsiString(PANSI_STRING AnsiString)
{
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (AnsiString->Buffer != NULL)
        ExFreePool(AnsiString->Buffer);
    memset(AnsiString, 0, sizeof(*AnsiString));
}
