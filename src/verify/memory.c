/* SPDX-License-Identifier: MIT */
#include "verify/memory.h"

#include "base/alloc.h"
#include "verify/report.h"

struct verify_lam {
    struct sn_list link;
    const NDK_LOGICAL_ADDRESS_MAPPING *lam;
    PVOID context;
    ULONG pages;
    uint64_t first_page;
    struct verify_runs runs;
};

void verify_runs_of(const NDK_LOGICAL_ADDRESS *pages, ULONG count, struct verify_runs *out)
{
    out->count = 0;
    out->is_partial = false;
    for (ULONG i = 0; i < count; i++) {
        uint64_t page = (uint64_t)pages[i].QuadPart;

        if (out->count > 0 && out->at[out->count - 1].end == page) {
            out->at[out->count - 1].end = page + PAGE_SIZE;
        } else if (out->count == VERIFY_RUNS_MAX) {
            out->is_partial = true;
            return;
        } else {
            out->at[out->count++] = (struct verify_run){page, page + PAGE_SIZE};
        }
    }
}

/* ---- tokens ---- */

static struct sn_list *bucket_of(struct verify_adapter *a, uint32_t token)
{
    return &a->tokens[(token ^ token >> 8 ^ token >> 16) % SN_ARRAY_COUNT(a->tokens)];
}

void verify_token_init(struct verify_token *t, struct verify_obj *o, struct verify_obj *pd)
{
    sn_list_init(&t->link);
    t->o = o;
    t->pd = pd;
}

void verify_token_set(struct verify_adapter *a, struct verify_token *t, uint32_t token)
{
    sn_list_remove(&t->link);
    t->token = token;
    sn_list_push_back(bucket_of(a, token), &t->link);
}

struct verify_token *verify_token_find(struct verify_adapter *a, uint32_t token)
{
    struct sn_list *bucket = bucket_of(a, token);

    for (struct sn_list *n = bucket->prev; n != bucket; n = n->prev) {
        struct verify_token *t = SN_CONTAINER_OF(n, struct verify_token, link);

        if (t->token == token)
            return t;
    }
    return NULL;
}

/* ---- LAMs ---- */

void verify_lam_add(struct verify_adapter *a, const NDK_LOGICAL_ADDRESS_MAPPING *lam)
{
    struct verify_lam *l = sn_zalloc(sizeof *l);

    if (l != NULL) {
        l->lam = lam;
        l->context = lam->AdapterContext;
        l->pages = lam->AdapterPageCount;
        l->first_page = (uint64_t)lam->AdapterPageArray[0].QuadPart;
        verify_runs_of(lam->AdapterPageArray, lam->AdapterPageCount, &l->runs);
    }
    sn_lock_take(&a->lock);
    if (l != NULL)
        sn_list_push_back(&a->lams, &l->link);
    else
        a->lams_are_unknown = true;
    sn_lock_drop(&a->lock);
    verify_memory_changed(a);
}

/* The record of a LAM, by its address, else by what it says. */
static struct verify_lam *find_lam(struct verify_adapter *a, const NDK_LOGICAL_ADDRESS_MAPPING *lam)
{
    for (int by_address = 1; by_address >= 0; by_address--) {
        for (struct sn_list *n = a->lams.prev; n != &a->lams; n = n->prev) {
            struct verify_lam *l = SN_CONTAINER_OF(n, struct verify_lam, link);

            if (by_address
                    ? l->lam == lam
                    : l->context == lam->AdapterContext && l->pages == lam->AdapterPageCount &&
                          l->first_page == (uint64_t)lam->AdapterPageArray[0].QuadPart)
                return l;
        }
    }
    return NULL;
}

enum verify_lam_result verify_lam_remove(
    struct verify_adapter *a, const NDK_LOGICAL_ADDRESS_MAPPING *lam, struct verify_runs *out)
{
    struct verify_lam *l;
    enum verify_lam_result result;

    out->count = 0;
    out->is_partial = false;
    sn_lock_take(&a->lock);
    l = find_lam(a, lam);
    if (l == NULL) {
        result = a->lams_are_unknown ? VERIFY_LAM_KNOWN : VERIFY_LAM_UNKNOWN;
    } else {
        result = l->context == lam->AdapterContext ? VERIFY_LAM_KNOWN : VERIFY_LAM_CHANGED;
        *out = l->runs;
        sn_list_remove(&l->link);
    }
    sn_lock_drop(&a->lock);
    sn_free(l);
    verify_memory_changed(a);
    return result;
}

/* A run that holds `at`; false: none. */
static bool run_at(struct verify_adapter *a, uint64_t at, struct verify_run *out)
{
    for (struct sn_list *n = a->lams.prev; n != &a->lams; n = n->prev) {
        const struct verify_lam *l = SN_CONTAINER_OF(n, struct verify_lam, link);

        for (unsigned i = 0; i < l->runs.count; i++) {
            if (at >= l->runs.at[i].start && at < l->runs.at[i].end) {
                *out = l->runs.at[i];
                return true;
            }
        }
        if (l->runs.is_partial) {
            *out = (struct verify_run){0, UINT64_MAX};
            return true;
        }
    }
    return false;
}

bool verify_lams_cover_locked(
    struct verify_adapter *a, uint64_t start, uint64_t end, struct verify_run *whole)
{
    struct verify_run run;

    *whole = (struct verify_run){start, end};
    if (a->lams_are_unknown)
        return true;
    if (start >= end || !run_at(a, start, whole))
        return start >= end;
    for (run = *whole; run.end < end;) {
        if (!run_at(a, run.end, &run))
            return false;
    }
    return true;
}

bool verify_lams_cover(struct verify_adapter *a, uint64_t start, uint64_t end)
{
    struct verify_run whole;
    bool is_covered;

    sn_lock_take(&a->lock);
    is_covered = verify_lams_cover_locked(a, start, end, &whole);
    sn_lock_drop(&a->lock);
    return is_covered;
}

unsigned verify_lams_drop(struct verify_adapter *a)
{
    struct sn_list *node;
    unsigned count = 0;

    do {
        sn_lock_take(&a->lock);
        node = sn_list_pop_front(&a->lams);
        sn_lock_drop(&a->lock);
        if (node == NULL)
            break;
        sn_free(SN_CONTAINER_OF(node, struct verify_lam, link));
        count++;
    } while (true);
    return count;
}

/* ---- SGLs ---- */

/* The privileged token: logical addresses, which LAMs have to cover. */
static void check_privileged(const struct verify_sgl_check *c, const NDK_SGE *sge,
    struct verify_found *f, uint32_t generation)
{
    struct verify_adapter *a = c->o->adapter;
    uint64_t start = (uint64_t)sge->LogicalAddress.QuadPart, end = start + sge->Length;
    struct verify_run whole;
    bool is_covered;

    sn_lock_take(&a->lock);
    is_covered = verify_lams_cover_locked(a, start, end, &whole);
    sn_lock_drop(&a->lock);
    if (!is_covered) {
        verify_report(VERIFY_W12, c->o, NULL, c->call,
            "octets 0x%llx to 0x%llx are in no LAM that is built", (unsigned long long)start,
            (unsigned long long)end);
        return;
    }
    if ((c->needs & VERIFY_READ_SINK) != 0) {
        verify_report(VERIFY_W14, c->o, NULL, c->call, "the privileged token names a read sink");
        return;
    }
    *f = (struct verify_found){
        c->privileged, generation, true, whole.start, whole.end, VERIFY_LOCAL_WRITE};
}

static void check_region(const struct verify_sgl_check *c, const NDK_SGE *sge,
    struct verify_found *f, uint32_t generation)
{
    struct verify_adapter *a = c->o->adapter;
    uint64_t start = (uint64_t)(uintptr_t)sge->VirtualAddress, end = start + sge->Length;
    struct verify_token t = {0}, *found;
    uint64_t region_end;

    sn_lock_take(&a->lock);
    found = verify_token_find(a, sge->MemoryRegionToken);
    if (found != NULL) {
        t = *found;
        verify_obj_get(t.o);
    }
    sn_lock_drop(&a->lock);
    region_end = t.base + t.length;
    if (found == NULL || t.o->type != NdkObjectTypeMr) {
        verify_report(VERIFY_W10, c->o, NULL, c->call, "no region has the token 0x%08x",
            sge->MemoryRegionToken);
        if (found == NULL)
            return;
    } else if (t.pd != c->pd) {
        verify_report(VERIFY_W10, c->o, t.o, c->call, "the token 0x%08x is of another PD", t.token);
    } else if (t.is_uncertain) {
        ;
    } else if (!t.is_valid) {
        verify_report(VERIFY_W10, c->o, t.o, c->call,
            "the region of token 0x%08x is not registered", t.token);
    } else if (start < t.base || end < start || end - t.base > t.length) {
        verify_report(VERIFY_W11, c->o, t.o, c->call,
            "octets 0x%llx to 0x%llx are not in the region, which is 0x%llx to 0x%llx",
            (unsigned long long)start, (unsigned long long)end, (unsigned long long)t.base,
            (unsigned long long)region_end);
    } else if ((c->needs & ~t.rights & VERIFY_LOCAL_WRITE) != 0) {
        verify_report(VERIFY_W13, c->o, t.o, c->call, "the region has no local write");
    } else if ((c->needs & ~t.rights) != 0) {
        verify_report(VERIFY_W14, c->o, t.o, c->call, "the region is no read sink");
    } else {
        *f = (struct verify_found){t.token, generation, true, t.base, region_end, t.rights};
    }
    verify_obj_put(t.o);
}

void verify_sgl(const struct verify_sgl_check *c, const NDK_SGE *sgl, ULONG count)
{
    uint32_t generation = sn_a32_load_acquire(&c->o->adapter->generation);

    for (ULONG i = 0; i < count; i++) {
        const NDK_SGE *sge = &sgl[i];
        uint32_t token = sge->MemoryRegionToken;
        struct verify_found *f = &c->found[(token ^ token >> 8) % VERIFY_FOUND_MAX];
        uint64_t start = (uint64_t)(uintptr_t)sge->VirtualAddress;

        if (SN_LIKELY(f->token == token && f->is_set && f->generation == generation &&
                      start >= f->base && start < f->end && sge->Length <= f->end - start &&
                      (c->needs & ~f->rights) == 0))
            continue;
        if (sge->Length == 0)
            continue;
        if (token == c->privileged)
            check_privileged(c, sge, f, generation);
        else
            check_region(c, sge, f, generation);
    }
}

bool verify_sgl_is_memory(
    struct verify_adapter *a, uint32_t privileged, const NDK_SGE *sgl, ULONG count)
{
    bool is_memory = true;

    sn_lock_take(&a->lock);
    for (ULONG i = 0; i < count && is_memory; i++) {
        const struct verify_token *t = verify_token_find(a, sgl[i].MemoryRegionToken);

        is_memory = sgl[i].MemoryRegionToken == privileged || (t != NULL && !t->is_label);
    }
    sn_lock_drop(&a->lock);
    return is_memory;
}
