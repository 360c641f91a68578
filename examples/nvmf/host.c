/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <string.h>

enum { POOL_TAG = 0x666d766e, WAIT_100NS = 1000000 };

/* ---- One asynchronous call ----------------------------------------------------------------- */
/*
 * Every NDK call with a completion routine either returns STATUS_PENDING, then the routine runs
 * exactly once (perhaps before the call has returned), or anything else, then it never runs.
 */
struct call {
    KEVENT event;
    NTSTATUS status;
    NDK_OBJECT_HEADER *object;
};

static void call_begin(struct call *c)
{
    KeInitializeEvent(&c->event, NotificationEvent, FALSE);
    c->status = STATUS_PENDING;
    c->object = NULL;
}

static VOID completed(PVOID context, NTSTATUS status)
{
    struct call *c = context;

    c->status = status;
    KeSetEvent(&c->event, IO_NO_INCREMENT, FALSE); /* the last touch: c is on a stack */
}

static VOID created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    ((struct call *)context)->object = object;
    completed(context, status);
}

static VOID closed(PVOID context)
{
    completed(context, STATUS_SUCCESS);
}

static NTSTATUS call_end(struct call *c, NTSTATUS returned)
{
    if (returned != STATUS_PENDING)
        return returned;
    KeWaitForSingleObject(&c->event, Executive, KernelMode, FALSE, NULL);
    return c->status;
}

/* A created object comes at one place only: through the pointer, or with the completion. */
static NTSTATUS call_end_create(struct call *c, NTSTATUS returned, void **object)
{
    NTSTATUS status = call_end(c, returned);

    if (!NT_SUCCESS(status))
        *object = NULL;
    else if (returned == STATUS_PENDING)
        *object = c->object;
    return status;
}

/* Each kind of object has its own close entry; this waits for any of them. */
#define CLOSE(object, entry)                                                                       \
    do {                                                                                           \
        struct call close_call;                                                                    \
        call_begin(&close_call);                                                                   \
        if ((object) != NULL)                                                                      \
            call_end(                                                                              \
                &close_call, (object)->Dispatch->entry(&(object)->Header, closed, &close_call));   \
        (object) = NULL;                                                                           \
    } while (0)

/* ---- The machine --------------------------------------------------------------------------- */

NTSTATUS host_open(struct host *h)
{
    SOFTNDK_OPTIONS options = SOFTNDK_OPTIONS_INIT;
    NDK_VERSION version = {2, 1}; /* 1.2 would do: it has remote invalidation */
    ULONG size = sizeof h->info;
    struct call c;
    NTSTATUS status;
    void *pd = NULL;

    memset(h, 0, sizeof *h);
    /* A driver asks the IP stack for the source address of a route; here the wildcard leaves that
     * to the host. In Windows the adapter comes from WSK or NDIS and not from this call. */
    options.AllowWildcard = 1;
    options.Transport = SOFTNDK_TRANSPORT_TCP; /* the peer is no softndk */
    status = SoftNdkOpenAdapter(0, version, &options, &h->adapter);
    if (!NT_SUCCESS(status)) {
        h->adapter = NULL;
        return status;
    }
    status = h->adapter->Dispatch->NdkQueryAdapterInfo(h->adapter, &h->info, &size);
    if (NT_SUCCESS(status)) {
        call_begin(&c);
        status = call_end_create(&c,
            h->adapter->Dispatch->NdkCreatePd(h->adapter, created, &c, (NDK_PD **)(void *)&pd),
            &pd);
        h->pd = pd;
    }
    if (NT_SUCCESS(status))
        h->pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(h->pd, &h->page_token);
    else
        host_close(h);
    return status;
}

void host_close(struct host *h)
{
    CLOSE(h->pd, NdkClosePd);
    SoftNdkCloseAdapter(h->adapter);
    h->adapter = NULL;
}

/* ---- Memory -------------------------------------------------------------------------------- */

/* Resident memory and the MDL that describes it. */
static uint8_t *allocate(ULONG length, MDL **mdl)
{
    uint8_t *p = ExAllocatePoolZero(NonPagedPoolNx, length, POOL_TAG);

    *mdl = p == NULL ? NULL : IoAllocateMdl(p, length, FALSE, FALSE, NULL);
    if (*mdl != NULL)
        MmBuildMdlForNonPagedPool(*mdl);
    return p;
}

static void release(uint8_t *p, MDL *mdl)
{
    if (mdl != NULL)
        IoFreeMdl(mdl);
    if (p != NULL)
        ExFreePoolWithTag(p, POOL_TAG);
}

static NTSTATUS create_mr(struct host *h, BOOLEAN is_fast, NDK_MR **mr)
{
    struct call c;
    NTSTATUS status;
    void *object = NULL;

    call_begin(&c);
    status = call_end_create(&c,
        h->pd->Dispatch->NdkCreateMr(h->pd, is_fast, created, &c, (NDK_MR **)(void *)&object),
        &object);
    *mr = object;
    return status;
}

NTSTATUS messages_open(struct host *h, struct messages *m, ULONG length)
{
    struct call c;
    NTSTATUS status;

    memset(m, 0, sizeof *m);
    m->p = allocate(length, &m->mdl);
    if (m->mdl == NULL) {
        messages_close(m);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = create_mr(h, FALSE, &m->mr);
    if (NT_SUCCESS(status)) {
        call_begin(&c);
        status = call_end(&c, m->mr->Dispatch->NdkRegisterMr(m->mr, m->mdl, length,
                                  NDK_MR_FLAG_ALLOW_LOCAL_WRITE, completed, &c));
        if (NT_SUCCESS(status))
            m->token = m->mr->Dispatch->NdkGetLocalTokenFromMr(m->mr);
        else
            CLOSE(m->mr, NdkCloseMr);
    }
    if (!NT_SUCCESS(status))
        messages_close(m);
    return status;
}

void messages_close(struct messages *m)
{
    struct call c;

    call_begin(&c);
    if (m->mr != NULL)
        call_end(&c, m->mr->Dispatch->NdkDeregisterMr(m->mr, completed, &c));
    CLOSE(m->mr, NdkCloseMr);
    release(m->p, m->mdl);
    memset(m, 0, sizeof *m);
}

NDK_SGE messages_sge(const struct messages *m, ULONG at, ULONG length)
{
    NDK_SGE sge = {.Length = length, .MemoryRegionToken = m->token};

    sge.VirtualAddress = m->p + at;
    return sge;
}

/* The pages of d, in a list of the size that the adapter says. */
static NTSTATUS build_lam(struct host *h, struct data *d)
{
    ULONG size = 0, offset = 0;
    NTSTATUS status;

    status = h->adapter->Dispatch->NdkBuildLAM(
        h->adapter, d->mdl, d->length, NULL, NULL, NULL, &size, &offset);
    if (status != STATUS_BUFFER_TOO_SMALL)
        return NT_SUCCESS(status) ? STATUS_INTERNAL_ERROR : status;
    d->pages = ExAllocatePoolZero(NonPagedPoolNx, size, POOL_TAG);
    if (d->pages == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    /* Without a completion routine the call ends at once. The memory is page aligned: the offset
     * of the first octet in its page is 0. */
    status = h->adapter->Dispatch->NdkBuildLAM(
        h->adapter, d->mdl, d->length, NULL, NULL, d->pages, &size, &offset);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(d->pages, POOL_TAG);
        d->pages = NULL;
    }
    return status;
}

NTSTATUS data_open(struct host *h, struct data *d, ULONG length)
{
    struct call c;
    NTSTATUS status;

    memset(d, 0, sizeof *d);
    d->length = (ULONG)ROUND_TO_PAGES(length);
    d->p = allocate(d->length, &d->mdl);
    status = d->mdl == NULL ? STATUS_INSUFFICIENT_RESOURCES : build_lam(h, d);
    if (NT_SUCCESS(status))
        status = create_mr(h, TRUE, &d->mr);
    call_begin(&c);
    if (NT_SUCCESS(status))
        status = call_end(&c, d->mr->Dispatch->NdkInitializeFastRegisterMr(
                                  d->mr, d->pages->AdapterPageCount, TRUE, completed, &c));
    if (!NT_SUCCESS(status)) {
        data_close(h, d);
        return status;
    }
    /* These never change, however often the region gets another meaning. */
    d->local = d->mr->Dispatch->NdkGetLocalTokenFromMr(d->mr);
    d->remote = d->mr->Dispatch->NdkGetRemoteTokenFromMr(d->mr);
    return STATUS_SUCCESS;
}

void data_close(struct host *h, struct data *d)
{
    CLOSE(d->mr, NdkCloseMr);
    if (d->pages != NULL) {
        h->adapter->Dispatch->NdkReleaseLAM(h->adapter, d->pages);
        ExFreePoolWithTag(d->pages, POOL_TAG);
    }
    release(d->p, d->mdl);
    memset(d, 0, sizeof *d);
}

NTSTATUS data_register(
    struct data *d, NDK_QP *qp, PVOID context, ULONG at, ULONG length, ULONG flags)
{
    const NDK_LOGICAL_ADDRESS *page = d->pages->AdapterPageArray; /* longer than declared */
    ULONG count = ADDRESS_AND_SIZE_TO_SPAN_PAGES(d->p + at, length);

    /* The base address is a mere label that the peer has to use; the memory's own will do. */
    return qp->Dispatch->NdkFastRegister(
        qp, context, d->mr, count, page + at / PAGE_SIZE, at % PAGE_SIZE, length, d->p + at, flags);
}

ULONG data_sgl(
    const struct host *h, const struct data *d, ULONG at, ULONG length, NDK_SGE *sgl, ULONG count)
{
    const NDK_LOGICAL_ADDRESS *page = d->pages->AdapterPageArray;
    ULONG n = 0;

    while (length > 0 && n < count) {
        ULONG offset = at % PAGE_SIZE;
        ULONG piece = length < PAGE_SIZE - offset ? length : PAGE_SIZE - offset;

        sgl[n].LogicalAddress = page[at / PAGE_SIZE];
        sgl[n].LogicalAddress.QuadPart += offset;
        sgl[n].Length = piece;
        sgl[n++].MemoryRegionToken = h->page_token;
        at += piece;
        length -= piece;
    }
    return length == 0 ? n : 0;
}

/* ---- One connection ------------------------------------------------------------------------ */

static VOID on_completions(PVOID context, NTSTATUS status)
{
    struct link *l = context;

    if (!NT_SUCCESS(status)) /* the queue is dead, and so is what depends on it */
        WriteRelease(&l->is_over, 1);
    KeSetEvent(&l->bell, IO_NETWORK_INCREMENT, FALSE);
}

static VOID on_disconnect(PVOID context)
{
    struct link *l = context;

    WriteRelease(&l->is_over, 1);
    KeSetEvent(&l->bell, IO_NETWORK_INCREMENT, FALSE);
}

NTSTATUS link_open(struct host *h, struct link *l, ULONG receives, ULONG initiator_requests)
{
    struct call c;
    NTSTATUS status;
    void *object = NULL;

    memset(l, 0, sizeof *l);
    l->host = h;
    KeInitializeEvent(&l->bell, SynchronizationEvent, FALSE);
    call_begin(&c);
    status = call_end_create(&c,
        h->adapter->Dispatch->NdkCreateCq(h->adapter, receives + initiator_requests, on_completions,
            l, NULL, created, &c, (NDK_CQ **)(void *)&object),
        &object);
    l->cq = object;
    if (NT_SUCCESS(status)) {
        object = NULL;
        call_begin(&c);
        status = call_end_create(&c,
            h->pd->Dispatch->NdkCreateQp(h->pd, l->cq, l->cq, l, receives, initiator_requests, 1,
                LINK_SGE_MAX, 0, created, &c, (NDK_QP **)(void *)&object),
            &object);
        l->qp = object;
    }
    if (NT_SUCCESS(status)) {
        object = NULL;
        call_begin(&c);
        status = call_end_create(&c,
            h->adapter->Dispatch->NdkCreateConnector(
                h->adapter, created, &c, (NDK_CONNECTOR **)(void *)&object),
            &object);
        l->connector = object;
    }
    if (!NT_SUCCESS(status))
        link_close(l);
    return status;
}

NTSTATUS link_connect(
    struct link *l, const SOCKADDR_INET *to, ULONG reads, const void *private_data, ULONG length)
{
    const NDK_CONNECTOR_DISPATCH *connector = l->connector->Dispatch;
    SOCKADDR_INET from, target = *to;
    ULONG address_length = to->si_family == AF_INET ? sizeof to->Ipv4 : sizeof to->Ipv6;
    uint8_t copy[LINK_PRIVATE_MAX];
    struct call c;
    NTSTATUS status;

    if (length > sizeof copy)
        return STATUS_INVALID_PARAMETER;
    memcpy(copy, private_data, length);
    memset(&from, 0, sizeof from);
    from.si_family = to->si_family;
    /* We never read, the target does; one is for a peer that wants the connection begun by it. */
    call_begin(&c);
    status = call_end(
        &c, connector->NdkConnect(l->connector, l->qp, (PSOCKADDR)&from, address_length,
                (PSOCKADDR)&target, address_length, reads, 1, copy, length, completed, &c));
    /* A peer that accepts answers with private data, and one that rejects may say why. */
    if (NT_SUCCESS(status) || status == STATUS_CONNECTION_REFUSED) {
        l->reply_length = sizeof l->reply;
        if (!NT_SUCCESS(connector->NdkGetConnectionData(
                l->connector, NULL, NULL, l->reply, &l->reply_length)))
            l->reply_length = 0;
    }
    if (!NT_SUCCESS(status))
        return status;
    call_begin(&c);
    status =
        call_end(&c, connector->NdkCompleteConnect(l->connector, on_disconnect, l, completed, &c));
    l->is_connected = NT_SUCCESS(status);
    return status;
}

NTSTATUS link_disconnect(struct link *l)
{
    struct call c;

    if (!l->is_connected)
        return STATUS_CONNECTION_INVALID;
    l->is_connected = false;
    call_begin(&c);
    return call_end(&c, l->connector->Dispatch->NdkDisconnect(l->connector, completed, &c));
}

/* What is still posted ends with STATUS_CANCELLED, and memory is free when the close is complete.
 * The completions need not be taken. */
void link_close(struct link *l)
{
    CLOSE(l->connector, NdkCloseConnector);
    CLOSE(l->qp, NdkCloseQp);
    CLOSE(l->cq, NdkCloseCq);
    l->is_connected = false;
}

ULONG link_take(struct link *l, NDK_RESULT_EX *results, ULONG count)
{
    ULONG n = l->cq->Dispatch->NdkGetCqResultsEx(l->cq, results, count);
    LARGE_INTEGER timeout = {.QuadPart = -WAIT_100NS};

    if (n > 0)
        return n;
    /* What came since the look above makes the armed queue ring at once. */
    l->cq->Dispatch->NdkArmCq(l->cq, NDK_CQ_NOTIFY_ANY);
    KeWaitForSingleObject(&l->bell, Executive, KernelMode, FALSE, &timeout);
    return l->cq->Dispatch->NdkGetCqResultsEx(l->cq, results, count);
}
