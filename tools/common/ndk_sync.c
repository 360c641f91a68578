/* SPDX-License-Identifier: MIT */
#include "common/ndk_sync.h"

#include <string.h>

enum {
    POOL_TAG = 0x6c6f6f74, /* "tool" */
    WAIT_SLICE_MS = 100,
};

/* ---- One asynchronous call ---- */

void ndk_call_begin(struct ndk_call *call)
{
    KeInitializeEvent(&call->event, NotificationEvent, FALSE);
    call->status = STATUS_PENDING;
    call->object = NULL;
}

VOID ndk_call_completed(PVOID context, NTSTATUS status)
{
    struct ndk_call *call = context;

    call->status = status;
    KeSetEvent(&call->event, IO_NO_INCREMENT, FALSE);
}

VOID ndk_call_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    struct ndk_call *call = context;

    call->object = object;
    ndk_call_completed(call, status);
}

VOID ndk_call_closed(PVOID context)
{
    ndk_call_completed(context, STATUS_SUCCESS);
}

NTSTATUS ndk_call_end(struct ndk_call *call, NTSTATUS returned)
{
    if (returned != STATUS_PENDING)
        return returned;
    KeWaitForSingleObject(&call->event, Executive, KernelMode, FALSE, NULL);
    return call->status;
}

NTSTATUS ndk_call_end_create(struct ndk_call *call, NTSTATUS returned, void **object)
{
    NTSTATUS status = ndk_call_end(call, returned);

    if (!NT_SUCCESS(status))
        *object = NULL;
    else if (returned == STATUS_PENDING)
        *object = call->object;
    return status;
}

/* Every dispatch table but the adapter's starts with the close entry. */
void ndk_close(NDK_OBJECT_HEADER *object)
{
    struct ndk_call call;

    if (object == NULL)
        return;
    ndk_call_begin(&call);
    ndk_call_end(
        &call, ((NDK_PD *)(void *)object)->Dispatch->NdkClosePd(object, ndk_call_closed, &call));
}

/* ---- Adapter, protection domain and bell ---- */

NTSTATUS ndk_host_open(struct ndk_host *h, NET_IFINDEX interface, const SOFTNDK_OPTIONS *options)
{
    NDK_VERSION version = {2, 1};
    ULONG size = sizeof h->info;
    struct ndk_call call;
    NTSTATUS status;
    void *pd = NULL;

    memset(h, 0, sizeof *h);
    KeInitializeEvent(&h->bell, SynchronizationEvent, FALSE);
    status = SoftNdkOpenAdapter(interface, version, options, &h->adapter);
    if (!NT_SUCCESS(status)) {
        h->adapter = NULL;
        return status;
    }
    status = h->adapter->Dispatch->NdkQueryAdapterInfo(h->adapter, &h->info, &size);
    if (NT_SUCCESS(status)) {
        ndk_call_begin(&call);
        status = h->adapter->Dispatch->NdkCreatePd(
            h->adapter, ndk_call_created, &call, (NDK_PD **)(void *)&pd);
        status = ndk_call_end_create(&call, status, &pd);
        h->pd = pd;
    }
    if (!NT_SUCCESS(status))
        ndk_host_close(h);
    return status;
}

void ndk_host_close(struct ndk_host *h)
{
    if (h->pd != NULL)
        ndk_close(&h->pd->Header);
    SoftNdkCloseAdapter(h->adapter);
    h->pd = NULL;
    h->adapter = NULL;
}

void ndk_host_ring(struct ndk_host *h)
{
    KeSetEvent(&h->bell, IO_NETWORK_INCREMENT, FALSE);
}

void ndk_host_wait(struct ndk_host *h)
{
    LARGE_INTEGER timeout;

    timeout.QuadPart = -(LONGLONG)WAIT_SLICE_MS * 10000;
    KeWaitForSingleObject(&h->bell, Executive, KernelMode, FALSE, &timeout);
}

/* ---- Memory ---- */

static NTSTATUS register_memory(struct ndk_host *h, struct ndk_memory *m, ULONG flags)
{
    struct ndk_call call;
    NTSTATUS status;
    void *mr = NULL;

    ndk_call_begin(&call);
    status =
        h->pd->Dispatch->NdkCreateMr(h->pd, FALSE, ndk_call_created, &call, (NDK_MR **)(void *)&mr);
    status = ndk_call_end_create(&call, status, &mr);
    m->mr = mr;
    if (!NT_SUCCESS(status))
        return status;
    ndk_call_begin(&call);
    return ndk_call_end(&call,
        m->mr->Dispatch->NdkRegisterMr(m->mr, m->mdl, m->n, flags, ndk_call_completed, &call));
}

NTSTATUS ndk_memory_open(struct ndk_host *h, struct ndk_memory *m, size_t n, ULONG flags)
{
    NTSTATUS status;

    memset(m, 0, sizeof *m);
    if (n > MAXULONG - PAGE_SIZE)
        return STATUS_INSUFFICIENT_RESOURCES;
    m->n = n;
    m->p = ExAllocatePoolZero(NonPagedPoolNx, n, POOL_TAG);
    if (m->p == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    m->mdl = IoAllocateMdl(m->p, (ULONG)n, FALSE, FALSE, NULL);
    if (m->mdl == NULL) {
        ndk_memory_close(m);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    MmBuildMdlForNonPagedPool(m->mdl);
    if ((h->info.AdapterFlags & NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED) == 0 &&
        (flags & NDK_MR_FLAG_ALLOW_LOCAL_WRITE) != 0)
        flags |= NDK_MR_FLAG_RDMA_READ_SINK;
    status = register_memory(h, m, flags);
    if (!NT_SUCCESS(status)) {
        ndk_close(m->mr == NULL ? NULL : &m->mr->Header);
        m->mr = NULL;
        ndk_memory_close(m);
        return status;
    }
    m->local = m->mr->Dispatch->NdkGetLocalTokenFromMr(m->mr);
    m->remote = m->mr->Dispatch->NdkGetRemoteTokenFromMr(m->mr);
    return STATUS_SUCCESS;
}

void ndk_memory_close(struct ndk_memory *m)
{
    if (m->mr != NULL) {
        struct ndk_call call;

        ndk_call_begin(&call);
        ndk_call_end(&call, m->mr->Dispatch->NdkDeregisterMr(m->mr, ndk_call_completed, &call));
        ndk_close(&m->mr->Header);
    }
    if (m->mdl != NULL)
        IoFreeMdl(m->mdl);
    if (m->p != NULL)
        ExFreePoolWithTag(m->p, POOL_TAG);
    memset(m, 0, sizeof *m);
}

NDK_SGE ndk_memory_sge(const struct ndk_memory *m, size_t at, size_t n)
{
    NDK_SGE sge;

    memset(&sge, 0, sizeof sge);
    sge.VirtualAddress = m->p + at;
    sge.Length = (ULONG)n;
    sge.MemoryRegionToken = m->local;
    return sge;
}

uint64_t ndk_memory_address(const struct ndk_memory *m, size_t at)
{
    return (uint64_t)(uintptr_t)(m->p + at);
}

/* ---- Completion queues ---- */

static VOID on_notification(PVOID context, NTSTATUS status)
{
    /* A queue in error ends its connections too: their disconnect events tell. */
    (void)status;
    ndk_host_ring(context);
}

NTSTATUS ndk_cq_open(struct ndk_host *h, ULONG depth, NDK_CQ **cq)
{
    struct ndk_call call;
    NTSTATUS status;
    void *object = NULL;

    ndk_call_begin(&call);
    status = h->adapter->Dispatch->NdkCreateCq(h->adapter, depth, on_notification, h, NULL,
        ndk_call_created, &call, (NDK_CQ **)(void *)&object);
    status = ndk_call_end_create(&call, status, &object);
    *cq = object;
    return status;
}

ULONG ndk_cq_take(NDK_CQ *cq, NDK_RESULT_EX *results, ULONG count)
{
    ULONG n = cq->Dispatch->NdkGetCqResultsEx(cq, results, count);

    /* What comes between the two calls fires the arm at once [NDKPI NDK_FN_ARM_CQ]. */
    if (n == 0)
        cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ANY);
    return n;
}
