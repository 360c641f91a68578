/* SPDX-License-Identifier: MIT */
/*
 * What the consumer may name in an SGE: regions by their tokens, and logical pages by the LAMs that
 * are built. Changed by control calls and by the posting of fast registrations; looked up for each
 * SGE, with a small cache per queue that any change makes stale.
 */
#ifndef SN_VERIFY_MEMORY_H
#define SN_VERIFY_MEMORY_H

#include "verify/shadow.h"

enum {
    VERIFY_LOCAL_WRITE = 1,
    VERIFY_REMOTE_READ = 2,
    VERIFY_REMOTE_WRITE = 4,
    VERIFY_READ_SINK = 8,
};

/* What a token names. In a region or window, guarded by the adapter's lock. */
struct verify_token {
    struct sn_list link; /* among adapter->tokens, by number */
    uint32_t token;
    struct verify_obj *o; /* the MR or MW */
    struct verify_obj *pd;
    bool is_valid;     /* registered now, as far as requests were posted */
    bool is_label;     /* its addresses need not be those of the memory */
    bool is_uncertain; /* a request about it failed: nobody knows whether it is valid */
    uint64_t base, length;
    uint32_t rights; /* VERIFY_... */
};

/* Octets from start on, below end. */
struct verify_run {
    uint64_t start, end;
};
enum { VERIFY_RUNS_MAX = 16 };
/* Page lists as runs. More than fit: is_partial, and what is not there is not checked. */
struct verify_runs {
    struct verify_run at[VERIFY_RUNS_MAX];
    unsigned count;
    bool is_partial;
};

/* Joins the pages of a list, neighbours into one run. */
void verify_runs_of(const NDK_LOGICAL_ADDRESS *pages, ULONG count, struct verify_runs *out);

/* ---- tokens. The adapter's lock is held by the caller of these three ---- */

void verify_token_init(struct verify_token *t, struct verify_obj *o, struct verify_obj *pd);
/* It has this number from now on; is_valid and what follows are the caller's. */
void verify_token_set(struct verify_adapter *a, struct verify_token *t, uint32_t token);
struct verify_token *verify_token_find(struct verify_adapter *a, uint32_t token);

/* Something about tokens or LAMs has changed: every cache is stale. */
static inline void verify_memory_changed(struct verify_adapter *a)
{
    sn_a32_fetch_add(&a->generation, 1);
}

/* ---- LAMs. These take the adapter's lock ---- */

/* A LAM was built. Without memory for it the adapter forgets to check LAMs for good. */
void verify_lam_add(struct verify_adapter *a, const NDK_LOGICAL_ADDRESS_MAPPING *lam);
enum verify_lam_result { VERIFY_LAM_KNOWN, VERIFY_LAM_CHANGED, VERIFY_LAM_UNKNOWN };
/* A LAM is released: what it covered. KNOWN also for a faithful copy of one at another address. */
enum verify_lam_result verify_lam_remove(
    struct verify_adapter *a, const NDK_LOGICAL_ADDRESS_MAPPING *lam, struct verify_runs *out);
/* Are the octets covered by LAMs that are built? Also true where that is not known. */
bool verify_lams_cover(struct verify_adapter *a, uint64_t start, uint64_t end);
/* The same with the lock held; *whole is the run that start lies in. */
bool verify_lams_cover_locked(
    struct verify_adapter *a, uint64_t start, uint64_t end, struct verify_run *whole);
/* Forgets all; returns how many there were. */
unsigned verify_lams_drop(struct verify_adapter *a);

/* ---- SGLs ---- */

/* What a queue found last, per token; only the thread that posts touches it. */
struct verify_found {
    uint32_t token, generation;
    bool is_set;
    uint64_t base, end;
    uint32_t rights;
};
enum { VERIFY_FOUND_MAX = 4 };

/* Who checks SGEs, and for what. */
struct verify_sgl_check {
    struct verify_obj *o; /* QP or SRQ */
    struct verify_obj *pd;
    uint32_t privileged; /* the PD's privileged token */
    struct verify_found *found;
    const char *call;
    uint32_t needs; /* VERIFY_LOCAL_WRITE and VERIFY_READ_SINK */
};
/* Reports N-W10 to N-W14. An SGE of no octets is not looked at. */
void verify_sgl(const struct verify_sgl_check *c, const NDK_SGE *sgl, ULONG count);

/* Every address of the SGL is that of the memory: privileged, or of an ordinary region. */
bool verify_sgl_is_memory(
    struct verify_adapter *a, uint32_t privileged, const NDK_SGE *sgl, ULONG count);

#endif
