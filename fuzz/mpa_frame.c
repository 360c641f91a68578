/* SPDX-License-Identifier: MIT */
/*
 * MPA start-up frames. Input: the octets of a connection's start, read as a Request and as a Reply.
 * Holds: what parses, builds to the same frame; a prefix is never final; nothing else is read.
 * [SEC-015]
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "wire/mpa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool is_same(const struct mpa_frame *a, const struct mpa_frame *b)
{
    return a->role == b->role && a->revision == b->revision && a->markers == b->markers &&
           a->crc == b->crc && a->rejected == b->rejected && a->is_enhanced == b->is_enhanced &&
           a->p2p == b->p2p && a->rtr_send == b->rtr_send && a->rtr_write == b->rtr_write &&
           a->rtr_read == b->rtr_read && a->ird == b->ird && a->ord == b->ord &&
           a->private_len == b->private_len &&
           memcmp(a->private_data, b->private_data, a->private_len) == 0;
}

/* A frame that was accepted: it begins at data and has `used` octets. */
static void check_accepted(const uint8_t *data, size_t used, const struct mpa_frame *f)
{
    uint8_t *copy = malloc(used), *built = malloc(used);
    struct mpa_frame again;
    size_t used_again = 0, need = 0;

    SN_ASSERT(copy != NULL);
    SN_ASSERT(built != NULL);
    SN_ASSERT(f->private_data >= data);
    SN_ASSERT(f->private_data + f->private_len == data + used);
    SN_ASSERT(mpa_frame_build(f, built, used - 1) == 0);
    SN_ASSERT(mpa_frame_build(f, built, used) == used);
    SN_ASSERT(mpa_frame_parse(f->role, built, used, &again, &used_again, &need) == MPA_PARSE_OK);
    SN_ASSERT(used_again == used);
    SN_ASSERT(is_same(f, &again));

    /* One octet less is not a frame yet, and says how much is. */
    memcpy(copy, data, used - 1);
    copy = realloc(copy, used - 1);
    SN_ASSERT(copy != NULL);
    SN_ASSERT(
        mpa_frame_parse(f->role, copy, used - 1, &again, &used_again, &need) == MPA_PARSE_MORE);
    SN_ASSERT(need == used);
    free(copy);
    free(built);
}

static void check_role(enum mpa_role role, const uint8_t *data, size_t n)
{
    struct mpa_frame f;
    size_t used = 0, need = 0;

    switch (mpa_frame_parse(role, data, n, &f, &used, &need)) {
    case MPA_PARSE_OK:
        SN_ASSERT(f.role == role);
        SN_ASSERT(used >= MPA_FRAME_HEADER_LEN);
        SN_ASSERT(used <= n);
        SN_ASSERT(used <= MPA_FRAME_LEN_MAX);
        check_accepted(data, used, &f);
        break;
    case MPA_PARSE_MORE:
        SN_ASSERT(need > n);
        SN_ASSERT(need <= MPA_FRAME_LEN_MAX);
        break;
    case MPA_PARSE_BAD_KEY:
        SN_ASSERT(n > 0);
        break;
    case MPA_PARSE_BAD_LEN:
        SN_ASSERT(n >= MPA_FRAME_HEADER_LEN);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    check_role(MPA_REQUEST, data, n);
    check_role(MPA_REPLY, data, n);
    return 0;
}
