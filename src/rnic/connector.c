/* SPDX-License-Identifier: MIT */
/* Connectors: life, the consumer's calls, and who inside the lane is called for what. */
#include "rnic/connector.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "rnic/connector_impl.h"

/* ---- state ---- */

static bool is_active(enum rnic_conn_state s)
{
    return s == RNIC_CONN_CONNECTED || s == RNIC_CONN_DISCONNECTING;
}

static enum rnic_conn_act step_locked(
    struct rnic_connector *c, enum rnic_conn_event e, enum rnic_conn_state *prev)
{
    enum rnic_conn_state now = rnic_conn_now(c);
    struct rnic_conn_cell cell = rnic_conn_cell(now, e);
    enum rnic_conn_state next = (enum rnic_conn_state)cell.next;
    struct sn_a64 *active = &c->obj.adapter->counters.active;

    if (prev != NULL)
        *prev = now;
    if (is_active(now) != is_active(next)) {
        if (is_active(next))
            sn_a64_fetch_add(active, 1);
        else
            sn_a64_fetch_sub(active, 1);
    }
    sn_a32_store_release(&c->state, next);
    return (enum rnic_conn_act)cell.act;
}

enum rnic_conn_act rnic_conn_step(
    struct rnic_connector *c, enum rnic_conn_event e, enum rnic_conn_state *prev)
{
    enum rnic_conn_act act;

    sn_lock_take(&c->lock);
    act = step_locked(c, e, prev);
    sn_lock_drop(&c->lock);
    return act;
}

/* What a call of the consumer's answers: SN_OK: it may go on; `refusal` in a wrong state. */
static enum sn_status answer_of(enum rnic_conn_act act, enum sn_status refusal)
{
    switch (act) {
    case RNIC_CONN_GO:
        return SN_OK;
    case RNIC_CONN_REFUSE_ABORTED:
        return SN_ABORTED;
    case RNIC_CONN_REFUSE_LOST:
        return SN_TIMED_OUT;
    case RNIC_CONN_REFUSE:
    case RNIC_CONN_IGNORE:
        break;
    }
    return refusal;
}

/* The same for a call that completes later: with SN_OK the request is pending. */
static enum sn_status take_call(struct rnic_connector *c, enum rnic_conn_event e,
    enum sn_status refusal, struct rnic_request *request, struct rnic_done done)
{
    enum rnic_conn_act act = RNIC_CONN_REFUSE;

    sn_lock_take(&c->lock);
    /* A request that is still to be answered keeps its place, whatever the state says already. */
    if (rnic_conn_cell(rnic_conn_now(c), e).act != RNIC_CONN_GO || rnic_request_take(request, done))
        act = step_locked(c, e, NULL);
    sn_lock_drop(&c->lock);
    return answer_of(act, refusal);
}

/* ---- helpers inside the lane ---- */

void rnic_conn_set_timer(struct rnic_connector *c, uint32_t delay_ms)
{
    plat_timer_set(rnic_conn_lane(c)->lane, &c->timer, (uint64_t)delay_ms * 1000000u);
}

void rnic_conn_cancel_timer(struct rnic_connector *c)
{
    plat_timer_cancel(rnic_conn_lane(c)->lane, &c->timer);
}

void rnic_conn_release_qp(struct rnic_connector *c)
{
    struct rnic_qp *qp = c->qp;

    c->qp = NULL;
    if (qp != NULL)
        rnic_qp_unreserve(qp);
}

void rnic_conn_close_pipe(struct rnic_connector *c, bool is_abort)
{
    if (c->pipe == NULL)
        return;
    plat_pipe_close(c->pipe, is_abort);
    c->pipe = NULL;
}

void rnic_conn_set_addresses(struct rnic_connector *c)
{
    sn_lock_take(&c->lock);
    plat_pipe_local(c->pipe, &c->facts.local);
    plat_pipe_peer(c->pipe, &c->facts.peer);
    c->facts.has_addresses = true;
    sn_lock_drop(&c->lock);
}

void rnic_conn_set_data(
    struct rnic_connector *c, uint32_t ird, uint32_t ord, const struct mpa_frame *from)
{
    sn_lock_take(&c->lock);
    c->facts.ird = ird;
    c->facts.ord = ord;
    c->facts.private_data = from->private_data;
    c->facts.private_len = from->private_len;
    c->facts.has_data = true;
    sn_lock_drop(&c->lock);
}

/* ---- what happens to the pipe before the QP has it ---- */

static void on_connected(void *ctx, enum sn_status status)
{
    rnic_conn_tcp_connected(ctx, status);
}

static void on_readable(void *ctx)
{
    struct rnic_connector *c = ctx;
    enum rnic_conn_io io;

    switch ((int)rnic_conn_now(c)) {
    case RNIC_CONN_WAIT_REPLY:
        rnic_conn_read_reply(c);
        break;
    case RNIC_CONN_WAIT_REQUEST:
        rnic_conn_read_request(c);
        break;
    case RNIC_CONN_ACCEPTED:
    case RNIC_CONN_REQUESTED:
        io = rnic_conn_listen_for_end(c);
        if (io == RNIC_CONN_IO_END || io == RNIC_CONN_IO_ERROR)
            rnic_conn_peer_gone(c);
        break;
    case RNIC_CONN_ENDED:
        rnic_conn_linger(c);
        break;
    default:
        /* A task of the consumer's is on its way that takes the pipe from here. */
        plat_pipe_watch(c->pipe, false, false);
        break;
    }
}

static void on_writable(void *ctx)
{
    struct rnic_connector *c = ctx;

    switch ((int)rnic_conn_now(c)) {
    case RNIC_CONN_WAIT_REPLY:
        if (rnic_conn_write(c, true) == RNIC_CONN_IO_ERROR)
            rnic_conn_read_reply(c); /* says how it ended */
        break;
    case RNIC_CONN_ACCEPTING:
        rnic_conn_send_reply(c);
        break;
    case RNIC_CONN_ENDED:
        rnic_conn_linger(c);
        break;
    default:
        plat_pipe_watch(c->pipe, false, false);
        break;
    }
}

const struct plat_pipe_ops rnic_conn_pipe_ops = {
    .connected = on_connected,
    .readable = on_readable,
    .writable = on_writable,
};

static void on_timer(struct plat_timer *t)
{
    struct rnic_connector *c = SN_CONTAINER_OF(t, struct rnic_connector, timer);

    switch ((int)rnic_conn_now(c)) {
    case RNIC_CONN_TCP:
    case RNIC_CONN_WAIT_REPLY:
        rnic_conn_setup_failed(c, SN_TIMED_OUT);
        break;
    case RNIC_CONN_WAIT_REQUEST:
        rnic_conn_drop(c);
        break;
    case RNIC_CONN_ACCEPTING:
        rnic_conn_quiet(c);
        break;
    case RNIC_CONN_DISCONNECTING:
        rnic_conn_disconnect_timeout(c);
        break;
    case RNIC_CONN_ENDED:
        rnic_conn_close_pipe(c, true); /* it lingered long enough */
        break;
    default:
        break;
    }
}

/* ---- the task ---- */

/* The QP's lane is for life, so the connector goes to it. Nothing of it is touched here afterwards.
 */
static void move(struct rnic_connector *c, struct rnic_lane *to)
{
    rnic_conn_cancel_timer(c);
    if (c->pipe != NULL) {
        plat_pipe_watch(c->pipe, false, false);
        plat_pipe_move(c->pipe, to->lane);
    }
    c->obj.home = to->lane;
    sn_aptr_store_release(&c->lane, to);
}

static void run_task(struct rnic_task *t, uint32_t todo)
{
    struct rnic_connector *c = SN_CONTAINER_OF(t, struct rnic_connector, task);
    struct rnic_lane *here = rnic_conn_lane(c);

    if (plat_lane_current() != here->lane) {
        rnic_task_post(here, t, todo); /* it moved meanwhile */
        return;
    }
    if ((todo & RNIC_CONN_TODO_REJECT) != 0)
        rnic_conn_reject(c);
    if ((todo & RNIC_CONN_TODO_CLOSE) != 0) {
        rnic_conn_tear_down(c);
        return;
    }
    if ((todo & (RNIC_CONN_TODO_CONNECT | RNIC_CONN_TODO_ACCEPT)) != 0 && c->qp != NULL &&
        c->qp->lane != here) {
        struct rnic_lane *there = c->qp->lane;

        move(c, there);
        rnic_task_post(there, t, todo);
        return;
    }
    if ((todo & RNIC_CONN_TODO_CONNECT) != 0)
        rnic_conn_start_connect(c);
    if ((todo & RNIC_CONN_TODO_ACCEPT) != 0)
        rnic_conn_send_reply(c);
    if ((todo & RNIC_CONN_TODO_COMPLETE) != 0)
        rnic_conn_complete(c);
    if ((todo & RNIC_CONN_TODO_DISCONNECT) != 0)
        rnic_conn_disconnect(c);
}

static void post(struct rnic_connector *c, uint32_t todo)
{
    rnic_task_post(rnic_conn_lane(c), &c->task, todo);
}

/* ---- life ---- */

static void connector_stop(struct rnic_obj *o)
{
    struct rnic_connector *c = (struct rnic_connector *)o;
    enum rnic_conn_state prev;

    if (rnic_conn_step(c, RNIC_EV_CLOSE, &prev) != RNIC_CONN_GO)
        return;
    c->closed_from = prev;
    if (prev != RNIC_CONN_IDLE) /* nothing of it is in a lane */
        post(c, RNIC_CONN_TODO_CLOSE);
}

static void connector_gone(struct rnic_obj *o)
{
    rnic_local_release(o->adapter, &((struct rnic_connector *)o)->claim);
}

static void connector_destroy(struct rnic_obj *o)
{
    struct rnic_connector *c = (struct rnic_connector *)o;

    SN_ASSERT(c->pipe == NULL);
    SN_ASSERT(!c->timer.is_set);
    rnic_conn_release_qp(c);
    if (c->endpoint != NULL)
        rnic_obj_put(rnic_endpoint_obj(c->endpoint), RNIC_REF_SUCCESSOR);
    if (c->listener != NULL)
        rnic_obj_put(&c->listener->obj, RNIC_REF_SUCCESSOR);
    rnic_obj_free(o);
}

static const struct rnic_obj_class connector_class = {
    .kind = RNIC_CONNECTOR,
    .stop = connector_stop,
    .gone = connector_gone,
    .destroy = connector_destroy,
};

struct rnic_connector *rnic_conn_new(struct rnic_adapter *a, struct rnic_lane *lane,
    enum rnic_conn_state state, struct rnic_listener *listener)
{
    struct rnic_connector *c = sn_zalloc_aligned(sizeof *c);

    if (c == NULL)
        return NULL;
    sn_lock_init(&c->lock, SN_RANK_OBJ);
    rnic_task_init(&c->task, &c->obj, run_task);
    sn_aptr_store_relaxed(&c->lane, lane);
    sn_a32_store_relaxed(&c->state, state);
    rnic_request_init(&c->establish, &c->obj);
    rnic_request_init(&c->ending, &c->obj);
    plat_timer_init(&c->timer, on_timer);
    sn_list_init(&c->pending_link);
    c->listener = listener;
    if (listener != NULL)
        rnic_obj_get(&listener->obj, RNIC_REF_SUCCESSOR);
    rnic_obj_init(&c->obj, &connector_class, a, lane->lane);
    return c;
}

enum sn_status rnic_connector_create(struct rnic_adapter *a, struct rnic_connector **out)
{
    /* The lane is the QP's as soon as there is one. */
    struct rnic_connector *c = rnic_conn_new(a, a->lanes[0], RNIC_CONN_IDLE, NULL);

    if (c == NULL)
        return SN_NO_MEMORY;
    *out = c;
    return SN_OK;
}

struct rnic_obj *rnic_connector_obj(struct rnic_connector *c)
{
    return &c->obj;
}

struct rnic_connector *rnic_connector_from_obj(struct rnic_obj *o)
{
    return o->class == &connector_class ? (struct rnic_connector *)o : NULL;
}

/* ---- calls of the active side ---- */

static enum sn_status check_connect(const struct rnic_connector *c, const struct rnic_qp *qp,
    const struct plat_addr *src, const struct plat_addr *dst, uint32_t private_len)
{
    const struct rnic_adapter *a = c->obj.adapter;

    if (qp->obj.adapter != a || src->family != dst->family)
        return SN_INVALID;
    if (dst->port == 0 || plat_addr_is_wildcard(dst))
        return SN_INVALID;
    if (private_len > iw_mpa_private_max(&a->options.mpa))
        return SN_PRIVATE_DATA_TOO_LONG;
    return rnic_adapter_check_local(a, src);
}

enum sn_status rnic_connector_connect(struct rnic_connector *c, struct rnic_qp *qp,
    const struct plat_addr *src, struct rnic_endpoint *endpoint, const struct plat_addr *dst,
    uint32_t ird, uint32_t ord, const void *private_data, uint32_t private_len,
    struct rnic_done done)
{
    bool is_fresh = rnic_conn_now(c) == RNIC_CONN_IDLE;
    struct plat_addr from;
    enum sn_status s;

    if (endpoint == NULL)
        from = *src;
    else if (rnic_endpoint_obj(endpoint)->adapter != c->obj.adapter)
        return SN_INVALID;
    else
        rnic_endpoint_local(endpoint, &from);
    /* Looked at again under the lock; here so that a wrong call does no harm to the QP. */
    if (rnic_conn_cell(rnic_conn_now(c), RNIC_EV_CONNECT).act != RNIC_CONN_GO)
        return SN_BAD_STATE;
    s = check_connect(c, qp, &from, dst, private_len);
    if (s != SN_OK)
        return s;
    s = rnic_qp_reserve(qp);
    if (s != SN_OK)
        return s;
    s = take_call(c, RNIC_EV_CONNECT, SN_BAD_STATE, &c->establish, done);
    if (s != SN_OK) {
        rnic_qp_unreserve(qp);
        return s;
    }
    c->qp = qp;
    c->endpoint = endpoint;
    if (endpoint != NULL)
        rnic_obj_get(rnic_endpoint_obj(endpoint), RNIC_REF_SUCCESSOR);
    c->args.src = from;
    c->args.dst = *dst;
    c->args.ird = ird;
    c->args.ord = ord;
    c->args.private_len = (uint16_t)private_len;
    if (private_len > 0)
        memcpy(c->args.private_data, private_data, private_len);
    sn_lock_take(&c->lock);
    c->facts = (struct rnic_conn_facts){0};
    sn_lock_drop(&c->lock);
    if (is_fresh) {
        /* Nothing runs yet: no need to go to the old lane first. */
        c->obj.home = qp->lane->lane;
        sn_aptr_store_release(&c->lane, qp->lane);
    }
    post(c, RNIC_CONN_TODO_CONNECT);
    return SN_PENDING;
}

enum sn_status rnic_connector_complete(
    struct rnic_connector *c, struct rnic_disconnect_event event, struct rnic_done done)
{
    enum sn_status s = take_call(c, RNIC_EV_COMPLETE, SN_NOT_CONNECTED, &c->establish, done);

    if (s != SN_OK)
        return s;
    c->event = event;
    post(c, RNIC_CONN_TODO_COMPLETE);
    return SN_PENDING;
}

/* ---- calls of the passive side ---- */

/* May the passive side's frames be built? Only from here on is the offer there, and it stays. */
static enum sn_status check_requested(const struct rnic_connector *c)
{
    switch ((int)rnic_conn_now(c)) {
    case RNIC_CONN_REQUESTED:
        return SN_OK;
    case RNIC_CONN_GONE:
        return SN_ABORTED;
    default:
        return SN_BAD_STATE;
    }
}

enum sn_status rnic_connector_accept(struct rnic_connector *c, struct rnic_qp *qp, uint32_t ird,
    uint32_t ord, const void *private_data, uint32_t private_len,
    struct rnic_disconnect_event event, struct rnic_done done)
{
    const struct iw_mpa_options *o = &c->obj.adapter->options.mpa;
    enum sn_status s = c->listener != NULL ? check_requested(c) : SN_BAD_STATE;
    struct iw_mpa_result mpa;
    struct mpa_frame reply;

    if (s != SN_OK)
        return s;
    if (qp->obj.adapter != c->obj.adapter)
        return SN_INVALID;
    if (!iw_mpa_accept(o, &c->offer, ird, ord, private_data, private_len, &reply, &mpa))
        return SN_PRIVATE_DATA_TOO_LONG;
    s = rnic_qp_reserve(qp);
    if (s != SN_OK)
        return s;
    s = take_call(c, RNIC_EV_ACCEPT, SN_BAD_STATE, &c->establish, done);
    if (s != SN_OK) {
        rnic_qp_unreserve(qp);
        return s;
    }
    c->qp = qp;
    c->mpa = mpa;
    c->event = event;
    rnic_conn_build(c, &reply);
    sn_lock_take(&c->lock);
    c->facts.ird = mpa.ird;
    c->facts.ord = mpa.ord;
    sn_lock_drop(&c->lock);
    post(c, RNIC_CONN_TODO_ACCEPT);
    return SN_PENDING;
}

/* ---- calls of both ---- */

enum sn_status rnic_connector_reject(
    struct rnic_connector *c, const void *private_data, uint32_t private_len)
{
    const struct iw_mpa_options *o = &c->obj.adapter->options.mpa;
    bool is_passive = c->listener != NULL;
    struct mpa_frame reply;
    enum sn_status s = is_passive ? check_requested(c) : SN_OK;

    if (s != SN_OK)
        return s;
    if (is_passive ? !iw_mpa_reject(o, &c->offer, private_data, private_len, &reply)
                   : private_len > iw_mpa_private_max(o))
        return SN_PRIVATE_DATA_TOO_LONG;
    /* Before the step: with it the lane may send, at the peer's next octet. */
    if (is_passive)
        rnic_conn_build(c, &reply);
    s = answer_of(rnic_conn_step(c, RNIC_EV_REJECT, NULL), SN_BAD_STATE);
    if (s == SN_OK)
        post(c, RNIC_CONN_TODO_REJECT);
    return s;
}

enum sn_status rnic_connector_disconnect(struct rnic_connector *c, struct rnic_done done)
{
    enum sn_status s = take_call(c, RNIC_EV_DISCONNECT, SN_BAD_STATE, &c->ending, done);

    if (s != SN_OK)
        return s;
    post(c, RNIC_CONN_TODO_DISCONNECT);
    return SN_PENDING;
}

/* ---- what is known ---- */

static struct rnic_conn_facts facts_of(const struct rnic_connector *c)
{
    struct sn_lock *lock = (struct sn_lock *)(uintptr_t)&c->lock;
    struct rnic_conn_facts f;

    sn_lock_take(lock);
    f = c->facts;
    sn_lock_drop(lock);
    return f;
}

enum sn_status rnic_connector_data(const struct rnic_connector *c, uint32_t *ird, uint32_t *ord,
    const uint8_t **private_data, uint32_t *private_len)
{
    struct rnic_conn_facts f = facts_of(c);

    if (!f.has_data)
        return SN_BAD_STATE;
    *ird = f.ird;
    *ord = f.ord;
    *private_data = f.private_data;
    *private_len = f.private_len;
    return SN_OK;
}

enum sn_status rnic_connector_addresses(
    const struct rnic_connector *c, struct plat_addr *local, struct plat_addr *peer)
{
    struct rnic_conn_facts f = facts_of(c);

    if (!f.has_addresses)
        return SN_NOT_CONNECTED;
    *local = f.local;
    *peer = f.peer;
    return SN_OK;
}

enum rnic_conn_state rnic_connector_state(const struct rnic_connector *c)
{
    return rnic_conn_now(c);
}
