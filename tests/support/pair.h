/* SPDX-License-Identifier: MIT */
/* Two endpoints of one adapter, connected to each other over the loopback address. */
#ifndef TESTS_SUPPORT_PAIR_H
#define TESTS_SUPPORT_PAIR_H

#include "support/consumer.h"

struct pair {
    struct consumer *c;
    struct acceptor *a;
    struct endpoint *active, *passive;
};

/* What differs from the usual; all of it may be NULL. */
struct pair_how {
    const char *host; /* NULL: 127.0.0.1 */
    const SOFTNDK_OPTIONS *options;
    const struct endpoint_options *active, *passive;
    const struct endpoint_terms *connect, *accept;
};

/* An adapter, a listener and two endpoints, not connected. */
struct pair pair_begin(const struct pair_how *how);
/* Connect, accept, complete; both sides are connected then. */
void pair_connect(struct pair *p, const struct pair_how *how);
/* Both. */
struct pair pair_open(const struct pair_how *how);
/* Closes everything, in any state. */
void pair_close(struct pair *p);

#endif
