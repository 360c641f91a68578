/* SPDX-License-Identifier: MIT */
/* Of the fuzz target `api`: the commands that give rights to memory and post requests. */
#ifndef FUZZ_API_REQUESTS_H
#define FUZZ_API_REQUESTS_H

#include "api_world.h"

/* ---- memory ---- */

static inline uint32_t take_token(struct world *w, struct object *pd)
{
    uint8_t how = take(w);
    struct object *o;
    UINT32 token = 0;

    switch (how % 8) {
    case 7:
        token = take16(w);
        return token << 16 | take16(w);
    case 6:
        pd->pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(pd->pd, &token);
        return token;
    case 5:
        o = pick(w, KIND_MW);
        return o == NULL ? 0 : o->mw->Dispatch->NdkGetRemoteTokenFromMw(o->mw);
    default:
        o = pick(w, KIND_MR);
        if (o == NULL)
            return 0;
        return how % 2 == 0 ? o->mr->Dispatch->NdkGetLocalTokenFromMr(o->mr)
                            : o->mr->Dispatch->NdkGetRemoteTokenFromMr(o->mr);
    }
}

/* Somewhere in the arena up to `end`; *len is cut to what is there. */
static inline uint8_t *take_place(struct world *w, uint32_t end, uint32_t *len)
{
    uint32_t at = take16(w) % end;

    if (*len > end - at)
        *len = end - at;
    return arena + at;
}

static inline bool is_privileged(struct world *w, uint32_t token)
{
    for (uint32_t i = 0; i < w->objects_count; i++) {
        struct object *o = &w->objects[i];
        UINT32 its;

        if (o->kind != KIND_PD || o->state != STATE_OPEN)
            continue;
        o->pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(o->pd, &its);
        if (its == token)
            return true;
    }
    return false;
}

/* A list of up to 4; what is reached without a check, by the privileged token or inline, is memory
 * that is there and that the request may touch. The total in *total. */
static inline ULONG take_sgl(
    struct world *w, struct object *pd, NDK_SGE sgl[4], bool is_inline, uint32_t *total)
{
    uint8_t how = take(w);
    ULONG count = how % 8 < 5 ? how % 8 : 1;

    *total = 0;
    for (ULONG i = 0; i < count; i++) {
        uint32_t len = how < 64 ? take(w) : take16(w);
        uint8_t *p = take_place(w, ARENA_FREE, &len);

        sgl[i] = (NDK_SGE){.MemoryRegionToken = take_token(w, pd)};
        sgl[i].VirtualAddress = p;
        sgl[i].Length = len;
        if (how >= 224 && !is_inline && !is_privileged(w, sgl[i].MemoryRegionToken)) {
            sgl[i].VirtualAddress = (uint8_t *)(uintptr_t)((uint64_t)take16(w) << (how % 32));
            sgl[i].Length = (ULONG)take16(w) << how % 16;
        }
        *total += sgl[i].Length;
    }
    return count;
}

/* The PD named for tokens is any that is open: another one's are tried as well. */
static inline struct object *post_pd(struct world *w)
{
    return pick(w, KIND_PD);
}

static inline void register_at(
    struct object *mr, uint8_t *p, uint32_t len, SIZE_T said, ULONG flags)
{
    MDL *mdl = IoAllocateMdl(p, len, FALSE, FALSE, NULL);
    struct pending *call = call_begin(mr, says_register);

    if (p + len > arena + ARENA_FREE) /* there nothing may be written */
        flags &= NDK_MR_FLAG_ALLOW_REMOTE_READ | NDK_MR_FLAG_RDMA_READ_SINK;
    if (call != NULL)
        call_end(call, mr->mr->Dispatch->NdkRegisterMr(mr->mr, mdl, said, flags, on_answer, call));
    if (mdl != NULL)
        IoFreeMdl(mdl);
}

static inline void do_register(struct world *w)
{
    struct object *mr = pick(w, KIND_MR);
    uint32_t len = 1 + take16(w);
    uint8_t *p = take_place(w, sizeof arena, &len);
    uint8_t flags = take(w);

    if (mr != NULL)
        register_at(mr, p, len, flags >= 240 ? len + flags : len, flags % 32);
}

static inline void do_deregister(struct world *w)
{
    struct object *mr = pick(w, KIND_MR);
    struct pending *call = mr != NULL ? call_begin(mr, says_deregister) : NULL;

    if (call != NULL)
        call_end(call, mr->mr->Dispatch->NdkDeregisterMr(mr->mr, on_answer, call));
}

static inline void do_fast_init(struct world *w)
{
    struct object *mr = pick(w, KIND_MR);
    struct pending *call = mr != NULL ? call_begin(mr, says_fast_init) : NULL;
    uint8_t pages = take(w);

    if (call != NULL)
        call_end(
            call, mr->mr->Dispatch->NdkInitializeFastRegisterMr(mr->mr,
                      pages >= 240 ? pages * 64u : pages % 9u, pages % 16 != 15, on_answer, call));
}

static inline void do_lam(struct world *w)
{
    uint8_t what = take(w);
    unsigned host = what % HOSTS;
    NDK_ADAPTER *a = w->adapter[host];
    uint32_t len = 1 + take16(w);
    uint8_t *p = take_place(w, sizeof arena, &len);
    ULONG room = what >= 240 ? 16 : (ULONG)sizeof w->lam[host], fbo;
    MDL *mdl;
    NTSTATUS s;

    if (w->has_lam[host]) {
        a->Dispatch->NdkReleaseLAM(a, &w->lam[host].head);
        w->has_lam[host] = false;
        return;
    }
    mdl = IoAllocateMdl(p, len, FALSE, FALSE, NULL);
    s = a->Dispatch->NdkBuildLAM(a, mdl, len, NULL, NULL, &w->lam[host].head, &room, &fbo);
    check_documented(s, says_lam);
    w->has_lam[host] = s == STATUS_SUCCESS;
    if (mdl != NULL)
        IoFreeMdl(mdl);
}

/* ---- requests ---- */

static inline void post_message(struct world *w, struct object *qp, uint8_t what)
{
    struct object *pd = post_pd(w);
    ULONG flags = take(w), defer = take(w) % 4 == 0 ? NDK_OP_FLAG_DEFER : 0;
    const NDK_QP_DISPATCH *d = qp->qp->Dispatch;
    uint32_t total, token = 0;
    NDK_SGE sgl[4];
    struct op *op;
    ULONG count;
    uint64_t to;

    if (pd == NULL)
        return;
    if (flags < 128) /* mostly flags that there are */
        flags &= NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_READ_FENCE | NDK_OP_FLAG_INLINE;
    flags |= defer;
    count = take_sgl(w, pd, sgl, (flags & NDK_OP_FLAG_INLINE) != 0, &total);
    if (what != 0)
        token = take_token(w, pd);
    to = what < 2 ? 0 : (uintptr_t)arena + take16(w);
    if (to != 0 && token % 64 == 63)
        to = (uint64_t)take16(w) << 48;
    switch (what) {
    case 0:
        op = op_begin(w, qp, NdkOperationTypeSend, total, flags);
        if (op != NULL)
            op_posted(op, d->NdkSend(qp->qp, op, sgl, count, flags), says_post);
        return;
    case 1:
        op = op_begin(w, qp, NdkOperationTypeSend, total, flags);
        if (op != NULL)
            op_posted(op, d->NdkSendAndInvalidate(qp->qp, op, sgl, count, flags, token), says_post);
        return;
    case 2:
        op = op_begin(w, qp, NdkOperationTypeWrite, total, flags);
        if (op != NULL)
            op_posted(op, d->NdkWrite(qp->qp, op, sgl, count, to, token, flags), says_post);
        return;
    default:
        if (take(w) % 4 == 0)
            flags |= NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE;
        flags &= ~(ULONG)NDK_OP_FLAG_INLINE;
        op = op_begin(w, qp, NdkOperationTypeRead, total, flags);
        if (op != NULL)
            op_posted(op, d->NdkRead(qp->qp, op, sgl, count, to, token, flags), says_post);
    }
}

static inline void do_message(struct world *w)
{
    uint8_t what = take(w);
    struct object *qp = pick(w, KIND_QP);

    if (qp != NULL)
        post_message(w, qp, what % 4);
}

static inline void do_receive(struct world *w)
{
    uint8_t is_shared = take(w);
    struct object *on = pick(w, is_shared % 4 == 3 ? KIND_SRQ : KIND_QP), *pd = post_pd(w);
    NDK_SGE sgl[4];
    uint32_t total;
    struct op *op;
    ULONG count;

    if (on == NULL || pd == NULL)
        return;
    count = take_sgl(w, pd, sgl, false, &total);
    op = op_begin(w, on, NdkOperationTypeReceive, total, 0);
    if (op == NULL)
        return;
    if (on->kind == KIND_SRQ)
        op_posted(op, on->srq->Dispatch->NdkSrqReceive(on->srq, op, sgl, count), says_receive);
    else
        op_posted(op, on->qp->Dispatch->NdkReceive(on->qp, op, sgl, count), says_receive);
}

static inline void do_bind(struct world *w)
{
    struct object *qp = pick(w, KIND_QP), *mr = pick(w, KIND_MR), *mw = pick(w, KIND_MW);
    uint8_t how = take(w);
    uint32_t len = take16(w);
    uint8_t *p = take_place(w, sizeof arena, &len);
    ULONG flags = how < 128 ? NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE : 0;
    struct op *op;

    if (qp == NULL || mr == NULL || mw == NULL)
        return;
    flags ^= how % 64;
    op = op_begin(w, qp, NdkOperationTypeBind, 0, flags);
    if (op != NULL)
        op_posted(op, qp->qp->Dispatch->NdkBind(qp->qp, op, mr->mr, mw->mw, p, len, flags),
            says_post_right);
}

static inline void do_fast_register(struct world *w)
{
    struct object *qp = pick(w, KIND_QP), *mr = pick(w, KIND_MR);
    uint8_t how = take(w);
    NDK_LOGICAL_ADDRESS pages[4];
    ULONG count = how % 8 < 5 ? how % 8 : 1, fbo = take(w) % 4 == 3 ? take16(w) : 0;
    ULONG flags = NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE;
    SIZE_T len = count * (SIZE_T)PAGE_SIZE - fbo;
    uintptr_t base = (uintptr_t)arena + fbo;
    struct op *op;

    for (ULONG i = 0; i < 4; i++) {
        ULONG page = take(w) % WORLD_PAGES;

        pages[i].QuadPart = (LONGLONG)(uintptr_t)(arena + page * (size_t)PAGE_SIZE);
        if (i < count && page >= WORLD_PAGES - WORLD_PAGES_CONST)
            flags = NDK_OP_FLAG_ALLOW_REMOTE_READ;
    }
    if (how >= 128)
        len = take16(w);
    if (how >= 192)
        flags &= take(w);
    if (how >= 224) /* a base that does not fit, or a flag that there is not */
        base += take(w);
    if (qp == NULL || mr == NULL)
        return;
    op = op_begin(w, qp, NdkOperationTypeFastRegister, 0, flags);
    if (op != NULL)
        op_posted(op,
            qp->qp->Dispatch->NdkFastRegister(
                qp->qp, op, mr->mr, count, pages, fbo, len, (PVOID)base, flags),
            says_post_right);
}

static inline void do_invalidate(struct world *w)
{
    struct object *qp = pick(w, KIND_QP);
    uint8_t how = take(w);
    struct object *o = pick(w, how % 2 == 0 ? KIND_MR : KIND_MW);
    struct op *op;
    ULONG flags = how / 2 % 4;

    if (qp == NULL || o == NULL)
        return;
    op = op_begin(w, qp, NdkOperationTypeInvalidate, 0, flags);
    if (op != NULL)
        op_posted(
            op, qp->qp->Dispatch->NdkInvalidate(qp->qp, op, o->header, flags), says_post_right);
}

static inline void do_flush(struct world *w)
{
    struct object *qp = pick(w, KIND_QP);

    if (qp != NULL)
        qp->qp->Dispatch->NdkFlush(qp->qp);
}

#endif
