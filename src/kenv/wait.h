/* SPDX-License-Identifier: MIT */
/*
 * Dispatcher objects: what events, semaphores, mutexes, timers and threads have in common. Whoever
 * changes the state of one holds its bucket (kenv_wait_lock) from looking at it to the last touch
 * of it, so that an object may go as soon as a wait for it has returned.
 */
#ifndef SN_KENV_WAIT_H
#define SN_KENV_WAIT_H

#include <stdbool.h>
#include <wdm.h>

/* DISPATCHER_HEADER.Type, with the numbers of Windows. */
enum kenv_wait_type {
    KENV_EVENT_NOTIFICATION = 0,
    KENV_EVENT_SYNCHRONIZATION = 1,
    KENV_MUTANT = 2,
    KENV_SEMAPHORE = 5,
    KENV_THREAD = 6,
    KENV_TIMER_NOTIFICATION = 8,
    KENV_TIMER_SYNCHRONIZATION = 9,
};

/* Fills the header in. The object is not yet shared. */
void kenv_wait_init(PDISPATCHER_HEADER header, enum kenv_wait_type type, LONG state);
/* Bugchecks unless *header was initialised as one of the types `first` to `last`. */
void kenv_wait_require(const DISPATCHER_HEADER *header, enum kenv_wait_type first,
    enum kenv_wait_type last, const char *function);
/* Bugchecks, at what *timeout (NULL: for ever) allows, if the calling thread may not wait. */
void kenv_wait_require_irql(const LARGE_INTEGER *timeout, const char *function);

LONG kenv_wait_state(const DISPATCHER_HEADER *header);

struct kenv_bucket;
/* The bucket of an object, locked; leaf lock. */
struct kenv_bucket *kenv_wait_lock(const DISPATCHER_HEADER *header);
void kenv_wait_unlock(struct kenv_bucket *bucket);
/* With the bucket locked: a new state, and whoever it satisfies is let go and uses it up. */
void kenv_wait_set(struct kenv_bucket *bucket, PDISPATCHER_HEADER header, LONG state);

#endif
