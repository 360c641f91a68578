/* SPDX-License-Identifier: MIT */
#include "support/create.h"

#include <stdio.h>
#include <stdlib.h>

static NTSTATUS adopt(struct consumer *c, NTSTATUS status)
{
    if (NT_SUCCESS(status))
        consumer_adopt(c);
    return status;
}

NTSTATUS create_srq(struct consumer *c, NDK_PD *pd, const struct srq_attr *attr, NDK_SRQ **srq)
{
    struct ndk_call *call = call_begin(c);
    NDK_SRQ *now = NULL;
    NTSTATUS returned = pd->Dispatch->NdkCreateSrq(pd, attr->depth, attr->sge, attr->threshold,
        attr->notify, attr->context, NULL, call_created, call, &now);

    return adopt(c, call_end_create(call, returned, now, (void **)srq));
}

NTSTATUS create_qp(struct consumer *c, NDK_PD *pd, const struct qp_attr *attr, NDK_QP **qp)
{
    struct ndk_call *call = call_begin(c);
    NDK_QP *now = NULL;
    NTSTATUS returned;

    if (attr->srq != NULL)
        returned = pd->Dispatch->NdkCreateQpWithSrq(pd, attr->receive_cq, attr->initiator_cq,
            attr->srq, attr->context, attr->initiator_depth, attr->initiator_sge, attr->inline_size,
            call_created, call, &now);
    else
        returned = pd->Dispatch->NdkCreateQp(pd, attr->receive_cq, attr->initiator_cq,
            attr->context, attr->receive_depth, attr->initiator_depth, attr->receive_sge,
            attr->initiator_sge, attr->inline_size, call_created, call, &now);
    return adopt(c, call_end_create(call, returned, now, (void **)qp));
}

NTSTATUS create_shared_endpoint(
    struct consumer *c, const char *host, uint16_t port, NDK_SHARED_ENDPOINT **endpoint)
{
    struct ndk_call *call = call_begin(c);
    NDK_SHARED_ENDPOINT *now = NULL;
    ULONG length;
    SOCKADDR_INET at = address_of(host, port, &length);
    NTSTATUS returned = c->adapter->Dispatch->NdkCreateSharedEndpoint(
        c->adapter, (SOCKADDR *)&at, length, call_created, call, &now);

    return adopt(c, call_end_create(call, returned, now, (void **)endpoint));
}

SOFTNDK_NORETURN static void too_much(const char *what)
{
    fprintf(stderr, "a callback that must not come: %s\n", what);
    abort();
}

VOID never_notified(PVOID context, NTSTATUS status)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(status);
    too_much("notification");
}

VOID never_connected(PVOID context, NDK_CONNECTOR *connector)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(connector);
    too_much("connect event");
}

VOID never_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(status);
    UNREFERENCED_PARAMETER(object);
    too_much("create completion");
}

VOID never_completed(PVOID context, NTSTATUS status)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(status);
    too_much("request completion");
}
