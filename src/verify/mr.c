/* SPDX-License-Identifier: MIT */
/* NDK_MR_DISPATCH and NDK_MW_DISPATCH as the consumer sees them with the verifier on. */
#include "ndk/mdl.h"
#include "verify/kinds.h"

static struct verify_mr *mr_of(NDK_MR *p)
{
    return verify_own(p);
}

static const NDK_MR_DISPATCH *below(const struct verify_mr *m)
{
    return m->o.lower;
}

/* ---- what goes away ---- */

static void windows_left(struct verify_mr *m, const char *call)
{
    uint32_t windows = sn_a32_load_acquire(&m->windows);

    if (windows != 0)
        verify_report(VERIFY_M14, &m->o, NULL, call, "%u windows are bound to the region", windows);
}

/* The token names nothing from now on. False: the region was not registered. */
static bool take_token(struct verify_mr *m, enum verify_mr_state next, uint32_t *token)
{
    struct verify_adapter *a = m->o.adapter;
    bool was_registered;

    sn_lock_take(&a->lock);
    was_registered = m->state == VERIFY_MR_REGISTERED || m->state == VERIFY_MR_FAST;
    *token = m->token.token;
    m->state = next;
    m->token.is_valid = false;
    sn_lock_drop(&a->lock);
    verify_memory_changed(a);
    return was_registered;
}

void verify_mr_closing(struct verify_mr *m, const char *call)
{
    struct verify_adapter *a = m->o.adapter;
    uint32_t token;

    windows_left(m, call);
    if (take_token(m, VERIFY_MR_NEW, &token))
        verify_memory_in_use(&m->o, token, 0, 0, call);
    sn_lock_take(&a->lock);
    sn_list_remove(&m->token.link);
    sn_lock_drop(&a->lock);
}

void verify_mw_closing(struct verify_mw *w)
{
    struct verify_adapter *a = w->o.adapter;
    struct verify_mr *m;

    sn_lock_take(&a->lock);
    m = w->mr;
    w->mr = NULL;
    sn_list_remove(&w->token.link);
    sn_lock_drop(&a->lock);
    if (m == NULL)
        return;
    sn_a32_fetch_sub(&m->windows, 1);
    verify_obj_put(&m->o);
}

static NTSTATUS NdkCloseMr(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    const struct verify_mr *m = verify_own(pNdkObject);

    return verify_close(
        pNdkObject, CloseCompletion, RequestContext, below(m)->NdkCloseMr, __func__);
}

/* ---- registration ---- */

static uint32_t rights_of(ULONG flags)
{
    uint32_t rights = 0;

    if ((flags & NDK_MR_FLAG_ALLOW_LOCAL_WRITE) != 0)
        rights |= VERIFY_LOCAL_WRITE;
    if ((flags & NDK_MR_FLAG_ALLOW_REMOTE_READ) != 0)
        rights |= VERIFY_REMOTE_READ;
    if ((flags & NDK_MR_FLAG_ALLOW_REMOTE_WRITE) == NDK_MR_FLAG_ALLOW_REMOTE_WRITE)
        rights |= VERIFY_REMOTE_WRITE;
    if ((flags & NDK_MR_FLAG_RDMA_READ_SINK) != 0)
        rights |= VERIFY_READ_SINK;
    return rights;
}

/* number: base, length, flags. */
static void registered(struct verify_call *c, NTSTATUS status)
{
    struct verify_mr *m = (struct verify_mr *)c->o;
    struct verify_adapter *a = m->o.adapter;
    uint32_t token = 0;

    if (NT_SUCCESS(status))
        token = below(m)->NdkGetLocalTokenFromMr((NDK_MR *)(void *)m->o.pub);
    sn_lock_take(&a->lock);
    m->state = NT_SUCCESS(status) ? VERIFY_MR_REGISTERED : VERIFY_MR_NEW;
    if (NT_SUCCESS(status)) {
        verify_token_set(a, &m->token, token);
        m->token.is_valid = true;
        m->token.base = c->number[0];
        m->token.length = c->number[1];
        m->token.rights = rights_of((ULONG)c->number[2]);
    }
    sn_lock_drop(&a->lock);
    verify_memory_changed(a);
}

/* From `want` to BUSY; otherwise the state it is in. */
static enum verify_mr_state begin(struct verify_mr *m, enum verify_mr_state want)
{
    struct verify_adapter *a = m->o.adapter;
    enum verify_mr_state state;

    sn_lock_take(&a->lock);
    state = m->state;
    if (state == want)
        m->state = VERIFY_MR_BUSY;
    sn_lock_drop(&a->lock);
    return state;
}

static NTSTATUS NdkRegisterMr(NDK_MR *pNdkMr, MDL *Mdl, SIZE_T Length, ULONG Flags,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct verify_mr *m = mr_of(pNdkMr);
    struct verify_call *call;
    uint8_t *start = NULL;
    bool is_sound;

    if (!verify_usable(&m->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    if (m->is_fast)
        verify_report(
            VERIFY_M1, &m->o, NULL, __func__, "the region was created with FastRegister TRUE");
    if (Length > m->o.adapter->info.MaxRegistrationSize)
        verify_report(VERIFY_P8, &m->o, NULL, __func__, "%zu octets; MaxRegistrationSize is %zu",
            (size_t)Length, (size_t)m->o.adapter->info.MaxRegistrationSize);
    is_sound =
        verify_mdl(&m->o, Mdl, Length, __func__) && ndk_mdl_range(Mdl, Length, &start) == SN_OK;
    call = verify_call_new(&m->o, __func__, RequestCompletion, RequestContext, false);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (is_sound)
        verify_call_watch_mdl(call, Mdl);
    if (!m->is_fast && begin(m, VERIFY_MR_NEW) == VERIFY_MR_NEW)
        call->done = registered;
    else if (!m->is_fast)
        verify_report(VERIFY_M2, &m->o, NULL, __func__, "the region is registered already");
    call->number[0] = (uint64_t)(uintptr_t)start;
    call->number[1] = Length;
    call->number[2] = Flags;
    return verify_call_end(call,
        below(m)->NdkRegisterMr(pNdkMr, Mdl, Length, Flags, verify_call_fn(call), call), NULL);
}

/* number: 1 if the region was registered. */
static void deregistered(struct verify_call *c, NTSTATUS status)
{
    struct verify_mr *m = (struct verify_mr *)c->o;
    struct verify_adapter *a = m->o.adapter;

    if (NT_SUCCESS(status) || c->number[0] == 0)
        return;
    sn_lock_take(&a->lock);
    m->state = VERIFY_MR_REGISTERED;
    m->token.is_valid = true;
    sn_lock_drop(&a->lock);
    verify_memory_changed(a);
}

static NTSTATUS NdkDeregisterMr(
    NDK_MR *pNdkMr, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct verify_mr *m = mr_of(pNdkMr);
    struct verify_call *call;
    bool was_registered = false;
    uint32_t token;

    if (!verify_usable(&m->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    if (m->is_fast) {
        verify_report(VERIFY_M2, &m->o, NULL, __func__,
            "the region is for fast registration, which is invalidated");
    } else if (!take_token(m, VERIFY_MR_NEW, &token)) {
        verify_report(VERIFY_M2, &m->o, NULL, __func__, "the region is not registered");
    } else {
        was_registered = true;
        windows_left(m, __func__);
        verify_memory_in_use(&m->o, token, 0, 0, __func__);
    }
    call = verify_call_new(&m->o, __func__, RequestCompletion, RequestContext, false);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    call->done = deregistered;
    call->number[0] = was_registered;
    return verify_call_end(
        call, below(m)->NdkDeregisterMr(pNdkMr, verify_call_fn(call), call), NULL);
}

/* number: pages, remote access. */
static void initialized(struct verify_call *c, NTSTATUS status)
{
    struct verify_mr *m = (struct verify_mr *)c->o;
    struct verify_adapter *a = m->o.adapter;
    uint32_t token = 0;

    if (NT_SUCCESS(status))
        token = below(m)->NdkGetLocalTokenFromMr((NDK_MR *)(void *)m->o.pub);
    sn_lock_take(&a->lock);
    if (NT_SUCCESS(status)) {
        if (m->state == VERIFY_MR_NEW || m->state == VERIFY_MR_BUSY)
            m->state = VERIFY_MR_READY;
        m->pages_max = (ULONG)c->number[0];
        m->is_remote = c->number[1] != 0;
        m->token.is_label = true;
        verify_token_set(a, &m->token, token);
    } else if (m->state == VERIFY_MR_BUSY) {
        m->state = VERIFY_MR_NEW;
    }
    sn_lock_drop(&a->lock);
    verify_memory_changed(a);
}

static NTSTATUS NdkInitializeFastRegisterMr(NDK_MR *pNdkMr, ULONG AdapterPageCount,
    BOOLEAN RemoteAccess, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct verify_mr *m = mr_of(pNdkMr);
    struct verify_call *call;

    if (!verify_usable(&m->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    call = verify_call_new(&m->o, __func__, RequestCompletion, RequestContext, false);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (!m->is_fast)
        verify_report(
            VERIFY_M1, &m->o, NULL, __func__, "the region was created with FastRegister FALSE");
    else {
        (void)begin(m, VERIFY_MR_NEW);
        call->done = initialized;
    }
    call->number[0] = AdapterPageCount;
    call->number[1] = RemoteAccess != FALSE;
    return verify_call_end(call,
        below(m)->NdkInitializeFastRegisterMr(
            pNdkMr, AdapterPageCount, RemoteAccess, verify_call_fn(call), call),
        NULL);
}

/* ---- tokens ---- */

static void check_token(struct verify_mr *m, const char *call)
{
    struct verify_adapter *a = m->o.adapter;
    enum verify_mr_state state;

    sn_lock_take(&a->lock);
    state = m->state;
    sn_lock_drop(&a->lock);
    if (state == VERIFY_MR_NEW || state == VERIFY_MR_BUSY)
        verify_report(VERIFY_M8, &m->o, NULL, call, "the region is not %s",
            m->is_fast ? "initialised" : "registered");
}

static UINT32 NdkGetRemoteTokenFromMr(NDK_MR *pNdkMr)
{
    struct verify_mr *m = mr_of(pNdkMr);

    if (!verify_usable(&m->o, __func__))
        return 0;
    check_token(m, __func__);
    return below(m)->NdkGetRemoteTokenFromMr(pNdkMr);
}

static UINT32 NdkGetLocalTokenFromMr(NDK_MR *pNdkMr)
{
    struct verify_mr *m = mr_of(pNdkMr);

    if (!verify_usable(&m->o, __func__))
        return 0;
    check_token(m, __func__);
    return below(m)->NdkGetLocalTokenFromMr(pNdkMr);
}

const NDK_MR_DISPATCH verify_mr_table = {
    .NdkCloseMr = NdkCloseMr,
    .NdkQueryExtension = verify_query_extension,
    .NdkRegisterMr = NdkRegisterMr,
    .NdkDeregisterMr = NdkDeregisterMr,
    .NdkInitializeFastRegisterMr = NdkInitializeFastRegisterMr,
    .NdkGetRemoteTokenFromMr = NdkGetRemoteTokenFromMr,
    .NdkGetLocalTokenFromMr = NdkGetLocalTokenFromMr,
};

/* ---- windows ---- */

static NTSTATUS NdkCloseMw(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    const struct verify_mw *w = verify_own(pNdkObject);
    const NDK_MW_DISPATCH *lower = w->o.lower;

    return verify_close(pNdkObject, CloseCompletion, RequestContext, lower->NdkCloseMw, __func__);
}

static UINT32 NdkGetRemoteTokenFromMw(NDK_MW *pNdkMw)
{
    struct verify_mw *w = verify_own(pNdkMw);
    const NDK_MW_DISPATCH *lower = w->o.lower;
    bool is_bound;

    if (!verify_usable(&w->o, __func__))
        return 0;
    sn_lock_take(&w->o.adapter->lock);
    is_bound = w->token.is_valid || w->token.is_uncertain;
    sn_lock_drop(&w->o.adapter->lock);
    if (!is_bound)
        verify_report(VERIFY_M8, &w->o, NULL, __func__, "the window is not bound");
    return lower->NdkGetRemoteTokenFromMw(pNdkMw);
}

const NDK_MW_DISPATCH verify_mw_table = {
    .NdkCloseMw = NdkCloseMw,
    .NdkQueryExtension = verify_query_extension,
    .NdkGetRemoteTokenFromMw = NdkGetRemoteTokenFromMw,
};
