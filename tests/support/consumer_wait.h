/* SPDX-License-Identifier: MIT */
/* How the files of the test consumer wait for callbacks: one lock, one condition, bounded time. */
#ifndef TESTS_SUPPORT_CONSUMER_WAIT_H
#define TESTS_SUPPORT_CONSUMER_WAIT_H

#include <stdbool.h>

void consumer_lock(void);
void consumer_unlock(void);
/* Something that is waited for may be there now. With the lock. */
void consumer_wake(void);
/* With the lock: until is_there(arg), which is called with the lock. False: it did not come. */
bool consumer_wait(bool (*is_there)(void *arg), void *arg);

#endif
