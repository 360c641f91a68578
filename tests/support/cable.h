/* SPDX-License-Identifier: MIT */
/*
 * A bad cable between two hosts, in one process and without root: two network namespaces whose only
 * way to each other is a pair of TUN devices with a thread between them. IP packets get lost, come
 * twice, late, in another order or damaged; TCP at both ends is the kernel's own.
 *
 * A thread belongs to one host at a time (cable_enter), and threads it starts are of the same host.
 */
#ifndef TESTS_SUPPORT_CABLE_H
#define TESTS_SUPPORT_CABLE_H

#include <stdbool.h>
#include <stdint.h>

enum { CABLE_HOSTS = 2 };

/* Of a million packets, in either way. */
struct cable_rules {
    unsigned lost, twice, damaged;
    unsigned delay_us, jitter_us; /* jitter reorders */
};

struct cable;
/* First thing in the process, before there are other threads. NULL: not possible here, *why says
 * what is missing. */
struct cable *cable_open(const char **why);
void cable_close(struct cable *c);
/* "10.77.0.1" and "10.77.0.2". */
const char *cable_address(unsigned host);
/* The calling thread is at this host from now on. */
void cable_enter(struct cable *c, unsigned host);

void cable_set_rules(struct cable *c, const struct cable_rules *rules);
/* Nothing passes while it is pulled. */
void cable_pull(struct cable *c, bool is_pulled);
/* Of both hosts. */
void cable_set_mtu(struct cable *c, int mtu);
/* From this host, addresses of this network of 24 bits are unreachable from now on. */
void cable_set_unreachable(struct cable *c, unsigned host, const char *network);
/* Packets that came to the cable, and that were lost, doubled, damaged or overtaken. */
uint64_t cable_packets(const struct cable *c);
uint64_t cable_harmed(const struct cable *c);

#endif
