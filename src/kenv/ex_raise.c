/* SPDX-License-Identifier: MIT */
/*
 * Raising statuses, and the frames of __try blocks. A frame is a member of its thread's stack of
 * frames while its block runs; a raise takes the innermost one off and jumps into it. The compiler
 * built-ins, rather than setjmp, make gcc keep variables of the function in memory across.
 */
#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "kenv/seh.h"

#include <errno.h>
#include <softndk_seh.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

enum phase {
    PHASE_INIT = 0,
    PHASE_TRY = SOFTNDK_SEH_PHASE_TRY,
    PHASE_RAISED = SOFTNDK_SEH_PHASE_RAISED,
    PHASE_NORMAL = 3, /* the block ended without an exception */
};

static _Thread_local SOFTNDK_SEH_FRAME *innermost;

/* A sanitizer keeps its own view of the stack; present only in programs that are built with it. */
extern void __asan_handle_no_return(void) __attribute__((weak));

SOFTNDK_NORETURN static void jump(SOFTNDK_SEH_FRAME *frame)
{
    if (__asan_handle_no_return != NULL)
        __asan_handle_no_return();
    __builtin_longjmp(frame->Buffer, 1);
}

SOFTNDK_NORETURN static void raise_record(const EXCEPTION_RECORD *record)
{
    SOFTNDK_SEH_FRAME *frame = innermost;

    if (frame == NULL)
        kenv_bugcheck(KMODE_EXCEPTION_NOT_HANDLED, (ULONG_PTR)(ULONG)record->ExceptionCode,
            (ULONG_PTR)record->ExceptionAddress, 0, 0,
            "status 0x%08X was raised and no __try block of the thread handles it",
            (ULONG)record->ExceptionCode);
    innermost = frame->Outer;
    frame->Phase = PHASE_RAISED;
    frame->Record = *record;
    frame->Pointers.ExceptionRecord = &frame->Record;
    frame->Pointers.ContextRecord = NULL;
    jump(frame);
}

int SoftNdkSehStep(SOFTNDK_SEH_FRAME *Frame)
{
    if (Frame->Phase == PHASE_INIT) {
        Frame->Outer = innermost;
        innermost = Frame;
        Frame->Phase = PHASE_TRY;
        return 1;
    }
    if (!Frame->IsComplete)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)Frame, 0, 0, 0,
            "a __try block or its handler was left with break, which this environment cannot do; "
            "use __leave, goto or a flag");
    if (Frame->Phase == PHASE_TRY) {
        innermost = Frame->Outer;
        Frame->Phase = PHASE_NORMAL;
        return 1; /* once more, for the __finally */
    }
    if (Frame->Phase == PHASE_RAISED && !Frame->IsHandled) {
        EXCEPTION_RECORD record = Frame->Record;

        raise_record(&record);
    }
    return 0;
}

int SoftNdkSehFilter(SOFTNDK_SEH_FRAME *Frame, LONG Disposition)
{
    if (Disposition < 0)
        kenv_bugcheck(KMODE_EXCEPTION_NOT_HANDLED, (ULONG_PTR)(ULONG)Frame->Record.ExceptionCode,
            (ULONG_PTR)Frame->Record.ExceptionAddress, 0, 0,
            "an exception filter answered EXCEPTION_CONTINUE_EXECUTION to status 0x%08X, which "
            "cannot be continued",
            (ULONG)Frame->Record.ExceptionCode);
    Frame->IsHandled = Disposition > 0;
    return Frame->IsHandled;
}

VOID SoftNdkSehLeave(SOFTNDK_SEH_FRAME *Frame)
{
    if (Frame->Phase != PHASE_TRY)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)Frame, 0, 0, 0,
            "__leave outside a __try block");
    innermost = Frame->Outer;
    Frame->Phase = PHASE_NORMAL;
    jump(Frame);
}

VOID SoftNdkSehScopeEnd(SOFTNDK_SEH_FRAME *Frame)
{
    if (Frame->Phase == PHASE_TRY)
        innermost = Frame->Outer;
}

SOFTNDK_NORETURN static void raise_status(NTSTATUS status, PVOID address)
{
    EXCEPTION_RECORD record = {
        .ExceptionCode = status,
        .ExceptionFlags = EXCEPTION_NONCONTINUABLE,
        .ExceptionAddress = address,
    };

    raise_record(&record);
}

VOID ExRaiseStatus(NTSTATUS Status)
{
    raise_status(Status, __builtin_return_address(0));
}

VOID ExRaiseAccessViolation(VOID)
{
    raise_status(STATUS_ACCESS_VIOLATION, __builtin_return_address(0));
}

VOID ExRaiseDatatypeMisalignment(VOID)
{
    raise_status(STATUS_DATATYPE_MISALIGNMENT, __builtin_return_address(0));
}

/* One octet of each page, copied by the kernel, which answers instead of faulting. */
bool kenv_is_readable(const volatile void *address, size_t length)
{
    enum { BATCH = 64 };
    uintptr_t at = (uintptr_t)address, end = at + length;
    char octets[BATCH];

    if (length == 0)
        return true;
    if (end < at)
        return false;
    while (at < end) {
        struct iovec to = {octets, 0}, from[BATCH];
        size_t n = 0;

        for (; n < BATCH && at < end; n++) {
            from[n].iov_base = (void *)at;
            from[n].iov_len = 1;
            at = (at | (PAGE_SIZE - 1)) + 1;
        }
        to.iov_len = n;
        if (process_vm_readv(getpid(), &to, 1, from, n, 0) != (ssize_t)n)
            return errno != EFAULT && errno != 0;
    }
    return true;
}

static void probe(const volatile void *address, size_t length, ULONG alignment, PVOID caller)
{
    if (length == 0)
        return;
    if (alignment > 1 && ((uintptr_t)address & (alignment - 1)) != 0)
        raise_status(STATUS_DATATYPE_MISALIGNMENT, caller);
    if (!kenv_is_readable(address, length))
        raise_status(STATUS_ACCESS_VIOLATION, caller);
}

VOID ProbeForRead(const volatile VOID *Address, SIZE_T Length, ULONG Alignment)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    probe(Address, Length, Alignment, __builtin_return_address(0));
}

VOID ProbeForWrite(volatile VOID *Address, SIZE_T Length, ULONG Alignment)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    probe(Address, Length, Alignment, __builtin_return_address(0));
}
