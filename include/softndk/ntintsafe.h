/* SPDX-License-Identifier: MIT */
/*
 * ntintsafe.h: arithmetic that says when it does not fit. STATUS_SUCCESS; STATUS_INTEGER_OVERFLOW,
 * and the result has all bits set. Any IRQL.
 */
#ifndef SOFTNDK_NTINTSAFE_H
#define SOFTNDK_NTINTSAFE_H

#include <ntdef.h>
#include <ntstatus.h>

#define INTSAFE_OPERATION_(name, type, operation)                                                  \
    FORCEINLINE NTSTATUS name(type First, type Second, type *Result)                               \
    {                                                                                              \
        if (!operation(First, Second, Result))                                                     \
            return STATUS_SUCCESS;                                                                 \
        *Result = (type)-1;                                                                        \
        return STATUS_INTEGER_OVERFLOW;                                                            \
    }

#define INTSAFE_TYPE_(name, type)                                                                  \
    INTSAFE_OPERATION_(Rtl##name##Add, type, __builtin_add_overflow)                               \
    INTSAFE_OPERATION_(Rtl##name##Sub, type, __builtin_sub_overflow)                               \
    INTSAFE_OPERATION_(Rtl##name##Mult, type, __builtin_mul_overflow)

#define INTSAFE_CONVERT_(name, from, to)                                                           \
    FORCEINLINE NTSTATUS name(from Operand, to *Result)                                            \
    {                                                                                              \
        if (!__builtin_add_overflow(Operand, (from)0, Result))                                     \
            return STATUS_SUCCESS;                                                                 \
        *Result = (to)-1;                                                                          \
        return STATUS_INTEGER_OVERFLOW;                                                            \
    }

INTSAFE_TYPE_(UShort, USHORT)
INTSAFE_TYPE_(UInt, UINT)
INTSAFE_TYPE_(ULong, ULONG)
INTSAFE_TYPE_(ULongLong, ULONGLONG)
INTSAFE_TYPE_(SizeT, SIZE_T)
INTSAFE_TYPE_(ULongPtr, ULONG_PTR)
INTSAFE_TYPE_(Long, LONG)
INTSAFE_TYPE_(LongLong, LONGLONG)

INTSAFE_CONVERT_(RtlULongToUShort, ULONG, USHORT)
INTSAFE_CONVERT_(RtlULongToUChar, ULONG, UCHAR)
INTSAFE_CONVERT_(RtlULongToLong, ULONG, LONG)
INTSAFE_CONVERT_(RtlLongToULong, LONG, ULONG)
INTSAFE_CONVERT_(RtlSizeTToULong, SIZE_T, ULONG)
INTSAFE_CONVERT_(RtlSizeTToUShort, SIZE_T, USHORT)
INTSAFE_CONVERT_(RtlULongPtrToULong, ULONG_PTR, ULONG)
INTSAFE_CONVERT_(RtlULongLongToULong, ULONGLONG, ULONG)
INTSAFE_CONVERT_(RtlLongLongToULong, LONGLONG, ULONG)
INTSAFE_CONVERT_(RtlLongLongToLong, LONGLONG, LONG)

#endif /* SOFTNDK_NTINTSAFE_H */
