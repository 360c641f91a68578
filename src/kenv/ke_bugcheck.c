/* SPDX-License-Identifier: MIT */
/*
 * KeBugCheckEx: the end of the process, with everything that is known about why. Allocates nothing
 * and takes no lock, so that it works from any state.
 */
#include "kenv/bugcheck.h"

#include "kenv/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct code_name {
    ULONG code;
    const char *name;
};

#define NAME(code)                                                                                 \
    {                                                                                              \
        code, #code                                                                                \
    }
static const struct code_name code_names[] = {
    NAME(IRQL_NOT_GREATER_OR_EQUAL),
    NAME(IRQL_NOT_LESS_OR_EQUAL),
    NAME(MAXIMUM_WAIT_OBJECTS_EXCEEDED),
    NAME(SPIN_LOCK_ALREADY_OWNED),
    NAME(SPIN_LOCK_NOT_OWNED),
    NAME(THREAD_NOT_MUTEX_OWNER),
    NAME(KMODE_EXCEPTION_NOT_HANDLED),
    NAME(APC_INDEX_MISMATCH),
    NAME(MULTIPLE_IRP_COMPLETE_REQUESTS),
    NAME(CANCEL_STATE_IN_COMPLETED_IRP),
    NAME(RESOURCE_NOT_OWNED),
    NAME(WORKER_THREAD_RETURNED_AT_BAD_IRQL),
    NAME(WORKER_INVALID),
    NAME(TIMER_OR_DPC_INVALID),
    NAME(INVALID_WORK_QUEUE_ITEM),
    NAME(REFERENCE_BY_POINTER),
    NAME(INVALID_KERNEL_HANDLE),
    NAME(THREAD_TERMINATE_HELD_MUTEX),
    NAME(KERNEL_SECURITY_CHECK_FAILURE),
    NAME(BAD_POOL_HEADER),
    NAME(DRIVER_CORRUPTED_EXPOOL),
    NAME(DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS),
    NAME(MEMORY_MANAGEMENT),
    NAME(NO_MORE_IRP_STACK_LOCATIONS),
    NAME(PFN_LIST_CORRUPT),
    NAME(BAD_POOL_CALLER),
    NAME(DRIVER_VERIFIER_DETECTED_VIOLATION),
    NAME(DRIVER_IRQL_NOT_LESS_OR_EQUAL),
    NAME(MANUALLY_INITIATED_CRASH),
};

const char *kenv_bugcheck_name(ULONG code)
{
    for (size_t i = 0; i < ARRAYSIZE(code_names); i++)
        if (code_names[i].code == code)
            return code_names[i].name;
    return NULL;
}

SOFTNDK_NORETURN static void die(ULONG code, const ULONG_PTR p[4], const char *sentence)
{
    const char *name = kenv_bugcheck_name(code);
    struct kenv_report report = {
        .rule = name != NULL ? name : "a code of the consumer",
        .text = sentence,
        .code = code,
        .parameters = {p[0], p[1], p[2], p[3]},
        .is_fatal = true,
    };

    kenv_report(&report);
    abort();
}

void kenv_bugcheck(
    ULONG code, ULONG_PTR p1, ULONG_PTR p2, ULONG_PTR p3, ULONG_PTR p4, const char *format, ...)
{
    const ULONG_PTR p[4] = {p1, p2, p3, p4};
    char sentence[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    die(code, p, sentence);
}

VOID KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1, ULONG_PTR BugCheckParameter2,
    ULONG_PTR BugCheckParameter3, ULONG_PTR BugCheckParameter4)
{
    const ULONG_PTR p[4] = {
        BugCheckParameter1, BugCheckParameter2, BugCheckParameter3, BugCheckParameter4};

    die(BugCheckCode, p, NULL);
}

VOID KeBugCheck(ULONG BugCheckCode)
{
    KeBugCheckEx(BugCheckCode, 0, 0, 0, 0);
}
