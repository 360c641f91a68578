/* SPDX-License-Identifier: MIT */
/*
 * SOFTNDK_MAP=OLD=NEW[,OLD=NEW...]: where the consumer says the address OLD, the host's NEW is
 * used, and the other way round in what is told the consumer; OLD and NEW may also be interface
 * indexes. For drivers with addresses in their sources (ndkrun --map). Without the variable it
 * costs one load of a pointer where addresses are read.
 */
#ifndef SN_NDK_MAP_H
#define SN_NDK_MAP_H

#include <ntdef.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "plat/plat.h"

enum { NDK_MAP_MAX = 16, NDK_MAP_TEXT = 160 };

struct ndk_map_pair {
    struct plat_addr old_addr, new_addr; /* port 0; family 0: interface indexes */
    uint32_t old_index, new_index;
};

struct ndk_map {
    struct ndk_map_pair pair[NDK_MAP_MAX];
    size_t count;
};

/* text NULL or "": an empty map. False: `why` is a sentence, *out is not to be used. */
SN_MUST_CHECK bool ndk_map_parse(const char *text, struct ndk_map *out, char why[NDK_MAP_TEXT]);

/*
 * Reads SOFTNDK_MAP with `environment`, the first time it is called in the process, and uses it.
 * STATUS_SUCCESS; STATUS_INVALID_PARAMETER, each time: `why` is a sentence. PASSIVE_LEVEL.
 */
NTSTATUS ndk_map_begin(char *(*environment)(const char *name), char why[NDK_MAP_TEXT]);

/* What the functions below use from now on, in the whole process; NULL: nothing is mapped. The map
 * stays the caller's and must live on. */
void ndk_map_use(const struct ndk_map *map);

/* What the consumer said becomes what the host has; the port stays. Any thread. */
void ndk_map_in(struct plat_addr *a);
uint32_t ndk_map_index(uint32_t index);
/* The other way round; of several OLD of one NEW, the first. */
void ndk_map_out(struct plat_addr *a);

#endif
