/* SPDX-License-Identifier: MIT */
/*
 * Assertions on our own invariants. Input of a peer or of a consumer is never asserted: it is
 * answered. SN_ASSERT is cheap and always on; SN_DASSERT is for costly walks, debug builds only.
 */
#ifndef SN_BASE_ASSERT_H
#define SN_BASE_ASSERT_H

#include "base/attr.h"

/* Prints the broken condition and its place, then aborts. */
SN_NORETURN void sn_assert_failed(const char *what, const char *file, int line);

#define SN_ASSERT(cond) (SN_LIKELY(cond) ? (void)0 : sn_assert_failed(#cond, __FILE__, __LINE__))

#if defined(SOFTNDK_DEBUG)
#define SN_DASSERT(cond) SN_ASSERT(cond)
#else
#define SN_DASSERT(cond) ((void)sizeof(!(cond)))
#endif

#define SN_UNREACHABLE() sn_assert_failed("unreachable", __FILE__, __LINE__)

#endif
