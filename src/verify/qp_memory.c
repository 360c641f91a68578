/* SPDX-License-Identifier: MIT */
/*
 * Bind, fast register, invalidate with the verifier on. What they do to a region or window is
 * reckoned when they are posted, since later requests of the queue may rely on it; a failed one
 * leaves the state uncertain (verify_wr_uncertain).
 */
#include "ndk/flags.h"
#include "verify/post.h"

static const NDK_QP_DISPATCH *below(const struct verify_qp *q)
{
    return q->o.lower;
}

/* The record of such a request names the token, as an SGE of no octets. */
static bool record_token(struct verify_post *p, PVOID context, uint32_t token)
{
    const NDK_SGE sge = {.VirtualAddress = NULL, .Length = 0, .MemoryRegionToken = token};

    return verify_post_record(p, context, &sge, 1);
}

/* The region or window may be used on this QP. */
static void check_same_pd(struct verify_post *p, struct verify_obj *o, const struct verify_pd *pd)
{
    verify_one_adapter(&p->q->o, o->pub, p->call);
    if (o->adapter == p->q->o.adapter && pd != p->q->pd)
        verify_report(
            VERIFY_W18, &p->q->o, o, p->call, "the %s is of another PD", verify_type_name(o->type));
}

/* ---- bind ---- */

static void check_bind(struct verify_post *p, const struct verify_mr *m, const struct verify_mw *w,
    uint64_t start, uint64_t length)
{
    struct verify_adapter *a = p->q->o.adapter;
    struct verify_token region;
    bool is_registered, is_bound;

    sn_lock_take(&a->lock);
    region = m->token;
    is_registered = region.is_valid || region.is_uncertain;
    is_bound = w->token.is_valid && !w->token.is_uncertain;
    sn_lock_drop(&a->lock);
    if ((p->flags & NDK_OP_FLAG_ALLOW_REMOTE_READ) == 0 &&
        (p->flags & NDK_OP_FLAG_ALLOW_REMOTE_WRITE) != NDK_OP_FLAG_ALLOW_REMOTE_WRITE)
        verify_report(VERIFY_M9, &p->q->o, &((struct verify_mw *)(uintptr_t)w)->o, p->call,
            "the flags are 0x%x", p->flags);
    if (length > a->info.MaxWindowSize)
        verify_report(VERIFY_P8, &p->q->o, NULL, p->call, "the window has %llu octets",
            (unsigned long long)length);
    if (is_bound)
        verify_report(VERIFY_M11, &p->q->o, &((struct verify_mw *)(uintptr_t)w)->o, p->call,
            "the window is bound");
    if (!is_registered)
        verify_report(VERIFY_M10, &p->q->o, region.o, p->call, "the region is not registered");
    else if (region.is_valid && (start < region.base || length > region.length ||
                                    start - region.base > region.length - length))
        verify_report(VERIFY_M10, &p->q->o, region.o, p->call,
            "octets 0x%llx and %llu on are not inside the region", (unsigned long long)start,
            (unsigned long long)length);
    else if (region.is_valid &&
             (p->flags & NDK_OP_FLAG_ALLOW_REMOTE_WRITE) == NDK_OP_FLAG_ALLOW_REMOTE_WRITE &&
             (region.rights & VERIFY_LOCAL_WRITE) == 0)
        verify_report(VERIFY_M10, &p->q->o, region.o, p->call, "the region has no local write");
}

/* Takes effect with the call: the token is new. */
static void bound(struct verify_mr *m, struct verify_mw *w, uint64_t start, uint64_t length)
{
    struct verify_adapter *a = w->o.adapter;
    const NDK_MW_DISPATCH *lower = w->o.lower;
    uint32_t token = lower->NdkGetRemoteTokenFromMw((NDK_MW *)(void *)w->o.pub);
    struct verify_mr *before;

    sn_lock_take(&a->lock);
    before = w->mr;
    w->mr = m;
    verify_token_set(a, &w->token, token);
    w->token.is_valid = true;
    w->token.is_uncertain = false;
    w->token.base = start;
    w->token.length = length;
    sn_lock_drop(&a->lock);
    verify_memory_changed(a);
    verify_obj_get(&m->o);
    sn_a32_fetch_add(&m->windows, 1);
    if (before != NULL) {
        sn_a32_fetch_sub(&before->windows, 1);
        verify_obj_put(&before->o);
    }
}

NTSTATUS verify_bind(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr, NDK_MW *pMw,
    PVOID VirtualAddress, SIZE_T Length, ULONG Flags)
{
    struct verify_post p = {
        .q = verify_own(pNdkQp), .op = VERIFY_BIND, .call = "NdkBind", .flags = Flags};
    struct verify_mr *m = pMr != NULL ? verify_shadow(pMr) : NULL;
    struct verify_mw *w = pMw != NULL ? verify_shadow(pMw) : NULL;
    NTSTATUS status;

    if (!verify_post_begin(&p))
        return verify_post_refused(&p);
    if (m != NULL && w != NULL) {
        check_same_pd(&p, &m->o, m->pd);
        check_same_pd(&p, &w->o, w->pd);
        check_bind(&p, m, w, (uint64_t)(uintptr_t)VirtualAddress, Length);
    }
    if (!record_token(&p, RequestContext, 0))
        return verify_post_refused(&p);
    status = below(p.q)->NdkBind(pNdkQp, p.wr, pMr, pMw, VirtualAddress, Length, Flags);
    if (status == STATUS_SUCCESS && m != NULL && w != NULL) {
        bound(m, w, (uint64_t)(uintptr_t)VirtualAddress, Length);
        sn_a64_store_relaxed(&p.wr->pieces[0].what, w->token.token);
    }
    return verify_post_end(&p, status);
}

/* ---- fast register ---- */

struct fast {
    struct verify_mr *m;
    ULONG pages_count;
    const NDK_LOGICAL_ADDRESS *pages;
    ULONG fbo;
    uint64_t length, base;
    struct verify_runs runs;
};

static bool are_aligned(const struct fast *f)
{
    uint64_t bits = 0;

    for (ULONG i = 0; i < f->pages_count; i++)
        bits |= (uint64_t)f->pages[i].QuadPart;
    return (bits & (PAGE_SIZE - 1)) == 0;
}

static void check_pages(struct verify_post *p, struct fast *f)
{
    if (f->pages_count > f->m->pages_max) {
        verify_report(VERIFY_M5, &p->q->o, &f->m->o, p->call,
            "%u pages; the region was initialised for %u", f->pages_count, f->m->pages_max);
        return;
    }
    if (!are_aligned(f)) {
        verify_report(VERIFY_M5, &p->q->o, &f->m->o, p->call, "a page is not aligned");
        return;
    }
    for (unsigned i = 0; i < f->runs.count; i++) {
        if (!verify_lams_cover(p->q->o.adapter, f->runs.at[i].start, f->runs.at[i].end)) {
            verify_report(VERIFY_M5, &p->q->o, &f->m->o, p->call,
                "pages 0x%llx to 0x%llx are in no LAM that is built",
                (unsigned long long)f->runs.at[i].start, (unsigned long long)f->runs.at[i].end);
            return;
        }
    }
}

static void check_range(struct verify_post *p, const struct fast *f)
{
    if (f->fbo >= PAGE_SIZE)
        verify_report(VERIFY_M6, &p->q->o, &f->m->o, p->call, "FBO is %u", f->fbo);
    else if (f->length > (uint64_t)f->pages_count * PAGE_SIZE - f->fbo)
        verify_report(VERIFY_M6, &p->q->o, &f->m->o, p->call,
            "%llu octets do not fit into %u pages behind FBO %u", (unsigned long long)f->length,
            f->pages_count, f->fbo);
    else if (f->base % PAGE_SIZE != f->fbo)
        verify_report(VERIFY_M6, &p->q->o, &f->m->o, p->call,
            "BaseVirtualAddress is 0x%llx, FBO %u", (unsigned long long)f->base, f->fbo);
}

static void check_fast(struct verify_post *p, struct fast *f)
{
    struct verify_adapter *a = p->q->o.adapter;
    struct verify_mr *m = f->m;
    enum verify_mr_state state;
    bool is_uncertain, is_orphan;

    sn_lock_take(&a->lock);
    state = m->state;
    is_uncertain = m->token.is_uncertain;
    is_orphan = m->fast_qp != NULL && verify_state_of(&m->fast_qp->o) != VERIFY_OPEN;
    sn_lock_drop(&a->lock);
    if (!m->is_fast) {
        verify_report(
            VERIFY_M1, &p->q->o, &m->o, p->call, "the region was created with FastRegister FALSE");
        return;
    }
    if (state == VERIFY_MR_NEW || state == VERIFY_MR_BUSY) {
        verify_report(VERIFY_M3, &p->q->o, &m->o, p->call, "the region is not initialised");
        return;
    }
    if (state == VERIFY_MR_FAST && !is_uncertain)
        verify_report(is_orphan ? VERIFY_M17 : VERIFY_M4, &p->q->o, &m->o, p->call,
            "the region is registered%s", is_orphan ? ", on a QP that was closed" : "");
    if ((p->flags & (NDK_OP_FLAG_ALLOW_REMOTE_READ |
                        (NDK_OP_FLAG_ALLOW_REMOTE_WRITE & ~NDK_OP_FLAG_ALLOW_LOCAL_WRITE))) != 0 &&
        !m->is_remote)
        verify_report(VERIFY_M7, &p->q->o, &m->o, p->call,
            "the flags are 0x%x; the region was initialised without RemoteAccess", p->flags);
    check_pages(p, f);
    check_range(p, f);
}

static uint32_t rights_of(ULONG flags)
{
    uint32_t rights = 0;

    if ((flags & NDK_OP_FLAG_ALLOW_LOCAL_WRITE) != 0)
        rights |= VERIFY_LOCAL_WRITE;
    if ((flags & NDK_OP_FLAG_ALLOW_REMOTE_READ) != 0)
        rights |= VERIFY_REMOTE_READ;
    if ((flags & NDK_OP_FLAG_ALLOW_REMOTE_WRITE) == NDK_OP_FLAG_ALLOW_REMOTE_WRITE)
        rights |= VERIFY_REMOTE_WRITE;
    if ((flags & NDK_OP_FLAG_RDMA_READ_SINK) != 0)
        rights |= VERIFY_READ_SINK;
    return rights;
}

/* What a request changes, to put it back when the provider refuses it. */
struct before {
    enum verify_mr_state state;
    bool is_valid, is_uncertain, was_told_plainly;
};

static void put_back(struct verify_mr *m, const struct before *b)
{
    struct verify_adapter *a = m->o.adapter;

    sn_lock_take(&a->lock);
    m->state = b->state;
    m->token.is_valid = b->is_valid;
    m->token.is_uncertain = b->is_uncertain;
    m->was_told_plainly = b->was_told_plainly;
    sn_lock_drop(&a->lock);
    verify_memory_changed(a);
}

/* The adapter's lock is held. */
static struct before before_of(const struct verify_mr *m)
{
    return (struct before){m->state, m->token.is_valid, m->token.is_uncertain, m->was_told_plainly};
}

static struct before registered(struct verify_post *p, const struct fast *f)
{
    struct verify_adapter *a = p->q->o.adapter;
    struct verify_mr *m = f->m;
    struct verify_qp *earlier;
    struct before b;

    verify_obj_get(&p->q->o);
    sn_lock_take(&a->lock);
    b = before_of(m);
    earlier = m->fast_qp;
    m->fast_qp = p->q;
    m->state = VERIFY_MR_FAST;
    m->runs = f->runs;
    m->token.is_valid = true;
    m->token.is_uncertain = false;
    m->token.base = f->base;
    m->token.length = f->length;
    m->token.rights = rights_of(p->flags);
    sn_lock_drop(&a->lock);
    verify_memory_changed(a);
    if (earlier != NULL)
        verify_obj_put(&earlier->o);
    return b;
}

NTSTATUS verify_fast_register(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr,
    ULONG AdapterPageCount, const NDK_LOGICAL_ADDRESS *AdapterPageArray, ULONG FBO, SIZE_T Length,
    PVOID BaseVirtualAddress, ULONG Flags)
{
    struct verify_post p = {.q = verify_own(pNdkQp),
        .op = VERIFY_FAST_REGISTER,
        .call = "NdkFastRegister",
        .flags = Flags};
    struct fast f = {.m = pMr != NULL ? verify_shadow(pMr) : NULL,
        .pages_count = AdapterPageCount,
        .pages = AdapterPageArray,
        .fbo = FBO,
        .length = Length,
        .base = (uint64_t)(uintptr_t)BaseVirtualAddress};
    struct before before = {0};
    NTSTATUS status;

    if (!verify_post_begin(&p))
        return verify_post_refused(&p);
    if (f.m != NULL && f.pages != NULL) {
        check_same_pd(&p, &f.m->o, f.m->pd);
        verify_runs_of(f.pages, f.pages_count, &f.runs);
        check_fast(&p, &f);
    }
    if (!record_token(&p, RequestContext, f.m != NULL ? f.m->token.token : 0))
        return verify_post_refused(&p);
    if (f.m != NULL)
        before = registered(&p, &f);
    status = below(p.q)->NdkFastRegister(pNdkQp, p.wr, pMr, AdapterPageCount, AdapterPageArray, FBO,
        Length, BaseVirtualAddress, Flags);
    if (status != STATUS_SUCCESS && f.m != NULL)
        put_back(f.m, &before);
    return verify_post_end(&p, status);
}

/* ---- invalidate ---- */

static void invalidate_mr(struct verify_post *p, struct verify_mr *m)
{
    struct verify_adapter *a = p->q->o.adapter;
    bool is_valid, is_uncertain, was_told_plainly;

    check_same_pd(p, &m->o, m->pd);
    sn_lock_take(&a->lock);
    is_valid = m->state == VERIFY_MR_FAST;
    is_uncertain = m->token.is_uncertain;
    was_told_plainly = m->was_told_plainly;
    sn_lock_drop(&a->lock);
    if (!m->is_fast)
        verify_report(
            VERIFY_M12, &p->q->o, &m->o, p->call, "the region was created with FastRegister FALSE");
    else if (!is_valid && !is_uncertain)
        verify_report(was_told_plainly ? VERIFY_M18 : VERIFY_M13, &p->q->o, &m->o, p->call,
            "the region is not registered%s",
            was_told_plainly ? ": a peer invalidated it, told to NdkGetCqResults" : "");
}

static void invalidate_mw(struct verify_post *p, struct verify_mw *w)
{
    struct verify_adapter *a = p->q->o.adapter;
    bool is_bound, was_told_plainly;

    check_same_pd(p, &w->o, w->pd);
    sn_lock_take(&a->lock);
    is_bound = w->token.is_valid || w->token.is_uncertain;
    was_told_plainly = w->was_told_plainly;
    sn_lock_drop(&a->lock);
    if (!is_bound)
        verify_report(was_told_plainly ? VERIFY_M18 : VERIFY_M13, &p->q->o, &w->o, p->call,
            "the window is not bound");
}

/* From now on it is not valid for what is posted later. */
static struct before invalidated_mr(struct verify_mr *m)
{
    struct verify_adapter *a = m->o.adapter;
    struct before b;

    sn_lock_take(&a->lock);
    b = before_of(m);
    if (m->is_fast && m->state == VERIFY_MR_FAST) {
        m->state = VERIFY_MR_READY;
        m->token.is_valid = false;
    }
    m->token.is_uncertain = false;
    m->was_told_plainly = false;
    sn_lock_drop(&a->lock);
    verify_memory_changed(a);
    return b;
}

static void invalidated_mw(struct verify_mw *w)
{
    struct verify_adapter *a = w->o.adapter;
    struct verify_mr *region;

    sn_lock_take(&a->lock);
    region = w->mr;
    w->mr = NULL;
    w->token.is_valid = false;
    w->token.is_uncertain = false;
    w->was_told_plainly = false;
    sn_lock_drop(&a->lock);
    verify_memory_changed(a);
    if (region != NULL) {
        sn_a32_fetch_sub(&region->windows, 1);
        verify_obj_put(&region->o);
    }
}

NTSTATUS verify_invalidate(
    NDK_QP *pNdkQp, PVOID RequestContext, NDK_OBJECT_HEADER *pNdkMrOrMw, ULONG Flags)
{
    struct verify_post p = {
        .q = verify_own(pNdkQp), .op = VERIFY_INVALIDATE, .call = "NdkInvalidate", .flags = Flags};
    struct verify_obj *o = pNdkMrOrMw != NULL ? verify_shadow(pNdkMrOrMw) : NULL;
    struct verify_mr *m = o != NULL && o->type == NdkObjectTypeMr ? (struct verify_mr *)o : NULL;
    struct verify_mw *w = o != NULL && o->type == NdkObjectTypeMw ? (struct verify_mw *)o : NULL;
    struct before before = {0};
    NTSTATUS status;

    if (!verify_post_begin(&p))
        return verify_post_refused(&p);
    if (m != NULL)
        invalidate_mr(&p, m);
    else if (w != NULL)
        invalidate_mw(&p, w);
    if (!record_token(&p, RequestContext,
            m != NULL   ? m->token.token
            : w != NULL ? w->token.token
                        : 0))
        return verify_post_refused(&p);
    if (m != NULL)
        before = invalidated_mr(m);
    status = below(p.q)->NdkInvalidate(pNdkQp, p.wr, pNdkMrOrMw, Flags);
    if (status != STATUS_SUCCESS && m != NULL)
        put_back(m, &before);
    else if (status == STATUS_SUCCESS && w != NULL)
        invalidated_mw(w);
    return verify_post_end(&p, status);
}
