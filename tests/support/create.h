/* SPDX-License-Identifier: MIT */
/* Create calls of the test consumer that consumer.h has no need of. */
#ifndef TESTS_SUPPORT_CREATE_H
#define TESTS_SUPPORT_CREATE_H

#include "support/consumer.h"

struct srq_attr {
    ULONG depth, sge, threshold;
    NDK_FN_SRQ_NOTIFICATION_CALLBACK notify;
    PVOID context;
};
NTSTATUS create_srq(struct consumer *c, NDK_PD *pd, const struct srq_attr *attr, NDK_SRQ **srq);

struct qp_attr {
    NDK_CQ *receive_cq, *initiator_cq;
    NDK_SRQ *srq; /* not NULL: NdkCreateQpWithSrq */
    PVOID context;
    ULONG receive_depth, initiator_depth, receive_sge, initiator_sge, inline_size;
};
NTSTATUS create_qp(struct consumer *c, NDK_PD *pd, const struct qp_attr *attr, NDK_QP **qp);

NTSTATUS create_shared_endpoint(
    struct consumer *c, const char *host, uint16_t port, NDK_SHARED_ENDPOINT **endpoint);

/* Callbacks of what must not happen. */
VOID never_notified(PVOID context, NTSTATUS status);
VOID never_connected(PVOID context, NDK_CONNECTOR *connector);
VOID never_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object);
VOID never_completed(PVOID context, NTSTATUS status);

#endif
