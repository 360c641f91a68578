/* SPDX-License-Identifier: MIT */
#include "ndkrun/report.h"

#include <softndk.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "ndkrun/annotate.h"
#include "ndkrun/log.h"
#include "ndkrun/relay.h"
#include "ndkrun/stack.h"

static atomic_size_t rule_count;

void report_say(const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    fputs("ndkrun: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

static void print_part(const char *head, void *const *frames, ULONG count)
{
    if (count == 0)
        return;
    fprintf(stderr, "  %s:\n", head);
    stack_print(stderr, frames, count);
}

static BOOLEAN sink(PVOID context, const SOFTNDK_DRV_REPORT *r)
{
    UNREFERENCED_PARAMETER(context);
    atomic_fetch_add(&rule_count, 1);
    relay_flush();
    fflush(stdout);
    if (r->IsFatal)
        fprintf(stderr, "\nndkrun: BUGCHECK 0x%08X %s (0x%zX, 0x%zX, 0x%zX, 0x%zX)\n",
            r->BugCheckCode, r->Rule, (size_t)r->Parameters[0], (size_t)r->Parameters[1],
            (size_t)r->Parameters[2], (size_t)r->Parameters[3]);
    else
        fprintf(stderr, "\nndkrun: RULE BROKEN: %s\n", r->Rule);
    if (r->Text != NULL)
        fprintf(stderr, "  what: %s\n", r->Text);
    if (r->Advice != NULL)
        fprintf(stderr, "  do:   %s\n", r->Advice);
    if (r->Page != NULL)
        fprintf(stderr, "  see:  %s\n", r->Page);
    if (!r->IsFatal && r->BugCheckCode != 0)
        fprintf(stderr, "  Windows with Driver Verifier: bugcheck 0x%08X\n", r->BugCheckCode);
    fprintf(stderr, "  IRQL: %s\n", log_irql_name(r->Irql));
    print_part("the call", r->Frames, r->FrameCount);
    print_part("the object was created", r->ObjectFrames, r->ObjectFrameCount);
    print_part("it was freed", r->FreedFrames, r->FreedFrameCount);
    fputc('\n', stderr);
    return TRUE;
}

void report_start(void)
{
    SoftNdkDrvSetReportSink(sink, NULL);
}

size_t report_rule_count(void)
{
    return atomic_load(&rule_count) + (size_t)SoftNdkVerifyCount(NULL);
}

/* ---- Leaks --------------------------------------------------------------------------------- */

static const char *kind_name(SOFTNDK_DRV_KIND kind)
{
    switch (kind) {
    case SoftNdkDrvPool:
        return "pool block";
    case SoftNdkDrvMdl:
        return "MDL";
    case SoftNdkDrvIrp:
        return "IRP";
    case SoftNdkDrvWorkItem:
        return "work item";
    case SoftNdkDrvThread:
        return "system thread";
    case SoftNdkDrvTimer:
        return "timer";
    case SoftNdkDrvDpc:
        return "DPC";
    case SoftNdkDrvDevice:
        return "device object";
    case SoftNdkDrvLink:
        return "symbolic link";
    case SoftNdkDrvHandle:
        return "handle";
    case SoftNdkDrvLookaside:
        return "lookaside list";
    case SoftNdkDrvResource:
        return "ERESOURCE";
    case SoftNdkDrvSocket:
        return "WSK socket";
    case SoftNdkDrvOther:
        break;
    }
    return "object";
}

static VOID print_leak(PVOID context, const SOFTNDK_DRV_LEAK *leak)
{
    const char *head = context;

    fprintf(stderr, "\nndkrun: %s a %s: %p", head, kind_name(leak->Kind), leak->Object);
    if (leak->Tag != 0) {
        fputs(", tag '", stderr);
        for (unsigned i = 0; i < 4; i++) {
            int c = (int)(leak->Tag >> 8 * i & 0xff);

            fputc(c >= ' ' && c < 127 ? c : '.', stderr);
        }
        fputc('\'', stderr);
    }
    if (leak->Bytes != 0)
        fprintf(stderr, ", %zu bytes", (size_t)leak->Bytes);
    if (leak->Name != NULL && *leak->Name != '\0')
        fprintf(stderr, ", %s", leak->Name);
    fputc('\n', stderr);
    print_part("created", leak->Frames, leak->FrameCount);
}

struct leak_list {
    const char *head;
    size_t printed, left_out;
};

enum { LEAKS_PRINTED_MAX = 32 };

static VOID on_leak(PVOID context, const SOFTNDK_DRV_LEAK *leak)
{
    struct leak_list *list = context;

    if (list->printed == LEAKS_PRINTED_MAX) {
        list->left_out++;
        return;
    }
    list->printed++;
    print_leak((PVOID)(ULONG_PTR)list->head, leak);
}

size_t report_leaks(PSOFTNDK_DRV driver, const char *head)
{
    struct leak_list list = {.head = head};
    SIZE_T count;

    fflush(stdout);
    count = SoftNdkDrvLeaks(driver, on_leak, &list);
    if (list.left_out > 0)
        report_say("%s %zu more things, which are not shown", head, list.left_out);
    return (size_t)count;
}

static VOID print_line(PVOID context, const char *text)
{
    char line[ANNOTATE_LINE_MAX];

    snprintf(line, sizeof line, "  %s", text);
    annotate_line(context, line);
}

static VOID print_no_line(PVOID context, const char *text)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(text);
}

size_t report_ndk_objects(const char *head)
{
    static struct annotate a;
    size_t count = (size_t)SoftNdkVerifyListObjects(print_no_line, NULL);

    if (count == 0)
        return 0;
    relay_flush();
    fflush(stdout);
    fprintf(stderr, "\nndkrun: %s %zu NDK object%s:\n", head, count, count == 1 ? "" : "s");
    SoftNdkVerifyListObjects(print_line, &a);
    annotate_end(&a);
    return count;
}
