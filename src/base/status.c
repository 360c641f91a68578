/* SPDX-License-Identifier: MIT */
#include "base/status.h"

static const char *const names[SN_STATUS_COUNT] = {
#define X(name, text) [SN_##name] = #name,
    SN_STATUS_LIST(X)
#undef X
};

static const char *const texts[SN_STATUS_COUNT] = {
#define X(name, text) [SN_##name] = text,
    SN_STATUS_LIST(X)
#undef X
};

const char *sn_status_name(enum sn_status s)
{
    return (unsigned)s < SN_STATUS_COUNT ? names[s] : "?";
}

const char *sn_status_text(enum sn_status s)
{
    return (unsigned)s < SN_STATUS_COUNT ? texts[s] : "unknown status";
}
