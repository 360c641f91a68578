/* SPDX-License-Identifier: MIT */
#include "rnic/request.h"

#include "base/assert.h"

enum { FREE, PENDING, ANSWERED };

static void run(struct plat_call *call)
{
    struct rnic_request *r = SN_CONTAINER_OF(call, struct rnic_request, call);
    struct rnic_obj *obj = r->obj;
    struct rnic_done done = r->done;
    enum sn_status status = r->status;

    /* Before the consumer hears of it: it may make its next request inside the callback. */
    sn_a32_store_release(&r->state, FREE);
    done.call(&done, status);
    rnic_obj_put(obj, RNIC_REF_REQUEST);
    rnic_obj_put(obj, RNIC_REF_CALLBACK);
}

void rnic_request_init(struct rnic_request *r, struct rnic_obj *obj)
{
    r->call.run = run;
    r->obj = obj;
    sn_a32_store_relaxed(&r->state, FREE);
}

bool rnic_request_take(struct rnic_request *r, struct rnic_done done)
{
    if (!sn_a32_cas(&r->state, FREE, PENDING))
        return false;
    r->done = done;
    rnic_obj_get(r->obj, RNIC_REF_REQUEST);
    return true;
}

void rnic_request_untake(struct rnic_request *r)
{
    SN_ASSERT(sn_a32_cas(&r->state, PENDING, FREE));
    rnic_obj_put(r->obj, RNIC_REF_REQUEST);
}

void rnic_request_answer(struct rnic_request *r, enum sn_status status)
{
    if (!sn_a32_cas(&r->state, PENDING, ANSWERED))
        return;
    r->status = status;
    rnic_obj_get(r->obj, RNIC_REF_CALLBACK);
    plat_lane_call(r->obj->home, &r->call);
}
