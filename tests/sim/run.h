/* SPDX-License-Identifier: MIT */
/* One seed from beginning to end. */
#ifndef SN_TESTS_SIM_RUN_H
#define SN_TESTS_SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>

struct run_options {
    uint64_t seed;
    uint32_t steps; /* 0: as the seed decides */
    bool is_verbose;
};

struct run_result {
    bool has_failed;
    char why[512];
    const char *mood;
    uint64_t hash; /* of every event and every octet on the wire: equal for equal seeds */
    uint64_t steps, completions, octets, connects;
};

/* After a failure the process has objects and memory that nobody can close any more: report and
 * end. */
void run_seed(const struct run_options *o, struct run_result *out);
/* Which seed is running: for who reports an assertion of the library. */
uint64_t run_current_seed(void);

#endif
