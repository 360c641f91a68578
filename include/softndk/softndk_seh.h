/* SPDX-License-Identifier: MIT */
/*
 * Part of wdm.h, not for direct inclusion by drivers: structured exceptions, for statuses that
 * routines of the kernel environment raise (ExRaiseStatus, MmProbeAndLockPages, ProbeForRead, ...).
 *
 * [DEVIATION] An access to bad memory is not caught: it ends the process, where a debugger or
 * AddressSanitizer shows it. A block must not be left with break or continue (the first is
 * reported as it happens); `return` and `goto` out of a __try block work, but skip the __finally.
 * Variables changed in the __try block have their new value in the handler with gcc at any
 * optimisation, with clang only at -O0. C only.
 */
#ifndef SOFTNDK_KENV_SEH_H
#define SOFTNDK_KENV_SEH_H

#include <ntdef.h>
#include <ntstatus.h>

SOFTNDK_BEGIN_DECLS

#define EXCEPTION_EXECUTE_HANDLER    1
#define EXCEPTION_CONTINUE_SEARCH    0
#define EXCEPTION_CONTINUE_EXECUTION (-1)
#define EXCEPTION_NONCONTINUABLE     0x1
#define EXCEPTION_MAXIMUM_PARAMETERS 15

typedef struct _EXCEPTION_RECORD {
    NTSTATUS ExceptionCode;
    ULONG ExceptionFlags;
    struct _EXCEPTION_RECORD *ExceptionRecord;
    PVOID ExceptionAddress;
    ULONG NumberParameters;
    ULONG_PTR ExceptionInformation[EXCEPTION_MAXIMUM_PARAMETERS];
} EXCEPTION_RECORD, *PEXCEPTION_RECORD;

typedef struct _CONTEXT *PCONTEXT;

/* ContextRecord is NULL. */
typedef struct _EXCEPTION_POINTERS {
    PEXCEPTION_RECORD ExceptionRecord;
    PCONTEXT ContextRecord;
} EXCEPTION_POINTERS, *PEXCEPTION_POINTERS;

/* One __try block that is being executed; on its function's stack. */
typedef struct _SOFTNDK_SEH_FRAME {
    struct _SOFTNDK_SEH_FRAME *Outer;
    PVOID Buffer[5];
    int Phase;
    int IsHandled;
    int IsComplete;
    EXCEPTION_RECORD Record;
    EXCEPTION_POINTERS Pointers;
} SOFTNDK_SEH_FRAME;

#define SOFTNDK_SEH_PHASE_TRY    1
#define SOFTNDK_SEH_PHASE_RAISED 2

/* What the macros below call. */
SOFTNDK_API int SoftNdkSehStep(SOFTNDK_SEH_FRAME *Frame);
SOFTNDK_API int SoftNdkSehFilter(SOFTNDK_SEH_FRAME *Frame, LONG Disposition);
SOFTNDK_NORETURN SOFTNDK_API VOID SoftNdkSehLeave(SOFTNDK_SEH_FRAME *Frame);
SOFTNDK_API VOID SoftNdkSehScopeEnd(SOFTNDK_SEH_FRAME *Frame);

#ifndef __cplusplus
#undef __try
#undef __except
#undef __finally
#undef __leave
/* clang-format takes the names for keywords. */
/* clang-format off */
#define __try                                                                                      \
    for (SOFTNDK_SEH_FRAME softndk_seh __attribute__((cleanup(SoftNdkSehScopeEnd))) = {0};         \
         SoftNdkSehStep(&softndk_seh);)                                                            \
        for (softndk_seh.IsComplete = 0; !softndk_seh.IsComplete; softndk_seh.IsComplete = 1)      \
            if (softndk_seh.Phase == SOFTNDK_SEH_PHASE_TRY &&                                      \
                __builtin_setjmp(softndk_seh.Buffer) == 0)
#define __except(filter)                                                                           \
    else if (softndk_seh.Phase == SOFTNDK_SEH_PHASE_RAISED &&                                      \
             SoftNdkSehFilter(&softndk_seh, (LONG)(filter)))
/* clang-format on */
#define __finally else
#define __leave SoftNdkSehLeave(&softndk_seh)
#define GetExceptionCode()        (softndk_seh.Record.ExceptionCode)
#define GetExceptionInformation() (&softndk_seh.Pointers)
#define AbnormalTermination()     ((BOOLEAN)(softndk_seh.Phase == SOFTNDK_SEH_PHASE_RAISED))
#define exception_code            GetExceptionCode
#define exception_info            GetExceptionInformation
#define abnormal_termination      AbnormalTermination
#endif

/* Raises; without a __try around the call it is a bugcheck. APC_LEVEL on Windows; not checked. */
SOFTNDK_NORETURN SOFTNDK_API VOID ExRaiseStatus(NTSTATUS Status);
SOFTNDK_NORETURN SOFTNDK_API VOID ExRaiseAccessViolation(VOID);
SOFTNDK_NORETURN SOFTNDK_API VOID ExRaiseDatatypeMisalignment(VOID);
#define RtlRaiseStatus ExRaiseStatus
/*
 * Raise STATUS_DATATYPE_MISALIGNMENT for an address that is not a multiple of Alignment, and
 * STATUS_ACCESS_VIOLATION for a range that cannot be read; Length 0 is fine. [DEVIATION] there are
 * no user addresses: any memory of the process passes, and writing is not tried. APC_LEVEL.
 */
SOFTNDK_API VOID ProbeForRead(const volatile VOID *Address, SIZE_T Length, ULONG Alignment);
SOFTNDK_API VOID ProbeForWrite(volatile VOID *Address, SIZE_T Length, ULONG Alignment);

SOFTNDK_END_DECLS

#endif /* SOFTNDK_KENV_SEH_H */
