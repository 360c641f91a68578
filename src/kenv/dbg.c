/* SPDX-License-Identifier: MIT */
/* DbgPrint and failed assertions: text to stderr, one write per call. */
#include "kenv/bugcheck.h"
#include "kenv/format.h"
#include "kenv/irql.h"

#include <pthread.h>
#include <softndk_driver.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/* Longer output is cut, as on Windows. */
#define TEXT_MAX 512

/* Where lines go instead of stderr. Guarded by lock, which also keeps lines apart. */
static SOFTNDK_DRV_LOG_SINK sink;
static PVOID sink_context;
static ULONGLONG sink_since;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

VOID SoftNdkDrvSetLogSink(SOFTNDK_DRV_LOG_SINK Sink, PVOID Context)
{
    pthread_mutex_lock(&lock);
    sink = Sink;
    sink_context = Context;
    sink_since = KeQueryInterruptTime();
    pthread_mutex_unlock(&lock);
}

static bool has_sink(void)
{
    bool has;

    pthread_mutex_lock(&lock);
    has = sink != NULL;
    pthread_mutex_unlock(&lock);
    return has;
}

static void print(
    ULONG component, ULONG level, const void *caller, const char *format, va_list arguments)
{
    char out[TEXT_MAX];
    struct kenv_text text = {out, sizeof(out), 0};
    SOFTNDK_DRV_LOG_LINE line = {
        .Text = out,
        .ComponentId = component,
        .Level = level,
        .Irql = kenv_irql_now,
        .ReturnAddress = caller,
    };

    kenv_format(&text, format, arguments);
    line.Length = text.length < sizeof(out) ? text.length : sizeof(out) - 1;
    line.ThreadId = (ULONGLONG)(ULONG_PTR)PsGetCurrentThreadId();
    pthread_mutex_lock(&lock);
    line.TimeNs = (KeQueryInterruptTime() - sink_since) * 100;
    if (sink != NULL)
        sink(sink_context, &line);
    else if (write(STDERR_FILENO, out, line.Length) < 0)
        line.Length = 0; /* Nobody listens; there is nobody to tell. */
    pthread_mutex_unlock(&lock);
}

/* A level below 32 names a bit; one above is a mask of bits. */
static bool is_wanted(ULONG level)
{
    ULONG mask = level < 32 ? 1u << level : level & ~(ULONG)DPFLTR_MASK;
    const ULONG always = 1u << DPFLTR_ERROR_LEVEL | 1u << DPFLTR_WARNING_LEVEL;

    return (mask & always) != 0 || has_sink() || getenv("SOFTNDK_TRACE") != NULL;
}

ULONG vDbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, va_list arglist)
{
    if (is_wanted(Level))
        print(ComponentId, Level, __builtin_return_address(0), Format, arglist);
    return (ULONG)STATUS_SUCCESS;
}

ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...)
{
    va_list arguments;

    va_start(arguments, Format);
    if (is_wanted(Level))
        print(ComponentId, Level, __builtin_return_address(0), Format, arguments);
    va_end(arguments);
    return (ULONG)STATUS_SUCCESS;
}

ULONG DbgPrint(PCSTR Format, ...)
{
    va_list arguments;

    va_start(arguments, Format);
    print(DPFLTR_DEFAULT_ID, DPFLTR_ERROR_LEVEL, __builtin_return_address(0), Format, arguments);
    va_end(arguments);
    return (ULONG)STATUS_SUCCESS;
}

VOID RtlAssert(PVOID FailedAssertion, PVOID FileName, ULONG LineNumber, PSTR Message)
{
    kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)FailedAssertion,
        (ULONG_PTR)FileName, LineNumber, 0, "assertion failed: %s, %s:%u%s%s",
        (const char *)FailedAssertion, (const char *)FileName, LineNumber,
        Message != NULL ? ": " : "", Message != NULL ? Message : "");
}
