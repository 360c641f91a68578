/* SPDX-License-Identifier: MIT */
#include "trace/tap.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "trace/pcap.h"

/* The operations of a tapped platform. */
struct tap {
    struct plat_ops ops; /* what the platform points at */
    const struct plat_ops *under;
    struct pcap_out *out;
};

/* What a tapped pipe carries (plat_pipe.trace). */
struct tapped_pipe {
    enum pcap_end end;
    struct pcap_flow *flow; /* from its first octet on: only then both addresses are final */
};

static struct tap *tap_of(const struct plat *plat)
{
    return SN_CONTAINER_OF((uintptr_t)plat->ops, struct tap, ops);
}

/* NULL: no memory, or with may_begin false: no octet has passed. */
static struct tapped_pipe *tapped(struct plat_pipe *p, bool may_begin)
{
    struct tapped_pipe *t = p->trace;

    if (t == NULL && may_begin) {
        t = sn_zalloc(sizeof(*t));
        if (t == NULL)
            return NULL;
        t->end = PCAP_B; /* those that connect have one already */
        p->trace = t;
    }
    if (t != NULL && t->flow == NULL && may_begin)
        t->flow = pcap_flow_open(tap_of(p->plat)->out, &p->local, &p->peer, t->end);
    return t != NULL && t->flow != NULL ? t : NULL;
}

/* ---- The operations ---- */

static enum sn_status tap_connect(struct plat_lane *lane, const struct plat_addr *src,
    const struct plat_addr *dst, const struct plat_pipe_options *options,
    const struct plat_pipe_ops *ops, void *ctx, struct plat_pipe **out)
{
    struct tapped_pipe *t = sn_zalloc(sizeof(*t));
    enum sn_status status;

    if (t == NULL)
        return SN_NO_MEMORY;
    t->end = PCAP_A;
    status = tap_of(lane->plat)->under->connect(lane, src, dst, options, ops, ctx, out);
    if (status == SN_OK)
        (*out)->trace = t;
    else
        sn_free(t);
    return status;
}

static enum plat_io tap_readv(struct plat_pipe *p, const struct sn_span *v, size_t n, size_t *got)
{
    enum plat_io io = tap_of(p->plat)->under->readv(p, v, n, got);
    struct tapped_pipe *t = io != PLAT_IO_AGAIN ? tapped(p, io == PLAT_IO_OK) : NULL;

    if (t == NULL)
        return io;
    if (io == PLAT_IO_OK)
        pcap_flow_received(t->flow, t->end, (const struct sn_cspan *)(const void *)v, *got);
    else if (io == PLAT_IO_END)
        pcap_flow_fin(t->flow, t->end == PCAP_A ? PCAP_B : PCAP_A);
    else
        pcap_flow_reset(t->flow, t->end == PCAP_A ? PCAP_B : PCAP_A);
    return io;
}

/* The lock is held from before the octets leave until they are in the file, so that an answer from
 * another lane of this process comes behind them there. */
static enum plat_io tap_writev(
    struct plat_pipe *p, const struct sn_cspan *v, size_t n, size_t *sent)
{
    struct tap *tap = tap_of(p->plat);
    struct tapped_pipe *t;
    enum plat_io io;

    pcap_lock(tap->out);
    io = tap->under->writev(p, v, n, sent);
    if (io == PLAT_IO_OK && *sent > 0) {
        t = tapped(p, true);
        if (t != NULL)
            pcap_flow_sent(t->flow, t->end, v, *sent);
    }
    pcap_unlock(tap->out);
    return io;
}

static void tap_shutdown(struct plat_pipe *p)
{
    struct tap *tap = tap_of(p->plat);
    struct tapped_pipe *t = tapped(p, false);

    pcap_lock(tap->out);
    tap->under->shutdown(p);
    if (t != NULL)
        pcap_flow_fin(t->flow, t->end);
    pcap_unlock(tap->out);
}

static void tap_close(struct plat_pipe *p, bool is_abort)
{
    struct tap *tap = tap_of(p->plat);
    struct tapped_pipe *t = p->trace;

    pcap_lock(tap->out);
    tap->under->close(p, is_abort);
    if (t != NULL && t->flow != NULL) {
        if (is_abort)
            pcap_flow_reset(t->flow, t->end);
        else
            pcap_flow_fin(t->flow, t->end);
        pcap_flow_close(t->flow);
    }
    pcap_unlock(tap->out);
    sn_free(t);
}

/* ---- Files of this process ---- */

struct named_file {
    struct named_file *next;
    struct pcap_out *out;
    char path[];
};

static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;
static struct named_file *files; /* guarded by files_lock; lives as long as the process */

static enum sn_status find_file(const char *path, struct pcap_out **out, char *why, size_t cap)
{
    size_t length = strlen(path) + 1;
    struct named_file *file;
    enum sn_status status;

    for (file = files; file != NULL; file = file->next) {
        if (strcmp(file->path, path) == 0) {
            *out = file->out;
            return SN_OK;
        }
    }
    file = sn_zalloc(sizeof(*file) + length);
    if (file == NULL) {
        snprintf(why, cap, "no memory for a capture");
        return SN_NO_MEMORY;
    }
    status = pcap_out_open(path, &file->out, why, cap);
    if (status != SN_OK) {
        sn_free(file);
        return status;
    }
    memcpy(file->path, path, length);
    file->next = files;
    files = file;
    *out = file->out;
    return SN_OK;
}

enum sn_status trace_tap_begin(struct plat *plat, const char *path, char *why, size_t cap)
{
    struct tap *tap = sn_zalloc(sizeof(*tap));
    enum sn_status status;

    if (tap == NULL) {
        snprintf(why, cap, "no memory for a capture");
        return SN_NO_MEMORY;
    }
    pthread_mutex_lock(&files_lock);
    status = find_file(path, &tap->out, why, cap);
    pthread_mutex_unlock(&files_lock);
    if (status != SN_OK) {
        sn_free(tap);
        return status;
    }
    tap->under = plat->ops;
    tap->ops = *plat->ops;
    tap->ops.connect = tap_connect;
    tap->ops.readv = tap_readv;
    tap->ops.writev = tap_writev;
    tap->ops.shutdown = tap_shutdown;
    tap->ops.close = tap_close;
    plat->ops = &tap->ops;
    return SN_OK;
}

void trace_tap_end(struct plat *plat)
{
    struct tap *tap;

    if (plat->ops->writev != tap_writev)
        return;
    tap = tap_of(plat);
    plat->ops = tap->under;
    sn_free(tap);
}
