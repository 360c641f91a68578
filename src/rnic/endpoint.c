/* SPDX-License-Identifier: MIT */
/* Shared endpoints: a local address and port that several connectors use, one after another or at
 * the same time to different peers. */
#include "rnic/endpoint.h"

#include "base/alloc.h"
#include "rnic/lane.h"

enum { PORT_TRIES = 8 };

struct rnic_endpoint {
    struct rnic_obj obj;
    struct rnic_local local;
    struct plat_reservation *reservation;
};

static void endpoint_gone(struct rnic_obj *o)
{
    struct rnic_endpoint *e = (struct rnic_endpoint *)o;

    plat_unreserve(e->reservation);
    rnic_local_release(o->adapter, &e->local);
}

static void endpoint_destroy(struct rnic_obj *o)
{
    rnic_obj_free(o);
}

static const struct rnic_obj_class endpoint_class = {
    .kind = RNIC_ENDPOINT,
    .gone = endpoint_gone,
    .destroy = endpoint_destroy,
};

/* A port that the caller names is claimed first: it may be held by an object of ours although no
 * socket is left. */
static enum sn_status bind_named(
    struct rnic_adapter *a, struct rnic_endpoint *e, const struct plat_addr *addr)
{
    enum sn_status s = rnic_local_claim(a, &e->local, addr);
    struct plat_addr bound;

    if (s != SN_OK)
        return s;
    s = plat_reserve(a->plat, addr, &bound, &e->reservation);
    if (s != SN_OK)
        rnic_local_release(a, &e->local);
    return s;
}

static enum sn_status bind_any(
    struct rnic_adapter *a, struct rnic_endpoint *e, const struct plat_addr *addr)
{
    for (int i = 0; i < PORT_TRIES; i++) {
        struct plat_addr bound;
        enum sn_status s = plat_reserve(a->plat, addr, &bound, &e->reservation);

        if (s != SN_OK)
            return s;
        if (rnic_local_claim(a, &e->local, &bound) == SN_OK)
            return SN_OK;
        plat_unreserve(e->reservation);
    }
    return SN_NO_PORTS;
}

enum sn_status rnic_endpoint_create(
    struct rnic_adapter *a, const struct plat_addr *addr, struct rnic_endpoint **out)
{
    enum sn_status s = rnic_adapter_check_local(a, addr);
    struct rnic_endpoint *e;

    if (s != SN_OK)
        return s;
    e = sn_zalloc_aligned(sizeof *e);
    if (e == NULL)
        return SN_NO_MEMORY;
    s = addr->port != 0 ? bind_named(a, e, addr) : bind_any(a, e, addr);
    if (s != SN_OK) {
        sn_free_aligned(e);
        return s;
    }
    rnic_obj_init(&e->obj, &endpoint_class, a, a->lanes[0]->lane);
    *out = e;
    return SN_OK;
}

void rnic_endpoint_local(const struct rnic_endpoint *e, struct plat_addr *out)
{
    *out = e->local.addr;
}

struct rnic_obj *rnic_endpoint_obj(struct rnic_endpoint *e)
{
    return &e->obj;
}
