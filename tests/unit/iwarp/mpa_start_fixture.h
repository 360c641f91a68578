/* SPDX-License-Identifier: MIT */
/*
 * What the tests of MPA start-up share: settings, frames on their way over the wire, and good
 * frames of which a test spoils one field.
 */
#ifndef TESTS_UNIT_IWARP_MPA_START_FIXTURE_H
#define TESTS_UNIT_IWARP_MPA_START_FIXTURE_H

#include "iwarp/mpa_start.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/golden.h"

enum { S = IW_RTR_SEND, W = IW_RTR_WRITE, R = IW_RTR_READ, OPEN = MPA_IRD_ORD_NOT_NEGOTIATED };

static const struct iw_mpa_options defaults = {
    .revision = 2,
    .crc = IW_CRC_ASK,
    .rtr = IW_RTR_WRITE | IW_RTR_READ,
    .ird_max = 128,
    .ord_max = 128,
};

/* Octets of a frame on its way; the parsed frame refers to them. */
struct octets {
    uint8_t p[MPA_FRAME_LEN_MAX];
    size_t n;
};

static inline struct octets build(const struct mpa_frame *f)
{
    struct octets o;

    o.n = mpa_frame_build(f, o.p, sizeof(o.p));
    assert_true(o.n >= MPA_FRAME_HEADER_LEN);
    return o;
}

static inline struct mpa_frame parse(enum mpa_role role, const uint8_t *p, size_t n)
{
    struct mpa_frame f;
    size_t used, need;

    assert_int_equal(mpa_frame_parse(role, p, n, &f, &used, &need), MPA_PARSE_OK);
    assert_int_equal(used, n);
    return f;
}

static inline struct mpa_frame parse_octets(enum mpa_role role, const struct octets *o)
{
    return parse(role, o->p, o->n);
}

static inline void assert_golden(const struct mpa_frame *f, const char *name)
{
    const struct golden *g = golden_find(name);
    struct octets o = build(f);

    assert_non_null(g);
    assert_int_equal(o.n, g->n);
    assert_memory_equal(o.p, g->p, g->n);
}

static inline struct mpa_frame golden_frame(enum mpa_role role, const char *name)
{
    const struct golden *g = golden_find(name);

    assert_non_null(g);
    return parse(role, g->p, g->n);
}

static inline void set_mask(struct mpa_frame *f, unsigned mask)
{
    f->rtr_send = (mask & S) != 0;
    f->rtr_write = (mask & W) != 0;
    f->rtr_read = (mask & R) != 0;
}

static inline unsigned get_mask(const struct mpa_frame *f)
{
    return (f->rtr_send ? S : 0u) | (f->rtr_write ? W : 0u) | (f->rtr_read ? R : 0u);
}

/* A Reply that accepts everything of `request`; a test spoils one field. */
static inline struct mpa_frame good_reply(const struct mpa_frame *request)
{
    struct mpa_frame f = *request;

    f.role = MPA_REPLY;
    f.ird = request->ord;
    f.ord = request->ird;
    f.private_data = NULL;
    f.private_len = 0;
    return f;
}

static inline struct mpa_frame request_of(
    const struct iw_mpa_options *o, uint32_t ird, uint32_t ord)
{
    struct mpa_frame f;

    assert_true(iw_mpa_request(o, ird, ord, NULL, 0, &f));
    return f;
}

/* A revision 2 Request of some peer; a test spoils one field. */
static inline struct mpa_frame good_request(void)
{
    return request_of(&defaults, 16, 8);
}

static inline struct iw_mpa_offer offer_of(
    const struct iw_mpa_options *o, const struct mpa_frame *request)
{
    struct iw_mpa_offer offer;
    enum wire_err err = WIRE_OK;

    assert_int_equal(iw_mpa_judge_request(o, request, &offer, &err), IW_MPA_OK);
    return offer;
}

#endif
