/* SPDX-License-Identifier: MIT */
/*
 * What a peer's Terminate holds behind its DDP header. Input: those octets. Holds: headers are
 * reported only where there are octets for them; what was understood builds to a Terminate that is
 * understood the same way.
 * [SEC-015]
 */
#include <string.h>

#include "base/assert.h"
#include "wire/rdmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool is_listed(const struct rdmap_term *t)
{
    enum wire_err unused;

    return wire_err_from_code(t->layer, t->type, t->code, &unused);
}

static void check_headers(const struct rdmap_term *t, size_t n)
{
    SN_ASSERT(t->has_ddp || !t->has_read);
    if (!t->has_ddp)
        return;
    SN_ASSERT(t->ddp.header_len == ddp_header_len(t->ddp.ctrl[0]));
    SN_ASSERT(n >= 6 + (size_t)t->ddp.header_len);
    if (t->has_read) {
        SN_ASSERT(!t->ddp.is_tagged);
        SN_ASSERT(n >= RDMAP_TERM_LEN_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t built[RDMAP_TERM_LEN_MAX], again[RDMAP_TERM_LEN_MAX];
    struct rdmap_term t, t2;
    size_t len;

    if (!rdmap_term_parse(data, n, &t)) {
        SN_ASSERT(n < RDMAP_TERM_LEN_MIN);
        return 0;
    }
    SN_ASSERT(t.layer <= 0xF);
    SN_ASSERT(t.type <= 0xF);
    SN_ASSERT(t.code == data[1]);
    check_headers(&t, n);

    len = rdmap_term_build(&t, built);
    SN_ASSERT(len <= RDMAP_TERM_LEN_MAX);
    if (t.has_ddp) /* the headers are octets of the input */
        SN_ASSERT(memcmp(built + 4, data + 4, len - 4) == 0);
    SN_ASSERT(rdmap_term_parse(built, len, &t2));
    if (!t.has_ddp && !is_listed(&t) && t2.layer == t.type && t2.type == t.layer)
        return 0; /* no code of ours: without headers it looks like one of siw */
    SN_ASSERT(t2.layer == t.layer && t2.type == t.type && t2.code == t.code);
    SN_ASSERT(t2.has_ddp == t.has_ddp && t2.has_read == t.has_read);
    SN_ASSERT(rdmap_term_build(&t2, again) == len);
    SN_ASSERT(memcmp(again, built, len) == 0);
    return 0;
}
