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

SOFTNDK_END_DECLS

#endif /* SOFTNDK_KENV_RTL_H */
