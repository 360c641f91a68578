/* SPDX-License-Identifier: MIT */
#include "ndkrun/log.h"

#include <softndk_driver.h>
#include <stdio.h>
#include <string.h>

static FILE *out;
static uint64_t line_count;
/* A text without a line end is continued by the next one of the same thread. */
static bool is_open;
static uint64_t open_thread;

const char *log_irql_name(unsigned irql)
{
    switch (irql) {
    case PASSIVE_LEVEL:
        return "PASSIVE";
    case APC_LEVEL:
        return "APC";
    case DISPATCH_LEVEL:
        return "DISPATCH";
    case HIGH_LEVEL:
        return "HIGH";
    default:
        return "DIRQL";
    }
}

static void begin_line(const SOFTNDK_DRV_LOG_LINE *line)
{
    fprintf(out, "%5llu.%06llu %7llu %-8s ", (unsigned long long)(line->TimeNs / 1000000000u),
        (unsigned long long)(line->TimeNs / 1000u % 1000000u), (unsigned long long)line->ThreadId,
        log_irql_name(line->Irql));
    line_count++;
}

/* One at a time, says the library. */
static VOID sink(PVOID context, const SOFTNDK_DRV_LOG_LINE *line)
{
    const char *text = line->Text, *end = line->Text + line->Length;

    UNREFERENCED_PARAMETER(context);
    if (is_open && open_thread != line->ThreadId) {
        fputc('\n', out);
        is_open = false;
    }
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((newline == NULL ? end : newline) - text);

        if (!is_open)
            begin_line(line);
        if (length > 0 && text[length - 1] == '\r')
            length--;
        fwrite(text, 1, length, out);
        is_open = newline == NULL;
        if (newline != NULL)
            fputc('\n', out);
        text = newline == NULL ? end : newline + 1;
    }
    open_thread = line->ThreadId;
    fflush(out);
}

bool log_start(const char *path)
{
    out = path == NULL ? stdout : fopen(path, "we");
    if (out == NULL)
        return false;
    SoftNdkDrvSetLogSink(sink, NULL);
    return true;
}

void log_end(void)
{
    SoftNdkDrvSetLogSink(NULL, NULL);
    if (is_open)
        fputc('\n', out);
    is_open = false;
    fflush(out);
}

uint64_t log_line_count(void)
{
    return line_count;
}
