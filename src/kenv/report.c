/* SPDX-License-Identifier: MIT */
#include "kenv/report.h"

#include "kenv/bugcheck.h"
#include "kenv/irql.h"

#include <execinfo.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static SOFTNDK_DRV_REPORT_SINK sink;
static PVOID sink_context;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the two above */
static _Atomic ULONG count;

VOID SoftNdkDrvSetReportSink(SOFTNDK_DRV_REPORT_SINK Sink, PVOID Context)
{
    pthread_mutex_lock(&lock);
    sink = Sink;
    sink_context = Context;
    pthread_mutex_unlock(&lock);
}

ULONG SoftNdkDrvReportCount(VOID)
{
    return atomic_load(&count);
}

static void put(const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDERR_FILENO, text, n);

        if (done <= 0)
            return;
        text += done;
        n -= (size_t)done;
    }
}

static void print_stack(const char *head, void *const *frames, ULONG n)
{
    if (n == 0)
        return;
    put(head, strlen(head));
    backtrace_symbols_fd(frames, (int)n, STDERR_FILENO);
}

static void print(const SOFTNDK_DRV_REPORT *r)
{
    const char *name = kenv_bugcheck_name(r->BugCheckCode);
    char text[2048];
    int n;

    if (r->IsFatal)
        n = snprintf(text, sizeof(text),
            "\n*** bugcheck 0x%08X (%s)\n*** arguments 0x%zX 0x%zX 0x%zX 0x%zX, IRQL %u\n",
            r->BugCheckCode, name != NULL ? name : r->Rule, r->Parameters[0], r->Parameters[1],
            r->Parameters[2], r->Parameters[3], r->Irql);
    else
        n = snprintf(text, sizeof(text), "\n*** rule broken: %s, IRQL %u\n", r->Rule, r->Irql);
    if (n > 0 && (size_t)n < sizeof(text) && r->Text != NULL)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "*** %s\n%s%s%s%s%s%s", r->Text,
            r->Advice != NULL ? "*** " : "", r->Advice != NULL ? r->Advice : "",
            r->Advice != NULL ? "\n" : "", r->Page != NULL ? "*** see " : "",
            r->Page != NULL ? r->Page : "", r->Page != NULL ? "\n" : "");
    if (n > 0)
        put(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
    print_stack("*** stack:\n", r->Frames, r->FrameCount);
    print_stack("*** created at:\n", r->ObjectFrames, r->ObjectFrameCount);
    print_stack("*** freed at:\n", r->FreedFrames, r->FreedFrameCount);
}

void kenv_report(const struct kenv_report *report)
{
    static _Thread_local bool is_inside;
    SOFTNDK_DRV_REPORT_SINK to;
    PVOID context;
    struct kenv_stack stack;
    SOFTNDK_DRV_REPORT r = {
        .Rule = report->rule,
        .Text = report->text,
        .Advice = report->advice,
        .Page = report->page,
        .BugCheckCode = report->code,
        .IsFatal = report->is_fatal,
        .Irql = kenv_irql_now,
        .Object = report->object,
    };

    kenv_stack_take(&stack);
    memcpy(r.Parameters, report->parameters, sizeof(r.Parameters));
    r.FrameCount = stack.count;
    r.Frames = stack.frames;
    if (report->created != NULL) {
        r.ObjectFrameCount = report->created->count;
        r.ObjectFrames = report->created->frames;
    }
    if (report->freed != NULL) {
        r.FreedFrameCount = report->freed->count;
        r.FreedFrames = report->freed->frames;
    }
    atomic_fetch_add(&count, 1);
    /* A fatal report may come from a thread that holds anything: never wait for the lock then. */
    if (!report->is_fatal)
        pthread_mutex_lock(&lock);
    to = sink;
    context = sink_context;
    if (!report->is_fatal)
        pthread_mutex_unlock(&lock);
    if (to == NULL || is_inside) {
        print(&r);
    } else {
        is_inside = true;
        if (to(context, &r) == FALSE)
            print(&r);
        is_inside = false;
    }
    if (report->is_fatal)
        abort();
}
