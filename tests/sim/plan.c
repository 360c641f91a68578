/* SPDX-License-Identifier: MIT */
#include "sim/plan.h"

#include "base/bytes.h"

uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t rng_below(struct rng *r, uint32_t below)
{
    return below == 0 ? 0 : (uint32_t)(rng_next(r) % below);
}

uint32_t rng_between(struct rng *r, uint32_t lo, uint32_t hi)
{
    return lo + rng_below(r, hi - lo + 1);
}

bool rng_chance(struct rng *r, uint32_t permille)
{
    return permille != 0 && rng_below(r, 1000) < permille;
}

const char *mood_name(enum mood m)
{
    static const char *const names[MOOD_COUNT] = {
        [MOOD_CALM] = "calm",
        [MOOD_BUMPY] = "bumpy",
        [MOOD_ABRUPT] = "abrupt",
        [MOOD_ROUGH] = "rough",
    };

    return names[m];
}

/* One of a table. */
#define PICK(r, table) ((table)[rng_below((r), (uint32_t)SN_ARRAY_COUNT(table))])

static void draw_network(struct plan *p, struct rng *r)
{
    static const uint32_t chance[] = {0, 0, 20, 200, 700};
    static const uint32_t delay[] = {0, 0, 1000, 50000, 2000000};
    static const uint32_t capacity[] = {0, 0, 600, 4096, 20000, 70000};
    static const uint32_t emss[] = {0, 0, 536, 1448, 8948, 65483};
    struct sim_faults *f = &p->faults;

    f->emss = PICK(r, emss);
    if (p->mood == MOOD_CALM)
        return;
    f->split_permille = PICK(r, chance);
    f->short_write_permille = PICK(r, chance);
    f->again_permille = PICK(r, chance) / 2;
    f->one_octet_permille = rng_chance(r, 150) ? 600 : PICK(r, chance) / 10;
    f->delay_ns_max = PICK(r, delay);
    f->lane_busy_permille = PICK(r, chance) / 2;
    f->pipe_capacity = PICK(r, capacity);
    if (p->mood == MOOD_ROUGH)
        f->reset_permyriad = rng_chance(r, 500) ? rng_between(r, 1, 15) : 0;
}

static void draw_options(struct plan *p, struct rng *r, struct rnic_options *o)
{
    static const uint32_t payload[] = {0, 0, 0, 64, 257, 1460, 9000, 32768, 65000};
    static const uint8_t rtr[] = {0, 1, 2, 4, 3, 5, 6, 6, 6, 7};

    rnic_options_init(o);
    o->lanes = rng_between(r, 1, 3);
    o->mpa.revision = rng_chance(r, 250) ? 1 : 2;
    o->mpa.crc = rng_chance(r, 250) ? IW_CRC_NEVER_ASK : IW_CRC_ASK;
    o->mpa.markers = rng_chance(r, 200);
    o->mpa.rtr = PICK(r, rtr);
    o->mpa.ird_max = (uint16_t)rng_between(r, 1, 16);
    o->mpa.ord_max = (uint16_t)rng_between(r, 1, 16);
    o->payload_max = PICK(r, payload);
    o->require_read_sink = rng_chance(r, 200);
    if (p->mood == MOOD_ROUGH && rng_chance(r, 200))
        o->mpa.crc = IW_CRC_REQUIRE;
    if (p->mood >= MOOD_ABRUPT && rng_chance(r, 200))
        o->receive_wait_ms = rng_between(r, 1, 20);
}

/* Peer-to-peer needs a common way: a Read needs an ORD, which a consumer may not give, and who asks
 * for no peer-to-peer himself takes no Send for it. */
static void reconcile(const struct rnic_options *a, struct rnic_options *b)
{
    uint32_t taken = a->mpa.rtr != 0 ? a->mpa.rtr : (uint32_t)IW_RTR_WRITE;

    if (b->mpa.rtr != 0 && (taken & b->mpa.rtr & ~(uint32_t)IW_RTR_READ) == 0)
        b->mpa.rtr |= (uint8_t)(taken & ~(uint32_t)IW_RTR_READ) | IW_RTR_WRITE;
}

void plan_draw(struct plan *p, struct rng *r)
{
    static const uint32_t moods[] = {MOOD_CALM, MOOD_BUMPY, MOOD_BUMPY, MOOD_BUMPY, MOOD_ABRUPT,
        MOOD_ABRUPT, MOOD_ROUGH, MOOD_ROUGH};
    static const uint32_t depth[] = {2, 4, 16, 64};
    static const uint32_t len[] = {64, 700, 3000, 20000, 48000};
    static const uint32_t acts[] = {100, 300, 600};

    *p = (struct plan){.mood = (enum mood)PICK(r, moods)};
    draw_network(p, r);
    draw_options(p, r, &p->options[0]);
    draw_options(p, r, &p->options[1]);
    p->has_no_way = p->mood >= MOOD_ABRUPT && rng_chance(r, 60);
    if (!p->has_no_way)
        reconcile(&p->options[0], &p->options[1]);
    if (!p->has_no_way)
        reconcile(&p->options[1], &p->options[0]);
    p->steps = rng_between(r, 400, 4000);
    p->act_permille = PICK(r, acts);
    p->links_max = rng_chance(r, 300) ? 1 : rng_between(r, 1, 5);
    p->domains = rng_between(r, 1, 2);
    p->srq_permille = rng_chance(r, 500) ? 0 : 500;
    p->own_cq_permille = rng_between(r, 0, 1) * 500;
    p->queue_depth_max = PICK(r, depth);
    p->len_max = PICK(r, len);
    p->silent_permille = rng_chance(r, 300) ? 0 : rng_between(r, 0, 600);
    p->defer_permille = rng_chance(r, 300) ? 0 : rng_between(r, 0, 700);
    p->inline_permille = rng_between(r, 0, 300);
    p->fence_permille = rng_between(r, 0, 300);
    p->late_receive_permille = rng_chance(r, 500) ? 0 : rng_between(r, 0, 900);
    p->ird_max = rng_chance(r, 200) ? 0 : rng_between(r, 1, 16);
    p->ord_max = rng_chance(r, 200) ? 1 : rng_between(r, 1, 16);
    p->end_link_permille = rng_chance(r, 500) ? 0 : 10;
    p->strangers_permille = rng_chance(r, 250) ? rng_between(r, 1, 10) : 0;
    if (p->mood >= MOOD_ABRUPT)
        p->violence_permille = rng_between(r, 1, 20);
    if (p->mood == MOOD_ROUGH && rng_chance(r, 100))
        p->cq_depth = rng_between(r, 4, 40);
    if (p->mood == MOOD_ROUGH && rng_chance(r, 300))
        p->scarce_permille = rng_between(r, 5, 200);
}
