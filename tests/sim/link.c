/* SPDX-License-Identifier: MIT */
#include "sim/link.h"

#include <stdlib.h>
#include <string.h>

#include "sim/stranger.h"
#include "sim/world.h"

enum { PRIVATE_HEAD = 4, PRIVATE_MAX = 300, WRONG_PORT = 999 };

static struct rng *rng_of(const struct link *l)
{
    return &l->world->rng;
}

static bool is_rude(const struct link *l)
{
    return l->world->plan.mood >= MOOD_ABRUPT;
}

void link_taint(struct link *l, uint32_t taint)
{
    if ((l->taint & taint) == taint)
        return;
    l->taint |= taint;
    world_log(l->world, "link %u: taint 0x%x", l->number, l->taint);
}

/* Beside CANCELLED, which every taint explains. */
static const struct {
    uint32_t taints;
    enum sn_status status;
} explained[] = {
    {TAINT_RESET | TAINT_LEFT | TAINT_ACCESS | TAINT_SLOW | TAINT_OVERRUN, SN_RESET},
    {TAINT_LEFT | TAINT_ACCESS | TAINT_SLOW | TAINT_OVERRUN | TAINT_RESET | TAINT_REFUSED,
        SN_REMOTE_ERROR},
    {TAINT_ACCESS, SN_NO_ACCESS},
    {TAINT_ACCESS, SN_BAD_REQUEST},
    {TAINT_ACCESS, SN_REMOTE_ACCESS},
    {TAINT_ACCESS, SN_MSG_TOO_LONG},
    {TAINT_SLOW, SN_TIMED_OUT},
};

bool link_may_fail(const struct link *l, enum sn_status status)
{
    if (status == SN_CANCELLED)
        return l->taint != 0;
    for (size_t i = 0; i < SN_ARRAY_COUNT(explained); i++) {
        if (explained[i].status == status && (l->taint & explained[i].taints) != 0)
            return true;
    }
    return false;
}

bool link_is_up(const struct link *l)
{
    return l->actor[0].is_usable && l->actor[1].is_usable && !l->is_failed;
}

static void fail(struct link *l, const char *what, enum sn_status status)
{
    l->is_failed = true;
    l->actor[0].is_over = l->actor[1].is_over = true;
    l->world->stats.failures++;
    if (l->taint == 0)
        world_fail(l->world, "connection: link %u: %s ends %s for no reason", l->number, what,
            sn_status_name(status));
}

/* ---- private data: the link's number and a pattern ---- */

static uint32_t fill_private(const struct link *l, uint32_t side, uint8_t *out)
{
    uint32_t n = PRIVATE_HEAD + (l->number * 37u + side * 11u) % (PRIVATE_MAX - PRIVATE_HEAD);

    for (uint32_t i = 0; i < n; i++)
        out[i] = (uint8_t)(i < PRIVATE_HEAD ? l->number >> (8 * i) : l->number + side * 3 + i);
    return n;
}

static void check_private(struct link *l, const struct rnic_connector *c, uint32_t from)
{
    uint8_t want[PRIVATE_MAX];
    uint32_t n = fill_private(l, from, want), ird, ord, len;
    const uint8_t *got;
    enum sn_status s = rnic_connector_data(c, &ird, &ord, &got, &len);

    if (s != SN_OK || len != n || memcmp(got, want, n) != 0)
        world_fail(l->world,
            "connection: link %u: private data of side %u is %u octets, must be %u (%s)", l->number,
            from, len, n, sn_status_name(s));
}

/* ---- up ---- */

/* [RFC6581]: what one side may send the other must take. */
static void check_limits(struct link *l)
{
    const uint8_t *data;
    uint32_t len;

    for (uint32_t i = 0; i < 2; i++) {
        struct actor *a = &l->actor[i];

        if (rnic_connector_data(a->connector, &a->ird, &a->ord, &data, &len) != SN_OK)
            world_fail(l->world, "connection: link %u side %u has no data", l->number, i);
    }
    for (uint32_t i = 0; i < 2; i++) {
        if (l->actor[i].ord > l->actor[1 - i].ird)
            world_fail(l->world,
                "connection: link %u side %u may have %u Reads, the other takes %u", l->number, i,
                l->actor[i].ord, l->actor[1 - i].ird);
    }
}

static void is_connected(struct actor *a, enum sn_status status, const char *what)
{
    struct link *l = a->link;

    if (status != SN_OK) {
        fail(l, what, status);
        return;
    }
    if (l->is_failed || a->connector_life->state != LIFE_OPEN)
        return;
    a->is_usable = true;
    life_stand_on(a->connector_life, a->qp_life);
    if (a->side == 0 && l->endpoint_life != NULL)
        life_stand_on(a->connector_life, l->endpoint_life);
    if (!link_is_up(l))
        return;
    l->since_ns = 0;
    l->world->stats.connects++;
    check_limits(l);
}

/* A failed connect leaves connector and queue pair as they were. */
static bool may_retry(const struct actor *a)
{
    struct link *l = a->link;

    return l->taint != 0 && !l->has_passive && !l->has_retried && !l->is_failed &&
           !l->world->is_ending && a->connector_life->state == LIFE_OPEN &&
           a->qp_life->state == LIFE_OPEN && rng_chance(rng_of(l), 600);
}

static void connect_answered(void *ctx, enum sn_status status)
{
    struct actor *a = ctx;

    if (status != SN_OK && may_retry(a)) {
        a->link->must_retry = true;
        return;
    }
    if (status != SN_OK) {
        fail(a->link, "connect", status);
        return;
    }
    check_private(a->link, a->connector, 1);
    a->must_answer = a->connector_life->state == LIFE_OPEN;
}

static void complete_answered(void *ctx, enum sn_status status)
{
    is_connected(ctx, status, "complete");
}

static void accept_answered(void *ctx, enum sn_status status)
{
    is_connected(ctx, status, "accept");
}

static void nothing(void)
{
}

static void disconnect(struct actor *a);

static void on_disconnect_event(const struct rnic_disconnect_event *e, uint32_t reason)
{
    struct actor *a = e->ctx;
    struct link *l = a->link;

    life_heard(a->connector_life, "disconnect event");
    (void)reason;
    if (a->has_event)
        world_fail(l->world, "connection: link %u side %u has a second disconnect event", l->number,
            a->side);
    if (l->taint == 0)
        world_fail(l->world, "connection: link %u side %u is lost for no reason (%s)", l->number,
            a->side, wire_err_info((enum wire_err)reason)->name);
    a->has_event = true;
    a->must_part = true;
    a->is_over = true;
    if (rng_chance(rng_of(l), 200)) { /* answered inside the event */
        a->must_part = false;
        disconnect(a);
    } else if (is_rude(l) && rng_chance(rng_of(l), 200)) {
        life_close(a->connector_life);
        l->is_failed = true;
    }
}

static struct rnic_disconnect_event event_of(struct actor *a)
{
    return (struct rnic_disconnect_event){.call = on_disconnect_event, .fn = nothing, .ctx = a};
}

/* ---- the beginning ---- */

static struct link *link_new(struct world *w)
{
    struct link *l = calloc(1, sizeof *l);

    if (w->links_count == w->links_room) {
        w->links_room = w->links_room == 0 ? 16 : 2 * w->links_room;
        w->links = realloc(w->links, w->links_room * sizeof(*w->links));
    }
    l->world = w;
    l->number = w->links_count;
    w->links[w->links_count++] = l;
    return l;
}

/* Revision 1 has no words for the limits: consumers agree beforehand. A reset before the Reply, or
 * a paused listener, looks like a peer of revision 1, so there it may be spoken too. */
static void choose_limits(struct link *l)
{
    const struct rnic_options *o[2] = {&l->world->plan.options[l->actor[0].host->index],
        &l->world->plan.options[l->actor[1].host->index]};
    const struct plan *p = &l->world->plan;
    bool is_enhanced = o[0]->mpa.revision == 2 && o[1]->mpa.revision == 2 && !is_rude(l);

    for (int i = 0; i < 2; i++) {
        l->ird[i] = rng_below(rng_of(l), p->ird_max + 1);
        l->ord[i] = rng_below(rng_of(l), p->ord_max + 1);
    }
    for (int i = 0; i < 2 && !is_enhanced; i++) {
        if (l->ord[i] > l->ird[1 - i])
            l->ord[i] = l->ird[1 - i];
        if (l->ord[i] > o[1 - i]->mpa.ird_max)
            l->ord[i] = o[1 - i]->mpa.ird_max;
    }
}

/* An overrun ended its queue pairs, also those that have no connection yet. */
static bool has_dead_cq(const struct actor *a)
{
    return rnic_cq_is_dead(a->send_cq->cq) || rnic_cq_is_dead(a->recv_cq->cq);
}

static void connect(struct link *l, uint16_t port)
{
    struct actor *a = &l->actor[0];
    struct plat_addr src = a->host->addr, dst = l->actor[1].host->addr;
    uint8_t data[PRIVATE_MAX];
    uint32_t len = fill_private(l, 0, data);
    struct rnic_done done =
        life_ask(&a->connecting, a->connector_life, "connect", connect_answered, a);
    enum sn_status s;

    src.port = 0;
    dst.port = port;
    l->since_ns = world_now_ns(l->world);
    world_log(l->world, "link %u: connect, host %u to host %u port %u, ird %u %u ord %u %u",
        l->number, a->host->index, l->actor[1].host->index, port, l->ird[0], l->ird[1], l->ord[0],
        l->ord[1]);
    s = life_asked(&a->connecting, rnic_connector_connect(a->connector, a->qp, &src, l->endpoint,
                                       &dst, l->ird[0], l->ord[0], data, len, done));
    if (s == SN_ALREADY_CONNECTED && l->taint != 0 && l->has_retried)
        fail(l, "connect", s); /* flushed meanwhile */
    else if (s == SN_BAD_STATE && has_dead_cq(a))
        fail(l, "connect", s);
    else if (s != SN_PENDING)
        world_fail(l->world, "connecting answers %s", sn_status_name(s));
}

static void create_endpoint(struct link *l)
{
    struct host *h = l->actor[0].host;
    struct plat_addr addr = h->addr;
    enum sn_status s;

    addr.port = 0;
    s = rnic_endpoint_create(h->adapter, &addr, &l->endpoint);
    if (s != SN_OK) {
        world_fail(l->world, "creating a shared endpoint answers %s", sn_status_name(s));
        return;
    }
    l->endpoint_life = life_born(l->world, rnic_endpoint_obj(l->endpoint));
}

/* What is known beforehand to go wrong perhaps. */
static void foresee(struct link *l)
{
    struct world *w = l->world;

    if (w->plan.faults.reset_permyriad > 0 || w->plan.scarce_permille > 0)
        link_taint(l, TAINT_RESET);
    if (w->plan.cq_depth != 0)
        link_taint(l, TAINT_OVERRUN);
    for (int i = 0; i < 2; i++) {
        if (l->actor[i].uses_srq && l->actor[i].domain->is_spoiled)
            link_taint(l, TAINT_ACCESS);
        if (w->plan.options[i].mpa.crc == IW_CRC_REQUIRE)
            link_taint(l, TAINT_REFUSED);
    }
    if (l->actor[1].host->is_paused || w->plan.has_no_way)
        link_taint(l, TAINT_REFUSED);
}

void link_begin(struct world *w)
{
    struct link *l = link_new(w);
    struct actor *a = &l->actor[0];
    struct host *from = &w->host[rng_below(&w->rng, HOSTS)];
    struct host *to = rng_chance(&w->rng, 850) ? &w->host[1 - from->index] : from;
    bool is_wrong = is_rude(l) && rng_chance(&w->rng, 40);

    actor_init(&l->actor[0], l, 0, from);
    actor_init(&l->actor[1], l, 1, to);
    choose_limits(l);
    foresee(l);
    if (is_wrong)
        link_taint(l, TAINT_REFUSED);
    if (rng_chance(&w->rng, 200))
        create_endpoint(l);
    if (rnic_connector_create(from->adapter, &a->connector) != SN_OK) {
        world_fail(w, "creating a connector failed");
        return;
    }
    a->connector_life = life_born(w, rnic_connector_obj(a->connector));
    connect(l, is_wrong ? WRONG_PORT : to->addr.port);
}

/* Who wants to come in? */
static uint32_t number_of(const struct rnic_connector *c)
{
    const uint8_t *data;
    uint32_t ird, ord, len, number = 0;

    if (rnic_connector_data(c, &ird, &ord, &data, &len) != SN_OK || len < PRIVATE_HEAD)
        return STRANGER_NUMBER;
    for (uint32_t i = 0; i < PRIVATE_HEAD; i++)
        number |= (uint32_t)data[i] << (8 * i);
    return number;
}

static bool answer(struct actor *a);

void link_requested(struct host *h, struct rnic_connector *c)
{
    uint32_t number = number_of(c);
    struct link *l = number < h->world->links_count ? h->world->links[number] : NULL;
    struct life *life;
    struct actor *a;

    /* Noise may look like a whole Request. */
    if (number == STRANGER_NUMBER || (l == NULL && h->world->strangers != NULL)) {
        stranger_requested(h, c);
        return;
    }
    life = life_born(h->world, rnic_connector_obj(c));
    life_stand_on(life, h->listener_life);
    if (l == NULL || l->actor[1].host != h) {
        world_fail(h->world, "connection: a request that nobody made");
        return;
    }
    /* Asked once more in revision 1, because the network cut the first try; or given up meanwhile.
     */
    if (l->has_passive || l->is_failed || l->actor[1].qp_life->state != LIFE_OPEN) {
        if (l->taint == 0)
            world_fail(h->world, "connection: link %u is requested twice", l->number);
        life_close(life);
        return;
    }
    a = &l->actor[1];
    l->has_passive = true;
    a->connector = c;
    a->connector_life = life;
    check_private(l, c, 0);
    a->must_answer = true;
    if (rng_chance(rng_of(l), 300)) /* at once, inside the event */
        answer(a);
}

/* ---- the consumers' answers ---- */

static void say_no(struct actor *a)
{
    enum sn_status s;

    link_taint(a->link, TAINT_REFUSED);
    if (rng_chance(rng_of(a->link), 400)) {
        life_close(a->connector_life);
    } else {
        s = rnic_connector_reject(a->connector, "no", 2);
        world_log(a->link->world, "link %u side %u: reject -> %s", a->link->number, a->side,
            sn_status_name(s));
        if (s != SN_OK && s != SN_ABORTED)
            world_fail(a->link->world, "rejecting answers %s", sn_status_name(s));
    }
    a->link->is_failed = true;
    a->link->actor[0].is_over = a->link->actor[1].is_over = true;
}

static bool answer(struct actor *a)
{
    struct link *l = a->link;
    uint8_t data[PRIVATE_MAX];
    enum sn_status s;

    if (!a->must_answer || a->connector_life->state != LIFE_OPEN)
        return false;
    a->must_answer = false;
    if (a->qp_life->state != LIFE_OPEN || (is_rude(l) && rng_chance(rng_of(l), 60))) {
        say_no(a);
        return true;
    }
    if (a->side == 0)
        s = life_asked(&a->completing,
            rnic_connector_complete(a->connector, event_of(a),
                life_ask(&a->completing, a->connector_life, "complete", complete_answered, a)));
    else
        s = life_asked(&a->accepting,
            rnic_connector_accept(a->connector, a->qp, l->ird[1], l->ord[1], data,
                fill_private(l, 1, data), event_of(a),
                life_ask(&a->accepting, a->connector_life, "accept", accept_answered, a)));
    if (s == SN_OK)
        is_connected(a, s, "answer");
    else if (s != SN_PENDING)
        fail(l, "answer", s);
    return true;
}

/* ---- the end ---- */

static void disconnect_answered(void *ctx, enum sn_status status)
{
    struct actor *a = ctx;

    /* Closing the connector or the queue pair cancels it. */
    if (status != SN_OK && (a->link->taint & ~(uint32_t)TAINT_PARTING) == 0 &&
        a->connector_life->state == LIFE_OPEN && a->qp_life->state == LIFE_OPEN)
        world_fail(a->link->world, "connection: link %u side %u: disconnect ends %s",
            a->link->number, a->side, sn_status_name(status));
    a->is_over = true;
    a->link->is_failed = true; /* only closing is left */
}

static void disconnect(struct actor *a)
{
    struct link *l = a->link;
    enum sn_status s;

    if (a->has_disconnected || a->connector_life == NULL || a->connector_life->state != LIFE_OPEN)
        return;
    a->has_disconnected = true;
    a->is_over = true;
    if (l->since_ns == 0)
        l->since_ns = world_now_ns(l->world);
    s = life_asked(&a->disconnecting,
        rnic_connector_disconnect(a->connector,
            life_ask(&a->disconnecting, a->connector_life, "disconnect", disconnect_answered, a)));
    if (s == SN_PENDING)
        return;
    disconnect_answered(a, s == SN_BAD_STATE && l->taint != 0 ? SN_TIMED_OUT : s);
}

void link_part(struct link *l)
{
    if (!l->is_parting)
        world_log(l->world, "link %u: the consumers are done", l->number);
    l->is_parting = true;
}

static bool is_idle(const struct actor *a)
{
    return a->has_finished && !actor_is_busy(a);
}

/* One step of an orderly end. */
static bool part(struct link *l)
{
    struct actor *a = &l->actor[rng_below(rng_of(l), 2)];

    for (int i = 0; i < 2; i++, a = actor_peer(a)) {
        if (!a->has_finished && !a->is_over) {
            actor_finish(a);
            if (a->has_finished)
                return true;
        }
    }
    if (!is_idle(a) || !is_idle(actor_peer(a)) || a->is_over || actor_peer(a)->is_over)
        return false;
    link_taint(l, TAINT_PARTING);
    disconnect(a);
    return true;
}

static bool is_closed(const struct life *l)
{
    return l == NULL || l->state == LIFE_CLOSED;
}

static bool is_open(const struct life *l)
{
    return l != NULL && l->state == LIFE_OPEN;
}

/* Closes one of its objects, whichever. */
static bool close_something(struct link *l)
{
    struct life *open[7];
    uint32_t n = 0;

    if (is_open(l->endpoint_life))
        open[n++] = l->endpoint_life;

    for (int i = 0; i < 2; i++) {
        struct actor *a = &l->actor[i];

        if (is_open(a->connector_life))
            open[n++] = a->connector_life;
        if (is_open(a->qp_life))
            open[n++] = a->qp_life;
        /* Closed first it hides what becomes of the requests: now and then only. */
        if (a->own_cq != NULL && is_open(a->own_cq->life) &&
            (a->is_settled || (!a->uses_srq && rng_chance(rng_of(l), 100))))
            open[n++] = a->own_cq->life;
    }
    if (n == 0)
        return false;
    life_close(open[rng_below(rng_of(l), n)]);
    return true;
}

bool link_pay(struct link *l)
{
    struct actor *first = &l->actor[rng_below(rng_of(l), 2)];

    if (l->is_over)
        return false;
    if (l->is_failed)
        return close_something(l);
    if (l->must_retry) {
        l->must_retry = false;
        l->has_retried = true;
        if (!is_open(l->actor[0].connector_life) || !is_open(l->actor[0].qp_life)) {
            fail(l, "connect", SN_REFUSED);
            return true;
        }
        if (l->actor[1].host->is_paused)
            link_taint(l, TAINT_REFUSED);
        connect(l, l->actor[1].host->addr.port);
        return true;
    }
    for (int i = 0; i < 2; i++) {
        struct actor *a = i == 0 ? first : actor_peer(first);
        uint64_t due = actor_due(a), posted = a->receives_posted + a->domain->srq_posted;

        if (answer(a))
            return true;
        if (a->must_part) {
            a->must_part = false;
            disconnect(a);
            return true;
        }
        if (due > 0) {
            actor_post_receive(a);
            if (a->receives_posted + a->domain->srq_posted != posted)
                return true;
        }
    }
    if (l->is_parting && link_is_up(l))
        return part(l);
    return false;
}

/* ---- acts ---- */

void link_act(struct link *l)
{
    struct actor *a = &l->actor[rng_below(rng_of(l), 2)];

    if (l->is_over)
        return;
    if (l->is_failed || l->must_retry || a->must_answer || a->must_part) {
        if (rng_chance(rng_of(l), 200))
            link_pay(l);
        return;
    }
    if (actor_due(a) > 0 && !rng_chance(rng_of(l), l->world->plan.late_receive_permille)) {
        actor_post_receive(a);
        return;
    }
    if (rng_chance(rng_of(l), 250) && !a->is_over)
        actor_post_receive(a);
    else if (!l->is_parting)
        actor_post(a);
    else
        link_pay(l);
}

void link_act_in_notification(struct world *w, struct cq *q)
{
    struct actor *a = q->owner;

    if (a == NULL)
        return;
    /* A close from inside the own notification must pend. [NDKPI object-lifetime] */
    if (a->link->is_failed && !a->uses_srq && w->plan.mood >= MOOD_ABRUPT) {
        life_close(q->life);
        if (q->life->state != LIFE_CLOSING)
            world_fail(w, "close: CQ %u is closed inside its own notification", q->life->number);
    } else {
        link_act(a->link);
    }
}

void link_break(struct link *l)
{
    struct actor *a = &l->actor[rng_below(rng_of(l), 2)];

    if (l->is_over)
        return;
    switch (rng_below(rng_of(l), 6)) {
    case 0:
        if (!is_open(a->qp_life))
            return;
        link_taint(l, TAINT_LEFT);
        world_log(l->world, "link %u side %u: flush", l->number, a->side);
        rnic_qp_flush(a->qp);
        a->is_over = true;
        if (!link_is_up(l))
            l->is_failed = true;
        break;
    case 1:
        if (!a->is_usable)
            return;
        link_taint(l, TAINT_LEFT);
        disconnect(a);
        break;
    case 2:
        link_taint(l, TAINT_LEFT);
        if (is_open(a->connector_life))
            life_close(a->connector_life);
        l->is_failed = true;
        break;
    case 3:
        link_taint(l, TAINT_LEFT);
        if (is_open(a->qp_life))
            life_close(a->qp_life);
        l->is_failed = true;
        break;
    default:
        if (l->world->plan.mood == MOOD_ROUGH && link_is_up(l))
            actor_misbehave(a);
        break;
    }
    if (l->is_failed)
        l->actor[0].is_over = l->actor[1].is_over = true;
}

/* ---- time and books ---- */

static void look_at_clock(struct link *l)
{
    uint64_t now = world_now_ns(l->world);

    for (int i = 0; i < 2; i++) {
        struct actor *a = &l->actor[i];
        const struct rnic_options *o = &l->world->plan.options[a->host->index];

        if (l->since_ns != 0 && now - l->since_ns >= o->disconnect_timeout_ms * UINT64_C(1000000))
            link_taint(l, TAINT_SLOW);
        if (actor_due(a) == 0)
            a->due_since_ns = 0;
        else if (a->due_since_ns == 0)
            a->due_since_ns = now;
        else if (now - a->due_since_ns >= o->receive_wait_ms * UINT64_C(1000000))
            link_taint(l, TAINT_SLOW);
    }
}

static bool is_blind(const struct cq *q)
{
    return q->life->state != LIFE_OPEN || q->is_overrun || rnic_cq_is_dead(q->cq);
}

/* Sends that were to invalidate something there, and of which nobody knows whether they arrived. */
static void forget_invalidations(struct actor *from)
{
    for (struct op *op = from->sent_head; op != NULL; op = op->next_sent) {
        if (op->grant != NULL)
            grant_changed(op->grant, GRANT_UNKNOWN, false);
        op->grant = NULL;
    }
}

/* Its queue pair is closed: nothing reaches its memory any more, and its completions are out. */
static void settle(struct actor *a)
{
    bool is_dark = is_blind(a->send_cq) || is_blind(a->recv_cq);

    a->is_settled = true;
    cq_drain(a->send_cq);
    cq_drain(a->recv_cq);
    order_ended(a, is_dark);
    for (struct op *op = actor_peer(a)->write_head; op != NULL; op = op->next_write)
        op_release_remote(op, false);
    for (int i = 0; i < GRANTS; i++) {
        struct grant *g = &a->domain->grant[i];

        if (g->kind == GRANT_WINDOW && g->only == a && g->state != GRANT_NONE)
            g->state = GRANT_UNKNOWN;
    }
    forget_invalidations(actor_peer(a));
}

static void look_for_end(struct link *l)
{
    for (int i = 0; i < 2; i++) {
        struct actor *a = &l->actor[i];

        if (!a->is_settled || !is_closed(a->connector_life) ||
            (a->own_cq != NULL && !is_closed(a->own_cq->life)) || !is_closed(l->endpoint_life))
            return;
    }
    for (int i = 0; i < 2; i++) {
        for (struct op *op = l->actor[i].write_head; op != NULL; op = op->next_write)
            op_release_remote(op, false);
        forget_invalidations(&l->actor[i]);
    }
    l->is_over = true;
    world_log(l->world, "link %u is over", l->number);
}

void link_tick(struct link *l)
{
    if (l->is_over)
        return;
    look_at_clock(l);
    for (int i = 0; i < 2; i++) {
        struct actor *a = &l->actor[i];

        if (a->is_qp_gone && !a->is_settled)
            settle(a);
    }
    look_for_end(l);
}

void link_free(struct link *l)
{
    free(l);
}
