/* SPDX-License-Identifier: MIT */
/*
 * Annotations the compilers check: results that must be looked at, and which lock guards what
 * (Clang's thread-safety analysis; empty elsewhere).
 */
#ifndef SN_BASE_ATTR_H
#define SN_BASE_ATTR_H

#include <stddef.h>

#if defined(__GNUC__)
#define SN_MUST_CHECK   __attribute__((warn_unused_result))
#define SN_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define SN_NORETURN     __attribute__((noreturn))
#define SN_LIKELY(x)    __builtin_expect(!!(x), 1)
#define SN_UNLIKELY(x)  __builtin_expect(!!(x), 0)
#else
#define SN_MUST_CHECK
#define SN_PRINTF(f, a)
#define SN_NORETURN
#define SN_LIKELY(x)   (x)
#define SN_UNLIKELY(x) (x)
#endif

#if defined(__clang__)
#define SN_CAPABILITY(x) __attribute__((capability(x)))
#define SN_ACQUIRE(...)  __attribute__((acquire_capability(__VA_ARGS__)))
#define SN_RELEASE(...)  __attribute__((release_capability(__VA_ARGS__)))
#define SN_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define SN_EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))
#define SN_NO_ANALYSIS   __attribute__((no_thread_safety_analysis))
#else
#define SN_CAPABILITY(x)
#define SN_ACQUIRE(...)
#define SN_RELEASE(...)
#define SN_REQUIRES(...)
#define SN_EXCLUDES(...)
#define SN_NO_ANALYSIS
#endif

/* Says which lock of the same structure guards a member. For the reader only: in C, clang cannot
 * yet look up a member in an attribute of another. */
#define SN_GUARDED_BY(x)

/* The structure of type `type` whose member `member` is at `ptr`. */
#define SN_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define SN_ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Fields written by different threads are kept this far apart. */
#define SN_CACHE_LINE 64

#endif
