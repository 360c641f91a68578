/* SPDX-License-Identifier: MIT */
/* The threads that run work items. */
#ifndef SN_KENV_WORKER_H
#define SN_KENV_WORKER_H

#include "kenv/track.h"

/* Queues the item. False: it is queued already. `tracked` becomes the queue's if it is queued. Any
 * IRQL up to DISPATCH_LEVEL. */
bool kenv_worker_queue(PWORK_QUEUE_ITEM item, struct kenv_tracked *tracked);
bool kenv_worker_is_queued(const WORK_QUEUE_ITEM *item);
/* Items that are queued or run. */
size_t kenv_worker_count(void);
/* A queued item in [start, start + size), or NULL. */
const void *kenv_worker_find(const void *start, size_t size);

#endif
