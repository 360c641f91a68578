/* SPDX-License-Identifier: MIT */
/* Simulated pipes: one end of a connection. The faults that a reader or writer sees are made here.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "plat/sim/sim_impl.h"

static struct sim_world *world_of(const struct sim_pipe *p)
{
    return p->conn->world;
}
static struct sim_flow *flow_in(const struct sim_pipe *p)
{
    return &p->conn->flow[1 - p->side];
}
static struct sim_flow *flow_out(const struct sim_pipe *p)
{
    return &p->conn->flow[p->side];
}
static bool is_reset(const struct sim_pipe *p)
{
    return p->conn->end[p->side].error != SN_OK;
}
static size_t room(const struct sim_pipe *p)
{
    const struct sim_flow *f = flow_out(p);

    return (size_t)(f->capacity - (f->written - f->read));
}
static size_t readable_octets(const struct sim_pipe *p)
{
    return (size_t)(flow_in(p)->arrived - flow_in(p)->read);
}

struct sim_pipe *sim_pipe_create(struct plat_lane *lane)
{
    struct sim_pipe *p = sn_zalloc(sizeof(*p));

    if (p == NULL)
        return NULL;
    p->base.plat = lane->plat;
    p->base.lane = lane;
    sn_list_init(&p->bind.link);
    sn_list_push_back(&sim_lane_of(lane)->pipes, &p->link);
    return p;
}

/* ---- readiness ---- */

static void serve_connected(void *object, unsigned side)
{
    struct sim_pipe *p = object;
    enum sn_status status = p->conn->answer;

    (void)side;
    p->is_connecting = false;
    p->is_reading = status == SN_OK;
    if (status != SN_OK)
        p->base.error = status;
    p->base.ops->connected(p->base.ctx, status);
}

static void serve_readable(void *object, unsigned side)
{
    struct sim_pipe *p = object;

    (void)side;
    p->read_round = world_of(p)->poll_round;
    p->base.ops->readable(p->base.ctx);
}

static void serve_writable(void *object, unsigned side)
{
    struct sim_pipe *p = object;

    (void)side;
    p->write_round = world_of(p)->poll_round;
    p->base.ops->writable(p->base.ctx);
}

void sim_offer_pipe(struct sim_pick *pick, struct sim_pipe *p)
{
    uint64_t round = pick->world->poll_round;

    if (p->is_connecting) {
        if (p->is_answered)
            sim_offer(pick, serve_connected, p, 0);
        return;
    }
    if (p->is_reading && p->read_round != round &&
        (readable_octets(p) > 0 || flow_in(p)->has_fin || is_reset(p)))
        sim_offer(pick, serve_readable, p, 0);
    if (p->is_writing && p->write_round != round && (room(p) > 0 || is_reset(p)))
        sim_offer(pick, serve_writable, p, 0);
}

/* ---- octets ---- */

static enum plat_io failed(struct sim_pipe *p)
{
    p->base.error = p->conn->end[p->side].error != SN_OK ? p->conn->end[p->side].error : SN_RESET;
    return PLAT_IO_ERROR;
}

static size_t total(const struct sn_cspan *v, size_t n)
{
    size_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += v[i].n;
    return sum;
}

/* Of `most` octets as many as the faults let through. */
static size_t some(struct sim_world *w, size_t most, uint32_t less_permille)
{
    return sim_chance(w, less_permille) ? 1 + (size_t)sim_random(w, most) : most;
}

enum plat_io sim_pipe_readv(struct plat_pipe *base, const struct sn_span *v, size_t n, size_t *got)
{
    struct sim_pipe *p = sim_pipe_of(base);
    struct sim_world *w = world_of(p);
    size_t most = total((const struct sn_cspan *)(const void *)v, n), left;

    *got = 0;
    if (most == 0 || sim_chance(w, w->faults.again_permille))
        return PLAT_IO_AGAIN;
    if (readable_octets(p) == 0) {
        if (is_reset(p))
            return failed(p);
        return flow_in(p)->has_fin ? PLAT_IO_END : PLAT_IO_AGAIN;
    }
    if (most > readable_octets(p))
        most = readable_octets(p);
    most =
        sim_chance(w, w->faults.one_octet_permille) ? 1 : some(w, most, w->faults.split_permille);
    left = most;
    for (size_t i = 0; i < n && left > 0; i++) {
        size_t piece = v[i].n < left ? v[i].n : left;

        if (piece == 0)
            continue;
        sim_conn_read(p->conn, p->side, v[i].p, piece);
        left -= piece;
    }
    *got = most;
    return PLAT_IO_OK;
}

enum plat_io sim_pipe_writev(
    struct plat_pipe *base, const struct sn_cspan *v, size_t n, size_t *sent)
{
    struct sim_pipe *p = sim_pipe_of(base);
    struct sim_world *w = world_of(p);
    size_t most = total(v, n), left;

    *sent = 0;
    if (is_reset(p) || flow_out(p)->is_finished)
        return failed(p);
    if (most == 0)
        return PLAT_IO_OK;
    if (most > room(p))
        most = room(p);
    if (most == 0 || sim_chance(w, w->faults.again_permille))
        return PLAT_IO_AGAIN;
    most = some(w, most, w->faults.short_write_permille);
    left = most;
    for (size_t i = 0; i < n && left > 0; i++) {
        size_t piece = v[i].n < left ? v[i].n : left;

        if (piece == 0)
            continue;
        sim_conn_send(p->conn, p->side, v[i].p, piece);
        left -= piece;
    }
    sim_conn_ship(p->conn, p->side);
    *sent = most;
    return PLAT_IO_OK;
}

/* ---- the rest ---- */

void sim_pipe_watch(struct plat_pipe *base, bool reading, bool writing)
{
    struct sim_pipe *p = sim_pipe_of(base);

    SN_ASSERT(!p->is_connecting);
    p->is_reading = reading;
    p->is_writing = writing;
}

void sim_pipe_shutdown(struct plat_pipe *base)
{
    struct sim_pipe *p = sim_pipe_of(base);

    if (!is_reset(p))
        sim_conn_send_fin(p->conn, p->side);
}

void sim_pipe_close(struct plat_pipe *base, bool is_abort)
{
    struct sim_pipe *p = sim_pipe_of(base);

    sn_list_remove(&p->link);
    sim_unbind(&p->bind);
    if (p->conn != NULL)
        sim_conn_end_closed(p->conn, p->side, is_abort);
    sn_free(p);
}

void sim_pipe_move(struct plat_pipe *base, struct plat_lane *to)
{
    struct sim_pipe *p = sim_pipe_of(base);

    sim_pipe_watch(base, false, false);
    sn_list_remove(&p->link);
    sn_list_push_back(&sim_lane_of(to)->pipes, &p->link);
    base->lane = to;
}

uint32_t sim_pipe_emss(struct plat_pipe *base)
{
    uint32_t emss = world_of(sim_pipe_of(base))->faults.emss;

    return emss != 0 ? emss : SIM_EMSS;
}

uint32_t sim_pipe_unacked(struct plat_pipe *base)
{
    const struct sim_flow *f = flow_out(sim_pipe_of(base));

    return (uint32_t)(f->written - f->arrived);
}
