/* SPDX-License-Identifier: MIT */
/* DbgPrint and failed assertions: text to stderr, one write per call. */
#include "kenv/bugcheck.h"
#include "kenv/format.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/* Longer output is cut, as on Windows. */
#define TEXT_MAX 512

static void print(const char *format, va_list arguments)
{
    char out[TEXT_MAX];
    struct kenv_text text = {out, sizeof(out), 0};
    size_t n;

    kenv_format(&text, format, arguments);
    n = text.length < sizeof(out) ? text.length : sizeof(out) - 1;
    if (write(STDERR_FILENO, out, n) < 0)
        return; /* Nobody listens; there is nobody to tell. */
}

/* A level below 32 names a bit; one above is a mask of bits. */
static bool is_wanted(ULONG level)
{
    ULONG mask = level < 32 ? 1u << level : level & ~(ULONG)DPFLTR_MASK;
    const ULONG always = 1u << DPFLTR_ERROR_LEVEL | 1u << DPFLTR_WARNING_LEVEL;

    return (mask & always) != 0 || getenv("SOFTNDK_TRACE") != NULL;
}

ULONG vDbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, va_list arglist)
{
    UNREFERENCED_PARAMETER(ComponentId);
    if (is_wanted(Level))
        print(Format, arglist);
    return (ULONG)STATUS_SUCCESS;
}

ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...)
{
    va_list arguments;
    ULONG result;

    va_start(arguments, Format);
    result = vDbgPrintEx(ComponentId, Level, Format, arguments);
    va_end(arguments);
    return result;
}

ULONG DbgPrint(PCSTR Format, ...)
{
    va_list arguments;

    va_start(arguments, Format);
    print(Format, arguments);
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
