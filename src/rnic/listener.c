/* SPDX-License-Identifier: MIT */
/*
 * Listeners. A connection becomes a connector as soon as TCP has it; the connector reads the
 * Request in the listener's lane, and the consumer hears of it when the Request is there and good.
 * At most RNIC_PENDING_CONNECTIONS_MAX are on that way at a time, each for at most the start-up's
 * time limit; when they are all taken, the peer that has kept its Request back for longest makes
 * room, so that silent peers cannot keep others out.
 */
#include "rnic/listener.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "rnic/connector_impl.h"

enum { TODO_LISTEN = 1, TODO_CLOSE = 2 };
enum { PORT_TRIES = 8 };

bool rnic_listener_refuses(const struct rnic_listener *l)
{
    return rnic_obj_is_closing(&l->obj) || sn_a32_load_acquire(&l->is_paused) != 0;
}

void rnic_listener_uncount(struct rnic_connector *c)
{
    if (sn_a32_exchange(&c->is_counted, 0) != 0)
        sn_a32_fetch_sub(&c->listener->pending_count, 1);
}

/* ---- a connection comes in ---- */

static bool has_room(const struct rnic_listener *l)
{
    return sn_a32_load_relaxed(&l->pending_count) < RNIC_PENDING_CONNECTIONS_MAX;
}

/* False if those that wait have sent their Requests: they wait for the consumer then. */
static bool make_room(struct rnic_listener *l)
{
    struct sn_list *oldest = sn_list_pop_front(&l->pending);
    struct rnic_connector *c;

    if (oldest == NULL)
        return false;
    c = SN_CONTAINER_OF(oldest, struct rnic_connector, pending_link);
    rnic_listener_uncount(c); /* now, for its task comes later */
    rnic_conn_drop(c);
    return true;
}

static void on_accepted(void *ctx, struct plat_pipe *pipe)
{
    struct rnic_listener *l = ctx;
    struct rnic_adapter *a = l->obj.adapter;
    struct rnic_connector *c = NULL;

    /* Paused: refused. TCP has answered already, so what the peer sees is a reset. */
    if (!rnic_listener_refuses(l) && (has_room(l) || make_room(l)))
        c = rnic_conn_new(a, l->lane, RNIC_CONN_WAIT_REQUEST, l);
    if (c == NULL) {
        plat_pipe_close(pipe, true);
        return;
    }
    sn_a32_fetch_add(&l->pending_count, 1);
    sn_a32_store_release(&c->is_counted, 1);
    sn_list_push_back(&l->pending, &c->pending_link);
    c->pipe = pipe;
    plat_pipe_set_ops(pipe, &rnic_conn_pipe_ops, c);
    plat_pipe_watch(pipe, true, false);
    rnic_conn_set_addresses(c);
    rnic_conn_set_timer(c, a->options.mpa_timeout_ms);
}

static const struct plat_listener_ops listener_ops = {.accepted = on_accepted};

/* The connector becomes the consumer's, unless nobody wants it any more. */
static void run_arrival(struct plat_call *call)
{
    struct rnic_connector *c = SN_CONTAINER_OF(call, struct rnic_connector, arrival_call);
    struct rnic_listener *l = c->listener;

    rnic_listener_uncount(c);
    if (rnic_listener_refuses(l))
        rnic_conn_drop(c);
    else
        l->event.call(&l->event, c);
    rnic_obj_put(&c->obj, RNIC_REF_CALLBACK); /* closed by its new owner perhaps */
    rnic_obj_put(&l->obj, RNIC_REF_CALLBACK);
}

void rnic_listener_deliver(struct rnic_listener *l, struct rnic_connector *c)
{
    sn_list_remove(&c->pending_link);
    c->arrival_call.run = run_arrival;
    rnic_obj_get(&c->obj, RNIC_REF_CALLBACK);
    rnic_obj_get(&l->obj, RNIC_REF_CALLBACK);
    plat_lane_call(l->obj.home, &c->arrival_call);
}

/* ---- listen and close, inside the lane ---- */

static enum sn_status listen_at(struct rnic_listener *l, const struct plat_addr *addr)
{
    const struct plat_pipe_options o = {
        .socket_buffer = l->obj.adapter->options.socket_buffer,
    };

    return plat_listen(l->lane->lane, addr, &o, &listener_ops, l, &l->pl);
}

/* At a port of the platform's choice that no object of ours still holds. */
static enum sn_status listen_at_any_port(struct rnic_listener *l)
{
    for (int i = 0; i < PORT_TRIES; i++) {
        struct plat_addr bound;
        enum sn_status s = listen_at(l, &l->addr);

        if (s != SN_OK)
            return s;
        plat_listener_local(l->pl, &bound);
        if (rnic_local_claim(l->obj.adapter, &l->claim, &bound) == SN_OK) {
            l->addr = bound;
            return SN_OK;
        }
        plat_listener_close(l->pl);
        l->pl = NULL;
    }
    return SN_NO_PORTS;
}

static void start_listening(struct rnic_listener *l)
{
    enum sn_status s;

    if (rnic_obj_is_closing(&l->obj)) {
        rnic_request_answer(&l->request, SN_CANCELLED);
        return;
    }
    s = l->addr.port == 0 ? listen_at_any_port(l) : listen_at(l, &l->addr);
    if (s != SN_OK) {
        rnic_local_release(l->obj.adapter, &l->claim);
        sn_a32_store_release(&l->state, RNIC_LISTENER_IDLE);
    } else {
        sn_a32_store_release(&l->state, RNIC_LISTENER_LISTENING);
    }
    rnic_request_answer(&l->request, s);
}

static void stop_listening(struct rnic_listener *l)
{
    struct sn_list *link;

    if (l->pl != NULL)
        plat_listener_close(l->pl);
    l->pl = NULL;
    /* Each is torn down by its task, later. */
    while ((link = sn_list_pop_front(&l->pending)) != NULL)
        rnic_conn_drop(SN_CONTAINER_OF(link, struct rnic_connector, pending_link));
}

static void run_task(struct rnic_task *t, uint32_t todo)
{
    struct rnic_listener *l = SN_CONTAINER_OF(t, struct rnic_listener, task);

    if ((todo & TODO_LISTEN) != 0)
        start_listening(l);
    if ((todo & TODO_CLOSE) != 0)
        stop_listening(l);
}

/* ---- life ---- */

static void listener_stop(struct rnic_obj *o)
{
    struct rnic_listener *l = (struct rnic_listener *)o;

    if (sn_a32_load_acquire(&l->state) != RNIC_LISTENER_IDLE)
        rnic_task_post(l->lane, &l->task, TODO_CLOSE);
}

static void listener_gone(struct rnic_obj *o)
{
    rnic_local_release(o->adapter, &((struct rnic_listener *)o)->claim);
}

static void listener_destroy(struct rnic_obj *o)
{
    struct rnic_listener *l = (struct rnic_listener *)o;

    SN_ASSERT(l->pl == NULL);
    SN_ASSERT(sn_list_is_empty(&l->pending));
    SN_ASSERT(sn_a32_load_acquire(&l->pending_count) == 0);
    rnic_obj_free(o);
}

static const struct rnic_obj_class listener_class = {
    .kind = RNIC_LISTENER,
    .stop = listener_stop,
    .gone = listener_gone,
    .destroy = listener_destroy,
};

enum sn_status rnic_listener_create(
    struct rnic_adapter *a, struct rnic_connect_event event, struct rnic_listener **out)
{
    struct rnic_listener *l = sn_zalloc_aligned(sizeof *l);

    if (l == NULL)
        return SN_NO_MEMORY;
    l->lane = rnic_adapter_pick_lane(a);
    l->event = event;
    rnic_task_init(&l->task, &l->obj, run_task);
    rnic_request_init(&l->request, &l->obj);
    sn_list_init(&l->pending);
    rnic_obj_init(&l->obj, &listener_class, a, l->lane->lane);
    *out = l;
    return SN_OK;
}

struct rnic_obj *rnic_listener_obj(struct rnic_listener *l)
{
    return &l->obj;
}

/* ---- calls ---- */

enum sn_status rnic_listener_listen(
    struct rnic_listener *l, const struct plat_addr *addr, struct rnic_done done)
{
    enum sn_status s = rnic_adapter_check_local(l->obj.adapter, addr);

    if (s != SN_OK)
        return s;
    if (!sn_a32_cas(&l->state, RNIC_LISTENER_IDLE, RNIC_LISTENER_STARTING))
        return SN_BAD_STATE;
    if (addr->port != 0)
        s = rnic_local_claim(l->obj.adapter, &l->claim, addr);
    if (s == SN_OK && !rnic_request_take(&l->request, done)) {
        rnic_local_release(l->obj.adapter, &l->claim);
        s = SN_BAD_STATE; /* the completion of the last attempt is still to come */
    }
    if (s != SN_OK) {
        sn_a32_store_release(&l->state, RNIC_LISTENER_IDLE);
        return s;
    }
    l->addr = *addr;
    rnic_task_post(l->lane, &l->task, TODO_LISTEN);
    return SN_PENDING;
}

enum sn_status rnic_listener_local(const struct rnic_listener *l, struct plat_addr *out)
{
    if (sn_a32_load_acquire(&l->state) != RNIC_LISTENER_LISTENING)
        return SN_BAD_STATE;
    *out = l->addr;
    return SN_OK;
}

void rnic_listener_pause(struct rnic_listener *l, bool is_paused)
{
    sn_a32_store_release(&l->is_paused, is_paused);
}
