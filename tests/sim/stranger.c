/* SPDX-License-Identifier: MIT */
#include "sim/stranger.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "sim/bell.h"
#include "sim/domain.h"
#include "sim/world.h"
#include "wire/fpdu.h"
#include "wire/mpa.h"

enum { OCTETS_MAX = 8192, FPDUS_MAX = 6, ULPDU_MAX = 300 };

enum manners {
    STAYS,    /* says no more, and does not hang up */
    HANGS_UP, /* FIN */
    SLAMS,    /* RST */
    MANNERS
};

struct stranger {
    struct stranger *next;
    struct world *world;
    struct plat_lane *lane;
    struct plat_pipe *pipe;
    enum manners manners;
    uint8_t octets[OCTETS_MAX];
    size_t len, sent;
};

/* What a consumer made of a stranger's Request. */
struct guest {
    struct guest *next;
    struct world *world;
    struct cq *cq;
    struct rnic_qp *qp;
    struct life *qp_life, *connector_life;
    struct ask accepting;
    bool is_over;
};

/* ---- what they say ---- */

static void say(struct stranger *s, const void *p, size_t n)
{
    memcpy(s->octets + s->len, p, n);
    s->len += n;
}

static void say_noise(struct stranger *s, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        s->octets[s->len++] = (uint8_t)rng_next(&s->world->rng);
}

static void say_request(struct stranger *s, const struct rnic_options *host)
{
    static const uint8_t number[] = {0xff, 0xff, 0xff, 0xff};
    struct mpa_frame f = {
        .role = MPA_REQUEST,
        .revision = host->mpa.revision,
        .crc = true,
        .is_enhanced = host->mpa.revision == 2,
        .ird = 1,
        .ord = 1,
        .private_data = number,
        .private_len = sizeof number,
    };

    s->len += mpa_frame_build(&f, s->octets + s->len, MPA_FRAME_LEN_MAX);
}

/* Somewhere in memory that another protection domain has registered, if there is one. */
struct target {
    uint32_t stag;
    uint64_t to;
};

static struct target foreign_target(struct world *w, const struct host *h)
{
    struct target t = {(uint32_t)rng_next(&w->rng), rng_next(&w->rng)};

    if (h->domains > 1 && rng_chance(&w->rng, 700)) { /* guests live in domain 0 */
        t.stag = h->domain[1]->grant[0].stag;
        t.to = h->domain[1]->grant[0].base + rng_below(&w->rng, 1000);
    }
    return t;
}

static void make_tagged(struct rng *r, uint8_t *ulpdu, struct target t)
{
    ulpdu[0] = (uint8_t)(0x80 | (rng_chance(r, 800) ? 0x40 : 0) | 1);
    ulpdu[1] = (uint8_t)(0x40 | (rng_chance(r, 800) ? 0 : rng_below(r, 16)));
    sn_put_be32(ulpdu + 2, t.stag);
    sn_put_be64(ulpdu + 6, t.to);
}

static void make_untagged(struct rng *r, uint8_t *ulpdu, struct target t)
{
    uint8_t opcode = (uint8_t)rng_below(r, rng_chance(r, 900) ? 8 : 16);
    bool is_read = rng_chance(r, 400);

    ulpdu[0] = (uint8_t)((rng_chance(r, 800) ? 0x40 : 0) | 1);
    ulpdu[1] = (uint8_t)(0x40 | (is_read ? 1 : opcode));
    sn_put_be32(ulpdu + 2, t.stag);                        /* to be invalidated */
    sn_put_be32(ulpdu + 6, is_read ? 1 : rng_below(r, 4)); /* QN */
    sn_put_be32(ulpdu + 10, rng_chance(r, 800) ? 1 : 0);   /* MSN */
    sn_put_be32(ulpdu + 14, rng_chance(r, 800) ? 0 : 77);  /* MO */
    sn_put_be32(ulpdu + 30, 64);                           /* a Read's length and source */
    sn_put_be32(ulpdu + 34, t.stag);
    sn_put_be64(ulpdu + 38, t.to);
}

/* Headers that make sense now and then, payload that does not. */
static void say_fpdu(struct stranger *s, const struct host *h, uint64_t *pos, bool markers)
{
    struct rng *r = &s->world->rng;
    uint32_t n = rng_chance(r, 500) ? 46 : rng_between(r, 46, ULPDU_MAX);
    uint32_t len = mpa_fpdu_len(n);
    uint8_t fpdu[512] = {0};

    for (uint32_t i = 0; i < n; i++)
        fpdu[2 + i] = (uint8_t)rng_next(r);
    sn_put_be16(fpdu, (uint16_t)n);
    if (rng_chance(r, 500))
        make_tagged(r, fpdu + 2, foreign_target(s->world, h));
    else
        make_untagged(r, fpdu + 2, foreign_target(s->world, h));
    sn_put_le32(fpdu + len - MPA_CRC_LEN,
        sn_crc32c_finish(sn_crc32c_add(SN_CRC32C_INIT, fpdu, len - MPA_CRC_LEN)));
    if (rng_chance(r, 300))
        fpdu[rng_between(r, 16, len - 1)] ^= 0x10;
    if (markers) {
        size_t marked = mpa_fpdu_insert_markers(fpdu, len, *pos, true, s->octets + s->len);

        s->len += marked;
        *pos += marked;
    } else {
        say(s, fpdu, len);
    }
}

static void compose(struct stranger *s, const struct host *h)
{
    static const char key[] = "MPA ID Req Frame";
    struct rng *r = &s->world->rng;
    const struct rnic_options *o = &s->world->plan.options[h->index];
    uint64_t pos = 0;

    switch (rng_below(r, 6)) {
    case 0: /* not a word */
        break;
    case 1:
        say_noise(s, rng_between(r, 1, 600));
        break;
    case 2:
        say(s, key, sizeof key - 1);
        say_noise(s, rng_between(r, 0, 600));
        break;
    case 3:
        say_request(s, o);
        s->len = rng_between(r, 1, (uint32_t)s->len);
        break;
    case 4:
        say_request(s, o);
        say_noise(s, rng_between(r, 0, 600));
        break;
    default:
        say_request(s, o);
        for (uint32_t n = rng_between(r, 1, FPDUS_MAX); n > 0; n--)
            say_fpdu(s, h, &pos, o->mpa.markers);
        break;
    }
}

/* ---- how they say it ---- */

static void leave(struct stranger *s)
{
    if (s->pipe != NULL)
        plat_pipe_close(s->pipe, s->manners == SLAMS);
    s->pipe = NULL;
}

static void talk(struct stranger *s)
{
    const struct sn_cspan v = {s->octets + s->sent, s->len - s->sent};
    size_t sent = 0;

    if (s->sent < s->len && plat_pipe_writev(s->pipe, &v, 1, &sent) == PLAT_IO_ERROR) {
        leave(s);
        return;
    }
    s->sent += sent;
    if (s->sent < s->len) {
        plat_pipe_watch(s->pipe, true, true);
    } else if (s->manners == STAYS) {
        plat_pipe_watch(s->pipe, true, false);
    } else {
        if (s->manners == HANGS_UP)
            plat_pipe_shutdown(s->pipe);
        leave(s);
    }
}

static void on_connected(void *ctx, enum sn_status status)
{
    struct stranger *s = ctx;

    if (status != SN_OK)
        leave(s);
    else
        talk(s);
}

static void on_writable(void *ctx)
{
    talk(ctx);
}

static void on_readable(void *ctx)
{
    struct stranger *s = ctx;
    uint8_t scratch[512];
    const struct sn_span v = {scratch, sizeof scratch};
    size_t got;
    enum plat_io io = plat_pipe_readv(s->pipe, &v, 1, &got);

    if (io == PLAT_IO_END || io == PLAT_IO_ERROR)
        leave(s);
}

static const struct plat_pipe_ops pipe_ops = {
    .connected = on_connected, .readable = on_readable, .writable = on_writable};

static void no_work(void *ctx)
{
    (void)ctx;
}

static const struct plat_lane_ops lane_ops = {.work = no_work};

void stranger_begin(struct world *w)
{
    struct host *h = &w->host[rng_below(&w->rng, HOSTS)];
    struct stranger *s = calloc(1, sizeof *s);
    struct plat_addr src = w->host[1 - h->index].addr;
    enum sn_status status;

    s->world = w;
    s->manners = (enum manners)rng_below(&w->rng, MANNERS);
    compose(s, h);
    s->next = w->strangers;
    w->strangers = s;
    world_log(w, "a stranger with %zu octets for host %u", s->len, h->index);
    src.port = 0;
    if (plat_lane_create(w->host[1 - h->index].plat, &lane_ops, s, &s->lane) != SN_OK ||
        !plat_lane_enter(s->lane)) {
        world_fail(w, "simulation: no lane for a stranger");
        return;
    }
    status = plat_connect(s->lane, &src, &h->addr, NULL, &pipe_ops, s, &s->pipe);
    if (status != SN_OK)
        s->pipe = NULL;
    plat_lane_leave(s->lane);
}

/* ---- the consumer's side ---- */

static void accept_answered(void *ctx, enum sn_status status)
{
    struct guest *g = ctx;

    if (status != SN_OK)
        g->is_over = true;
}

static void nothing(void)
{
}

static void on_disconnect_event(const struct rnic_disconnect_event *e, uint32_t reason)
{
    struct guest *g = e->ctx;

    (void)reason;
    life_heard(g->connector_life, "disconnect event");
    g->is_over = true;
}

static void create_qp(struct guest *g, struct host *h)
{
    const struct domain *d = h->domain[0];
    struct rnic_qp_attr attr = {.recv_depth = 1, .send_depth = 1, .context = g};

    g->cq = cq_open(h, 0);
    attr.recv_cq = attr.send_cq = g->cq->cq;
    if (rnic_qp_create(d->pd, &attr, &g->qp) != SN_OK) {
        world_fail(g->world, "creating a QP failed");
        return;
    }
    g->qp_life = life_born(g->world, rnic_qp_obj(g->qp));
    life_stand_on(g->qp_life, d->life);
    life_stand_on(g->qp_life, g->cq->life);
}

void stranger_requested(struct host *h, struct rnic_connector *c)
{
    struct world *w = h->world;
    struct guest *g = calloc(1, sizeof *g);
    const struct rnic_disconnect_event event = {
        .call = on_disconnect_event, .fn = nothing, .ctx = g};
    enum sn_status s;

    g->world = w;
    g->next = w->guests;
    w->guests = g;
    g->connector_life = life_born(w, rnic_connector_obj(c));
    life_stand_on(g->connector_life, h->listener_life);
    if (h->domain[0]->life->state != LIFE_OPEN || rng_chance(&w->rng, 100)) {
        g->is_over = true;
        return;
    }
    create_qp(g, h);
    s = life_asked(&g->accepting,
        rnic_connector_accept(c, g->qp, 1, 1, NULL, 0, event,
            life_ask(&g->accepting, g->connector_life, "accept", accept_answered, g)));
    if (s != SN_OK && s != SN_PENDING)
        g->is_over = true;
}

void strangers_tick(struct world *w, bool all)
{
    for (struct guest *g = w->guests; g != NULL; g = g->next) {
        if (!all && !g->is_over)
            continue;
        life_close(g->connector_life);
        if (g->qp_life != NULL) {
            life_close(g->qp_life);
            life_close(g->cq->life);
        }
    }
}

void strangers_end(struct world *w)
{
    struct stranger *s, *next;
    struct guest *g, *after;

    for (s = w->strangers; s != NULL; s = next) {
        next = s->next;
        if (s->pipe != NULL && plat_lane_enter(s->lane)) {
            leave(s);
            plat_lane_leave(s->lane);
        }
        if (s->lane != NULL)
            plat_lane_destroy(s->lane);
        free(s);
    }
    for (g = w->guests; g != NULL; g = after) {
        after = g->next;
        free(g);
    }
    w->strangers = NULL;
    w->guests = NULL;
}
