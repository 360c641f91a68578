/* SPDX-License-Identifier: MIT */
/*
 * Requests that go nowhere: fast-register, bind, invalidate. They take effect in their turn of the
 * send queue, before any later request. [VRB-027]
 */
#include "iwarp/tx.h"

void iw_local_release(struct iw_wr *wr)
{
    if (iw_op_is_local(wr->op) && wr->local.any.release != NULL) {
        wr->local.any.release(wr);
        wr->local.any.release = NULL;
    }
}

enum sn_status iw_local_execute(struct iw_stream *s, struct iw_wr *wr)
{
    struct mem_table *mem = s->config.mem;
    struct mem_who who = s->config.who;
    enum sn_status status = SN_BAD_REQUEST;

    if (wr->op == IW_OP_FAST_REGISTER)
        status = mem_fast_register(mem, wr->local.fast.region, who, &wr->local.fast.args);
    else if (wr->op == IW_OP_BIND)
        status = mem_bind(mem, wr->local.bind.window, who, &wr->local.bind.args);
    else if (wr->op == IW_OP_INVALIDATE)
        status = mem_invalidate_local(mem, wr->local.invalidate.region, who);
    iw_local_release(wr);
    return status;
}
