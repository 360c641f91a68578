/* SPDX-License-Identifier: MIT */
/* Lines of the log. Each is written by one system call to a file opened for appending, so lines of
 * different threads and processes do not mix. */
#include <fcntl.h>
#include <softndk.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "calltrace/impl.h"
#include "kenv/irql.h"
#include "ndk/addr.h"

/* The first adapter of the process begins the file, later ones append to it. */
static struct sn_a32 has_begun;

bool ct_output_open(const char *path, struct ct_state *s, char text[NDK_LAYER_TEXT])
{
    bool is_first;

    s->fd = STDERR_FILENO;
    s->is_own_fd = false;
    if (strcmp(path, "stderr") == 0)
        return true;
    is_first = sn_a32_exchange(&has_begun, 1) == 0;
    s->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (is_first ? O_TRUNC : 0), 0644);
    s->is_own_fd = s->fd >= 0;
    if (s->fd >= 0)
        return true;
    snprintf(text, NDK_LAYER_TEXT,
        "SOFTNDK_TRACE: \"%.120s\" cannot be opened for writing; it takes the name of a file, or "
        "stderr",
        path);
    return false;
}

void ct_output_close(struct ct_state *s)
{
    if (s->is_own_fd)
        (void)close(s->fd);
}

/* Seconds since the machine started, thread, IRQL. */
static int prefix(char *to, size_t room)
{
    static const char *const levels[] = {"PASSIVE", "APC", "DISPATCH"};
    KIRQL irql = kenv_irql_now;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return snprintf(to, room, "%lld.%06ld %ld %s ", (long long)now.tv_sec, now.tv_nsec / 1000,
        syscall(SYS_gettid), irql < SN_ARRAY_COUNT(levels) ? levels[irql] : "HIGH");
}

static void emit(struct ct_state *s, const char *text)
{
    char line[CT_LINE_OCTETS + 80];
    int used = prefix(line, sizeof line);
    size_t n;

    snprintf(line + used, sizeof line - (size_t)used - 1, "%s", text);
    n = strlen(line);
    line[n++] = '\n';
    /* A log that cannot be written is no reason to disturb the consumer. */
    if (write(s->fd, line, n) < 0)
        return;
}

/* ---- pieces ---- */

const char *ct_kind_name(NDK_OBJECT_TYPE type)
{
    static const char *const names[CT_KINDS] = {
        [NdkObjectTypeAdapter] = "adapter",
        [NdkObjectTypeQp] = "qp",
        [NdkObjectTypeCq] = "cq",
        [NdkObjectTypeMr] = "mr",
        [NdkObjectTypeMw] = "mw",
        [NdkObjectTypePd] = "pd",
        [NdkObjectTypeSharedEndpoint] = "endpoint",
        [NdkObjectTypeConnector] = "connector",
        [NdkObjectTypeListener] = "listener",
        [NdkObjectTypeSrq] = "srq",
    };

    return (unsigned)type < CT_KINDS && names[type] != NULL ? names[type] : "object";
}

const char *ct_status_name(NTSTATUS status, char room[16])
{
    const char *name = SoftNdkStatusName(status);

    if (strncmp(name, "STATUS_", 7) == 0)
        return name + 7;
    snprintf(room, 16, "0x%08x", (unsigned)status);
    return room;
}

void ct_add(struct ct_line *l, const char *format, ...)
{
    size_t room = sizeof l->text - l->used;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(l->text + l->used, room, format, args);
    va_end(args);
    if (n > 0)
        l->used += (size_t)n < room ? (size_t)n : room - 1;
}

void ct_add_object(struct ct_line *l, const char *name, const void *object)
{
    const struct ct_obj *c;

    if (object == NULL) {
        ct_add(l, ", %s NULL", name);
        return;
    }
    c = ct_of(object);
    if (c != NULL)
        ct_add(l, ", %s %s %u", name, ct_kind_name(c->type), c->number);
    else
        ct_add(l, ", %s %p", name, object);
}

void ct_add_address(struct ct_line *l, const char *name, const SOCKADDR *address, ULONG length)
{
    struct plat_addr a;
    char text[64];

    if (NT_SUCCESS(ndk_addr_read(address, length, &a)))
        ct_add(l, ", %s %s", name, plat_addr_format(&a, text, sizeof text));
    else
        ct_add(l, ", %s ?", name);
}

void ct_add_sgl(struct ct_line *l, const NDK_SGE *sgl, ULONG count)
{
    enum { SHOWN = 3 };
    uint64_t octets = 0;

    for (ULONG i = 0; sgl != NULL && i < count; i++)
        octets += sgl[i].Length;
    ct_add(l, ", %u sge %llu octets", count, (unsigned long long)octets);
    for (ULONG i = 0; sgl != NULL && i < count && i < SHOWN; i++)
        ct_add(l, " [%p +%u token %08x]", sgl[i].VirtualAddress, sgl[i].Length,
            sgl[i].MemoryRegionToken);
}

/* ---- lines ---- */

static void begin(
    struct ct_line *l, struct ct_state *s, const char *entry, NDK_OBJECT_TYPE type, uint32_t number)
{
    l->s = s;
    l->used = 0;
    l->is_call = false;
    if (number != 0)
        ct_add(l, "%s(%s %u", entry, ct_kind_name(type), number);
    else
        ct_add(l, "%s(%s", entry, ct_kind_name(type));
}

void ct_begin(struct ct_line *l, const struct ct_obj *c, const char *entry)
{
    begin(l, c->s, entry, c->type, c->number);
    l->is_call = true;
    rnic_obj_get(&c->s->adapter->obj, RNIC_REF_REQUEST);
}

void ct_begin_callback(struct ct_line *l, const struct ct_routine *r)
{
    begin(l, r->s, r->entry, r->type, r->number);
}

void ct_end(struct ct_line *l)
{
    struct rnic_obj *adapter = &l->s->adapter->obj;

    emit(l->s, l->text);
    if (l->is_call)
        rnic_obj_put(adapter, RNIC_REF_REQUEST);
}

NTSTATUS ct_end_status(struct ct_line *l, NTSTATUS status)
{
    char room[16];

    ct_add(l, ") = %s", ct_status_name(status, room));
    ct_end(l);
    return status;
}

void ct_detail(struct ct_state *s, const char *format, ...)
{
    char text[CT_LINE_OCTETS] = "    ";
    const size_t used = strlen(text);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text + used, sizeof text - used, format, args);
    va_end(args);
    emit(s, text);
}
