/* SPDX-License-Identifier: MIT */
/* Simulated hosts' addresses and ports; connecting, listening, reserving. */
#include "base/alloc.h"
#include "base/assert.h"
#include "plat/sim/sim_impl.h"

static bool is_same_ip(const struct plat_addr *a, const struct plat_addr *b)
{
    struct plat_addr copy = *a;

    copy.port = b->port;
    return plat_addr_equal(&copy, b);
}

bool sim_host_owns(const struct sim_host *h, const struct plat_addr *a)
{
    for (size_t i = 0; i < h->addr_count; i++) {
        if (is_same_ip(&h->addrs[i], a))
            return true;
    }
    return false;
}

/* ---- ports ---- */

static bool may_share(enum sim_bind_kind a, enum sim_bind_kind b)
{
    /* Like SO_REUSEADDR on Linux: a reservation and connections from the port that it names, and a
     * listener beside them. Ports that we chose are nobody else's. */
    static const bool table[5][5] = {
        [SIM_BIND_LISTEN] = {[SIM_BIND_RESERVE] = true, [SIM_BIND_CONNECT_FIXED] = true},
        [SIM_BIND_CONNECT_FIXED] = {[SIM_BIND_RESERVE] = true, [SIM_BIND_CONNECT_FIXED] = true},
    };

    return table[a][b];
}

static bool is_port_free(
    const struct sim_host *h, const struct plat_addr *addr, enum sim_bind_kind kind)
{
    for (const struct sn_list *l = h->binds.next; l != &h->binds; l = l->next) {
        const struct sim_bind *b = SN_CONTAINER_OF((uintptr_t)l, struct sim_bind, link);

        if (b->addr.port != addr->port || b->addr.family != addr->family)
            continue;
        if (!is_same_ip(&b->addr, addr) && !plat_addr_is_wildcard(&b->addr) &&
            !plat_addr_is_wildcard(addr))
            continue;
        if (!may_share(kind, b->kind))
            return false;
    }
    return true;
}

/* A connection from there is not quite gone: a bind that does not share refuses such a port. */
static bool is_lingering(const struct sim_world *w, const struct plat_addr *local)
{
    for (const struct sn_list *l = w->conns.next; l != &w->conns; l = l->next) {
        const struct sim_conn *c = SN_CONTAINER_OF((uintptr_t)l, struct sim_conn, link);

        if (plat_addr_equal(&c->end[0].local, local))
            return true;
    }
    return false;
}

static enum sn_status choose_port(
    struct sim_host *h, struct plat_addr *addr, enum sim_bind_kind kind, uint16_t avoid)
{
    enum { COUNT = PLAT_PORT_LAST - PLAT_PORT_FIRST + 1 };
    uint64_t first = sim_random(h->world, COUNT);

    for (uint64_t i = 0; i < COUNT; i++) {
        addr->port = (uint16_t)(PLAT_PORT_FIRST + (first + i) % COUNT);
        if (addr->port != avoid && is_port_free(h, addr, SIM_BIND_CONNECT_ANY) &&
            (kind != SIM_BIND_RESERVE || !is_lingering(h->world, addr)))
            return SN_OK;
    }
    return SN_NO_PORTS;
}

static enum sn_status bind_to(struct sim_host *h, struct sim_bind *b, const struct plat_addr *addr,
    enum sim_bind_kind kind, uint16_t avoid)
{
    b->addr = *addr;
    b->kind = kind;
    if (!plat_addr_is_wildcard(addr) && !sim_host_owns(h, addr))
        return SN_ADDRESS_INVALID;
    if (addr->port == 0) {
        enum sn_status status = choose_port(h, &b->addr, kind, avoid);

        if (status != SN_OK)
            return status;
    } else if (!is_port_free(h, addr, kind)) {
        return SN_ADDRESS_IN_USE;
    }
    sn_list_push_back(&h->binds, &b->link);
    return SN_OK;
}

void sim_unbind(struct sim_bind *b)
{
    sn_list_remove(&b->link);
}

/* ---- connecting ---- */

/* A wildcard becomes the first address of its family. */
static enum sn_status choose_local(
    const struct sim_host *h, const struct plat_addr *bound, struct plat_addr *local)
{
    *local = *bound;
    if (!plat_addr_is_wildcard(bound))
        return SN_OK;
    for (size_t i = 0; i < h->addr_count; i++) {
        if (h->addrs[i].family == bound->family) {
            *local = h->addrs[i];
            local->port = bound->port;
            return SN_OK;
        }
    }
    return SN_ADDRESS_INVALID;
}

static bool is_pair_taken(
    const struct sim_world *w, const struct plat_addr *local, const struct plat_addr *peer)
{
    for (const struct sn_list *l = w->conns.next; l != &w->conns; l = l->next) {
        const struct sim_conn *c = SN_CONTAINER_OF((uintptr_t)l, struct sim_conn, link);

        if (plat_addr_equal(&c->end[0].local, local) && plat_addr_equal(&c->end[1].local, peer))
            return true;
    }
    return false;
}

static enum sn_status start_connect(
    struct sim_pipe *p, const struct plat_addr *src, const struct plat_addr *dst)
{
    struct sim_host *h = sim_host_of(p->base.plat);
    enum sim_bind_kind kind = src->port != 0 ? SIM_BIND_CONNECT_FIXED : SIM_BIND_CONNECT_ANY;
    enum sn_status status = bind_to(h, &p->bind, src, kind, dst->port);
    bool is_taken;

    if (status == SN_OK)
        status = choose_local(h, &p->bind.addr, &p->base.local);
    if (status != SN_OK)
        return status;
    is_taken = is_pair_taken(h->world, &p->base.local, dst);
    p->base.peer = *dst;
    p->is_connecting = true;
    p->conn = sim_conn_create(h->world, p, dst);
    if (p->conn == NULL)
        return SN_NO_MEMORY;
    if (is_taken) {
        p->conn->state = SIM_CONN_ANSWER;
        p->conn->answer = SN_ADDRESS_PAIR_EXISTS;
    }
    return SN_OK;
}

enum sn_status sim_connect(struct plat_lane *lane, const struct plat_addr *src,
    const struct plat_addr *dst, const struct plat_pipe_options *options,
    const struct plat_pipe_ops *ops, void *ctx, struct plat_pipe **out)
{
    struct sim_pipe *p = sim_pipe_create(lane);
    enum sn_status status;

    (void)options;
    if (p == NULL)
        return SN_NO_MEMORY;
    p->base.ops = ops;
    p->base.ctx = ctx;
    status = start_connect(p, src, dst);
    if (status != SN_OK) {
        sim_pipe_close(&p->base, true);
        return status;
    }
    *out = &p->base;
    return SN_OK;
}

/* ---- listening ---- */

static struct sim_listener *listener_on(struct sim_host *h, const struct plat_addr *dst)
{
    for (struct sn_list *n = h->lanes.next; n != &h->lanes; n = n->next) {
        struct sim_lane *lane = SN_CONTAINER_OF(n, struct sim_lane, link);

        for (struct sn_list *k = lane->listeners.next; k != &lane->listeners; k = k->next) {
            struct sim_listener *l = SN_CONTAINER_OF(k, struct sim_listener, link);
            const struct plat_addr *at = &l->bind.addr;

            if (at->port == dst->port && at->family == dst->family &&
                (plat_addr_is_wildcard(at) || is_same_ip(at, dst)))
                return l;
        }
    }
    return NULL;
}

struct sim_listener *sim_find_listener(
    struct sim_world *w, const struct plat_addr *dst, bool *is_host_there)
{
    *is_host_there = false;
    for (struct sn_list *n = w->hosts.next; n != &w->hosts; n = n->next) {
        struct sim_host *h = SN_CONTAINER_OF(n, struct sim_host, link);

        if (sim_host_owns(h, dst)) {
            *is_host_there = true;
            return listener_on(h, dst);
        }
    }
    return NULL;
}

static void serve_accept(void *object, unsigned side)
{
    struct sim_listener *l = object;
    struct sim_conn *c = SN_CONTAINER_OF(l->backlog.next, struct sim_conn, accept_link);
    struct sim_pipe *p = sim_pipe_create(l->base.lane);

    (void)side;
    l->round = c->world->poll_round;
    if (p == NULL) {
        sim_conn_refuse(c);
        return;
    }
    sim_conn_leave_backlog(c);
    p->conn = c;
    p->side = 1;
    p->base.local = c->end[1].local;
    p->base.peer = c->end[0].local;
    c->end[1].pipe = p;
    l->ops->accepted(l->ctx, &p->base);
}

void sim_offer_listener(struct sim_pick *pick, struct sim_listener *l)
{
    if (!sn_list_is_empty(&l->backlog) && l->round != pick->world->poll_round)
        sim_offer(pick, serve_accept, l, 0);
}

enum sn_status sim_listen(struct plat_lane *lane, const struct plat_addr *addr,
    const struct plat_pipe_options *options, const struct plat_listener_ops *ops, void *ctx,
    struct plat_listener **out)
{
    struct sim_listener *l = sn_zalloc(sizeof(*l));
    enum sn_status status;

    (void)options;
    if (l == NULL)
        return SN_NO_MEMORY;
    status = bind_to(sim_host_of(lane->plat), &l->bind, addr, SIM_BIND_LISTEN, 0);
    if (status != SN_OK) {
        sn_free(l);
        return status;
    }
    l->base.plat = lane->plat;
    l->base.lane = lane;
    l->ops = ops;
    l->ctx = ctx;
    sn_list_init(&l->backlog);
    sn_list_push_back(&sim_lane_of(lane)->listeners, &l->link);
    *out = &l->base;
    return SN_OK;
}

void sim_listener_local(const struct plat_listener *base, struct plat_addr *out)
{
    const struct sim_listener *l = SN_CONTAINER_OF((uintptr_t)base, struct sim_listener, base);

    *out = l->bind.addr;
}

void sim_listener_close(struct plat_listener *base)
{
    struct sim_listener *l = SN_CONTAINER_OF(base, struct sim_listener, base);

    while (!sn_list_is_empty(&l->backlog))
        sim_conn_refuse(SN_CONTAINER_OF(l->backlog.next, struct sim_conn, accept_link));
    sn_list_remove(&l->link);
    sim_unbind(&l->bind);
    sn_free(l);
}

/* ---- reservations ---- */

struct sim_reservation {
    struct plat_reservation base;
    struct sim_bind bind;
};

enum sn_status sim_reserve(struct plat *p, const struct plat_addr *addr, struct plat_addr *out,
    struct plat_reservation **reservation)
{
    struct sim_reservation *r = sn_zalloc(sizeof(*r));
    enum sn_status status;

    if (r == NULL)
        return SN_NO_MEMORY;
    status = bind_to(sim_host_of(p), &r->bind, addr, SIM_BIND_RESERVE, 0);
    if (status != SN_OK) {
        sn_free(r);
        return status;
    }
    r->base.plat = p;
    *out = r->bind.addr;
    *reservation = &r->base;
    return SN_OK;
}

void sim_unreserve(struct plat_reservation *base)
{
    struct sim_reservation *r = SN_CONTAINER_OF(base, struct sim_reservation, base);

    sim_unbind(&r->bind);
    sn_free(r);
}
