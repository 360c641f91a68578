/* SPDX-License-Identifier: MIT */
/*
 * Any sequence of calls of mem against a model that holds plain copies of what was asked for.
 * Input: operations, one octet each, followed by the octets that their arguments take; a short
 * input reads as zeros. Holds: every result is the one of the model; after every operation exactly
 * the regions that the model calls valid are; every octet of an allowed access is where the model
 * puts it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "mem/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

__extension__ typedef unsigned __int128 wide; /* sums that do not wrap */

enum { SLOTS = 6, PAGES_MAX = 6, RIGHTS_ALL = 0x1F };

#define REMOTE ((uint32_t)(MEM_REMOTE_READ | MEM_REMOTE_WRITE))
#define END    ((wide)1 << 64)

struct model {
    struct mem_region *r; /* NULL: no region in this slot */
    enum mem_kind kind;
    uint32_t pd, qp;
    bool is_valid;
    uint32_t stag; /* while valid */
    uint64_t base, len, host;
    uint32_t rights;
    bool may_be_remote;
    uint32_t pages_max; /* 0: not initialised */
    uint64_t pages[PAGES_MAX];
    uint32_t fbo;
    struct model *parent; /* window while bound */
    uint32_t windows;     /* MR: bound to it */
};

struct world {
    const uint8_t *data;
    size_t size;
    struct mem_table table;
    uint64_t seed;
    struct model slots[SLOTS];
    uint32_t stale[4]; /* STags that were valid once */
    uint32_t stale_next;
};

static uint8_t take(struct world *w)
{
    if (w->size == 0)
        return 0;
    w->size--;
    return *w->data++;
}

static uint64_t take_u64(struct world *w)
{
    uint64_t x = 0;

    for (int i = 0; i < 8; i++)
        x = x << 8 | take(w);
    return x;
}

/* An address or length: where something begins or ends, or next to it, or any. */
static uint64_t take_number(struct world *w, uint64_t base, uint64_t len)
{
    const uint64_t near[] = {base, len, base + len, base + len / 2, UINT64_MAX, MEM_PAGE_SIZE, 0};
    uint8_t choice = take(w);
    uint64_t off = choice < 128 ? 0 : (uint64_t)(choice / 8 % 16) - 8;

    return choice % 8 == 7 ? take_u64(w) : near[choice % 8] + off;
}

/* Mostly the same stream of the same domain. */
static struct mem_who take_who(struct world *w)
{
    uint8_t x = take(w);
    uint32_t pd = x % 8 == 7 ? 2 : 1;

    return (struct mem_who){pd, pd * 10 + (x / 8 % 4 == 3)};
}

/* One octet: now and then a right that there is not. */
static uint32_t take_rights(struct world *w)
{
    uint8_t x = take(w);

    return x % 32 | (x >= 224 ? 32 : 0);
}

static struct model *take_slot(struct world *w)
{
    return &w->slots[take(w) % SLOTS];
}

static void random_octets(void *ctx, void *out, size_t n)
{
    struct world *w = ctx;

    for (size_t i = 0; i < n; i++) {
        w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)out)[i] = (uint8_t)(w->seed >> 56);
    }
}

/* An STag: of a slot, exact or a bit off, or one that was valid once, or any. */
static uint32_t take_stag(struct world *w)
{
    const struct model *m = take_slot(w);
    uint8_t how = take(w);

    if (how % 16 == 14)
        return w->stale[how / 16 % 4];
    if (how % 16 == 15)
        return (uint32_t)take_u64(w);
    if (m->r == NULL)
        return how;
    return mem_region_stag(m->r) ^ (how < 192 ? 0 : 1u << how % 32);
}

static struct model *model_find(struct world *w, uint32_t stag)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct model *m = &w->slots[i];

        if (m->r != NULL && m->is_valid && m->stag == stag)
            return m;
    }
    return NULL;
}

static bool model_is_of(const struct model *m, struct mem_who who)
{
    return m->pd == who.pd && (m->kind != MEM_KIND_WINDOW || m->qp == who.qp);
}

static void model_grant(struct model *m, uint64_t base, uint64_t len, uint32_t rights)
{
    m->is_valid = true;
    m->stag = mem_region_stag(m->r);
    m->base = base;
    m->len = len;
    m->rights = rights;
}

static void model_revoke(struct world *w, struct model *m)
{
    if (m->is_valid)
        w->stale[w->stale_next++ % 4] = m->stag;
    if (m->parent != NULL)
        m->parent->windows--;
    m->parent = NULL;
    m->is_valid = false;
}

static uint32_t model_rights(uint32_t asked)
{
    return asked | MEM_LOCAL_READ |
           ((asked & MEM_REMOTE_WRITE) != 0 ? (uint32_t)MEM_LOCAL_WRITE : 0);
}

/* ---- the operations ---- */

static void op_create(struct world *w, struct model *m)
{
    enum mem_kind kind = take(w) % (MEM_KIND_PRIVILEGED + 1);
    uint32_t pd = take(w) % 8 == 7 ? 2 : 1;
    struct mem_region *r = NULL;

    if (m->r != NULL)
        return;
    SN_ASSERT(mem_region_create(&w->table, kind, pd, &r) == SN_OK);
    *m = (struct model){.r = r, .kind = kind, .pd = pd};
    SN_ASSERT(mem_region_stag(r) >> MEM_STAG_KEY_BITS != 0);
    SN_ASSERT(model_find(w, mem_region_stag(r)) == NULL);
    if (kind == MEM_KIND_PRIVILEGED)
        model_grant(m, 0, UINT64_MAX, MEM_LOCAL_READ | MEM_LOCAL_WRITE);
}

static void op_destroy(struct world *w, struct model *m)
{
    enum sn_status expected = m->windows > 0 ? SN_BUSY : SN_OK;

    SN_ASSERT(mem_region_destroy(&w->table, m->r) == expected);
    if (expected == SN_OK) {
        model_revoke(w, m);
        m->r = NULL;
    }
}

static void op_register(struct world *w, struct model *m)
{
    uint64_t host = take(w) % 2 ? take_u64(w) : 0x10000u * (uint64_t)take(w);
    uint64_t base = take_number(w, m->base, m->len);
    uint64_t len = take_number(w, 64, 0);
    uint32_t rights = take_rights(w);
    enum sn_status expected = SN_OK;

    if (m->kind != MEM_KIND_MR || host == 0 || len == 0 || rights > RIGHTS_ALL)
        expected = SN_INVALID;
    else if ((wide)base + len > END || (wide)host + len > END)
        expected = SN_INVALID;
    else if (m->is_valid)
        expected = SN_BAD_STATE;
    SN_ASSERT(
        mem_register(&w->table, m->r, (uint8_t *)(uintptr_t)host, base, len, rights) == expected);
    if (expected == SN_OK) {
        model_grant(m, base, len, model_rights(rights));
        m->host = host;
    }
}

static void op_deregister(struct world *w, struct model *m)
{
    enum sn_status expected = SN_OK;

    if (m->kind != MEM_KIND_MR)
        expected = SN_INVALID;
    else if (m->windows > 0)
        expected = SN_BUSY;
    else if (!m->is_valid)
        expected = SN_BAD_STATE;
    SN_ASSERT(mem_deregister(&w->table, m->r) == expected);
    if (expected == SN_OK)
        model_revoke(w, m);
}

static void op_fast_init(struct world *w, struct model *m)
{
    uint32_t pages_max = take(w) % (PAGES_MAX + 2);
    bool may_be_remote = take(w) % 4 != 0;
    enum sn_status expected = SN_OK;

    if (pages_max > PAGES_MAX)
        pages_max = MEM_FAST_REG_PAGES_MAX + 1;
    if (m->kind != MEM_KIND_FAST_MR)
        expected = SN_INVALID;
    else if (pages_max == 0 || pages_max > MEM_FAST_REG_PAGES_MAX)
        expected = SN_LIMIT;
    else if (m->is_valid)
        expected = SN_BAD_STATE;
    SN_ASSERT(mem_fast_init(&w->table, m->r, pages_max, may_be_remote) == expected);
    if (expected == SN_OK) {
        m->pages_max = pages_max;
        m->may_be_remote = may_be_remote;
    }
}

static enum sn_status model_fast_check(const struct model *m, const struct mem_fast_reg *f)
{
    if (m->kind != MEM_KIND_FAST_MR)
        return SN_INVALID;
    if (m->pages_max == 0)
        return SN_BAD_STATE;
    if (f->pages_count == 0 || f->pages_count > m->pages_max || f->fbo >= MEM_PAGE_SIZE)
        return SN_INVALID;
    if (f->len == 0 || (wide)f->fbo + f->len > (wide)f->pages_count * MEM_PAGE_SIZE)
        return SN_INVALID;
    if ((wide)f->base + f->len > END || f->base % MEM_PAGE_SIZE != f->fbo || f->rights > RIGHTS_ALL)
        return SN_INVALID;
    if ((f->rights & REMOTE) != 0 && !m->may_be_remote)
        return SN_NO_ACCESS;
    for (uint32_t i = 0; i < f->pages_count; i++) {
        if (f->pages[i] == 0 || f->pages[i] % MEM_PAGE_SIZE != 0)
            return SN_INVALID;
    }
    return SN_OK;
}

static void op_fast_register(struct world *w, struct model *m)
{
    uint64_t pages[PAGES_MAX + 1];
    struct mem_fast_reg f = {.pages = pages};
    struct mem_who who = take_who(w);
    uint8_t spoil = take(w);
    enum sn_status expected;

    f.pages_count = spoil % 16 == 15 ? 0 : 1 + spoil / 16 % (PAGES_MAX + 1);
    for (uint32_t i = 0; i <= PAGES_MAX; i++)
        pages[i] = (uint64_t)MEM_PAGE_SIZE * (1 + take(w) % 16);
    if (spoil % 16 == 14)
        pages[take(w) % (PAGES_MAX + 1)] = take(w);
    f.fbo = take(w) % 2 ? take(w) * 16u + take(w) % 32 : 0; /* up to 4111 */
    f.base = spoil % 16 == 13 ? take_u64(w) : (uint64_t)MEM_PAGE_SIZE * take(w) + f.fbo;
    f.len = take_number(w, (uint64_t)f.pages_count * MEM_PAGE_SIZE - f.fbo, 64);
    f.rights = take_rights(w);

    expected = model_fast_check(m, &f);
    SN_ASSERT(mem_fast_check(m->r, &f) == expected);
    if (expected != SN_OK)
        return;
    if (m->is_valid || who.pd != m->pd)
        expected = SN_BAD_REQUEST;
    SN_ASSERT(mem_fast_register(&w->table, m->r, who, &f) == expected);
    if (expected == SN_OK) {
        model_grant(m, f.base, f.len, model_rights(f.rights));
        memcpy(m->pages, pages, sizeof(m->pages));
        m->fbo = f.fbo;
    }
    memset(pages, 0xFF, sizeof(pages)); /* it was copied */
}

static enum sn_status model_bind_check(
    const struct model *m, const struct model *mr, const struct mem_bind *b)
{
    if (m->kind != MEM_KIND_WINDOW || mr->kind != MEM_KIND_MR)
        return SN_INVALID;
    if (b->rights == 0 || (b->rights | REMOTE) != REMOTE)
        return SN_INVALID;
    if (!mr->is_valid)
        return SN_BAD_STATE;
    if (b->base < mr->base || b->base >= (wide)mr->base + mr->len ||
        (wide)b->base + b->len > (wide)mr->base + mr->len)
        return SN_INVALID;
    if ((b->rights & MEM_REMOTE_WRITE) != 0 && (mr->rights & MEM_LOCAL_WRITE) == 0)
        return SN_NO_ACCESS;
    return SN_OK;
}

static void op_bind(struct world *w, struct model *m)
{
    struct model *mr = take_slot(w);
    struct mem_who who = take_who(w);
    struct mem_bind b = {.mr = mr->r};
    enum sn_status expected;

    if (mr->r == NULL)
        return;
    b.base = take_number(w, mr->base, mr->len);
    b.len = take_number(w, 0, mr->len);
    b.rights = take_rights(w);
    if (take(w) % 4 != 3)
        b.rights &= REMOTE;
    b.stag = m->kind == MEM_KIND_WINDOW ? mem_window_next_stag(&w->table, m->r) : 0;
    expected = model_bind_check(m, mr, &b);
    SN_ASSERT(mem_bind_check(m->r, &b) == expected);
    if (expected != SN_OK || m->is_valid || m->pd != who.pd || mr->pd != who.pd)
        expected = SN_BAD_REQUEST;
    SN_ASSERT(mem_bind(&w->table, m->r, who, &b) == expected);
    if (expected == SN_OK) {
        model_grant(m, b.base, b.len, b.rights);
        SN_ASSERT(m->stag == b.stag);
        m->host = mr->host + (b.base - mr->base);
        m->qp = who.qp;
        m->parent = mr;
        mr->windows++;
    }
}

static bool model_may_invalidate(const struct model *m, struct mem_who who)
{
    return m != NULL && m->is_valid && model_is_of(m, who) &&
           (m->kind == MEM_KIND_FAST_MR || m->kind == MEM_KIND_WINDOW);
}

static void op_invalidate_local(struct world *w, struct model *m)
{
    struct mem_who who = take_who(w);
    bool may = model_may_invalidate(m, who);

    SN_ASSERT(mem_invalidate_local(&w->table, m->r, who) == (may ? SN_OK : SN_BAD_REQUEST));
    if (may)
        model_revoke(w, m);
}

static void op_invalidate_stag(struct world *w)
{
    uint32_t stag = take_stag(w);
    struct mem_who who = take_who(w);
    struct model *m = model_find(w, stag);
    bool may = model_may_invalidate(m, who);

    SN_ASSERT(mem_invalidate_stag(&w->table, stag, who) == (may ? SN_OK : SN_BAD_REQUEST));
    if (may)
        model_revoke(w, m);
}

static void op_invalidate_remote(struct world *w)
{
    uint32_t stag = take_stag(w);
    struct mem_who who = take_who(w);
    struct model *m = model_find(w, stag);
    enum mem_result expected = MEM_OK;

    if (m == NULL)
        expected = MEM_STAG_INVALID;
    else if (!model_is_of(m, who))
        expected = MEM_STAG_STREAM;
    else if (!model_may_invalidate(m, who))
        expected = MEM_CANNOT_INVALIDATE;
    else if ((m->rights & REMOTE) == 0)
        expected = MEM_NO_RIGHT;
    SN_ASSERT(mem_invalidate_remote(&w->table, stag, who) == expected);
    if (expected == MEM_OK)
        model_revoke(w, m);
}

static uint64_t model_address(const struct model *m, uint64_t to)
{
    uint64_t at = to - m->base + m->fbo;

    if (m->kind != MEM_KIND_FAST_MR)
        return m->host + (to - m->base);
    return m->pages[at / MEM_PAGE_SIZE] + at % MEM_PAGE_SIZE;
}

static void check_spans(
    const struct model *m, const struct mem_region *r, uint64_t to, uint64_t len)
{
    struct sn_span spans[PAGES_MAX + 1];
    size_t max = (size_t)(to % (PAGES_MAX + 1)) + (len % 2);
    uint64_t covered = 0;
    uint64_t at = to;
    size_t count = mem_spans(r, to, len, spans, max, &covered);

    SN_ASSERT(count <= max);
    for (size_t i = 0; i < count; i++) {
        SN_ASSERT(spans[i].n > 0);
        /* First and last octet, and around each page in between. */
        for (uint64_t k = 0; k < spans[i].n && k < (uint64_t)2 * PAGES_MAX * MEM_PAGE_SIZE;
             k += 511)
            SN_ASSERT((uintptr_t)spans[i].p + k == model_address(m, at + k));
        SN_ASSERT((uintptr_t)spans[i].p + spans[i].n - 1 == model_address(m, at + spans[i].n - 1));
        at += spans[i].n;
    }
    SN_ASSERT(at - to == covered);
    SN_ASSERT(covered <= len);
    if (covered < len) {
        SN_ASSERT(count == max);
        if (count > 0)
            SN_ASSERT(model_address(m, at) != model_address(m, at - 1) + 1);
    }
}

static void op_access(struct world *w)
{
    uint32_t stag = take_stag(w);
    struct mem_who who = take_who(w);
    const struct model *m = model_find(w, stag);
    uint64_t to = take_number(w, m != NULL ? m->base : 0, m != NULL ? m->len : 0);
    uint64_t len = take_number(w, 0, m != NULL ? m->len : 0);
    uint32_t rights = take_rights(w);
    const struct mem_region *r = NULL;
    enum mem_result expected = MEM_OK;

    if (m == NULL)
        expected = MEM_STAG_INVALID;
    else if (!model_is_of(m, who))
        expected = MEM_STAG_STREAM;
    else if ((rights | m->rights) != m->rights)
        expected = MEM_NO_RIGHT;
    else if ((wide)to + len > END)
        expected = MEM_TO_WRAP;
    else if (to < m->base || (wide)to + len > (wide)m->base + m->len)
        expected = MEM_BASE_BOUNDS;
    SN_ASSERT(mem_check(&w->table, who, stag, to, len, rights, &r) == expected);
    SN_ASSERT(r == (expected == MEM_OK ? m->r : NULL));
    if (expected == MEM_OK)
        check_spans(m, r, to, len);
}

static void check_states(struct world *w)
{
    uint32_t count = 0;

    for (size_t i = 0; i < SLOTS; i++) {
        const struct model *m = &w->slots[i];

        if (m->r == NULL)
            continue;
        count++;
        SN_ASSERT(mem_region_is_valid(m->r) == m->is_valid);
        if (m->is_valid)
            SN_ASSERT(mem_region_stag(m->r) == m->stag);
        if (m->kind == MEM_KIND_MR)
            SN_ASSERT(sn_a32_load_acquire(&m->r->windows_bound) == m->windows);
    }
    SN_ASSERT(w->table.regions_count == count);
}

static void step(struct world *w)
{
    static void (*const on_region[])(struct world *, struct model *) = {op_destroy, op_register,
        op_deregister, op_fast_init, op_fast_register, op_bind, op_invalidate_local};
    static void (*const on_stag[])(struct world *) = {
        op_access, op_invalidate_stag, op_invalidate_remote};
    uint8_t op = take(w) % 16;

    if (op < 3) {
        op_create(w, take_slot(w));
    } else if (op < 3 + SN_ARRAY_COUNT(on_region)) {
        struct model *m = take_slot(w);

        if (m->r != NULL)
            on_region[op - 3](w, m);
    } else {
        size_t i = op - 3 - SN_ARRAY_COUNT(on_region); /* 0 to 5: access most often */

        on_stag[i < SN_ARRAY_COUNT(on_stag) ? i : 0](w);
    }
    check_states(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = {.data = data, .size = size};
    size_t live = sn_alloc_live_count();

    w.seed = take(&w);
    SN_ASSERT(mem_table_init(&w.table, SLOTS, NULL, random_octets, &w) == SN_OK);
    while (w.size > 0)
        step(&w);
    /* Windows first: their MRs are busy until then. */
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < SLOTS; i++) {
            if (w.slots[i].r != NULL)
                op_destroy(&w, &w.slots[i]);
        }
    }
    mem_table_fini(&w.table);
    SN_ASSERT(sn_alloc_live_count() == live);
    return 0;
}
