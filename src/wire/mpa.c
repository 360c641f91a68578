/* SPDX-License-Identifier: MIT */
#include "wire/mpa.h"

#include <string.h>

#include "base/bytes.h"

/*
 * 0          16    17    18        20
 * | Key (16) | flags | Rev | PD_Length | private data, PD_Length octets ... |
 *                                      | A B IRD | C D ORD | with S: its first four octets
 */
enum {
    KEY_LEN = 16,
    AT_FLAGS = 16,
    AT_REVISION = 17,
    AT_PD_LEN = 18,
    AT_IRD = 20,
    AT_ORD = 22,

    FLAG_M = 0x80,
    FLAG_C = 0x40,
    FLAG_R = 0x20,
    FLAG_S = 0x10, /* from revision 2 on */
    REVISION_ENHANCED_MIN = 2,

    IRD_A = 0x8000,
    IRD_B = 0x4000,
    ORD_C = 0x8000,
    ORD_D = 0x4000,
    IRD_ORD_MASK = 0x3FFF,
};

static const uint8_t keys[][KEY_LEN] = {
    [MPA_REQUEST] = {'M', 'P', 'A', ' ', 'I', 'D', ' ', 'R', 'e', 'q', ' ', 'F', 'r', 'a', 'm',
        'e'},
    [MPA_REPLY] = {'M', 'P', 'A', ' ', 'I', 'D', ' ', 'R', 'e', 'p', ' ', 'F', 'r', 'a', 'm', 'e'},
};

static void enhanced_parse(const uint8_t *buf, struct mpa_frame *f)
{
    uint16_t ird = sn_get_be16(buf + AT_IRD);
    uint16_t ord = sn_get_be16(buf + AT_ORD);

    f->is_enhanced = true;
    f->p2p = (ird & IRD_A) != 0;
    f->rtr_send = f->p2p && (ird & IRD_B) != 0;
    f->rtr_write = f->p2p && (ord & ORD_C) != 0;
    f->rtr_read = f->p2p && (ord & ORD_D) != 0;
    f->ird = ird & IRD_ORD_MASK;
    f->ord = ord & IRD_ORD_MASK;
}

enum mpa_parse mpa_frame_parse(enum mpa_role role, const uint8_t *buf, size_t n,
    struct mpa_frame *out, size_t *used, size_t *need)
{
    struct mpa_frame f = {.role = role};
    uint16_t pd_len, skip = 0;
    uint8_t flags;

    if (n > 0 && memcmp(buf, keys[role], n < KEY_LEN ? n : KEY_LEN) != 0)
        return MPA_PARSE_BAD_KEY;
    if (n < MPA_FRAME_HEADER_LEN) {
        *need = MPA_FRAME_HEADER_LEN;
        return MPA_PARSE_MORE;
    }
    flags = buf[AT_FLAGS];
    f.revision = buf[AT_REVISION];
    pd_len = sn_get_be16(buf + AT_PD_LEN);
    if (f.revision >= REVISION_ENHANCED_MIN && (flags & FLAG_S) != 0)
        skip = MPA_ENHANCED_LEN;
    if (pd_len > MPA_PRIVATE_DATA_MAX || pd_len < skip)
        return MPA_PARSE_BAD_LEN;
    if (n < (size_t)MPA_FRAME_HEADER_LEN + pd_len) {
        *need = (size_t)MPA_FRAME_HEADER_LEN + pd_len;
        return MPA_PARSE_MORE;
    }

    f.markers = (flags & FLAG_M) != 0;
    f.crc = (flags & FLAG_C) != 0;
    f.rejected = role == MPA_REPLY && (flags & FLAG_R) != 0;
    if (skip > 0)
        enhanced_parse(buf, &f);
    f.private_data = buf + MPA_FRAME_HEADER_LEN + skip;
    f.private_len = (uint16_t)(pd_len - skip);
    *out = f;
    *used = (size_t)MPA_FRAME_HEADER_LEN + pd_len;
    return MPA_PARSE_OK;
}

static void enhanced_build(const struct mpa_frame *f, uint8_t *buf)
{
    unsigned ird = f->ird, ord = f->ord;

    if (f->p2p) {
        ird |= IRD_A;
        ird |= f->rtr_send ? IRD_B : 0u;
        ord |= f->rtr_write ? ORD_C : 0u;
        ord |= f->rtr_read ? ORD_D : 0u;
    }
    sn_put_be16(buf + AT_IRD, (uint16_t)ird);
    sn_put_be16(buf + AT_ORD, (uint16_t)ord);
}

static bool is_encodable(const struct mpa_frame *f)
{
    if (!f->is_enhanced)
        return f->private_len <= MPA_PRIVATE_DATA_MAX;
    return f->revision >= REVISION_ENHANCED_MIN && f->ird <= IRD_ORD_MASK &&
           f->ord <= IRD_ORD_MASK && f->private_len <= MPA_PRIVATE_DATA_MAX - MPA_ENHANCED_LEN;
}

size_t mpa_frame_build(const struct mpa_frame *f, uint8_t *buf, size_t cap)
{
    size_t skip = f->is_enhanced ? MPA_ENHANCED_LEN : 0;
    size_t len = MPA_FRAME_HEADER_LEN + skip + f->private_len;
    unsigned flags = 0;

    if (!is_encodable(f) || len > cap)
        return 0;
    flags |= f->markers ? FLAG_M : 0u;
    flags |= f->crc ? FLAG_C : 0u;
    flags |= f->role == MPA_REPLY && f->rejected ? FLAG_R : 0u;
    flags |= f->is_enhanced ? FLAG_S : 0u;

    memcpy(buf, keys[f->role], KEY_LEN);
    buf[AT_FLAGS] = (uint8_t)flags;
    buf[AT_REVISION] = f->revision;
    sn_put_be16(buf + AT_PD_LEN, (uint16_t)(skip + f->private_len));
    if (f->is_enhanced)
        enhanced_build(f, buf);
    if (f->private_len > 0)
        memcpy(buf + MPA_FRAME_HEADER_LEN + skip, f->private_data, f->private_len);
    return len;
}
