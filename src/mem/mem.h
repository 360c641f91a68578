/* SPDX-License-Identifier: MIT */
/*
 * STags: which memory an STag names, who may use it and how. One table per adapter.
 *
 * STag = index (24 bits, high) | key (8 bits, low), both drawn at random [RFC5040 8.1.1]: indices
 * are spread over the whole space and a freed one is reused late. All 32 bits are compared on every
 * use.
 *
 * Concurrency. The data path (inside a lane) only reads and takes no lock: a slot is found by three
 * acquire loads, its `state` word is loaded with acquire before any other field that may change.
 * Who changes a region first moves `state` to MEM_STATE_BUSY, alone; slots and window counts change
 * under table.lock. Taking something away (invalidate, deregister, close) is: leave VALID, then
 * mem_table.quiesce(), which returns when every thread that was inside a lane has left it or
 * started anew; after that no octet moves through the STag [SEC-004]. Fields of a region change
 * only while it is not valid and quiesced. So a region pointer or span from here is good until the
 * lane is left or calls something marked QUIESCES below, whichever comes first, and no longer.
 */
#ifndef SN_MEM_MEM_H
#define SN_MEM_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/lock.h"
#include "base/status.h"
#include "wire/wire_err.h"

enum {
    MEM_PAGE_SIZE = 4096,
    MEM_STAG_KEY_BITS = 8,
    MEM_FAST_REG_PAGES_MAX = 4096, /* per region, so 16 MiB */
    MEM_REGIONS_MAX = 1 << 22, /* a quarter of the indices, so that free ones stay easy to find */
    MEM_REUSE_DELAY = 1024,    /* other indices freed before one is given out again */
};

/* Rights of a region and of an access. Every region but a window has local read; remote write
 * brings local write along, as the flag of the documentation does. */
enum mem_right {
    MEM_LOCAL_READ = 0x01,
    MEM_LOCAL_WRITE = 0x02,
    MEM_REMOTE_READ = 0x04,
    MEM_REMOTE_WRITE = 0x08,
    MEM_READ_SINK = 0x10, /* sink of an RDMA Read, where the adapter asks for that right */
};

enum mem_kind {
    MEM_KIND_MR,         /* registered by address range (an MDL chain) */
    MEM_KIND_FAST_MR,    /* fast-registered over a page list, by a work request */
    MEM_KIND_WINDOW,     /* a window bound to a part of an MR and to one stream */
    MEM_KIND_PRIVILEGED, /* logical addresses of a PD's owner; local only, never invalidated */
};

/* Who uses an STag: a protection domain and a stream (QP). Ids are unique per adapter, never 0. */
struct mem_who {
    uint32_t pd;
    uint32_t qp;
};

/* Why an access was refused. The layer that asked turns it into its wire_err or sn_status. */
enum mem_result {
    MEM_OK,
    MEM_STAG_INVALID, /* unknown index, other key, not valid now */
    MEM_STAG_STREAM,  /* another PD, or a window bound to another stream */
    MEM_NO_RIGHT,
    MEM_TO_WRAP,
    MEM_BASE_BOUNDS,
    MEM_CANNOT_INVALIDATE, /* not a kind that may be invalidated, or windows are bound to it */
};
const char *mem_result_name(enum mem_result r);
/* The Terminate of a refused Write or Read Response [RFC5041 7.2] / of a refused Read Request or
 * remote invalidate [RFC5040 4.8]. A Write without the right has no code of its own:
 * DDP_STAG_INVALID is sent, as siw does (docs/decisions). */
enum wire_err mem_result_to_ddp(enum mem_result r);
enum wire_err mem_result_to_rdmap(enum mem_result r);

enum mem_state {
    MEM_STATE_INVALID,
    MEM_STATE_VALID,
    MEM_STATE_BUSY, /* one thread is changing the region; for everybody else it is not valid */
};

/* Fields from `state` to `is_paged` are what an access check reads: one cache line. */
struct mem_region {
    struct sn_a32 state; /* enum mem_state */
    struct sn_a32 stag;  /* index fixed at creation; key may change while not valid */
    uint32_t pd;         /* set at creation */
    uint32_t qp;         /* WINDOW while bound: its stream. Else 0 */
    uint32_t rights;     /* enum mem_right */
    uint32_t fbo;        /* FAST_MR */
    uint64_t base;       /* TO of the first octet */
    uint64_t len;
    uint8_t *host;   /* of the first octet, unless is_paged. PRIVILEGED: NULL, TO is the address */
    uint64_t *pages; /* FAST_MR: page-aligned logical (host) addresses, room for pages_max */
    enum mem_kind kind; /* set at creation */
    bool is_paged;      /* FAST_MR whose pages are not one contiguous range */
    /* FAST_MR */
    bool may_be_remote; /* RemoteAccess of NdkInitializeFastRegisterMr */
    uint32_t pages_max, pages_count;
    /* WINDOW while bound */
    struct mem_region *parent;
    /* MR: windows bound to it now. Raised under table.lock */
    struct sn_a32 windows_bound;
    void *owner; /* set by who created it. MR: what mem_table.unbound is told */
    /* Order of the keys: a secret permutation of all 256, walked in turn. MR: by who registers;
     * WINDOW: poster only */
    uint64_t key_secret;
    uint32_t key_turn;
};

struct mem_table {
    struct sn_lock lock;    /* rank SN_RANK_MEM: insertion and removal */
    struct sn_aptr *top;    /* 256 pointers to nodes of 256 pointers to nodes of 256 regions */
    uint32_t regions_count; /* guarded by lock */
    uint32_t regions_max;
    /* Returns when all lanes passed a quiescent point; callable inside a lane and outside. A lane
     * counts as passed while its thread is in here (two lanes may call at once) or runs a consumer
     * callback (the caller may hold a lock of the consumer's that the callback wants): neither
     * thread uses afterwards what it looked up before. NULL in tests without lanes. */
    void (*quiesce)(void *ctx);
    /* Fills n unpredictable octets. Called on the control path only. */
    void (*random)(void *ctx, void *out, size_t n);
    /* A window ceased to be bound to the MR of this owner. Any thread, after the quiescence; NULL
     * (as mem_table_init leaves it): nobody wants to know. */
    void (*unbound)(void *ctx, void *mr_owner);
    void *ctx;
    /* guarded by lock: ring of the MEM_REUSE_DELAY indices freed last, not to be reused yet */
    uint32_t *recent;
    uint32_t recent_next;
};

/* Memory for the top level and the reuse delay. regions_max above MEM_REGIONS_MAX is lowered to it.
 * SN_NO_MEMORY. */
SN_MUST_CHECK enum sn_status mem_table_init(struct mem_table *t, uint32_t regions_max,
    void (*quiesce)(void *ctx), void (*random)(void *ctx, void *out, size_t n), void *ctx);
/* All regions must have been destroyed. */
void mem_table_fini(struct mem_table *t);

/* ---- control path: any thread, outside or inside a lane ---- */

/*
 * A new region, invalid (PRIVILEGED: valid at once), with an STag of its own.
 * SN_NO_MEMORY (also when `random` gives no free index in many tries); SN_LIMIT when regions_max
 * exist.
 */
SN_MUST_CHECK enum sn_status mem_region_create(
    struct mem_table *t, enum mem_kind kind, uint32_t pd, struct mem_region **out);
/* Revokes it if it is valid, waits for quiescence, frees it. A window is unbound first. QUIESCES.
 * The caller sees to it that nobody else has the pointer; who found it by its STag is waited for.
 * SN_BUSY when windows are bound to it; nothing changes then. */
SN_MUST_CHECK enum sn_status mem_region_destroy(struct mem_table *t, struct mem_region *r);
/* Nobody has access through r any more, for as long as it stays valid; windows keep theirs, and a
 * window stays bound. QUIESCES. The caller sees to it that nobody makes r valid meanwhile, or
 * revokes again afterwards. */
void mem_region_revoke(struct mem_table *t, struct mem_region *r);
/*
 * WINDOW on its way out: invalidates it, so that its MR may be deregistered or invalidated, but
 * does not tell mem_table.unbound. Returns what that would have been told, for the caller to do
 * later; NULL: it was not bound, or somebody else's invalidation came first (and has told).
 * QUIESCES. The caller sees to it that nobody binds it again.
 */
SN_MUST_CHECK void *mem_window_release(struct mem_table *t, struct mem_region *w);

/*
 * MR: makes [host, host + len) accessible at TO `base` with a fresh key. [NDKPI NDK_FN_REGISTER_MR]
 * SN_BAD_STATE if already valid; SN_INVALID if len is 0, a range goes beyond 2^64, host is NULL, a
 * right is unknown, or kind is not MR.
 */
SN_MUST_CHECK enum sn_status mem_register(struct mem_table *t, struct mem_region *r, uint8_t *host,
    uint64_t base, uint64_t len, uint32_t rights);
/* MR: revokes and waits. QUIESCES. SN_BAD_STATE if not valid; SN_BUSY with windows bound, nothing
 * changes then; SN_INVALID for another kind. */
SN_MUST_CHECK enum sn_status mem_deregister(struct mem_table *t, struct mem_region *r);
/* FAST_MR: room for a page list. SN_LIMIT above MEM_FAST_REG_PAGES_MAX or 0; SN_NO_MEMORY;
 * SN_BAD_STATE while valid; SN_INVALID for another kind. May be called again. The STag does not
 * change. */
SN_MUST_CHECK enum sn_status mem_fast_init(
    struct mem_table *t, struct mem_region *r, uint32_t pages_max, bool may_be_remote);

static inline uint32_t mem_region_stag(const struct mem_region *r)
{
    return sn_a32_load_acquire(&r->stag);
}

/* May be out of date when it returns, unless called inside a lane. */
static inline bool mem_region_is_valid(const struct mem_region *r)
{
    return sn_a32_load_acquire(&r->state) == MEM_STATE_VALID;
}

/* ---- local operations of a send queue: inside the lane, in order ---- */

struct mem_fast_reg {
    const uint64_t *pages; /* copied */
    uint32_t pages_count;
    uint32_t fbo;
    uint64_t len;
    uint64_t base;
    uint32_t rights;
};
/* What can be said when the request is posted: SN_INVALID (counts, fbo, length 0 or beyond the
 * pages or 2^64, base modulo page, page alignment, page 0, rights, kind), SN_NO_ACCESS (remote
 * rights without may_be_remote), SN_BAD_STATE (not initialised). Does not look at is_valid. [NDKPI
 * NDK_FN_FAST_REGISTER] */
SN_MUST_CHECK enum sn_status mem_fast_check(
    const struct mem_region *r, const struct mem_fast_reg *f);
/* Executes it. SN_BAD_REQUEST if the region is still valid or of another PD, or was initialised
 * anew so that mem_fast_check would refuse now. f has passed mem_fast_check: its pages are not
 * looked at again. */
SN_MUST_CHECK enum sn_status mem_fast_register(
    struct mem_table *t, struct mem_region *r, struct mem_who who, const struct mem_fast_reg *f);

struct mem_bind {
    struct mem_region *mr;
    uint64_t base; /* an address inside the MR; the window's TO are the MR's */
    uint64_t len;
    uint32_t rights; /* MEM_REMOTE_READ and/or MEM_REMOTE_WRITE */
    uint32_t stag;   /* from mem_window_next_stag */
};
/* SN_INVALID (range, no right or a local one asked for, kinds), SN_NO_ACCESS (remote write on an MR
 * without local write), SN_BAD_STATE (MR not valid). [NDKPI NDK_FN_BIND] */
SN_MUST_CHECK enum sn_status mem_bind_check(const struct mem_region *w, const struct mem_bind *b);
/* The STag that the next bind of this window will have: same index, another key than the 255
 * before. No system call. Poster only. */
uint32_t mem_window_next_stag(struct mem_table *t, struct mem_region *w);
/* Executes it. SN_BAD_REQUEST if the window is bound, or a PD differs, or the MR became invalid. */
SN_MUST_CHECK enum sn_status mem_bind(
    struct mem_table *t, struct mem_region *w, struct mem_who who, const struct mem_bind *b);
/* Local invalidate of a FAST_MR or WINDOW. QUIESCES. SN_BAD_REQUEST if it is not valid, of another
 * kind, PD or stream. */
SN_MUST_CHECK enum sn_status mem_invalidate_local(
    struct mem_table *t, struct mem_region *r, struct mem_who who);
/* Local invalidate by STag, for READ_LOCAL_INVALIDATE: the same rules. QUIESCES. */
SN_MUST_CHECK enum sn_status mem_invalidate_stag(
    struct mem_table *t, uint32_t stag, struct mem_who who);
/*
 * Remote invalidate (Send with Invalidate). Only a valid FAST_MR with a remote right of the
 * stream's PD or a window bound to this stream: anything else is refused. QUIESCES when it is not
 * refused.
 */
SN_MUST_CHECK enum mem_result mem_invalidate_remote(
    struct mem_table *t, uint32_t stag, struct mem_who who);

/* ---- access checks: inside a lane ---- */

/*
 * May `who` use [to, to + len) of `stag` with all of `rights`? Checks in the order of RFC 5041:
 * STag, PD or stream, rights, wrap, bounds; by subtraction; an access that ends at 2^64 is legal.
 * A remote right is never satisfied by PRIVILEGED, a local one never by WINDOW. On MEM_OK *out is
 * the region, good until the lane is left. len 0 is checked like any other: callers skip the
 * check for zero-length operations.
 */
SN_MUST_CHECK enum mem_result mem_check(const struct mem_table *t, struct mem_who who,
    uint32_t stag, uint64_t to, uint64_t len, uint32_t rights, const struct mem_region **out);
/* The part of mem_spans for regions whose pages are scattered. */
size_t mem_spans_paged(const struct mem_region *r, uint64_t to, uint64_t len, struct sn_span *spans,
    size_t max, uint64_t *covered);

/*
 * Host memory of [to, to + len) of a region that mem_check just allowed: up to `max` spans,
 * adjacent pages merged. Returns the spans; *covered is how many octets they hold (less than len if
 * max was too small).
 */
static inline size_t mem_spans(const struct mem_region *r, uint64_t to, uint64_t len,
    struct sn_span *spans, size_t max, uint64_t *covered)
{
    if (SN_UNLIKELY(r->is_paged))
        return mem_spans_paged(r, to, len, spans, max, covered);
    if (len == 0 || max == 0) {
        *covered = 0;
        return 0;
    }
    /* As a number: PRIVILEGED has no object that the addresses are relative to. */
    spans[0].p = (uint8_t *)((uintptr_t)r->host + (uintptr_t)(to - r->base));
    spans[0].n = (size_t)len;
    *covered = len;
    return 1;
}

#endif
