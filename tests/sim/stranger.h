/* SPDX-License-Identifier: MIT */
/*
 * Strangers: connections from programs that are no RNIC, or a broken or hostile one. They send
 * noise, half frames, a whole Request and then noise or FPDUs that are well summed and otherwise
 * arbitrary, some with STags that are valid in another protection domain, and hang up when they
 * like.
 *
 * Checked, by the other checkers: nobody else notices. Memory stays as it is, no connection
 * suffers, and what the listener makes of them can be closed like everything else.
 */
#ifndef SN_TESTS_SIM_STRANGER_H
#define SN_TESTS_SIM_STRANGER_H

#include <stdbool.h>
#include <stdint.h>

#include "rnic/connector.h"

struct host;
struct world;

/* The number in the private data of a stranger's Request. */
#define STRANGER_NUMBER UINT32_MAX

void stranger_begin(struct world *w);
/* A Request with that number arrived. */
void stranger_requested(struct host *h, struct rnic_connector *c);
/* The consumer closes what is over; with `all`, everything. */
void strangers_tick(struct world *w, bool all);
/* All strangers leave. Before the hosts go. */
void strangers_end(struct world *w);

#endif
