/* SPDX-License-Identifier: MIT */
/* NDK_ADAPTER_DISPATCH as the consumer sees it with the verifier on. */
#include "verify/kinds.h"

static struct verify_adapter *adapter_of(NDK_ADAPTER *p)
{
    return verify_own(p);
}

static const NDK_ADAPTER_DISPATCH *below(const struct verify_adapter *a)
{
    return a->o.lower;
}

static NTSTATUS NdkQueryAdapterInfo(
    NDK_ADAPTER *pNdkAdapter, NDK_ADAPTER_INFO *pInfo, ULONG *pBufferSize)
{
    struct verify_adapter *a = adapter_of(pNdkAdapter);
    NTSTATUS status;

    if (!verify_usable(&a->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    if (verify_callback_now() != NULL || kenv_irql_now > PASSIVE_LEVEL) {
        verify_report(VERIFY_T6, &a->o, NULL, __func__, "it was called %s",
            verify_callback_now() != NULL ? "in a callback" : "above PASSIVE_LEVEL");
        return STATUS_INVALID_DEVICE_STATE;
    }
    verify_in_out(&a->o, pBufferSize, pBufferSize, __func__);
    verify_enter(&a->o);
    status = below(a)->NdkQueryAdapterInfo(pNdkAdapter, pInfo, pBufferSize);
    verify_leave(&a->o);
    return status;
}

static NTSTATUS NdkCreateCq(NDK_ADAPTER *pNdkAdapter, ULONG CqDepth,
    NDK_FN_CQ_NOTIFICATION_CALLBACK CqNotification, PVOID CqNotificationContext,
    GROUP_AFFINITY *Affinity, NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
    NDK_CQ **ppNdkCq)
{
    struct verify_adapter *a = adapter_of(pNdkAdapter);
    struct verify_cq *cq;
    struct verify_call *call;
    NTSTATUS status;

    if (!verify_usable(&a->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    if (CqNotification == NULL)
        verify_report(VERIFY_L7, &a->o, NULL, __func__, "the notification routine is NULL");
    if (CqDepth == 0 || CqDepth > a->info.MaxCqDepth)
        verify_report(VERIFY_P1, &a->o, NULL, __func__, "the depth is %u; MaxCqDepth is %u",
            CqDepth, a->info.MaxCqDepth);
    cq = verify_obj_new(a, NdkObjectTypeCq, sizeof *cq, &verify_cq_table);
    call = verify_call_create(
        &a->o, __func__, cq != NULL ? &cq->o : NULL, CreateCompletion, RequestContext);
    if (call == NULL || cq == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    verify_obj_stand_on(&cq->o, &a->o);
    cq->notify = CqNotification;
    cq->notify_ctx = CqNotificationContext;
    sn_a32_store_relaxed(&cq->depth, CqDepth);
    status = below(a)->NdkCreateCq(pNdkAdapter, CqDepth,
        CqNotification != NULL ? verify_cq_notified : NULL, cq, Affinity,
        verify_call_create_fn(call), call, ppNdkCq);
    return verify_call_end(call, status, status == STATUS_SUCCESS ? *ppNdkCq : NULL);
}

static void pd_created(struct verify_call *c, NTSTATUS status)
{
    struct verify_pd *pd = (struct verify_pd *)c->made;
    const NDK_PD_DISPATCH *lower;

    if (!NT_SUCCESS(status))
        return;
    lower = pd->o.lower;
    lower->NdkGetPrivilegedMemoryRegionToken((NDK_PD *)(void *)pd->o.pub, &pd->privileged);
}

static NTSTATUS NdkCreatePd(NDK_ADAPTER *pNdkAdapter, NDK_FN_CREATE_COMPLETION CreateCompletion,
    PVOID RequestContext, NDK_PD **ppNdkPd)
{
    struct verify_adapter *a = adapter_of(pNdkAdapter);
    struct verify_pd *pd;
    struct verify_call *call;
    NTSTATUS status;

    if (!verify_usable(&a->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    pd = verify_obj_new(a, NdkObjectTypePd, sizeof *pd, &verify_pd_table);
    call = verify_call_create(
        &a->o, __func__, pd != NULL ? &pd->o : NULL, CreateCompletion, RequestContext);
    if (call == NULL || pd == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    verify_obj_stand_on(&pd->o, &a->o);
    call->done = pd_created;
    status = below(a)->NdkCreatePd(pNdkAdapter, verify_call_create_fn(call), call, ppNdkPd);
    return verify_call_end(call, status, status == STATUS_SUCCESS ? *ppNdkPd : NULL);
}

static NTSTATUS NdkCreateSharedEndpoint(NDK_ADAPTER *pNdkAdapter, PSOCKADDR pAddress,
    ULONG AddressLength, NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
    NDK_SHARED_ENDPOINT **ppNdkSharedEndpoint)
{
    struct verify_adapter *a = adapter_of(pNdkAdapter);
    struct verify_endpoint *e;
    struct verify_call *call;
    NTSTATUS status;

    if (!verify_usable(&a->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    verify_address(&a->o, pAddress, AddressLength, __func__);
    e = verify_obj_new(a, NdkObjectTypeSharedEndpoint, sizeof *e, &verify_endpoint_table);
    call = verify_call_create(
        &a->o, __func__, e != NULL ? &e->o : NULL, CreateCompletion, RequestContext);
    if (call == NULL || e == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    verify_obj_stand_on(&e->o, &a->o);
    status = below(a)->NdkCreateSharedEndpoint(pNdkAdapter, pAddress, AddressLength,
        verify_call_create_fn(call), call, ppNdkSharedEndpoint);
    return verify_call_end(call, status, status == STATUS_SUCCESS ? *ppNdkSharedEndpoint : NULL);
}

static NTSTATUS NdkCreateConnector(NDK_ADAPTER *pNdkAdapter,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_CONNECTOR **ppNdkConnector)
{
    struct verify_adapter *a = adapter_of(pNdkAdapter);
    struct verify_connector *c;
    struct verify_call *call;
    NTSTATUS status;

    if (!verify_usable(&a->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    c = verify_obj_new(a, NdkObjectTypeConnector, sizeof *c, &verify_connector_table);
    call = verify_call_create(
        &a->o, __func__, c != NULL ? &c->o : NULL, CreateCompletion, RequestContext);
    if (call == NULL || c == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    verify_obj_stand_on(&c->o, &a->o);
    status = below(a)->NdkCreateConnector(
        pNdkAdapter, verify_call_create_fn(call), call, ppNdkConnector);
    return verify_call_end(call, status, status == STATUS_SUCCESS ? *ppNdkConnector : NULL);
}

static NTSTATUS NdkCreateListener(NDK_ADAPTER *pNdkAdapter,
    NDK_FN_CONNECT_EVENT_CALLBACK ConnectEvent, PVOID ConnectEventContext,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_LISTENER **ppNdkListener)
{
    struct verify_adapter *a = adapter_of(pNdkAdapter);
    struct verify_listener *l;
    struct verify_call *call;
    NTSTATUS status;

    if (!verify_usable(&a->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    if (ConnectEvent == NULL)
        verify_report(VERIFY_L7, &a->o, NULL, __func__, "the connect event routine is NULL");
    l = verify_obj_new(a, NdkObjectTypeListener, sizeof *l, &verify_listener_table);
    call = verify_call_create(
        &a->o, __func__, l != NULL ? &l->o : NULL, CreateCompletion, RequestContext);
    if (call == NULL || l == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    verify_obj_stand_on(&l->o, &a->o);
    l->event = ConnectEvent;
    l->event_ctx = ConnectEventContext;
    status =
        below(a)->NdkCreateListener(pNdkAdapter, ConnectEvent != NULL ? verify_connect_event : NULL,
            l, verify_call_create_fn(call), call, ppNdkListener);
    return verify_call_end(call, status, status == STATUS_SUCCESS ? *ppNdkListener : NULL);
}

static void lam_built(struct verify_call *c, NTSTATUS status)
{
    if (NT_SUCCESS(status) && c->arg != NULL)
        verify_lam_add(c->o->adapter, c->arg);
}

/* The completion is optional: who passes none wants it inline. */
static NTSTATUS NdkBuildLAM(NDK_ADAPTER *pNdkAdapter, MDL *Mdl, SIZE_T Length,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext,
    NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM, ULONG *pLAMSize, ULONG *pFBO)
{
    struct verify_adapter *a = adapter_of(pNdkAdapter);
    struct verify_call *call;

    if (!verify_usable(&a->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    if (pLAMSize == NULL)
        verify_in_out(&a->o, pNdkLAM, pLAMSize, __func__);
    call = verify_call_new(&a->o, __func__, RequestCompletion, RequestContext, true);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    call->done = lam_built;
    call->arg = pNdkLAM;
    if (verify_mdl(&a->o, Mdl, Length, __func__))
        verify_call_watch_mdl(call, Mdl);
    return verify_call_end(call,
        below(a)->NdkBuildLAM(
            pNdkAdapter, Mdl, Length, verify_call_fn(call), call, pNdkLAM, pLAMSize, pFBO),
        NULL);
}

/* A region that was fast registered over pages of the run, which are mapped no more. */
static struct verify_obj *registered_over(struct verify_adapter *a, const struct verify_run *run)
{
    struct verify_run whole;

    for (struct sn_list *n = a->objects.next; n != &a->objects; n = n->next) {
        struct verify_obj *o = SN_CONTAINER_OF(n, struct verify_obj, link);
        const struct verify_mr *m = (const struct verify_mr *)o;

        if (o->type != NdkObjectTypeMr || m->state != VERIFY_MR_FAST)
            continue;
        for (unsigned i = 0; i < m->runs.count; i++) {
            uint64_t start = m->runs.at[i].start > run->start ? m->runs.at[i].start : run->start;
            uint64_t end = m->runs.at[i].end < run->end ? m->runs.at[i].end : run->end;

            if (start < end && !verify_lams_cover_locked(a, start, end, &whole)) {
                verify_obj_get(o);
                return o;
            }
        }
    }
    return NULL;
}

/* Pages that another LAM covers as well stay where they are: small buffers share a page. */
static void uncovered_go(struct verify_adapter *a, const struct verify_run *run, const char *call)
{
    uint64_t start = run->start;

    while (start < run->end) {
        uint64_t end = start;

        while (end < run->end && !verify_lams_cover(a, end, end + PAGE_SIZE))
            end += PAGE_SIZE;
        if (end > start)
            verify_memory_in_use(&a->o, 0, start, end < run->end ? end : run->end, call);
        start = end + PAGE_SIZE;
    }
}

static void pages_go(struct verify_adapter *a, const struct verify_run *run, const char *call)
{
    struct verify_obj *region;

    sn_lock_take(&a->lock);
    region = registered_over(a, run);
    sn_lock_drop(&a->lock);
    if (region != NULL) {
        verify_report(VERIFY_M16, &a->o, region, call,
            "a region that is still registered lies in the pages of the LAM");
        verify_obj_put(region);
    }
    uncovered_go(a, run, call);
}

static VOID NdkReleaseLAM(NDK_ADAPTER *pNdkAdapter, NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM)
{
    struct verify_adapter *a = adapter_of(pNdkAdapter);
    enum verify_lam_result result;
    struct verify_runs runs;

    if (!verify_usable(&a->o, __func__))
        return;
    if (pNdkLAM == NULL) {
        verify_report(VERIFY_P11, &a->o, NULL, __func__, "the LAM is NULL");
        return;
    }
    verify_enter(&a->o);
    result = verify_lam_remove(a, pNdkLAM, &runs);
    if (result == VERIFY_LAM_UNKNOWN)
        verify_report(VERIFY_P11, &a->o, NULL, __func__, "%p was not built, or was released before",
            (void *)pNdkLAM);
    else if (result == VERIFY_LAM_CHANGED)
        verify_report(VERIFY_P11, &a->o, NULL, __func__, "the AdapterContext of %p was changed",
            (void *)pNdkLAM);
    for (unsigned i = 0; i < runs.count; i++)
        pages_go(a, &runs.at[i], __func__);
    below(a)->NdkReleaseLAM(pNdkAdapter, pNdkLAM);
    verify_leave(&a->o);
}

const NDK_ADAPTER_DISPATCH verify_adapter_table = {
    .NdkQueryExtension = verify_query_extension,
    .NdkQueryAdapterInfo = NdkQueryAdapterInfo,
    .NdkCreateCq = NdkCreateCq,
    .NdkCreatePd = NdkCreatePd,
    .NdkCreateSharedEndpoint = NdkCreateSharedEndpoint,
    .NdkCreateConnector = NdkCreateConnector,
    .NdkCreateListener = NdkCreateListener,
    .NdkBuildLAM = NdkBuildLAM,
    .NdkReleaseLAM = NdkReleaseLAM,
};
