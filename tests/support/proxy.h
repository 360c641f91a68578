/* SPDX-License-Identifier: MIT */
/*
 * A middlebox for tests: a TCP relay on the loopback address that cuts the stream into other
 * segments, delays it, alters an octet (TCP's checksum is right again then), falls silent or resets
 * both sides at a given octet. It serves one connection after the other, each by the same rules.
 */
#ifndef TESTS_SUPPORT_PROXY_H
#define TESTS_SUPPORT_PROXY_H

#include <stdbool.h>
#include <stdint.h>

enum proxy_way { PROXY_UP, PROXY_DOWN, PROXY_WAYS }; /* from the connecting side; to it */

/* Positions count octets of one way of one connection; below 0: never. */
struct proxy_rules {
    unsigned chunk;                /* pieces of 1 to so many octets; 0: as they come */
    unsigned delay_ms, jitter_ms;  /* each piece comes so much later, and randomly up to so much */
    int64_t reset_at[PROXY_WAYS];  /* so many pass, then both sides are reset */
    int64_t silent_at[PROXY_WAYS]; /* so many pass, then nothing any more in either way */
    int64_t flip_at[PROXY_WAYS];   /* a bit of this octet is inverted */
    uint64_t seed;                 /* not 0 */
};

/* Nothing but passing on. */
struct proxy_rules proxy_rules(void);

struct proxy;
/* Relays to this port of 127.0.0.1 (where somebody listens when the first connection comes). */
struct proxy *proxy_open(uint16_t to, const struct proxy_rules *rules);
/* Where to connect to. */
uint16_t proxy_port(const struct proxy *x);
/* Octets passed on, of all connections. */
uint64_t proxy_passed(const struct proxy *x, enum proxy_way way);
/* Resets what is still there. */
void proxy_close(struct proxy *x);

#endif
