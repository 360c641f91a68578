/* SPDX-License-Identifier: MIT */
/*
 * Captures what passes the pipes of a platform: SOFTNDK_PCAP. A tapped platform has a table of
 * operations of ours in front of its own, so that an untapped one pays nothing.
 */
#ifndef SN_TRACE_TAP_H
#define SN_TRACE_TAP_H

#include "plat/plat.h"

/*
 * Taps a platform that has no pipe yet into the file, until trace_tap_end. The file is created by
 * the first tap of the process that names it and stays open until the process ends: adapters that
 * are opened later go on in it. On failure a sentence without a full stop is in why[0..cap), and
 * nothing is changed. SN_INVALID: the file cannot be written; SN_NO_MEMORY.
 */
SN_MUST_CHECK enum sn_status trace_tap_begin(
    struct plat *plat, const char *path, char *why, size_t cap);
/* The platform has no pipe any more. Harmless when it is not tapped. */
void trace_tap_end(struct plat *plat);

#endif
