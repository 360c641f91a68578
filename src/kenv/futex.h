/* SPDX-License-Identifier: MIT */
/*
 * Sleeping on a 32-bit word of this process. A wake-up may be spurious, and waking a word whose
 * memory is gone is harmless: the kernel uses the address as a name only.
 */
#ifndef SN_KENV_FUTEX_H
#define SN_KENV_FUTEX_H

#include <errno.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * Sleeps while *word is `expected`, until somebody wakes it or `deadline` (NULL: for ever) has
 * passed on CLOCK_MONOTONIC, or CLOCK_REALTIME if is_realtime. False: the deadline has passed.
 */
static inline bool kenv_futex_wait(
    const void *word, uint32_t expected, const struct timespec *deadline, bool is_realtime)
{
    int operation =
        FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | (is_realtime ? FUTEX_CLOCK_REALTIME : 0);

    return syscall(SYS_futex, word, operation, expected, deadline, NULL, FUTEX_BITSET_MATCH_ANY) ==
               0 ||
           errno != ETIMEDOUT;
}

/* Wakes at most `count` sleepers. */
static inline void kenv_futex_wake(const void *word, int count)
{
    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, NULL, NULL, 0);
}

#endif
