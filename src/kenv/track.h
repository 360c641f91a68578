/* SPDX-License-Identifier: MIT */
/*
 * What drivers have created and not yet given back, with the stack that created it. Does nothing
 * until the checks of this process are on, so that plain consumers pay a load and a compare.
 */
#ifndef SN_KENV_TRACK_H
#define SN_KENV_TRACK_H

#include <softndk_driver.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

/* Return addresses, innermost first. */
struct kenv_stack {
    uint32_t count;
    void *frames[SOFTNDK_DRV_FRAMES];
};

struct kenv_tracked {
    struct sn_list link;
    SOFTNDK_DRV_KIND kind;
    const void *object;
    ULONG tag;
    size_t bytes;
    uint64_t sequence;
    char name[64];
    struct kenv_stack stack;
};

/* Whether the checks that cost time are on. Never goes back. */
extern bool kenv_is_checked __attribute__((visibility("hidden")));
/* Turns them on; before the first driver runs. */
void kenv_checks_enable(void);

/* The caller's stack, from the caller of this function up. Any IRQL, any lock held. */
void kenv_stack_take(struct kenv_stack *stack);

/*
 * Notes that `object` exists. Name: short text, copied. NULL without checks, and when memory is
 * short: then a leak of this object is not seen. Any IRQL.
 */
struct kenv_tracked *kenv_track(
    SOFTNDK_DRV_KIND kind, const void *object, ULONG tag, size_t bytes, const char *name);
/* Notes that it is gone. NULL is fine. */
void kenv_untrack(struct kenv_tracked *tracked);

/*
 * Calls `callback` (may be NULL) with the list locked for each thing that was created from a stack
 * with an address in [start, start + size), or from any if size is 0. Returns how many.
 */
size_t kenv_tracked_each(const void *start, size_t size,
    void (*callback)(void *context, const struct kenv_tracked *tracked), void *context);

/* True: a timer that is set, a queued DPC or work item, a lookaside list or a resource lies in
 * [start, start + size); *out gets a copy of its entry. */
bool kenv_tracked_inside(const void *start, size_t size, struct kenv_tracked *out);

/* True: the fault hook wants this allocation to fail. */
bool kenv_fault(SOFTNDK_DRV_KIND kind, ULONG tag, size_t bytes);

#endif
