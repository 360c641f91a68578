/* SPDX-License-Identifier: MIT */
/* Bitmaps of 32-bit words. One walk serves every search: where does the next run of a value begin,
 * and how long is it. */
#include <stdbool.h>
#include <wdm.h>

#define NONE 0xffffffffu

static bool bit(const RTL_BITMAP *map, ULONG i)
{
    return (map->Buffer[i / 32] >> (i % 32) & 1) != 0;
}

/* The first index in [from, end) whose bit is `value`; end: there is none. */
static ULONG next(const RTL_BITMAP *map, ULONG from, ULONG end, bool value)
{
    const ULONG other = value ? 0 : 0xffffffff;

    while (from < end) {
        if (from % 32 == 0 && end - from >= 32 && map->Buffer[from / 32] == other)
            from += 32;
        else if (bit(map, from) == value)
            return from;
        else
            from++;
    }
    return end;
}

static void write(PRTL_BITMAP map, ULONG start, ULONG n, bool value)
{
    for (ULONG i = start; n > 0 && i < map->SizeOfBitMap; i++, n--) {
        if (value)
            map->Buffer[i / 32] |= 1u << (i % 32);
        else
            map->Buffer[i / 32] &= ~(1u << (i % 32));
    }
}

static bool are(const RTL_BITMAP *map, ULONG start, ULONG n, bool value)
{
    if (n == 0 || start > map->SizeOfBitMap || n > map->SizeOfBitMap - start)
        return false;
    return next(map, start, start + n, !value) == start + n;
}

/* A run of n that begins in [from, to). */
static ULONG find_in(const RTL_BITMAP *map, ULONG from, ULONG to, ULONG n, bool value)
{
    while (from < to) {
        ULONG start = next(map, from, map->SizeOfBitMap, value);
        ULONG end;

        if (start >= to || n > map->SizeOfBitMap - start)
            return NONE;
        end = next(map, start, start + n, !value);
        if (end == start + n)
            return start;
        from = end + 1;
    }
    return NONE;
}

static ULONG find(const RTL_BITMAP *map, ULONG n, ULONG hint, bool value)
{
    ULONG found;

    if (hint >= map->SizeOfBitMap)
        hint = 0;
    if (n == 0)
        return hint & ~7u;
    found = find_in(map, hint, map->SizeOfBitMap, n, value);
    return found != NONE ? found : find_in(map, 0, hint, n, value);
}

VOID RtlInitializeBitMap(PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer, ULONG SizeOfBitMap)
{
    BitMapHeader->SizeOfBitMap = SizeOfBitMap;
    BitMapHeader->Buffer = BitMapBuffer;
}

VOID RtlClearAllBits(PRTL_BITMAP BitMapHeader)
{
    memset(BitMapHeader->Buffer, 0, ((SIZE_T)BitMapHeader->SizeOfBitMap + 31) / 32 * 4);
}

VOID RtlSetAllBits(PRTL_BITMAP BitMapHeader)
{
    memset(BitMapHeader->Buffer, 0xff, ((SIZE_T)BitMapHeader->SizeOfBitMap + 31) / 32 * 4);
}

VOID RtlClearBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    write(BitMapHeader, BitNumber, 1, false);
}

VOID RtlSetBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    write(BitMapHeader, BitNumber, 1, true);
}

BOOLEAN RtlTestBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    return BitNumber < BitMapHeader->SizeOfBitMap && bit(BitMapHeader, BitNumber);
}

VOID RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear)
{
    write(BitMapHeader, StartingIndex, NumberToClear, false);
}

VOID RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet)
{
    write(BitMapHeader, StartingIndex, NumberToSet, true);
}

BOOLEAN RtlAreBitsClear(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return are(BitMapHeader, StartingIndex, Length, false);
}

BOOLEAN RtlAreBitsSet(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return are(BitMapHeader, StartingIndex, Length, true);
}

ULONG RtlFindClearBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return find(BitMapHeader, NumberToFind, HintIndex, false);
}

ULONG RtlFindSetBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return find(BitMapHeader, NumberToFind, HintIndex, true);
}

ULONG RtlFindClearBitsAndSet(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG found = find(BitMapHeader, NumberToFind, HintIndex, false);

    if (found != NONE)
        write(BitMapHeader, found, NumberToFind, true);
    return found;
}

ULONG RtlFindSetBitsAndClear(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG found = find(BitMapHeader, NumberToFind, HintIndex, true);

    if (found != NONE)
        write(BitMapHeader, found, NumberToFind, false);
    return found;
}

ULONG RtlNumberOfSetBits(PRTL_BITMAP BitMapHeader)
{
    ULONG n = 0, whole = BitMapHeader->SizeOfBitMap / 32;

    for (ULONG i = 0; i < whole; i++)
        n += (ULONG)__builtin_popcount(BitMapHeader->Buffer[i]);
    for (ULONG i = whole * 32; i < BitMapHeader->SizeOfBitMap; i++)
        n += bit(BitMapHeader, i);
    return n;
}

ULONG RtlNumberOfClearBits(PRTL_BITMAP BitMapHeader)
{
    return BitMapHeader->SizeOfBitMap - RtlNumberOfSetBits(BitMapHeader);
}

ULONG RtlFindNextForwardRunClear(PRTL_BITMAP BitMapHeader, ULONG FromIndex, PULONG StartingRunIndex)
{
    ULONG size = BitMapHeader->SizeOfBitMap;
    ULONG start = FromIndex < size ? next(BitMapHeader, FromIndex, size, false) : size;

    *StartingRunIndex = start < size ? start : FromIndex;
    return start < size ? next(BitMapHeader, start, size, true) - start : 0;
}

ULONG RtlFindFirstRunClear(PRTL_BITMAP BitMapHeader, PULONG StartingIndex)
{
    return RtlFindNextForwardRunClear(BitMapHeader, 0, StartingIndex);
}

ULONG RtlFindLongestRunClear(PRTL_BITMAP BitMapHeader, PULONG StartingIndex)
{
    ULONG longest = 0, start = 0, from = 0;

    *StartingIndex = 0;
    for (;;) {
        ULONG n = RtlFindNextForwardRunClear(BitMapHeader, from, &start);

        if (n == 0)
            return longest;
        if (n > longest) {
            longest = n;
            *StartingIndex = start;
        }
        from = start + n;
    }
}

CCHAR RtlFindMostSignificantBit(ULONGLONG Set)
{
    return Set != 0 ? (CCHAR)(63 - __builtin_clzll(Set)) : -1;
}

CCHAR RtlFindLeastSignificantBit(ULONGLONG Set)
{
    return Set != 0 ? (CCHAR)__builtin_ctzll(Set) : -1;
}
