/* SPDX-License-Identifier: MIT */
/* Memory and counted strings. */
#include <wdm.h>

/* The longest text whose length in octets, with a terminator, a counted string can hold. */
#define OCTETS_MAX 0xfffcu

PVOID RtlSecureZeroMemory(PVOID Destination, SIZE_T Length)
{
    memset(Destination, 0, Length);
    __asm__ volatile("" : : "r"(Destination) : "memory");
    return Destination;
}

SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length)
{
    const UCHAR *a = Source1;
    const UCHAR *b = Source2;
    SIZE_T n = 0;

    while (n < Length && a[n] == b[n])
        n++;
    return n;
}

VOID RtlInitAnsiString(PANSI_STRING DestinationString, PCSTR SourceString)
{
    SIZE_T n = SourceString != NULL ? strlen(SourceString) : 0;

    if (n > OCTETS_MAX)
        n = OCTETS_MAX;
    DestinationString->Length = (USHORT)n;
    DestinationString->MaximumLength = (USHORT)(SourceString != NULL ? n + 1 : 0);
    DestinationString->Buffer = (PCHAR)(ULONG_PTR)SourceString;
}

VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    SIZE_T n = 0;

    while (SourceString != NULL && n < OCTETS_MAX / sizeof(WCHAR) && SourceString[n] != 0)
        n++;
    n *= sizeof(WCHAR);
    DestinationString->Length = (USHORT)n;
    DestinationString->MaximumLength = (USHORT)(SourceString != NULL ? n + sizeof(WCHAR) : 0);
    DestinationString->Buffer = (PWCH)(ULONG_PTR)SourceString;
}

static ULONG fold(ULONG c, BOOLEAN is_insensitive)
{
    return is_insensitive && c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

BOOLEAN RtlEqualString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive)
{
    if (String1->Length != String2->Length)
        return FALSE;
    for (ULONG i = 0; i < String1->Length; i++)
        if (fold((UCHAR)String1->Buffer[i], CaseInSensitive) !=
            fold((UCHAR)String2->Buffer[i], CaseInSensitive))
            return FALSE;
    return TRUE;
}

BOOLEAN RtlEqualUnicodeString(
    PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    if (String1->Length != String2->Length)
        return FALSE;
    for (ULONG i = 0; i < String1->Length / sizeof(WCHAR); i++)
        if (fold((USHORT)String1->Buffer[i], CaseInSensitive) !=
            fold((USHORT)String2->Buffer[i], CaseInSensitive))
            return FALSE;
    return TRUE;
}

VOID RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    USHORT n = SourceString != NULL ? SourceString->Length : 0;

    if (n > DestinationString->MaximumLength)
        n = DestinationString->MaximumLength;
    if (n > 0)
        memmove(DestinationString->Buffer, SourceString->Buffer, n);
    DestinationString->Length = n;
    if ((SIZE_T)n + sizeof(WCHAR) <= DestinationString->MaximumLength)
        DestinationString->Buffer[n / sizeof(WCHAR)] = 0;
}
