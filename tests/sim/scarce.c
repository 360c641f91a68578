/* SPDX-License-Identifier: MIT */
#include "sim/scarce.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "sim/plan.h"

static struct {
    struct rng rng;
    uint32_t permille;
    bool is_on, is_installed;
} scarce;

static void *scarce_alloc(void *ctx, size_t size)
{
    (void)ctx;
    if (scarce.is_on && rng_chance(&scarce.rng, scarce.permille))
        return NULL;
    return malloc(size);
}

static void scarce_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

void scarce_install(void)
{
    static const struct sn_allocator allocator = {.alloc = scarce_alloc, .free = scarce_free};

    if (!scarce.is_installed)
        sn_alloc_set(&allocator);
    scarce.is_installed = true;
}

void scarce_begin(uint64_t seed, uint32_t permille)
{
    scarce.rng.state = seed;
    scarce.permille = permille;
    scarce.is_on = false;
}

void scarce_on(void)
{
    scarce.is_on = true;
}

void scarce_off(void)
{
    scarce.is_on = false;
}
