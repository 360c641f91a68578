/* SPDX-License-Identifier: MIT */
/* The Linux platform: one epoll set and one home thread per lane. */
#ifndef SN_PLAT_LINUX_LINUX_H
#define SN_PLAT_LINUX_LINUX_H

#include "plat/plat.h"

struct plat_linux_options {
    uint32_t
        spin_us; /* how long a home thread looks without sleeping before it sleeps; 0: not at all */
};

/* NULL when out of memory or descriptors. Threads start with lanes. */
struct plat *plat_linux_create(const struct plat_linux_options *options);
/* All lanes are destroyed before. */
void plat_linux_destroy(struct plat *p);

/* Counters of system calls made for pipes, for ndkinfo and the benchmarks. */
struct plat_linux_counters {
    uint64_t reads, writes, waits, wakes;
};
void plat_linux_counters(const struct plat *p, struct plat_linux_counters *out);

#endif
