/* SPDX-License-Identifier: MIT */
/*
 * Atomics with the ordering in the name. A store_release pairs with the load_acquire of the same
 * word: what was written before the store is seen after the load. exchange, cas and fetch_* are
 * acq_rel. fence_full orders a store before a later load of another word (the Dekker pattern of
 * "publish, then look whether somebody sleeps").
 */
#ifndef SN_BASE_ATOMIC_H
#define SN_BASE_ATOMIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sn_a32 {
    _Atomic uint32_t v;
};
struct sn_a64 {
    _Atomic uint64_t v;
};
struct sn_aptr {
    _Atomic(void *) v;
};

#define SN_ATOMIC_OPS(prefix, wrap, type)                                                          \
    static inline type prefix##_load_relaxed(const struct wrap *a)                                 \
    {                                                                                              \
        return atomic_load_explicit(&((struct wrap *)(uintptr_t)a)->v, memory_order_relaxed);      \
    }                                                                                              \
    static inline type prefix##_load_acquire(const struct wrap *a)                                 \
    {                                                                                              \
        return atomic_load_explicit(&((struct wrap *)(uintptr_t)a)->v, memory_order_acquire);      \
    }                                                                                              \
    static inline void prefix##_store_relaxed(struct wrap *a, type x)                              \
    {                                                                                              \
        atomic_store_explicit(&a->v, x, memory_order_relaxed);                                     \
    }                                                                                              \
    static inline void prefix##_store_release(struct wrap *a, type x)                              \
    {                                                                                              \
        atomic_store_explicit(&a->v, x, memory_order_release);                                     \
    }                                                                                              \
    static inline type prefix##_exchange(struct wrap *a, type x)                                   \
    {                                                                                              \
        return atomic_exchange_explicit(&a->v, x, memory_order_acq_rel);                           \
    }                                                                                              \
    /* True if *a was `expected` and is now `desired`. */                                          \
    static inline bool prefix##_cas(struct wrap *a, type expected, type desired)                   \
    {                                                                                              \
        return atomic_compare_exchange_strong_explicit(                                            \
            &a->v, &expected, desired, memory_order_acq_rel, memory_order_acquire);                \
    }

#define SN_ATOMIC_INT_OPS(prefix, wrap, type)                                                      \
    static inline type prefix##_fetch_add(struct wrap *a, type x)                                  \
    {                                                                                              \
        return atomic_fetch_add_explicit(&a->v, x, memory_order_acq_rel);                          \
    }                                                                                              \
    static inline type prefix##_fetch_sub(struct wrap *a, type x)                                  \
    {                                                                                              \
        return atomic_fetch_sub_explicit(&a->v, x, memory_order_acq_rel);                          \
    }                                                                                              \
    static inline type prefix##_fetch_or(struct wrap *a, type x)                                   \
    {                                                                                              \
        return atomic_fetch_or_explicit(&a->v, x, memory_order_acq_rel);                           \
    }                                                                                              \
    static inline type prefix##_fetch_and(struct wrap *a, type x)                                  \
    {                                                                                              \
        return atomic_fetch_and_explicit(&a->v, x, memory_order_acq_rel);                          \
    }

SN_ATOMIC_OPS(sn_a32, sn_a32, uint32_t)
SN_ATOMIC_INT_OPS(sn_a32, sn_a32, uint32_t)
SN_ATOMIC_OPS(sn_a64, sn_a64, uint64_t)
SN_ATOMIC_INT_OPS(sn_a64, sn_a64, uint64_t)
SN_ATOMIC_OPS(sn_aptr, sn_aptr, void *)

/* gcc's ThreadSanitizer does not model fences, and says so. It need not: what is published around
 * ours is published by a release store, the fence only orders a store before a load. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wtsan"
#endif
static inline void sn_fence_full(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/* Inside a short spin: tells the core that we wait. */
static inline void sn_cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

#endif
