/* SPDX-License-Identifier: MIT */
/*
 * What a consumer of NDKPI can do wrong: one row for each mistake, whether it can be seen from here
 * or not. docs/verifier.md shows this table to people; tests hold the two together.
 */
#ifndef SN_VERIFY_RULES_H
#define SN_VERIFY_RULES_H

#include <ndkpi.h>

#include "base/attr.h"

enum verify_rule {
    /* life of objects */
    VERIFY_L1,
    VERIFY_L2,
    VERIFY_L3,
    VERIFY_L4,
    VERIFY_L5,
    VERIFY_L6,
    VERIFY_L7,
    VERIFY_L8,
    VERIFY_L9,
    VERIFY_L10,
    VERIFY_L11,
    VERIFY_L12,
    VERIFY_L13,
    VERIFY_L14,
    VERIFY_L15,
    /* threads and IRQL */
    VERIFY_T1,
    VERIFY_T2,
    VERIFY_T3,
    VERIFY_T4,
    VERIFY_T5,
    VERIFY_T6,
    /* limits and parameters */
    VERIFY_P1,
    VERIFY_P2,
    VERIFY_P3,
    VERIFY_P4,
    VERIFY_P5,
    VERIFY_P6,
    VERIFY_P7,
    VERIFY_P8,
    VERIFY_P9,
    VERIFY_P10,
    VERIFY_P11,
    VERIFY_P12,
    VERIFY_P13,
    VERIFY_P14,
    VERIFY_P15,
    VERIFY_P16,
    /* work requests */
    VERIFY_W1,
    VERIFY_W2,
    VERIFY_W3,
    VERIFY_W4,
    VERIFY_W5,
    VERIFY_W6,
    VERIFY_W7,
    VERIFY_W8,
    VERIFY_W9,
    VERIFY_W10,
    VERIFY_W11,
    VERIFY_W12,
    VERIFY_W13,
    VERIFY_W14,
    VERIFY_W15,
    VERIFY_W16,
    VERIFY_W17,
    VERIFY_W18,
    VERIFY_W19,
    VERIFY_W20,
    VERIFY_W21,
    VERIFY_W22,
    /* memory */
    VERIFY_M1,
    VERIFY_M2,
    VERIFY_M3,
    VERIFY_M4,
    VERIFY_M5,
    VERIFY_M6,
    VERIFY_M7,
    VERIFY_M8,
    VERIFY_M9,
    VERIFY_M10,
    VERIFY_M11,
    VERIFY_M12,
    VERIFY_M13,
    VERIFY_M14,
    VERIFY_M15,
    VERIFY_M16,
    VERIFY_M17,
    VERIFY_M18,
    /* connections */
    VERIFY_C1,
    VERIFY_C2,
    VERIFY_C3,
    VERIFY_C4,
    VERIFY_C5,
    VERIFY_C6,
    VERIFY_C7,
    VERIFY_C8,
    VERIFY_C9,
    VERIFY_C10,
    VERIFY_C11,
    VERIFY_C12,
    VERIFY_RULE_COUNT
};

enum verify_seen {
    VERIFY_SEEN,   /* a violation: always reported */
    VERIFY_RISKY,  /* legal but risky: reported with SOFTNDK_VERIFY_RISKY=1, never breaks */
    VERIFY_MODE,   /* seen with a setting of its own; `how` names it */
    VERIFY_UNSEEN, /* cannot be seen here; `how` says why and what sees it */
};

struct verify_rule_row {
    const char *id; /* "N-L1" */
    enum verify_seen seen;
    const char *sentence; /* the rule, as a sentence */
    const char *how;      /* how it is seen, or why it is not */
    const char *advice;   /* what to do */
    const char *page;     /* reference page */
    ULONG bugcheck;       /* what Windows would likely show; 0: a status, a hang, or silence */
};
extern const struct verify_rule_row verify_rules[VERIFY_RULE_COUNT];

/* The rule of an id, in any case, with or without "N-"; VERIFY_RULE_COUNT: none. */
enum verify_rule verify_rule_of(const char *id);
/* "DRIVER_VERIFIER_DETECTED_VIOLATION" and the like, of the codes in the table. */
const char *verify_bugcheck_name(ULONG code);

#endif
