/* SPDX-License-Identifier: MIT */
/*
 * A request of the consumer's that completes later: exactly once, on the home thread of its object.
 * The object is held meanwhile, so its close completion comes after the request's.
 * [NDKPI object-lifetime]
 */
#ifndef SN_RNIC_REQUEST_H
#define SN_RNIC_REQUEST_H

#include "rnic/obj.h"

/* Embedded in the object; used again when the last completion has begun. */
struct rnic_request {
    struct plat_call call;
    struct rnic_obj *obj;
    struct rnic_done done;
    enum sn_status status;
    struct sn_a32 state;
};

void rnic_request_init(struct rnic_request *r, struct rnic_obj *obj);
/* Any thread: it is pending from here on. False: it is already, or its completion waits to be run.
 */
SN_MUST_CHECK bool rnic_request_take(struct rnic_request *r, struct rnic_done done);
/* By who took it, before anybody else could answer: it will not complete. */
void rnic_request_untake(struct rnic_request *r);
/* Any thread: queues the completion. Nothing happens unless it is pending. The object may be gone,
 * or the request taken again, before this returns, unless the caller holds a reference. */
void rnic_request_answer(struct rnic_request *r, enum sn_status status);

#endif
