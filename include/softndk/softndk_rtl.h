/* SPDX-License-Identifier: MIT */
/*
 * Part of wdm.h, not for direct inclusion by drivers: lists, memory, strings, bitmaps, GUIDs.
 */
#ifndef SOFTNDK_KENV_RTL_H
#define SOFTNDK_KENV_RTL_H

#include <ntdef.h>
#include <ntstatus.h>
#include <string.h>

SOFTNDK_BEGIN_DECLS

/* ---- Lists --------------------------------------------------------------------------------- */
/* No locking: the caller serialises. Any IRQL. */

FORCEINLINE VOID InitializeListHead(PLIST_ENTRY ListHead)
{
    ListHead->Flink = ListHead->Blink = ListHead;
}

FORCEINLINE BOOLEAN IsListEmpty(const LIST_ENTRY *ListHead)
{
    return (BOOLEAN)(ListHead->Flink == ListHead);
}

/* Returns TRUE if the list is empty afterwards. */
FORCEINLINE BOOLEAN RemoveEntryList(PLIST_ENTRY Entry)
{
    PLIST_ENTRY next = Entry->Flink;
    PLIST_ENTRY prev = Entry->Blink;

    prev->Flink = next;
    next->Blink = prev;
    return (BOOLEAN)(next == prev);
}

/* On an empty list these two return ListHead itself. */
FORCEINLINE PLIST_ENTRY RemoveHeadList(PLIST_ENTRY ListHead)
{
    PLIST_ENTRY entry = ListHead->Flink;

    RemoveEntryList(entry);
    return entry;
}

FORCEINLINE PLIST_ENTRY RemoveTailList(PLIST_ENTRY ListHead)
{
    PLIST_ENTRY entry = ListHead->Blink;

    RemoveEntryList(entry);
    return entry;
}

FORCEINLINE VOID InsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry)
{
    Entry->Flink = ListHead->Flink;
    Entry->Blink = ListHead;
    ListHead->Flink->Blink = Entry;
    ListHead->Flink = Entry;
}

FORCEINLINE VOID InsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry)
{
    Entry->Flink = ListHead;
    Entry->Blink = ListHead->Blink;
    ListHead->Blink->Flink = Entry;
    ListHead->Blink = Entry;
}

/* Appends a list that has no head of its own: the entries around ListToAppend. */
FORCEINLINE VOID AppendTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListToAppend)
{
    PLIST_ENTRY last = ListHead->Blink;

    ListHead->Blink->Flink = ListToAppend;
    ListHead->Blink = ListToAppend->Blink;
    ListToAppend->Blink->Flink = ListHead;
    ListToAppend->Blink = last;
}

FORCEINLINE VOID PushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY Entry)
{
    Entry->Next = ListHead->Next;
    ListHead->Next = Entry;
}

/* NULL if the list is empty. */
FORCEINLINE PSINGLE_LIST_ENTRY PopEntryList(PSINGLE_LIST_ENTRY ListHead)
{
    PSINGLE_LIST_ENTRY first = ListHead->Next;

    if (first != NULL)
        ListHead->Next = first->Next;
    return first;
}

/* ---- Run-time library ---------------------------------------------------------------------- */

#define RtlCopyMemory(Destination, Source, Length) memcpy((Destination), (Source), (Length))
#define RtlMoveMemory(Destination, Source, Length) memmove((Destination), (Source), (Length))
#define RtlFillMemory(Destination, Length, Fill)   memset((Destination), (Fill), (Length))
#define RtlZeroMemory(Destination, Length)         memset((Destination), 0, (Length))
#define RtlEqualMemory(Source1, Source2, Length)   (!memcmp((Source1), (Source2), (Length)))
#define RtlCopyBytes                               RtlCopyMemory
#define RtlZeroBytes                               RtlZeroMemory

/* Zeroes memory in a way that is not optimised away. */
SOFTNDK_API PVOID RtlSecureZeroMemory(PVOID Destination, SIZE_T Length);
/* Number of leading bytes that are equal. */
SOFTNDK_API SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length);

#define RtlUshortByteSwap(Source)    ((USHORT)__builtin_bswap16((USHORT)(Source)))
#define RtlUlongByteSwap(Source)     ((ULONG)__builtin_bswap32((ULONG)(Source)))
#define RtlUlonglongByteSwap(Source) ((ULONGLONG)__builtin_bswap64((ULONGLONG)(Source)))

/* Point a counted string at text; NULL gives an empty one. Any IRQL. */
SOFTNDK_API VOID RtlInitAnsiString(PANSI_STRING DestinationString, PCSTR SourceString);
SOFTNDK_API VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString);
/* Compare counted strings; CaseInSensitive folds ASCII letters ([DEVIATION] only those). */
SOFTNDK_API BOOLEAN RtlEqualString(
    const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive);
SOFTNDK_API BOOLEAN RtlEqualUnicodeString(
    PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive);
/* Copies as much as fits into the destination's buffer. */
SOFTNDK_API VOID RtlCopyUnicodeString(
    PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString);

#define RtlPrefetchMemoryNonTemporal(Source, Length) ((void)(Source), (void)(Length), (void)0)
#define RtlEqualLuid(L1, L2)                         (memcmp((L1), (L2), 8) == 0)
#define RtlIsZeroMemory(Buffer, Length)              SoftNdkIsZeroMemory((Buffer), (Length))
SOFTNDK_API BOOLEAN SoftNdkIsZeroMemory(const VOID *Buffer, SIZE_T Length);
#define IsEqualGUID(a, b)       (memcmp((a), (b), sizeof(GUID)) == 0)
#define InlineIsEqualGUID(a, b) IsEqualGUID(a, b)

FORCEINLINE VOID RtlInitEmptyUnicodeString(
    PUNICODE_STRING UnicodeString, PWCHAR Buffer, USHORT BufferSize)
{
    UnicodeString->Length = 0;
    UnicodeString->MaximumLength = BufferSize;
    UnicodeString->Buffer = Buffer;
}

FORCEINLINE VOID RtlInitEmptyAnsiString(PANSI_STRING AnsiString, PCHAR Buffer, USHORT BufferSize)
{
    AnsiString->Length = 0;
    AnsiString->MaximumLength = BufferSize;
    AnsiString->Buffer = Buffer;
}

/* ---- Counted strings ----------------------------------------------------------------------- */
/*
 * Upper and lower case know ASCII and Latin-1 ([DEVIATION] Windows knows all of its characters).
 * "ANSI" is UTF-8, and what is not valid becomes U+FFFD or a question mark. Any IRQL as long as the
 * memory is nonpaged; those that allocate (from paged pool) PASSIVE_LEVEL.
 */

#define RtlInitString RtlInitAnsiString
/* STATUS_NAME_TOO_LONG: more than a counted string can hold. */
SOFTNDK_API NTSTATUS RtlInitUnicodeStringEx(PUNICODE_STRING DestinationString, PCWSTR SourceString);
SOFTNDK_API VOID RtlCopyString(PSTRING DestinationString, const STRING *SourceString);
/* Negative, zero, positive: the first is smaller, equal, larger. */
SOFTNDK_API LONG RtlCompareString(
    const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive);
SOFTNDK_API LONG RtlCompareUnicodeString(
    PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive);
/* TRUE if String1 begins String2. */
SOFTNDK_API BOOLEAN RtlPrefixUnicodeString(
    PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive);
/* STATUS_BUFFER_TOO_SMALL: it does not fit, nothing is changed. */
SOFTNDK_API NTSTATUS RtlAppendUnicodeStringToString(
    PUNICODE_STRING Destination, PCUNICODE_STRING Source);
SOFTNDK_API NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source);
SOFTNDK_API WCHAR RtlUpcaseUnicodeChar(WCHAR SourceCharacter);
SOFTNDK_API WCHAR RtlDowncaseUnicodeChar(WCHAR SourceCharacter);
SOFTNDK_API CHAR RtlUpperChar(CHAR Character);
SOFTNDK_API VOID RtlUpperString(PSTRING DestinationString, const STRING *SourceString);
/* STATUS_BUFFER_OVERFLOW: no room; STATUS_NO_MEMORY. */
SOFTNDK_API NTSTATUS RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString,
    PCUNICODE_STRING SourceString, BOOLEAN AllocateDestinationString);
SOFTNDK_API NTSTATUS RtlDowncaseUnicodeString(PUNICODE_STRING DestinationString,
    PCUNICODE_STRING SourceString, BOOLEAN AllocateDestinationString);
#define HASH_STRING_ALGORITHM_DEFAULT 0
#define HASH_STRING_ALGORITHM_X65599  1
SOFTNDK_API NTSTATUS RtlHashUnicodeString(
    PCUNICODE_STRING String, BOOLEAN CaseInSensitive, ULONG HashAlgorithm, PULONG HashValue);
/* Free what a routine above or below allocated. */
SOFTNDK_API VOID RtlFreeUnicodeString(PUNICODE_STRING UnicodeString);
SOFTNDK_API VOID RtlFreeAnsiString(PANSI_STRING AnsiString);

/* Conversions. STATUS_BUFFER_OVERFLOW: no room; STATUS_NO_MEMORY. */
SOFTNDK_API NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString,
    PCANSI_STRING SourceString, BOOLEAN AllocateDestinationString);
SOFTNDK_API NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString,
    PCUNICODE_STRING SourceString, BOOLEAN AllocateDestinationString);
/* Octets that the conversion takes, with the terminator. */
SOFTNDK_API ULONG RtlAnsiStringToUnicodeSize(const STRING *AnsiString);
SOFTNDK_API ULONG RtlUnicodeStringToAnsiSize(PCUNICODE_STRING UnicodeString);
/* Without terminators; Destination NULL: only the count. STATUS_SUCCESS; STATUS_SOME_NOT_MAPPED;
 * STATUS_BUFFER_TOO_SMALL. */
SOFTNDK_API NTSTATUS RtlUTF8ToUnicodeN(PWSTR UnicodeStringDestination,
    ULONG UnicodeStringMaxByteCount, PULONG UnicodeStringActualByteCount, PCSTR UTF8StringSource,
    ULONG UTF8StringByteCount);
SOFTNDK_API NTSTATUS RtlUnicodeToUTF8N(PCHAR UTF8StringDestination, ULONG UTF8StringMaxByteCount,
    PULONG UTF8StringActualByteCount, PCWSTR UnicodeStringSource, ULONG UnicodeStringByteCount);

/* Numbers. Base 0: by prefix 0x, 0o, 0b, else 10. STATUS_INVALID_PARAMETER: the base. */
SOFTNDK_API NTSTATUS RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value);
SOFTNDK_API NTSTATUS RtlCharToInteger(PCSTR String, ULONG Base, PULONG Value);
SOFTNDK_API NTSTATUS RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String);
SOFTNDK_API NTSTATUS RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String);

/* "{6B29FC40-CA47-1067-B31D-00DD010662DA}". The string is allocated. */
SOFTNDK_API NTSTATUS RtlStringFromGUID(const GUID *Guid, PUNICODE_STRING GuidString);
/* STATUS_INVALID_PARAMETER: it is none. */
SOFTNDK_API NTSTATUS RtlGUIDFromString(PCUNICODE_STRING GuidString, GUID *Guid);

/* ---- Random numbers, time ------------------------------------------------------------------ */

/* 0 to MAXLONG - 1, each from the last value of *Seed. */
SOFTNDK_API ULONG RtlRandomEx(PULONG Seed);
SOFTNDK_API ULONG RtlRandom(PULONG Seed);

typedef struct _TIME_FIELDS {
    CSHORT Year; /* 1601 on */
    CSHORT Month;
    CSHORT Day;
    CSHORT Hour;
    CSHORT Minute;
    CSHORT Second;
    CSHORT Milliseconds;
    CSHORT Weekday; /* 0: Sunday */
} TIME_FIELDS, *PTIME_FIELDS;

SOFTNDK_API VOID RtlTimeToTimeFields(PLARGE_INTEGER Time, PTIME_FIELDS TimeFields);
/* FALSE: no such time. */
SOFTNDK_API BOOLEAN RtlTimeFieldsToTime(PTIME_FIELDS TimeFields, PLARGE_INTEGER Time);

/* ---- Bitmaps ------------------------------------------------------------------------------- */
/* No locking. Any IRQL. 0xffffffff where no run of bits is found. */

typedef struct _RTL_BITMAP {
    ULONG SizeOfBitMap;
    PULONG Buffer;
} RTL_BITMAP, *PRTL_BITMAP;

SOFTNDK_API VOID RtlInitializeBitMap(
    PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer, ULONG SizeOfBitMap);
SOFTNDK_API VOID RtlClearAllBits(PRTL_BITMAP BitMapHeader);
SOFTNDK_API VOID RtlSetAllBits(PRTL_BITMAP BitMapHeader);
SOFTNDK_API VOID RtlClearBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber);
SOFTNDK_API VOID RtlSetBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber);
SOFTNDK_API BOOLEAN RtlTestBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber);
#define RtlCheckBit(BMH, BP) (((((PLONG)(BMH)->Buffer)[(BP) / 32]) >> ((BP) % 32)) & 0x1)
SOFTNDK_API VOID RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear);
SOFTNDK_API VOID RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet);
SOFTNDK_API BOOLEAN RtlAreBitsClear(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length);
SOFTNDK_API BOOLEAN RtlAreBitsSet(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length);
/* From HintIndex on, then from the start. The AndSet and AndClear forms change what they find. */
SOFTNDK_API ULONG RtlFindClearBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex);
SOFTNDK_API ULONG RtlFindSetBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex);
SOFTNDK_API ULONG RtlFindClearBitsAndSet(
    PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex);
SOFTNDK_API ULONG RtlFindSetBitsAndClear(
    PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex);
SOFTNDK_API ULONG RtlNumberOfSetBits(PRTL_BITMAP BitMapHeader);
SOFTNDK_API ULONG RtlNumberOfClearBits(PRTL_BITMAP BitMapHeader);
/* The length of the run and where it begins. */
SOFTNDK_API ULONG RtlFindFirstRunClear(PRTL_BITMAP BitMapHeader, PULONG StartingIndex);
SOFTNDK_API ULONG RtlFindNextForwardRunClear(
    PRTL_BITMAP BitMapHeader, ULONG FromIndex, PULONG StartingRunIndex);
SOFTNDK_API ULONG RtlFindLongestRunClear(PRTL_BITMAP BitMapHeader, PULONG StartingIndex);
/* -1 for 0. */
SOFTNDK_API CCHAR RtlFindMostSignificantBit(ULONGLONG Set);
SOFTNDK_API CCHAR RtlFindLeastSignificantBit(ULONGLONG Set);

SOFTNDK_END_DECLS

#endif /* SOFTNDK_KENV_RTL_H */
