/* SPDX-License-Identifier: MIT */
/* A consumer before the verifier and the provider of fake.h: the objects that most cases need, and
 * short names for calls. */
#ifndef TESTS_UNIT_VERIFY_WORLD_H
#define TESTS_UNIT_VERIFY_WORLD_H

#include "unit/verify/fake_adapter.h"

enum { BUFFER_OCTETS = 16384, DEPTH = 4, LAM_PAGES_MAX = 8 };

/* Memory of the consumer, page-aligned; two are enough. */
static _Alignas(4096) unsigned char world_memory[2][BUFFER_OCTETS] __attribute__((unused));

struct world {
    NDK_ADAPTER *adapter;
    NDK_PD *pd;
    NDK_CQ *cq; /* of both queues */
    NDK_QP *qp;
    NDK_CONNECTOR *connector;
    NDK_MR *mr;   /* over world_memory[0], local write */
    NDK_MR *fast; /* initialised for 4 pages, remote access */
    MDL mdl;
    ULONG completions; /* of any kind */
    union {
        NDK_LOGICAL_ADDRESS_MAPPING lam;
        unsigned char octets[sizeof(NDK_LOGICAL_ADDRESS_MAPPING) +
                             LAM_PAGES_MAX * sizeof(NDK_LOGICAL_ADDRESS)];
    } lam;
};

/* Which of the objects a case wants. */
enum {
    WANT_QP = 1,
    WANT_CONNECTED = 2 | WANT_QP,
    WANT_MR = 4,
    WANT_LAM = 8,
    WANT_FAST = 16 | WANT_LAM,
    WANT_SINK = 32,      /* the adapter asks for read sinks, and lacks what is optional */
    WANT_SHALLOW_CQ = 64 /* the CQ is less deep than its queues */
};

/* ---- callbacks ---- */

static inline VOID closed(PVOID Context)
{
    if (Context != NULL)
        ((struct world *)Context)->completions++;
}

static inline VOID done(PVOID Context, NTSTATUS Status)
{
    (void)Status;
    if (Context != NULL)
        ((struct world *)Context)->completions++;
}

static inline VOID created(PVOID Context, NTSTATUS Status, NDK_OBJECT_HEADER *pNdkObject)
{
    (void)Status, (void)pNdkObject;
    if (Context != NULL)
        ((struct world *)Context)->completions++;
}

static inline VOID notified(PVOID Context, NTSTATUS Status)
{
    (void)Context, (void)Status;
}

static inline VOID asked(PVOID Context, NDK_CONNECTOR *pNdkConnector)
{
    if (Context != NULL)
        *(NDK_CONNECTOR **)Context = pNdkConnector;
}

static inline VOID ended(PVOID Context)
{
    (void)Context;
}

/* ---- calls ---- */

#define OK(call) assert_int_equal(call, STATUS_SUCCESS)

static inline NDK_SGE sge_of(UINT32 token, void *at, ULONG length)
{
    return (NDK_SGE){.VirtualAddress = at, .Length = length, .MemoryRegionToken = token};
}

static inline SOCKADDR_IN an_address(void)
{
    return (SOCKADDR_IN){.sin_family = AF_INET};
}

static inline UINT32 token_of(NDK_MR *mr)
{
    return fake_of(mr)->token;
}

/* One octet of the ordinary region. */
static inline NDK_SGE small(struct world *w)
{
    return sge_of(token_of(w->mr), world_memory[0], 1);
}

/* An SGE without octets, which needs no region. */
static inline NTSTATUS send_nothing(struct world *w, ULONG flags)
{
    return w->qp->Dispatch->NdkSend(w->qp, NULL, NULL, 0, flags);
}

static inline ULONG collect(struct world *w)
{
    NDK_RESULT_EX r[FAKE_RESULTS_MAX];

    return w->cq->Dispatch->NdkGetCqResultsEx(w->cq, r, FAKE_RESULTS_MAX);
}

static inline void close_any(NDK_OBJECT_HEADER *h)
{
    const struct {
        NDK_FN_CLOSE_OBJECT close;
    } *table = ((struct ndk_object *)(void *)h)->Dispatch;

    (void)table->close(h, closed, NULL);
}

static inline NDK_QP *qp_create(struct world *w, NDK_PD *pd)
{
    NDK_QP *qp = NULL;

    OK(pd->Dispatch->NdkCreateQp(pd, w->cq, w->cq, w, DEPTH, DEPTH, 2, 2, 16, created, NULL, &qp));
    return qp;
}

static inline NDK_CONNECTOR *connector_create(struct world *w)
{
    NDK_CONNECTOR *c = NULL;

    OK(w->adapter->Dispatch->NdkCreateConnector(w->adapter, created, NULL, &c));
    return c;
}

static inline NTSTATUS connect(NDK_CONNECTOR *c, NDK_QP *qp, ULONG outbound)
{
    SOCKADDR_IN a = an_address();

    return c->Dispatch->NdkConnect(c, qp, (PSOCKADDR)(void *)&a, sizeof a, (PSOCKADDR)(void *)&a,
        sizeof a, 1, outbound, NULL, 0, done, NULL);
}

static inline NTSTATUS complete(NDK_CONNECTOR *c)
{
    return c->Dispatch->NdkCompleteConnect(c, ended, NULL, done, NULL);
}

static inline NTSTATUS disconnect(NDK_CONNECTOR *c)
{
    return c->Dispatch->NdkDisconnect(c, done, NULL);
}

static inline NDK_MR *mr_create(NDK_PD *pd, BOOLEAN fast)
{
    NDK_MR *mr = NULL;

    OK(pd->Dispatch->NdkCreateMr(pd, fast, created, NULL, &mr));
    return mr;
}

static inline void mdl_set(MDL *mdl, void *at, ULONG length)
{
    MmInitializeMdl(mdl, at, length);
}

static inline NTSTATUS mr_register(struct world *w, NDK_MR *mr, int memory, ULONG flags)
{
    mdl_set(&w->mdl, world_memory[memory], BUFFER_OCTETS);
    return mr->Dispatch->NdkRegisterMr(mr, &w->mdl, BUFFER_OCTETS, flags, done, NULL);
}

static inline NTSTATUS lam_build(struct world *w, int memory)
{
    ULONG size = sizeof w->lam, fbo;

    mdl_set(&w->mdl, world_memory[memory], BUFFER_OCTETS);
    return w->adapter->Dispatch->NdkBuildLAM(
        w->adapter, &w->mdl, BUFFER_OCTETS, done, NULL, &w->lam.lam, &size, &fbo);
}

static inline void lam_release(struct world *w)
{
    w->adapter->Dispatch->NdkReleaseLAM(w->adapter, &w->lam.lam);
}

static inline NTSTATUS fast_register(struct world *w, NDK_MR *mr, ULONG flags)
{
    return w->qp->Dispatch->NdkFastRegister(w->qp, NULL, mr, 2, w->lam.lam.AdapterPageArray, 0, 100,
        (PVOID)(uintptr_t)PAGE_SIZE, flags);
}

static inline NTSTATUS invalidate(struct world *w, void *object)
{
    return w->qp->Dispatch->NdkInvalidate(w->qp, NULL, object, 0);
}

/* ---- the world ---- */

static inline void world_open(struct world *w, unsigned wants)
{
    memset(w, 0, sizeof *w);
    fake.flags = (wants & WANT_SINK) != 0
                     ? 0
                     : NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED |
                           NDK_ADAPTER_FLAG_CQ_RESIZE_SUPPORTED |
                           NDK_ADAPTER_FLAG_CQ_INTERRUPT_MODERATION_SUPPORTED |
                           NDK_ADAPTER_FLAG_RDMA_READ_LOCAL_INVALIDATE_SUPPORTED;
    w->adapter = fake_open();
    OK(w->adapter->Dispatch->NdkCreatePd(w->adapter, created, NULL, &w->pd));
    OK(w->adapter->Dispatch->NdkCreateCq(w->adapter, (wants & WANT_SHALLOW_CQ) != 0 ? 2 : 4 * DEPTH,
        notified, NULL, NULL, created, NULL, &w->cq));
    if ((wants & WANT_QP) != 0)
        w->qp = qp_create(w, w->pd);
    if ((wants & WANT_CONNECTED) == WANT_CONNECTED) {
        w->connector = connector_create(w);
        OK(connect(w->connector, w->qp, 4));
        OK(complete(w->connector));
    }
    if ((wants & WANT_MR) != 0) {
        w->mr = mr_create(w->pd, FALSE);
        OK(mr_register(w, w->mr, 0, NDK_MR_FLAG_ALLOW_LOCAL_WRITE | NDK_MR_FLAG_RDMA_READ_SINK));
    }
    if ((wants & WANT_LAM) != 0)
        OK(lam_build(w, 1));
    if ((wants & WANT_FAST) == WANT_FAST) {
        w->fast = mr_create(w->pd, TRUE);
        OK(w->fast->Dispatch->NdkInitializeFastRegisterMr(w->fast, 4, TRUE, done, NULL));
    }
}

/* Closes in the order that offends nobody; what a case closed itself is NULL. */
static inline void world_close(struct world *w, unsigned wants)
{
    if (w->cq != NULL && w->qp != NULL)
        (void)collect(w);
    if (w->connector != NULL && (wants & WANT_CONNECTED) == WANT_CONNECTED &&
        verify_state_of(verify_shadow(w->connector)) == VERIFY_OPEN &&
        sn_a32_load_acquire(&((struct verify_connector *)verify_shadow(w->connector))->at) ==
            VERIFY_CONN_CONNECTED)
        (void)disconnect(w->connector);
    if (w->connector != NULL)
        close_any(&w->connector->Header);
    if (w->qp != NULL)
        close_any(&w->qp->Header);
    if (w->fast != NULL)
        close_any(&w->fast->Header);
    if (w->mr != NULL)
        close_any(&w->mr->Header);
    if (w->cq != NULL)
        close_any(&w->cq->Header);
    if (w->pd != NULL)
        close_any(&w->pd->Header);
    if ((wants & WANT_LAM) != 0 && w->lam.lam.AdapterContext != NULL)
        lam_release(w);
    if (w->adapter != NULL)
        fake_close_adapter(w->adapter);
}

#endif
