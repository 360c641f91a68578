/* SPDX-License-Identifier: MIT */
#include "wire/wire_err.h"

#include "base/attr.h"

static const struct wire_err_info infos[] = {
#define X(name, layer, type, code, headers, text)                                                  \
    [WIRE_##name] = {#name, text, layer, type, code, WIRE_HDR_##headers},
    WIRE_ERR_LIST(X)
#undef X
};
_Static_assert(SN_ARRAY_COUNT(infos) == WIRE_ERR_COUNT, "one row per error");

enum { LAYER_RDMAP = 0, LAYER_LLP = 2, TYPE_LOCAL = 0, LLP_TYPE_MPA = 0, LLP_TYPE_MPA_NIC = 3 };

const struct wire_err_info *wire_err_info(enum wire_err e)
{
    return &infos[(unsigned)e < WIRE_ERR_COUNT ? e : WIRE_RDMAP_UNSPECIFIED];
}

bool wire_err_from_code(uint8_t layer, uint8_t type, uint8_t code, enum wire_err *out)
{
    if (layer == LAYER_LLP && type == LLP_TYPE_MPA_NIC)
        type = LLP_TYPE_MPA;
    if (layer == LAYER_RDMAP && type == TYPE_LOCAL)
        code = infos[WIRE_LOCAL_CATASTROPHIC].code; /* the RFC leaves the code open */
    for (unsigned e = WIRE_OK + 1; e < WIRE_ERR_COUNT; e++) {
        if (infos[e].layer == layer && infos[e].type == type && infos[e].code == code) {
            *out = (enum wire_err)e;
            return true;
        }
    }
    return false;
}
